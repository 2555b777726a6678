"""Attacks with few keys: holds chained into a pause, at the agent that acts on sight, at the desk, and in the log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.model.statements import CharterRegister, EnrolledDevice, OrderIssued, Scope, Span
from sekisho.operations.holding import check_hold_limits, standing_of_holds
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.orders.holding import HoldBudgetSpent, StackedHold
from sekisho.signing import Envelope
from sekisho.signing.keys import Signer
from tests import factory as f
from tests.desks import TestDesk
from tests.factory import AUTHORITY, VERIFIER
from tests.fakes import QUORUM, FakeControl, Rig

DAY_S = 86_400
LOW = AUTHORITY[:2]


# --- at the agent --------------------------------------------------------------------------------


@pytest.fixture
def rig() -> Rig:
    """A host whose work runs under leases of a licence for two months."""
    return started(FakeControl())


def started(control: FakeControl) -> Rig:
    return Rig(control).started(period=Span(start=f.NOW, end=f.NOW.plus(60 * DAY_S)))


def hold(
    rig: Rig, *, hours: float = 1, signers: tuple[Signer, ...] = LOW, **changes: object
) -> Envelope:
    start = rig.control.now()
    fields: dict[str, object] = {
        "expires": start.plus(hours * 3_600),
        "effect": "freeze",
        **changes,
    }
    return rig.control.order(kind="hold", signers=signers, **fields)


def pass_time(rig: Rig, seconds: float) -> None:
    """Time that the host lives through in long steps; a fresh checkpoint tells it so."""
    for _ in range(4):
        rig.clock.advance(seconds / 4)
        rig.control.state_heads()
        rig.run_for(0.5)


def held_and_over(rig: Rig) -> None:
    """An hour's hold, issued by the book, and its end."""
    rig.control.issue(hold(rig))
    rig.run_for(1)
    assert rig.doing() == "frozen"
    pass_time(rig, 3_700)
    assert rig.doing() != "frozen"


def test_a_hold_stacked_on_the_one_before_it_is_ignored(rig: Rig) -> None:
    """The same constituency, the same host, an hour after its first hold: the work goes on, a finding says why."""
    held_and_over(rig)
    running = rig.doing()
    rig.control.show(hold(rig))
    rig.run_for(1)
    assert rig.doing() == running
    assert rig.control.codes().count("stacked-hold") == 1


def test_a_stacked_hold_that_the_log_took_is_ignored_as_well(rig: Rig) -> None:
    """A desk that lets it in changes nothing here; its number is known, so nothing is outstanding."""
    held_and_over(rig)
    rig.control.issue(hold(rig))
    rig.run_for(1)
    assert rig.doing() != "frozen"
    assert rig.follower.book.outstanding() == ()
    assert "stacked-hold" in rig.control.codes()


def test_a_chain_of_holds_shown_one_after_the_other_and_never_logged(rig: Rig) -> None:
    """A thief of the low quorum shows a day's hold, lets it lapse unwitnessed, and shows the next: it acts once."""
    rig.control.show(hold(rig, hours=24))
    rig.run_for(1)
    assert rig.doing() == "frozen"
    pass_time(rig, DAY_S + 60)
    acted = 0
    for _ in range(3):
        rig.control.show(hold(rig, hours=24, legal_basis=f"Act, section {_}"))
        rig.run_for(1)
        acted += rig.doing() == "frozen"
        pass_time(rig, DAY_S + 60)
    assert acted == 0
    assert "stacked-hold" in rig.control.codes()


def test_a_restart_does_not_make_a_host_forget_a_hold_that_lapsed(rig: Rig) -> None:
    """What it took before is read back, also what the log never held."""
    rig.control.show(hold(rig, hours=1))
    rig.run_for(1)
    assert rig.doing() == "frozen"
    pass_time(rig, DAY_S + 60)
    rig.wake()
    rig.run_for(1)
    rig.control.show(hold(rig, legal_basis="Act, section 2"))
    rig.run_for(1)
    assert rig.doing() != "frozen"
    assert "stacked-hold" in rig.control.codes()


def test_a_narrower_scope_does_not_make_it_another_hold(rig: Rig) -> None:
    """Adding an attribute, or naming the host instead of its site, still holds the same host."""
    held_and_over(rig)
    for number, scope in enumerate(
        (
            Scope(sites=("site-1",), runs=("run-1",)),
            Scope(hosts=("host-1",)),
            Scope(everywhere=True),
        )
    ):
        rig.control.show(hold(rig, scope=scope, legal_basis=f"Act, section {number}"))
        rig.run_for(1)
        assert rig.doing() != "frozen"


