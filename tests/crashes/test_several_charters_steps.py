"""An agent under two charters, killed before and after each durable step of either home: both wake to what is sound."""

from __future__ import annotations

import pytest

from tests.agent.joint_rig import JointRig, lift, pause
from tests.fakes import Crashed


def crash_within(joint: JointRig, seconds: float, step: int, *, after: bool) -> bool:
    """Whether the agent died at its n-th durable step, of either home, within that time."""
    joint.crash_at(step, after=after)
    try:
        joint.run_for(seconds)
    except Crashed:
        return True
    finally:
        joint.fuse.burns_at = None
    return False


def assert_sound(joint: JointRig) -> None:
    """In each home one chain without a gap, quanta never backwards, the counter at the state, and no finding."""
    for rig in joint.halves:
        receipts = rig.control.receipts
        assert [r.sequence for r in receipts] == list(range(1, len(receipts) + 1))
        quanta = [r.quantum for r in receipts]
        assert quanta == sorted(quanta)
        assert rig.counter.value == rig.host.memory.state.quantum
        assert rig.control.codes() == []


def licensed() -> JointRig:
    joint = JointRig()
    for rig in joint.halves:
        rig.control.license()
    return joint


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(0, 28, 2))
def test_killed_at_a_step_of_the_first_start(step: int, after: bool) -> None:
    """Between the two memories too: no work runs that one of them has not charged, and then it starts."""
    joint = licensed()
    assert crash_within(joint, 3, step, after=after)
    if joint.doing() == "running":
        assert all(rig.host.memory.state.quantum > 0 for rig in joint.halves)
    joint.wake()
    joint.run_for(6)
    assert joint.doing() == "running"
    assert_sound(joint)


def test_work_starts_after_the_last_step_of_both_quanta() -> None:
    """Receipt, state and counter of the one, then of the other, and only then the start."""
    joint = licensed()
    started_at: list[int] = []
    start = joint.driver.start

    def spy(run: str, command: tuple[str, ...], environment: dict[str, str]) -> object:
        started_at.append(joint.fuse.steps.count("counter"))
        return start(run, command, environment)

    joint.driver.start = spy  # type: ignore[assignment, method-assign]  # a spy
    joint.run_for(2)
    assert started_at == [2]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(14))
def test_killed_at_a_step_of_a_halt(step: int, after: bool) -> None:
    """The stop is done before the first step of either home; each receipt exists once, the other's books go on."""
    joint = JointRig().started()
    pause(joint.a)
    crash_within(joint, 1.0, step, after=after)
    assert joint.doing() == "frozen"
    joint.wake()
    joint.run_for(3)
    assert joint.doing() == "frozen"
    told = [s for s in joint.a.control.stages() if s in ("received", "halted")]
    assert told == ["received", "halted"]
    assert set(joint.b.control.stages()) == {"quantum"}
    assert_sound(joint)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(16))
def test_killed_at_a_step_of_a_resume(step: int, after: bool) -> None:
    """Under both the work goes on once, with a quantum of each; the resume is told once, by the charter that paused."""
    joint = JointRig().started()
    pause(joint.a)
    joint.run_for(2)
    lift(joint.a)
    crash_within(joint, 1, step, after=after)
    joint.wake()
    joint.run_for(6)
    assert joint.doing() == "running"
    assert joint.a.control.stages().count("resumed") == 1
    assert "resumed" not in joint.b.control.stages()
    assert_sound(joint)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(0, 12, 2))
def test_killed_between_two_running_quanta(step: int, after: bool) -> None:
    """The work lives on under the earlier permit and is taken over, charged by both."""
    joint = JointRig().started()
    assert crash_within(joint, 6, step, after=after)
    joint.wake()
    joint.run_for(8)
    assert joint.doing() == "running"
    assert_sound(joint)
