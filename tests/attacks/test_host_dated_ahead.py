"""A host whose clock is ahead: what it says is taken, its offset is found, and nothing that permits is gained by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.statements import (
    FindingRaised,
    OutageDeclared,
    Predicate,
    ReceiptAcknowledged,
    Span,
    parse_payload,
)
from sekisho.operations.clock_offsets import CLOCK_SLACK_S, Offsets
from sekisho.operations.desk import Admitted
from sekisho.operations.leasing import SpentLease
from sekisho.ports.control import Unacknowledged
from sekisho.signing import parse_envelope
from tests import factory as f
from tests.desks import TestDesk
from tests.holders import QUANTUM, Holder, books_of, leased, license_hosts

DAY_S = 86_400.0


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as made:
        yield made


def finding(ahead_s: float, code: str = "clock-ahead", host: str = "host-1") -> FindingRaised:
    return FindingRaised(
        effective=f.NOW.plus(ahead_s), finding=code, host=host, detail="the system clock is off"
    )


def admit(desk: TestDesk, fact: Predicate) -> Admitted:
    return desk.desk.admit(f.signed(fact, f.HOST).raw)


def found(desk: TestDesk) -> list[FindingRaised]:
    facts = [r.verified.predicate for r in desk.desk.recorded()]
    return [fact for fact in facts if isinstance(fact, FindingRaised)]


@pytest.mark.parametrize("ahead_s", [CLOCK_SLACK_S + 1, 3_601.0, 400 * DAY_S])
def test_finding_that_the_clock_is_ahead_is_taken(desk: TestDesk, ahead_s: float) -> None:
    """However far: it stands in the log with its own date, and the desk says beside it by how much that is wrong."""
    admit(desk, finding(ahead_s))

    told, measured = found(desk)
    assert (told.finding, told.effective) == ("clock-ahead", f.NOW.plus(ahead_s))
    assert (measured.finding, measured.host) == ("dated-ahead", "host-1")
    assert measured.effective == f.NOW
    assert f"{ahead_s:.0f} s ahead" in measured.detail


def test_offset_within_the_tolerance_is_no_finding(desk: TestDesk) -> None:
    """Clocks differ."""
    admit(desk, finding(CLOCK_SLACK_S))

    assert [fact.finding for fact in found(desk)] == ["clock-ahead"]


def test_offset_is_told_once_and_again_when_it_has_doubled(desk: TestDesk) -> None:
    """A host that dates every word further ahead fills no log."""
    for n in range(50):
        admit(desk, finding(1_000 + n, code=f"matter-{n}"))
    assert len(found(desk)) == 51
    admit(desk, finding(2_500, code="later"))
    assert len(found(desk)) == 53


def test_offsets_are_bounded_in_number() -> None:
    """From the tolerance to ten years there are not twenty doublings."""
    offsets = Offsets()
    told = [offsets.note("host-1", f.NOW.plus(ahead), f.NOW) for ahead in range(0, 10**8, 9_973)]
    assert 10 < sum(each is not None for each in told) < 20


def test_what_anybody_else_dates_ahead_is_refused(desk: TestDesk) -> None:
    """A party's, an authority's, or a finding about a host that another key signs."""
    with pytest.raises(InvalidInput, match="is dated"):
        desk.desk.admit(f.signed(finding(DAY_S), f.OPERATOR).raw)
    start = f.NOW.plus(DAY_S)
    outage = OutageDeclared(
        effective=start,
        outage="OUT-1",
        period=Span(start=start, end=start.plus(60)),
        reason="ahead",
    )
    with pytest.raises(InvalidInput, match="is dated"):
        desk.desk.admit(f.signed(outage, *f.AUTHORITY[:2], f.OPERATOR).raw)


def test_receipts_dated_ahead_are_taken_and_close_the_lease(desk: TestDesk) -> None:
    """The chain goes on, the final receipt returns the rest, and the offset is found at the issuer, too."""
    holder, lease = leased(desk)
    desk.leases.take_receipt(holder.receipt(lease))
    ahead = f.NOW.plus(DAY_S)
    desk.leases.take_receipt(holder.receipt(lease, stage="final", reserved=QUANTUM, now=ahead))

    assert books_of(desk.desk)[""][1:4] == (0, QUANTUM, 0)
    (measured,) = found(desk)
    assert measured.finding == "dated-ahead"


def test_acknowledgement_is_dated_by_the_issuer(desk: TestDesk) -> None:
    """A receipt dated ahead within its lease is acknowledged as of when it came."""
    holder, lease = leased(desk)
    raw = desk.leases.take_receipt(holder.receipt(lease, now=f.NOW.plus(50)))
    fact = parse_payload(parse_envelope(raw).payload).predicate
    assert isinstance(fact, ReceiptAcknowledged)
    assert fact.effective == f.NOW


def test_host_that_dates_itself_ahead_to_stretch_a_lease(desk: TestDesk) -> None:
    """Neither its request nor its receipts move the lease's end: by its own date the quantum comes too late."""
    licence = license_hosts(desk.desk, 1)
    holder = Holder(1, licence.leaf)
    granted = desk.leases.grant(holder.request(f.NOW.plus(DAY_S)))
    held = desk.desk.state.licences.by_lease(granted.admitted.leaf)
    assert held is not None
    assert held[1].granted.not_after == f.NOW.plus(60)
    holder.took()
    with pytest.raises(SpentLease):
        desk.leases.take_receipt(holder.receipt(granted.admitted.leaf, now=f.NOW.plus(DAY_S)))


def test_host_that_dates_itself_back_to_stretch_a_lease(desk: TestDesk) -> None:
    """What came after the lease had ended is not acknowledged, whatever date it bears."""
    holder, lease = leased(desk)
    desk.clock.move(600)
    with pytest.raises(Unacknowledged, match="after lease 1 had ended"):
        desk.leases.take_receipt(holder.receipt(lease, now=f.NOW.plus(1)))


def test_host_that_dates_itself_ahead_to_skip_the_forfeiture(desk: TestDesk) -> None:
    """Forfeiture goes by the issuer's clock; a receipt from the future keeps no lease alive."""
    holder, lease = leased(desk)
    desk.leases.take_receipt(holder.receipt(lease))
    desk.leases.take_receipt(holder.receipt(lease, stage="received", now=f.NOW.plus(DAY_S)))
    desk.clock.move(600)

    assert desk.leases.close_overdue() == 1
    assert books_of(desk.desk)[""][2] == QUANTUM
