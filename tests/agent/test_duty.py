"""An agent on duty over fakes: quanta, orders, restarts, dying work, lost watchdogs."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sekisho.model.amounts import parse_flop
from sekisho.model.statements import CheckpointRecorded, LeaseTerms, ReceiptGiven
from tests.fakes import Rig, predicates

Q = 4_000_000_000  # one quantum with its grace at the enrolled peak: (2 s + 2 s) x 1e9


@pytest.fixture
def rig() -> Rig:
    """A host whose work runs under a lease."""
    return Rig().started()


def of_stage(rig: Rig, stage: str) -> list[ReceiptGiven]:
    return [receipt for receipt in rig.control.receipts if receipt.stage == stage]


def lift(rig: Rig) -> None:
    """Resume whatever pause was ordered last."""
    newest = max(rig.control.book.orders["pause/JP"].values(), key=lambda known: known.order.number)
    rig.control.issue(
        rig.control.order(kind="resume", effect="lift", lifts=[newest.reference], on_expiry="lapse")
    )


def test_work_starts_under_a_lease_and_a_permit(rig: Rig) -> None:
    """No lease, no work; then a permit, then the start, and one receipt for the quantum."""
    assert Rig().turn() > 0
    assert rig.driver.calls == ["permit", "start"]
    assert rig.control.stages() == ["quantum"]
    assert rig.control.codes() == []


def test_a_quantum_reserves_at_peak_and_credits_what_was_not_used(rig: Rig) -> None:
    """Reserved is the spent bound plus a whole quantum; the bound is CPU seconds at a core's peak."""
    rig.run_for(5.75)
    spends = [receipt.spend for receipt in of_stage(rig, "quantum")]

    assert len(spends) >= 3
    for spend in spends:
        assert spend is not None
        assert parse_flop(spend.reserved_flop) == parse_flop(spend.bound_flop) + Q
    bounds = [parse_flop(spend.bound_flop) for spend in spends if spend is not None]
    # A quarter of one core of 1e9 FLOP/s for less than two seconds each.
    assert all(0 < later - earlier <= 500_000_000 for earlier, later in pairwise(bounds))


def test_the_next_lease_is_there_before_the_last_one_ends(rig: Rig) -> None:
    """Over two lease ends the work never stops, and each old lease is closed by a final receipt."""
    rig.run_for(125)

    assert rig.doing() == "running"
    assert rig.driver.calls.count("start") == 1
    finals = [receipt.spend for receipt in of_stage(rig, "final")]
    assert [spend.lease_number for spend in finals if spend] == [1, 2]
    assert all(spend.reserved_flop == spend.bound_flop for spend in finals if spend)


def test_reserved_never_exceeds_the_budget() -> None:
    """With a budget of five quanta at full rate the work stops when it is used up."""
    rig = Rig()
    rig.driver.rate = 1.0
    rig.control.license(
        budget_flop=str(5 * Q), lease=LeaseTerms(interval_s=60, grace_s=2, quantum_s=2)
    )
    rig.run_for(40)

    reserved = [parse_flop(r.spend.reserved_flop) for r in rig.control.receipts if r.spend]
    assert max(reserved) <= 5 * Q
    assert rig.doing() == "none"


def test_the_receipts_of_one_host_make_one_chain(rig: Rig) -> None:
    """Quanta and orders alike: the control plane took every receipt in its place."""
    rig.control.issue(rig.control.order())
    rig.run_for(2)
    lift(rig)
    rig.run_for(5)

    assert [receipt.sequence for receipt in rig.control.receipts] == list(
        range(1, len(rig.control.receipts) + 1)
    )
    assert rig.host.memory.pending == {}


def test_a_freeze_order_freezes_first_and_tells_after(rig: Rig) -> None:
    """The freeze is done while no receipt is on its way yet; then received, halted, final."""
    rig.control.issue(rig.control.order())
    rig.driver.calls.clear()
    rig.turn()

    assert rig.driver.calls == ["freeze", "permit"]
    assert rig.control.stages() == ["quantum"]
    rig.turn()
    assert rig.control.stages() == ["quantum", "received", "halted", "final"]
    halted = of_stage(rig, "halted")[0]
    assert (halted.state, halted.means, halted.processes) == ("frozen", "cgroup-v2-freeze", 1)
    assert halted.leaves is not None
    assert "memory" in halted.leaves
    assert halted.spend is None


def test_a_halted_host_holds_no_lease_and_asks_for_none(rig: Rig) -> None:
    """What is left of the allowance goes back while the order stands."""
    rig.control.issue(rig.control.order())
    rig.run_for(5)

    assert rig.host.memory.state.lease is None
    assert len(rig.control.requests) == 1


