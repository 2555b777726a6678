"""An agent with a certified counter, or one that lives by hand, killed before and after each durable step."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sekisho.agent.events import FeedCame
from sekisho.licensing.carrying import write_lease_file
from sekisho.model.amounts import parse_flop
from sekisho.model.errors import Unavailable
from sekisho.model.statements import LeaseTerms
from tests.agent.handed import Handed
from tests.fake_tpm import TpmRig, certified_value
from tests.fakes import Crashed, Rig

SHORT = LeaseTerms(interval_s=20, grace_s=2, quantum_s=2)
ALLOWANCE = 22_000_000_000
CERTIFIED = ("save state.json", "counter", "append receipts.jsonl", "save state.json")


def crashes(rig: Rig, step: int, act: Callable[[], object], *, after: bool) -> bool:
    """Whether the agent died at its n-th durable step while it did this."""
    rig.crash_at(step, after=after)
    try:
        act()
    except Crashed:
        return True
    finally:
        rig.mend()
    return False


def assert_sound(rig: Rig) -> None:
    """One chain, quanta that only grow and each certified as itself, no lease over its allowance, no finding."""
    receipts = rig.control.receipts
    assert [r.sequence for r in receipts] == list(range(1, len(receipts) + 1))
    quanta = [r for r in receipts if r.stage == "quantum"]
    numbers = [r.quantum for r in quanta]
    assert numbers == sorted(set(numbers))
    for receipt in quanta:
        assert receipt.certified is not None
        assert certified_value(receipt.certified) == receipt.quantum
    for receipt in receipts:
        assert receipt.spend is None or parse_flop(receipt.spend.reserved_flop) <= ALLOWANCE
    assert rig.counter.value == rig.host.memory.state.quantum
    assert rig.control.codes() == []


def assert_numbers_whole(rig: Rig) -> None:
    """Lease numbers without a gap, each asked for by a nonce of its own, and each closed or in hand."""
    requests = rig.control.requests
    assert [r.number for r in requests] == list(range(1, len(requests) + 1))
    assert len({r.nonce for r in requests}) == len(requests)
    finals = {r.spend.lease_number for r in rig.control.receipts if r.stage == "final" and r.spend}
    held = {lease.number for lease in rig.host.memory.state.in_hand}
    assert finals.isdisjoint(held)
    assert finals | held >= set(range(1, rig.host.memory.state.lease_number + 1))


def test_the_order_of_a_certified_quantum_s_writes() -> None:
    """State with q + 1, counter, then the receipt that carries the counter's word, then the state with the receipt."""
    rig = TpmRig().started()
    rig.fuse.steps.clear()
    rig.run_for(2.5)
    steps = [s for s in rig.fuse.steps if s in CERTIFIED]

    begun = steps.index("counter") - 1
    assert tuple(steps[begun : begun + 4]) == CERTIFIED


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(8))
def test_power_cut_at_a_step_of_a_certified_quantum(step: int, after: bool) -> None:
    """Begin: the quantum is completed or lost, its number is never used twice, and the work goes on."""
    rig = TpmRig().started()

    assert crashes(rig, step, lambda: rig.run_for(6), after=after)
    rig.wake()
    rig.run_for(8)

    assert rig.duty.start == "sound"
    assert rig.doing() == "running"
    assert_sound(rig)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(12))
def test_power_cut_at_a_step_of_the_first_start_with_a_tpm(step: int, after: bool) -> None:
    """From the empty home to the first certified quantum."""
    rig = TpmRig()
    rig.control.license(lease=SHORT)

    assert crashes(rig, step, lambda: rig.run_for(3), after=after)
    rig.wake()
    rig.run_for(6)

    assert rig.doing() == "running"
    assert_sound(rig)
    assert_numbers_whole(rig)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(0, 30, 3))
