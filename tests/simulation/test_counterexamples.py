"""What the model's and the simulation's counterexamples look like in the real code, one test each, by their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.licensing import ReceiptFork
from sekisho.model.statements import LeaseTerms
from sekisho.ports.control import Feed, LeaseAnswer
from tests.desks import TestDesk
from tests.fakes import Rig
from tests.holders import QUANTUM, WHOLE, Holder, books_of, leaf_of, license_hosts

SHORT = LeaseTerms(interval_s=20, grace_s=2, quantum_s=2)
LONG = LeaseTerms(interval_s=3_600, grace_s=2, quantum_s=2)


LATE_S = 15.0


def all_late(rig: Rig) -> None:
    """Whoever owns the host keeps every message for a while, from the start, and sets the system clock back."""
    control, begun = rig.control, rig.clock.elapsed_s()
    start, kept = rig.clock.now(), [0.0]
    control.now = lambda: start.plus(rig.clock.elapsed_s() - begun - kept[0])  # type: ignore[method-assign]  # the true time
    feed, request = control.fetch_feed, control.send_request

    def late_feed(host: str, after: int, wait_s: int) -> Feed:
        kept[0] = LATE_S
        told = feed(host, after, wait_s)
        kept[0] = 0.0
        return told

    def late_lease(envelope: bytes) -> LeaseAnswer:
        answer = request(envelope)
        if len(control.requests) == 1:
            rig.clock.advance(LATE_S)
        return answer

    control.fetch_feed = late_feed  # type: ignore[method-assign]  # the attack
    control.send_request = late_lease  # type: ignore[method-assign]  # the attack
    rig.clock.system = rig.clock.system.plus(-3_600)


def test_a_late_lease_with_the_clock_set_back_ends_when_it_ends() -> None:
    """PERMIT_BY_EARLIEST: a lease is counted from its request, however late all that the host hears is."""
    rig = Rig()
    rig.control.license(lease=SHORT)
    begun, last = rig.clock.elapsed_s(), 0.0
    all_late(rig)
    for _ in range(160):
        rig.turn(feed=last == 0.0)
        rig.clock.advance(0.25)
        rig.driver.enforce()
        lease = rig.host.memory.state.lease
        if rig.driver.state == "running" and lease is not None and lease.number == 1:
            last = rig.clock.elapsed_s() - begun

    assert LATE_S < last <= SHORT.interval_s + SHORT.grace_s + SHORT.quantum_s


def test_a_lease_that_is_over_when_it_comes_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where it is kept for longer than it lasts: no work starts under it, its number is spent."""
    monkeypatch.setattr("tests.simulation.test_counterexamples.LATE_S", 21.0)
    rig = Rig()
    rig.control.license(lease=SHORT)
    all_late(rig)
    rig.run_for(2)

    used = [r.spend.lease_number for r in rig.control.receipts if r.stage == "quantum" and r.spend]
    assert "stale-lease" in rig.control.codes()
    assert 1 not in used


@pytest.mark.parametrize("starts", [1, 2, 3])
def test_a_reboot_is_not_forgotten_by_an_agent_that_dies_at_once(starts: int) -> None:
    """REBOOT_FORGOTTEN_AT_RESTART: every start of the new boot still needs a fresh lease."""
    rig = Rig().started(lease=LONG)
    held = rig.host.memory.state.lease
    assert held is not None
    rig.driver.state, rig.clock.boot, rig.clock.elapsed = "ended", "boot-2", 1.0
    for _ in range(starts):
        rig.wake()  # the agent dies before it gives anything back
    rig.run_for(5)

    used = [r.spend for r in rig.control.receipts if r.stage == "quantum" and r.spend]
    assert rig.doing() == "running"
    assert used[-1].lease_number == held.number + 1


def test_a_fresh_lease_makes_the_boot_count_again() -> None:
    """After it an agent that only starts again goes on with what it holds."""
    rig = Rig().started(lease=LONG)
    rig.driver.state, rig.clock.boot, rig.clock.elapsed = "ended", "boot-2", 1.0
    rig.wake()
    rig.run_for(5)
    rig.wake()
    rig.run_for(5)

    assert rig.doing() == "running"
    assert rig.host.memory.state.lease_number == 2


def test_a_sleep_is_not_forgotten_by_an_agent_that_dies() -> None:
    """REBOOT_FORGOTTEN_AT_RESTART, for a host that was suspended."""
    rig = Rig().started(lease=LONG)
    rig.clock.sleep(30)
    rig.duty.look()
    rig.wake()

    assert rig.duty.start == "rebooted"


def test_a_lease_that_ends_while_its_work_runs_pays_to_its_permit_s_end() -> None:
    """SWITCH_UNCOVERED: should the agent die after the old lease's final receipt, what still runs is in the books."""
    rig = Rig()
    rig.driver.rate = 1.0
    rig.control.license(lease=SHORT)
    rig.run_for(18)
    paid: list[tuple[int, float]] = []
    for _ in range(60):
        before, until = rig.host.memory.state.lease, rig.driver._permit  # the watchdog's truth
        now = rig.clock.elapsed_s()
        rig.turn()
        after = rig.host.memory.state.lease
        if before and after and until and before.number != after.number:
            # What had been used by then, and what the old permit lets run on.
            paid.append((int(before.spent), until.until_s - now))
        rig.clock.advance(0.1)

    finals = [r.spend for r in rig.control.receipts if r.stage == "final" and r.spend]
    assert finals
    assert paid
    peak = 1_000_000_000
    used = [int(final.bound_flop) for final in finals]
    for (spent, left_s), bound in zip(paid, used, strict=False):
        assert bound >= spent + left_s * peak - peak // 10


def test_a_fork_of_a_lease_that_was_closed_is_added_once(tmp_path: Path) -> None:
    """Met by the simulation: each further receipt of a forked host added the other branch once more, without end."""
    with TestDesk(tmp_path) as desk:
        holder = Holder(1, license_hosts(desk.desk, 1).leaf)
        lease = leaf_of(desk.leases.grant(holder.request()))
        holder.took()
        forged = holder.receipt(lease, reserved=2 * QUANTUM, keep=False)
        desk.leases.take_receipt(holder.receipt(lease))
        desk.leases.take_receipt(holder.receipt(lease, stage="final"))
        for raw in (forged, forged):
            with pytest.raises(ReceiptFork):
                desk.leases.take_receipt(raw)
        first = books_of(desk.desk)[""]
        for _ in range(5):
            desk.leases.close_overdue()
            with pytest.raises(ReceiptFork):
                desk.leases.take_receipt(forged)

        assert first[2] == 3 * QUANTUM
        assert books_of(desk.desk)[""] == first
        assert first[2] <= 2 * WHOLE