def test_a_witnessed_resume_thaws_under_a_fresh_lease(rig: Rig) -> None:
    """The same process goes on, under the next lease number, and says under which order it had halted."""
    rig.control.issue(rig.control.order())
    rig.run_for(2)
    lift(rig)
    rig.run_for(2)

    assert rig.doing() == "running"
    assert rig.driver.calls[-2:] == ["permit", "thaw"] or "thaw" in rig.driver.calls
    assert rig.driver.calls.count("start") == 1
    assert rig.host.memory.state.lease_number == 2
    assert of_stage(rig, "resumed")[0].order == of_stage(rig, "halted")[0].order


def test_checkpoint_then_stop(rig: Rig) -> None:
    """A checkpoint is asked for, recorded and named in the receipt; the processes end; a resume starts from it."""
    rig.control.issue(rig.control.order(effect="checkpoint-then-stop", grace_s=5))
    rig.driver.calls.clear()
    rig.run_for(1)

    assert rig.driver.calls == ["permit", "checkpoint", "kill"]
    assert rig.control.stages()[1:] == ["received", "checkpointed", "halted", "final"]
    (recorded,) = predicates(rig.control, "checkpoint-recorded")
    assert isinstance(recorded, CheckpointRecorded)
    assert of_stage(rig, "checkpointed")[0].checkpoint == recorded.checkpoint
    assert of_stage(rig, "halted")[0].state == "ended"

    lift(rig)
    rig.run_for(2)
    assert rig.driver.starts[-1] == ("work", "--resume", rig.folder.load_checkpoint().path)  # type: ignore[union-attr]  # written above
    assert "resumed" in rig.control.stages()


def test_work_that_writes_no_checkpoint_is_ended_after_the_grace(rig: Rig) -> None:
    """The order's grace bounds the wait; without a checkpoint there is no checkpointed-receipt."""
    rig.writes_checkpoints = False
    rig.control.issue(rig.control.order(effect="checkpoint-then-stop", grace_s=3))
    rig.run_for(2.5)
    assert rig.doing() == "running"

    rig.run_for(1)
    assert rig.doing() == "none"
    assert rig.control.stages()[-3:] == ["received", "halted", "final"]


def test_the_strictest_of_two_orders_wins_and_both_are_receipted(rig: Rig) -> None:
    """Frozen work under a hold is ended by a pause that says so."""
    from tests.factory import AUTHORITY

    rig.control.issue(rig.control.order(kind="hold", signers=AUTHORITY[:2]))
    rig.run_for(1)
    assert rig.doing() == "frozen"
    rig.control.issue(rig.control.order(effect="checkpoint-then-stop", grace_s=5))
    rig.run_for(1)

    assert rig.doing() == "none"
    assert len(of_stage(rig, "halted")) == 2
    lift(rig)
    rig.run_for(2)
    assert rig.doing() == "none"  # the hold still stands


def test_work_that_does_not_stop_is_never_called_halted(rig: Rig) -> None:
    """Freeze, then kill, are refused: a finding and a refused-receipt, until it stops after all."""
    rig.driver.is_stubborn = True
    rig.control.issue(rig.control.order())
    rig.run_for(3)

    assert "halted" not in rig.control.stages()
    assert of_stage(rig, "refused")
    assert "work-does-not-stop" in rig.control.codes()
    assert {"freeze", "kill"} <= set(rig.driver.calls)
    rig.driver.is_stubborn = False
    rig.run_for(2)
    assert of_stage(rig, "halted")


def test_an_order_on_an_idle_host_is_received_and_halted() -> None:
    """Where nothing runs the receipt says so, and nothing starts."""
    rig = Rig(command=())
    rig.control.license()
    rig.control.issue(rig.control.order())
    rig.run_for(2)

    assert rig.control.stages() == ["received", "halted"]
    assert of_stage(rig, "halted")[0].means == "none"


def test_work_that_dies_is_started_again_from_its_checkpoint(rig: Rig) -> None:
    """A workload killed by somebody else costs its quantum's use and no more."""
    rig.folder.write(1)
    rig.driver.state, rig.driver.exit_code = "ended", -9
    rig.run_for(8)

    assert rig.doing() == "running"
    assert len(rig.driver.starts) == 2


def test_work_that_keeps_dying_is_found_and_started_ever_more_slowly(rig: Rig) -> None:
    """Five short lives in a row are a finding."""
    for _ in range(300):
        if rig.driver.state == "running":
            rig.driver.state, rig.driver.exit_code = "ended", 1
        rig.turn()
        rig.clock.advance(0.25)

    assert len(rig.driver.starts) <= 8
    assert "work-keeps-dying" in rig.control.codes()


