"""An agent killed before and after each durable step: what it wakes to is sound, and nothing is spent twice."""

from __future__ import annotations

import pytest

from sekisho.model.amounts import parse_flop
from sekisho.model.statements import LeaseTerms
from tests.fakes import Crashed, Rig

Q = 4_000_000_000
QUANTUM = ("append receipts.jsonl", "save state.json", "counter")


def steps_of(rig: Rig, seconds: float) -> list[str]:
    """The durable steps that pass in some seconds without a crash."""
    rig.fuse.steps.clear()
    rig.run_for(seconds)
    return list(rig.fuse.steps)


def crash_within(rig: Rig, seconds: float, step: int, *, after: bool) -> bool:
    """Whether the agent died at its n-th durable step within that time."""
    rig.crash_at(step, after=after)
    try:
        rig.run_for(seconds)
    except Crashed:
        return True
    finally:
        rig.mend()
    return False


def assert_sound(rig: Rig) -> None:
    """One chain, no doubled sequence, quanta never backwards, no lease over its allowance, no refused receipt."""
    receipts = rig.control.receipts
    assert [r.sequence for r in receipts] == list(range(1, len(receipts) + 1))
    quanta = [r.quantum for r in receipts]
    assert quanta == sorted(quanta)
    for receipt in receipts:
        if receipt.spend is not None:
            assert parse_flop(receipt.spend.reserved_flop) <= 62_000_000_000
    assert rig.counter.value == rig.host.memory.state.quantum
    assert rig.control.codes() == []


def test_the_order_of_a_quantum_s_writes_is_receipt_state_counter() -> None:
    """Whatever else is written, these three come in this order at each quantum."""
    steps = [s for s in steps_of(Rig().started(), 2.5) if s in QUANTUM]

    assert tuple(steps[:3]) == QUANTUM


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(6))
def test_killed_at_a_step_of_a_quantum(step: int, after: bool) -> None:
    """The agent wakes, completes or forgets the quantum, and the living work goes on or is started again."""
    rig = Rig().started()

    assert crash_within(rig, 5, step, after=after)
    rig.wake()
    rig.run_for(8)

    assert rig.doing() == "running"
    assert_sound(rig)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(14))
def test_killed_at_a_step_of_the_first_start(step: int, after: bool) -> None:
    """From the empty home to the first quantum: each crash leaves a home that starts."""
    rig = Rig()
    rig.control.license()

    crashed = crash_within(rig, 3, step, after=after)
    rig.wake()
    rig.run_for(6)

    assert crashed
    assert rig.doing() == "running"
    assert_sound(rig)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(12))
def test_killed_at_a_step_of_a_halt(step: int, after: bool) -> None:
    """The work is frozen before the first write, and every receipt about the order exists once."""
    rig = Rig().started()
    rig.control.issue(rig.control.order())

    crashed = crash_within(rig, 0.5, step, after=after)
    assert rig.driver.state == "frozen"
    rig.wake()
    rig.run_for(3)

    assert crashed or step >= 8
    assert rig.doing() == "frozen"
    assert [s for s in rig.control.stages() if s in ("received", "halted")] == [
        "received",
        "halted",
    ]
    assert rig.host.memory.state.lease is None
    assert_sound(rig)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(10))
def test_killed_at_a_step_of_a_resume(step: int, after: bool) -> None:
    """Work goes on under the next lease, and says so once."""
    rig = Rig().started()
    rig.control.issue(rig.control.order())
    rig.run_for(2)
    lifted = rig.control.book.orders["pause/JP"][1].reference
    rig.control.issue(
        rig.control.order(kind="resume", effect="lift", lifts=[lifted], on_expiry="lapse")
    )

    crash_within(rig, 1, step, after=after)
    rig.wake()
    rig.run_for(6)

    assert rig.doing() == "running"
    assert rig.control.stages().count("resumed") == 1
    assert_sound(rig)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(0, 24, 2))
def test_killed_at_a_step_of_a_lease_s_change(step: int, after: bool) -> None:
    """Around a lease's end: request, final receipt, next lease; numbers stay whole and the work goes on."""
    rig = Rig().started(lease=LeaseTerms(interval_s=10, grace_s=2, quantum_s=2))
    rig.run_for(4)

    assert crash_within(rig, 10, step, after=after)
    rig.wake()
    rig.run_for(10)

    assert rig.doing() == "running"
    numbers = [request.number for request in rig.control.requests]
    assert numbers == list(range(1, len(numbers) + 1))
    assert_sound(rig)


def test_a_lost_quantum_is_paid_for_by_the_holder() -> None:
    """Killed between state and counter: the whole reservation counts as spent."""
    step = steps_of(Rig().started(), 3).index("counter")
    rig = Rig().started()

    assert crash_within(rig, 3, step, after=False)
    spent = parse_flop(rig.host.memory.state.lease.spent)  # type: ignore[union-attr]  # under a lease
    rig.driver.state = "ended"
    rig.wake()

    assert rig.duty.start == "sound"
    assert parse_flop(rig.host.memory.state.lease.spent) == spent + Q  # type: ignore[union-attr]  # as above
