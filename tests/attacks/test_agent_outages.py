"""Outages that an agent must not believe, or not for as long as somebody would like."""

from __future__ import annotations

import pytest

from sekisho.model.statements import LeaseTerms
from sekisho.ports.control import Feed, FeedItem
from sekisho.signing.keys import Signer
from tests.factory import AUTHORITY, HOST, OPERATOR, signer
from tests.fakes import Rig
from tests.outages import outage

SHORT = LeaseTerms(interval_s=20, grace_s=2, quantum_s=2)


def cut_off(**fields: object) -> tuple[Rig, list[str]]:
    """A running host that is handed an outage and hears nothing else from then on; with what it found."""
    rig = Rig().started(lease=SHORT)
    raw = outage(rig.control, **fields).raw  # type: ignore[arg-type]  # the test's own fields
    rig.control.is_silent = True
    _, findings = rig.duty.take_carried(Feed(next=0, items=(FeedItem(envelope=raw),)))
    return rig, [finding.code for finding in findings]


@pytest.mark.parametrize(
    "signers",
    [(OPERATOR,), AUTHORITY[:2], (AUTHORITY[0], OPERATOR), (HOST,), (signer("stranger"),)],
    ids=["operator alone", "authority alone", "one short", "the host", "a stranger"],
)
def test_outage_without_quorum(signers: tuple[Signer, ...]) -> None:
    """Less than both constituencies declare nothing: the work stops as if nobody had spoken."""
    rig, codes = cut_off(signers=signers)
    rig.run_for(8)

    assert rig.doing() == "none"
    assert len(codes) == 1


def test_outage_longer_than_72_h() -> None:
    """It is refused whole, with a finding."""
    rig, codes = cut_off(lasts_s=72 * 3_600 + 1)
    rig.run_for(8)

    assert codes == ["outage-too-long"]
    assert rig.doing() == "none"


def test_outage_of_exactly_72_h_is_in_order() -> None:
    """The bound itself belongs to what may be declared."""
    rig, codes = cut_off(lasts_s=72 * 3_600)
    rig.run_for(8)

    assert codes == []
    assert rig.doing() == "running"


def test_outage_while_an_order_covers_the_host() -> None:
    """A pause acts in an outage as ever, and nothing outlives it."""
    rig = Rig().started(lease=SHORT)
    rig.control.admit(outage(rig.control))
    rig.control.issue(rig.control.order())
    rig.run_for(3)
    rig.control.is_silent = True
    rig.run_for(30)

    assert rig.doing() == "frozen"
    assert rig.host.memory.state.lease is None


def test_outage_while_an_order_is_hidden_from_the_host() -> None:
    """A head whose order is missing counts as an order that covers: the outage spares nothing."""
    rig = Rig().started(lease=SHORT)
    rig.control.admit(outage(rig.control))
    rig.control.issue(rig.control.order())
    rig.control.feed = [row for row in rig.control.feed if row[1] != "order-issued"]
    rig.control.fetch_order = _nobody  # type: ignore[method-assign]  # the attack
    rig.run_for(1)
    rig.control.acknowledges = False
    rig.run_for(8)

    assert rig.doing() == "none"


def _nobody(register: str, number: int, host: str = "") -> FeedItem:
    from sekisho.model.errors import StateConflict

    raise StateConflict("there is no such order")


def test_outage_that_no_witness_ever_sees() -> None:
    """After the charter's deadline it counts no more, with a finding; a restart does not renew it."""
    rig, codes = cut_off(lasts_s=72 * 3_600)
    assert codes == []
    rig.run_for(4)
    assert rig.doing() == "running"
    rig.clock.advance(86_400)
    rig.run_for(8)
    assert rig.doing() == "none"
    rig.wake()
    rig.control.is_silent = False
    rig.turn()
    rig.run_for(1)

    assert "unwitnessed-outage-lapsed" in rig.control.codes()
    assert rig.follower.outages.known == {}


def test_outage_that_lapsed_is_not_renewed_by_carrying_it_in_again() -> None:
    """No witness saw it within the deadline: the same paper is no news, and spares nobody for another day."""
    day_s = 86_400
    rig = Rig().started(lease=SHORT)
    paper = FeedItem(envelope=outage(rig.control, lasts_s=72 * 3_600).raw)
    rig.duty.take_carried(Feed(next=0, items=(paper,)))
    assert len(rig.follower.outages.known) == 1
    rig.clock.advance(day_s + 1)
    rig.turn()
    assert rig.follower.outages.known == {}
    rig.duty.take_carried(Feed(next=0, items=(paper,)))
    assert rig.follower.outages.known == {}
    assert rig.follower.outage(rig.clock.now()) is None


def test_outage_kept_alive_by_turning_the_clock_back() -> None:
    """It ends by the latest clock: the signed time plus what elapsed, whatever the system clock says."""
    rig, _ = cut_off(lasts_s=30)
    rig.run_for(10)
    rig.clock.system = rig.clock.system.plus(-7_200)
    rig.run_for(28)

    assert rig.doing() == "none"


def test_outage_for_another_site() -> None:
    """Whom it does not name it does not spare."""
    rig, codes = cut_off(sites=("site-2",))
    rig.run_for(8)

    assert codes == []
    assert rig.doing() == "none"
