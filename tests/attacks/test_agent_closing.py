"""A lease that was given back on a host with a certified counter: no copy of the disk spends it once more."""

from __future__ import annotations

import pytest

from sekisho.agent.events import FeedCame
from sekisho.model.statements import LeaseTerms
from tests.fake_tpm import FakeTpm, TpmRig
from tests.fakes import Crashed

SHORT = LeaseTerms(interval_s=20, grace_s=2, quantum_s=2)
WHOLE = LeaseTerms(interval_s=86_400, grace_s=2, quantum_s=2)


def finals(rig: TpmRig) -> set[int]:
    """The numbers of the leases that the issuer has closed by a final receipt."""
    given = [r.spend.lease_number for r in rig.control.receipts if r.stage == "final" and r.spend]
    assert len(given) == len(set(given))
    return set(given)


def restore(rig: TpmRig, copied: dict[str, bytes]) -> None:
    """Put a copy of the disk back, and start the agent over it."""
    rig.files.files.clear()
    rig.files.files.update(copied)
    rig.driver.state = "ended"
    rig.control.is_silent = True
    rig.wake()
    rig.run_for(1)


def spends_closed(rig: TpmRig) -> set[int]:
    """Leases that this host holds for good although they are closed."""
    if rig.duty.start != "sound":
        return set()
    return {lease.number for lease in rig.host.memory.state.in_hand} & finals(rig)


def paused(rig: TpmRig) -> None:
    rig.control.issue(rig.control.order())


def test_disk_copied_before_the_close_and_restored_after_it() -> None:
    """The counter has stepped since: the host finds a rollback, holds nothing, and nothing runs."""
    rig = TpmRig().started(lease=WHOLE)
    rig.run_for(3)
    rig.driver.state = "ended"
    copied = dict(rig.files.files)
    before = rig.counter.value
    paused(rig)
    rig.run_for(2)
    assert finals(rig) == {1}
    assert rig.counter.value > before

    restore(rig, copied)

    assert rig.duty.start == "rolled-back"
    assert rig.host.memory.state.in_hand == ()
    assert rig.doing() == "none"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(12))
def test_disk_copied_at_a_step_of_the_close(step: int, after: bool) -> None:
    """Wherever in the close the disk is copied, the copy spends nothing that went back; the host itself loses none."""
    rig = TpmRig().started(lease=SHORT)
    rig.run_for(3)
    held = {lease.number for lease in rig.host.memory.state.in_hand}
    paused(rig)
    rig.crash_at(step, after=after)
    with pytest.raises(Crashed):
        rig.run_for(1)
    rig.mend()
    copied = dict(rig.files.files)
    rig.wake()
    rig.run_for(3)
    assert finals(rig) >= held
    assert rig.host.memory.state.closing == ()
    assert rig.counter.value == rig.host.memory.state.quantum
    assert rig.control.codes() == []

    restore(rig, copied)

    assert spends_closed(rig) == set()


def test_disk_copied_before_a_switch_between_leases() -> None:
    """The lease that was used up and closed is not spent again, though the one after it lives."""
    rig = TpmRig().started(lease=SHORT)
    rig.run_for(5)
    copied = dict(rig.files.files)
    rig.run_for(25)
    assert 1 in finals(rig)

    restore(rig, copied)

    assert rig.duty.start == "rolled-back"


def test_disk_copied_before_a_lease_went_back_unused() -> None:
    """Its answer, kept and heard again by the copy, is an answer to a host that was set back."""
    rig = TpmRig()
    rig.control.license(lease=WHOLE)
    rig.turn()
    copied = dict(rig.files.files)
    asked = rig.host.memory.load_request()
    assert asked is not None
    rig.control.send_request(asked)  # granted; the answer is late
    paused(rig)
    rig.duty.hear(FeedCame(rig.control.fetch_feed("host-1", 0, 0)))
    rig.run_for(2)
    assert finals(rig) == {1}

    restore(rig, copied)

    assert rig.duty.start == "rolled-back"


def test_counter_pulled_out_at_the_close() -> None:
    """No final receipt leaves before the counter has stepped: the leases wait, unspent, and go back when it answers."""
    rig = TpmRig().started(lease=SHORT)
    rig.run_for(3)
    held = {lease.number for lease in rig.host.memory.state.in_hand}
    rig.counter.is_silent = True
    paused(rig)
    rig.run_for(4)
    assert finals(rig) == set()
    state = rig.host.memory.state
    waiting = {lease.number for lease in (*state.in_hand, *state.closing)}
    assert waiting >= held
    assert rig.doing() != "running"
    assert set(rig.control.codes()) == {"counter-silent"}

    rig.counter.is_silent = False
    rig.run_for(4)
    assert finals(rig) >= held
    assert rig.counter.value == rig.host.memory.state.quantum


def test_counter_pulled_out_and_the_agent_restarted_after_it_came_back() -> None:
    """State one ahead of the counter is a crash: the step is made, the receipts are written, nothing is in hand."""
    rig = TpmRig().started(lease=SHORT)
    rig.run_for(3)
    step = rig.counter.step
    paused(rig)

    def dies() -> int:
        raise Crashed("the power went")

    rig.counter.step = dies  # type: ignore[method-assign]  # the crash
    with pytest.raises(Crashed):
        rig.run_for(1)
    rig.counter.step = step  # type: ignore[method-assign]  # and after it
    assert rig.host.memory.state.quantum == rig.counter.value + 1
    rig.wake()
    rig.run_for(3)

    assert rig.duty.start == "sound"
    assert rig.host.memory.state.in_hand == rig.host.memory.state.closing == ()
    assert len(finals(rig)) == rig.host.memory.state.lease_number


def test_order_of_a_close_s_writes() -> None:
    """State without the leases under q + 1, counter, then the final receipts: protocol section 5."""
    rig = TpmRig().started(lease=WHOLE)
    rig.run_for(1)
    first = rig.counter.value
    paused(rig)
    rig.fuse.steps.clear()
    rig.run_for(1)
    steps = [s for s in rig.fuse.steps if s in ("save state.json", "counter")]
    final = [r for r in rig.control.receipts if r.stage == "final"]

    assert steps[steps.index("counter") - 1] == "save state.json"
    assert rig.counter.value == first + 1
    assert isinstance(rig.counter, FakeTpm)
    assert [r.quantum for r in final] == [first + 1]