def test_a_hold_of_elsewhere_closes_no_window_here(rig: Rig) -> None:
    """Whoever held another site may hold this one."""
    rig.control.issue(hold(rig, scope=Scope(sites=("elsewhere",))))
    pass_time(rig, 3_700)
    rig.control.show(hold(rig))
    rig.run_for(1)
    assert rig.doing() == "frozen"


def test_the_pause_quorum_may_hold_again(rig: Rig) -> None:
    """With the signatures of the pause quorum beside its own the second hold acts."""
    held_and_over(rig)
    rig.control.show(hold(rig, signers=QUORUM))
    rig.run_for(1)
    assert rig.doing() == "frozen"


def test_pause_signatures_stripped_from_a_hold_keep_the_whole_one_out_of_nothing(rig: Rig) -> None:
    """Shown first without them it is ignored; the same hold with them acts all the same."""
    held_and_over(rig)
    order = f.order_issued(
        kind="hold",
        number=2,
        previous=rig.control.book.heads["hold/JP"].digest,
        charter_digest=rig.control.charter.digest,
        now=rig.control.now(),
    )
    rig.control.show(f.signed(order, *LOW))
    rig.run_for(1)
    assert rig.doing() != "frozen"
    rig.control.show(f.signed(order, *QUORUM))
    rig.run_for(1)
    assert rig.doing() == "frozen"


def test_a_stripped_hold_shown_again_and_again_fills_no_file(rig: Rig) -> None:
    """It is kept once; each later copy is judged and let go."""
    held_and_over(rig)
    envelope = hold(rig)
    for _ in range(3):
        rig.control.show(envelope)
        rig.run_for(1)
    kept = [row for row in rig.host.memory.load_followed() if row.envelope == envelope.raw]
    assert len(kept) == 1


def test_a_hold_in_another_register_is_the_same_constituencys_hold() -> None:
    """A second register, of another jurisdiction, opens no second window."""
    control = FakeControl()
    # The trust root names this charter: a regime with two registers of holds.
    two = CharterRegister(name="hold/US", power="hold", jurisdiction="US")
    _with_register(control, two)
    rig = started(control)
    held_and_over(rig)
    order = f.order_issued(
        kind="hold",
        register="hold/US",
        charter_digest=control.charter.digest,
        now=control.now(),
    )
    control.show(f.signed(order, *LOW))
    rig.run_for(1)
    assert rig.doing() != "frozen"
    assert "stacked-hold" in control.codes()


def _with_register(control: FakeControl, register: CharterRegister) -> None:
    """Adopt version 2 of the charter, with one register more."""
    terms = msgspec.structs.replace(
        control.terms,
        version=2,
        previous=control.charter.digest,
        registers=(*control.terms.registers, register),
    )
    control.terms, control.charter = terms, f.signed(terms, *AUTHORITY[:3], VERIFIER[0])
    control.admit(control.charter)
    control.book = control.book.opened(terms.registers)


def test_a_drill_of_a_hold_acts_on_the_canary_only(rig: Rig) -> None:
    """On a host whose licensed run is the canary it acts; where the run is another it does not."""
    rig.control.show(hold(rig, drill=True))
    rig.run_for(1)
    assert rig.doing() == "frozen"

    other = FakeControl()
    host = msgspec.structs.replace(f.host_enrolled(), canary="canary-9")
    other.admit(f.signed(host, AUTHORITY[0], f.OPERATOR))
    second = started(other)
    for kind, signers in (("hold", LOW), ("pause", QUORUM)):
        other.show(other.order(kind=kind, effect="freeze", signers=signers, drill=True))
        second.run_for(1)
        assert second.doing() == "running"


# --- at the desk ---------------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as opened:
        yield opened


def drafted(desk: TestDesk, **changes: object) -> OrderIssued:
    plan = OrderPlan(
        kind="hold",
        scope=Scope(sites=("site-1",)),
        effect="freeze",
        lasts_s=3_600,
        legal_basis="Test act",
        appeal="none",
    )
    plan = msgspec.structs.replace(plan, **changes)
    return draft_order(desk.desk.state, plan, now=desk.clock.now())


