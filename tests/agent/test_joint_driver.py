"""The joint driver's pure part by its laws, and what its seats do where somebody else fails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.agent.consent import decide_refusal
from sekisho.agent.decide import LeaseFacts, Situation, Work, decide
from sekisho.agent.joint_driver import JointDriver, strictest_permit
from sekisho.model.errors import StateConflict, Unavailable
from sekisho.ports.driver import Permit
from tests.agent.joint_rig import JointRig
from tests.fakes import FakeClock, FakeDriver

PERMITS = st.builds(
    lambda checkpoint_at_s, further_s, then: Permit(
        checkpoint_at_s=checkpoint_at_s, until_s=checkpoint_at_s + further_s, then=then
    ),
    checkpoint_at_s=st.floats(0, 1_000),
    further_s=st.floats(0, 100),
    then=st.sampled_from(["freeze", "kill"]),
)


@given(st.lists(PERMITS, min_size=1, max_size=5))
def test_no_charter_s_permit_is_outlived(permits: list[Permit]) -> None:
    """The common permit ends with the first, by the strictest of all ends, and asks for its checkpoint before."""
    common = strictest_permit(permits)
    assert common is not None
    assert common.until_s == min(permit.until_s for permit in permits)
    assert common.checkpoint_at_s <= min(permit.checkpoint_at_s for permit in permits)
    assert common.checkpoint_at_s <= common.until_s
    assert (common.then == "kill") == any(permit.then == "kill" for permit in permits)


@given(PERMITS, st.lists(PERMITS, max_size=4))
def test_a_further_charter_never_loosens(one: Permit, others: list[Permit]) -> None:
    """Whatever the others give, what is told is at least as strict as one alone."""
    common = strictest_permit([one, *others])
    assert common is not None
    assert common.until_s <= one.until_s
    assert (common.then, one.then) != ("freeze", "kill")


def test_nobody_s_permit_is_none() -> None:
    """Where nobody permits anything the watchdog is told nothing."""
    assert strictest_permit([]) is None


def test_a_seat_without_a_duty_holds_the_work() -> None:
    """Between its making and its duty's first word a charter lets nothing start."""
    driver = FakeDriver(FakeClock())
    joint = JointDriver(driver, "run-1")
    seat, _ = joint.seat("A"), joint.seat("B")
    seat.permit(Permit(checkpoint_at_s=2_000, until_s=2_000, then="kill"))
    with pytest.raises(StateConflict, match="charter B: its duty has not begun"):
        seat.start("run-1", ("work",), {})
    assert driver.calls == []


def test_work_that_one_charter_froze_is_not_killed_by_another_s_permit() -> None:
    """A hold never kills: while the work stands, who froze it alone says how it is kept."""
    clock = FakeClock()
    driver = FakeDriver(clock)
    joint = JointDriver(driver, "run-1")
    holder, other = joint.seat("A"), joint.seat("B")
    driver.state = "running"
    holder.freeze()
    now = clock.elapsed_s()
    holder.permit(Permit(checkpoint_at_s=now, until_s=now, then="freeze"))
    other.permit(Permit(checkpoint_at_s=now + 2, until_s=now + 4, then="kill"))
    clock.advance(60)
    driver.enforce()
    assert driver.read().state == "frozen"


def test_a_start_that_fails_leaves_nobody_believing_in_work() -> None:
    """Both quanta are spent, as after any failed start, and the next try is a fresh one."""
    joint = JointRig()
    for rig in joint.halves:
        rig.control.license()
    start = joint.driver.start
    joint.driver.start = _refuse  # type: ignore[assignment, method-assign]  # a broken host
    for _ in range(2):
        joint.turn()
    joint.clock.advance(0.25)
    joint.turn()
    assert [rig.duty.work for rig in joint.halves] == ["none", "none"]
    joint.driver.start = start  # type: ignore[method-assign]  # mended
    joint.run_for(3)
    assert joint.doing() == "running"


def _refuse(*_: object) -> None:
    raise Unavailable("no such luck")


def test_a_work_that_does_not_stop_is_told_to_nobody_as_stopped() -> None:
    """The charter that tried says so; the other sees the work run, and keeps its own books."""
    joint = JointRig().started()
    joint.driver.is_stubborn = True
    joint.a.control.issue(joint.a.control.order())
    joint.run_for(2)
    assert "refused" in joint.a.control.stages()
    assert "halted" not in joint.a.control.stages()
    assert joint.b.duty.work == "running"


LICENSED = LeaseFacts(mode="kill", grace_s=2.0, ends_s=50.0)


@pytest.mark.parametrize(
    ("situation", "refuses"),
    [
        (Situation(now_s=0.0, lease=LICENSED), False),
        (Situation(now_s=0.0), True),
        (Situation(now_s=0.0, busy_without_lease="stop"), True),
        (Situation(now_s=0.0, busy_without_lease="advise"), False),
        (Situation(now_s=0.0, busy_without_lease="advise", outstanding_s=1.0), True),
        (Situation(now_s=0.0, busy_without_lease="advise", has_contact=False), True),
        (Situation(now_s=0.0, lease=LICENSED, licence_revoked=True), True),
        (Situation(now_s=0.0, lease=LICENSED, acknowledged=False), True),
        (Situation(now_s=0.0, is_bound=False), False),
        (Situation(now_s=0.0, is_bound=False, has_contact=False), True),
        (Situation(now_s=0.0, is_bound=False, lease=LICENSED, licence_revoked=True), False),
    ],
)
def test_what_a_charter_lets_in(situation: Situation, refuses: bool) -> None:
    """Its lease and its orders decide; without a lease its word on such work; unbound, whether it was heard."""
    assert (decide_refusal(situation) is not None) == refuses


def test_a_charter_that_does_not_bind_the_host_decides_nothing() -> None:
    """Not over running work, not over new work, and without a finding."""
    decision = decide(Situation(now_s=0.0, work="running", is_bound=False, start="rolled-back"))
    assert (decision.work, decision.new_work, decision.findings) == ("run", False, ())


def test_what_another_charter_withholds_does_not_start_here() -> None:
    """Nothing begins and nothing thaws, and the reason names who holds it."""
    works: tuple[Work, ...] = ("none", "frozen")
    for work in works:
        decision = decide(
            Situation(now_s=0.0, work=work, lease=LICENSED, withheld=("charter B: a pause",))
        )
        assert decision.work in ("none", "freeze")
        assert not decision.new_work
        assert decision.reasons == ("charter B: a pause",)