def test_power_cut_at_a_step_of_a_switch_between_leases(step: int, after: bool) -> None:
    """Around a lease's end with several waiting: final, switch, request, next quantum; none is lost or closed twice."""
    rig = TpmRig().started(lease=SHORT)
    rig.run_for(15)

    assert crashes(rig, step, lambda: rig.run_for(14), after=after)
    rig.wake()
    rig.run_for(10)

    assert rig.doing() == "running"
    assert_sound(rig)
    assert_numbers_whole(rig)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(0, 44, 4))
def test_power_cut_while_every_lease_goes_back(step: int, after: bool) -> None:
    """A pause on a host that holds many: each is closed by one final receipt, whenever the power goes."""
    rig = TpmRig().started(lease=SHORT)
    rig.run_for(5)
    assert len(rig.host.memory.state.in_hand) > 5
    rig.control.issue(rig.control.order())

    crashes(rig, step, lambda: rig.run_for(1), after=after)
    rig.wake()
    rig.run_for(4)

    assert rig.doing() == "frozen"
    assert rig.host.memory.state.in_hand == ()
    assert_sound(rig)
    assert_numbers_whole(rig)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(2))
def test_power_cut_at_a_step_of_a_lease_accepted_by_hand(step: int, after: bool) -> None:
    """The file is met again at the next start: taken once, whichever side of the write the power went."""
    handed = Handed().licensed()
    lease = write_lease_file(handed.answer())

    assert crashes(handed.rig, step, lambda: handed.carry_in(lease), after=after)
    handed.wake()
    again = handed.carry_in(lease)
    handed.rig.run_for(3)

    assert (again.taken, again.lease) == (True, 1)
    assert handed.rig.doing() == "running"
    assert handed.rig.host.memory.state.lease_number == 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(3))
def test_power_cut_at_a_step_of_a_lease_that_is_given_back_unused(step: int, after: bool) -> None:
    """An order came while it was asked for: its number is spent, its final receipt exists once."""
    rig = Rig()
    rig.control.license(lease=SHORT)
    rig.turn()
    asked = rig.host.memory.load_request()
    assert asked is not None
    rig.control.send_request(asked)  # granted; the answer is late
    rig.control.issue(rig.control.order())
    rig.duty.hear(FeedCame(rig.control.fetch_feed("host-1", 0, 0)))

    assert crashes(rig, step, lambda: rig.run_for(0.5), after=after)
    rig.wake()
    rig.run_for(3)

    finals = [r for r in rig.control.receipts if r.stage == "final"]
    assert len(finals) == 1
    assert rig.host.memory.state.in_hand == ()
    assert rig.host.memory.state.lease_number == len(rig.control.requests)
    assert_numbers_whole(rig)


def flooded() -> Rig:
    """A C0 host whose work runs at its whole peak."""
    rig = Rig()
    rig.driver.rate = 1.0
    return rig


@pytest.mark.parametrize("dies", ["before the answer", "after granting", "in the middle"])
def test_issuer_killed_at_peak(dies: str) -> None:
    """The work, at its whole peak, stops by silence, and goes on afterwards; no lease number is lost or doubled."""
    rig = flooded()
    if dies == "before the answer":
        rig.control.license(lease=SHORT)
        rig.turn()
        rig.control.is_silent = True
    elif dies == "after granting":
        _loses_one_answer(rig)
        rig.control.license(lease=SHORT)
        rig.run_for(1)
        rig.control.is_silent = True
    else:
        rig.started(lease=SHORT)
        rig.run_for(3)
        rig.control.is_silent = True
    rig.run_for(10)
    assert rig.doing() == "none"

    rig.control.is_silent = False
    rig.run_for(5)
    assert rig.doing() == "running"
    assert_numbers_whole(rig)
    assert [r.sequence for r in rig.control.receipts] == list(
        range(1, len(rig.control.receipts) + 1)
    )


def _loses_one_answer(rig: Rig) -> None:
    """The issuer has granted durably and dies before its answer is out."""
    honest = rig.control.send_request
    lost: list[object] = []

    def lose(envelope: bytes) -> object:
        answer = honest(envelope)
        if not lost:
            lost.append(answer)
            raise Unavailable("the issuer is gone")
        return answer

    rig.control.send_request = lose  # type: ignore[method-assign,assignment]  # the crash