def issue(desk: TestDesk, order: OrderIssued, *signers: Signer) -> None:
    desk.desk.admit(f.signed(order, *(signers or LOW)).raw)
    desk.cosigned()


def test_a_stacked_hold_does_not_enter_the_log(desk: TestDesk) -> None:
    """The desk says what was held, until when, and that the pause quorum may; then nothing changed."""
    issue(desk, drafted(desk))
    desk.clock.move(13 * DAY_S)
    size = desk.desk.state.size
    with pytest.raises(StackedHold, match="hold/JP 1 until") as refused:
        issue(desk, drafted(desk))
    assert "pause quorum" in refused.value.remedy
    assert desk.desk.state.size == size
    desk.clock.move(1 * DAY_S + 3_600)
    issue(desk, drafted(desk))


@pytest.mark.parametrize(
    "scope",
    [
        Scope(sites=("site-1",), runs=("run-1",)),
        Scope(hosts=("host-1",)),
        Scope(sites=("site-1",), licensees=("nobody-yet",)),
        Scope(chips=("host CPU",)),
        Scope(everywhere=True),
    ],
    ids=str,
)
def test_a_hold_stacked_by_another_wording_of_its_scope(desk: TestDesk, scope: Scope) -> None:
    """The hosts decide; where nobody is covered yet, only words that prove two scopes disjoint do."""
    issue(desk, drafted(desk))
    desk.clock.move(2 * DAY_S)
    with pytest.raises(StackedHold):
        issue(desk, drafted(desk, scope=scope))


def test_a_hold_of_another_site_is_not_stacked(desk: TestDesk) -> None:
    """Two sites, two holds."""
    issue(desk, drafted(desk))
    desk.clock.move(2 * DAY_S)
    issue(desk, drafted(desk, scope=Scope(sites=("site-2",))))


def test_a_chain_of_24_h_holds_needs_the_pause_quorum(desk: TestDesk) -> None:
    """The low quorum holds once; whoever would pause by holds has to be able to pause."""
    issue(desk, drafted(desk, lasts_s=DAY_S))
    for _ in range(3):
        desk.clock.move(DAY_S)
        with pytest.raises(StackedHold):
            issue(desk, drafted(desk, lasts_s=DAY_S))
        issue(desk, drafted(desk, lasts_s=DAY_S), *QUORUM)


def test_the_signatures_of_the_pause_quorum_alone_make_no_hold(desk: TestDesk) -> None:
    """They are counted beside the hold's own quorum, and never instead of it."""
    with pytest.raises(Exception, match="hold is not met"):
        issue(desk, drafted(desk), AUTHORITY[0], VERIFIER[0])


def test_hundreds_of_held_chips_exhaust_a_quarter(desk: TestDesk) -> None:
    """Many devices for a day are refused before anything is held, with the figures; a drafter is told too."""
    device = f.host_enrolled().devices[0]
    devices: tuple[EnrolledDevice, ...] = tuple(
        msgspec.structs.replace(device, device=f"host-2/device-{n}") for n in range(200)
    )
    for n in range(2, 6):
        named = tuple(
            msgspec.structs.replace(each, device=f"host-{n}/device-{k}")
            for k, each in enumerate(devices)
        )
        host = msgspec.structs.replace(
            f.host_enrolled(f"host-{n}", of=f.signer(f"host-{n}"), now=desk.clock.now()),
            devices=named,
            site="site-2",
        )
        desk.desk.admit(f.signed(host, AUTHORITY[0], f.OPERATOR).raw)
    terms = msgspec.structs.replace(
        desk.desk.state.regime.in_force().terms,
        version=2,
        previous=desk.charter_envelope.digest,
        effective=desk.clock.now(),
        hold_chip_hours=10_000,
    )
    desk.desk.admit(f.signed(terms, *QUORUM).raw)
    order = drafted(desk, scope=Scope(sites=("site-2",)), lasts_s=DAY_S)
    assert "19200 chip-hours" in check_hold_limits(desk.desk.state, order, "d" * 64)[0]
    with pytest.raises(HoldBudgetSpent, match="the charter allows 10000"):
        issue(desk, order)
    issue(desk, drafted(desk, scope=Scope(sites=("site-2",)), lasts_s=DAY_S // 2))
    standing = standing_of_holds(desk.desk.state, desk.clock.now())
    assert [(row.constituency, row.used, row.left) for row in standing.budgets] == [
        ("authority", 9_600, 400)
    ]
    assert [row.constituency for row in standing.windows] == ["authority"]