def test_work_that_is_done_gives_its_lease_back(rig: Rig) -> None:
    """Exit code 0 is the end of the run: no restart, a final receipt."""
    rig.driver.state, rig.driver.exit_code = "ended", 0
    rig.run_for(5)

    assert rig.control.stages()[-1] == "final"
    assert len(rig.driver.starts) == 1
    assert rig.host.memory.state.lease is None


def test_a_restarted_agent_takes_over_living_work(rig: Rig) -> None:
    """Same boot, state and counter agree: the work goes on without a stop or a second start."""
    rig.run_for(3)
    rig.wake()
    rig.run_for(5)

    assert rig.doing() == "running"
    assert len(rig.driver.starts) == 1
    assert "kill" not in rig.driver.calls
    assert rig.control.codes() == []


def test_a_restarted_agent_sends_what_was_not_delivered(rig: Rig) -> None:
    """Receipts made while nobody answered reach the issuer after a restart, in order."""
    rig.control.issue(rig.control.order())
    rig.turn()
    rig.control.is_silent = True
    rig.turn()
    rig.wake()
    rig.run_for(1)
    assert rig.control.stages() == ["quantum"]

    rig.control.is_silent = False
    rig.run_for(1)
    assert rig.control.stages() == ["quantum", "received", "halted", "final"]


def test_a_restarted_agent_asks_the_same_request_again() -> None:
    """A request on its way survives, and its lease is taken once."""
    rig = Rig()
    rig.control.license()
    rig.turn()
    request = rig.files.files["request.dsse"]
    rig.control.send_request(request)  # the answer is lost in the crash
    rig.wake()
    rig.run_for(2)

    assert rig.doing() == "running"
    assert len(rig.control.requests) == 1


def test_a_lost_watchdog_is_replaced_and_the_quantum_counts_in_full(rig: Rig) -> None:
    """The work died with it; the new one starts it again."""
    spent_before = parse_flop(rig.host.memory.state.lease.spent)  # type: ignore[union-attr]  # under a lease
    rig.driver.is_dead = True
    rig.run_for(2)
    rig.driver.is_dead, rig.driver.state, rig.driver.exit_code = False, "ended", None
    rig.driver._cpu_s = 0.0
    rig.run_for(6)

    assert "watchdog-lost" in rig.control.codes()
    assert rig.doing() == "running"
    assert len(rig.driver.starts) == 2
    assert parse_flop(rig.host.memory.state.lease.spent) >= spent_before + Q  # type: ignore[union-attr]  # as above


def test_a_blind_meter_counts_at_peak(rig: Rig) -> None:
    """A quantum whose use cannot be read is spent in full, and a finding says so."""
    rig.driver.is_blind = True
    rig.run_for(4)

    assert "meter-unreadable" in rig.control.codes()
    spends = [parse_flop(r.spend.bound_flop) for r in of_stage(rig, "quantum") if r.spend]
    assert spends[-1] >= Q


def test_a_system_clock_set_back_is_found_and_lengthens_nothing(rig: Rig) -> None:
    """The lease still ends by the earliest clock."""
    rig.control.is_silent = True
    rig.clock.system = rig.clock.system.plus(-7200)
    rig.run_for(6)

    assert rig.doing() == "none"
    rig.control.is_silent = False
    rig.turn()
    rig.turn()
    assert "clock-behind" in rig.control.codes()


def test_the_same_matter_is_found_once_in_ten_minutes(rig: Rig) -> None:
    """A liar cannot make an agent flood the log."""
    from tests.factory import AUTHORITY

    for number in range(30):
        rig.control.show(rig.control.order(signers=AUTHORITY[:2], legal_basis=f"number {number}"))
        rig.turn()
    rig.run_for(1)

    assert len(rig.control.codes()) == 20


def test_a_licence_that_advises_lets_work_run_on_with_a_finding() -> None:
    """Nothing is stopped; the watchdog is kept informed; the finding tells."""
    rig = Rig().started(mode="advise")
    rig.control.is_silent = True
    rig.run_for(60)

    assert rig.doing() == "running"
    rig.control.is_silent = False
    rig.run_for(1)
    assert "runs-without-permission" in rig.control.codes()


def test_a_licence_that_freezes_leaves_the_work_frozen() -> None:
    """With mode freeze a silence ends in a freeze, and the work goes on where it stood."""
    rig = Rig().started(mode="freeze")
    rig.control.is_silent = True
    rig.run_for(6)
    assert rig.doing() == "frozen"

    rig.control.is_silent = False
    rig.run_for(3)
    assert rig.doing() == "running"
    assert len(rig.driver.starts) == 1
