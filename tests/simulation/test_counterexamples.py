"""What the model checker's counterexamples look like in the real code; each was met while models/lease.pml was built."""

from __future__ import annotations

import pytest

from sekisho.model.amounts import parse_flop
from sekisho.model.statements import LeaseTerms, Spend
from tests.fakes import Crashed, Rig

SHORT = LeaseTerms(interval_s=20, grace_s=2, quantum_s=2)
PEAK = 1_000_000_000


def test_a_late_lease_with_the_clock_set_back_ends_when_it_ends() -> None:
    """PERMIT_BY_EARLIEST: a lease held back by the network is counted from its request, whatever the clock says."""
    rig = Rig()
    rig.control.license(lease=SHORT)
    honest = rig.control.send_request
    begun = rig.clock.elapsed_s()

    def hold(envelope: bytes) -> object:
        answer = honest(envelope)
        rig.clock.advance(15)
        rig.clock.system = rig.clock.system.plus(-3_600)
        return answer

    rig.control.send_request = hold  # type: ignore[method-assign,assignment]  # the attack
    last_ran = begun
    for _ in range(200):
        # The feed is cut: only what the work needs to go on gets through.
        rig.turn(feed=rig.clock.elapsed_s() < begun + 1)
        rig.clock.advance(0.25)
        rig.driver.enforce()
        if rig.driver.state == "running":
            last_ran = rig.clock.elapsed_s()

    requests = rig.control.requests
    assert last_ran - begun <= len(requests) * 20 + 2 + 2
    first_end = begun + 20 + 2 + 2
    leases = [r.spend.lease_number for r in rig.control.receipts if r.spend and r.stage == "quantum"]
    if leases.count(1):
        ran = [r for r in rig.control.receipts if r.spend and r.spend.lease_number == 1]
        assert len([r for r in ran if r.stage == "quantum"]) * 2 <= first_end - begun - 15


@pytest.mark.parametrize("when", ["at once", "after a restart"])
def test_a_reboot_is_not_forgotten_by_an_agent_that_dies_at_once(when: str) -> None:
    """REBOOT_FORGOTTEN_AT_RESTART: the second start of the new boot still needs a fresh lease."""
    rig = Rig().started(lease=LeaseTerms(interval_s=3_600, grace_s=2, quantum_s=2))
    held = rig.host.memory.state.lease
    assert held is not None
    rig.driver.state = "ended"
    rig.clock.boot = "boot-2"
    rig.clock.elapsed = 1.0
    rig.wake()
    if when == "after a restart":
        rig.wake()  # the agent died before it gave anything back
    begun = rig.driver.calls.count("start")
    rig.run_for(5)

    assert rig.driver.calls.count("start") == begun + 1
    used = [r.spend for r in rig.control.receipts if r.stage == "quantum" and r.spend]
    assert used[-1].lease_number == held.number + 1


def test_a_lease_that_ends_while_its_work_runs_pays_to_the_permit_s_end() -> None:
    """SWITCH_UNCOVERED: what runs under the old permit, should the agent die now, is reserved somewhere."""
    rig = Rig()
    rig.driver.rate = 1.0
    rig.control.license(lease=SHORT)
    finals: list[tuple[Spend, float]] = []
    honest = rig.control.send_receipt

    def note(envelope: bytes) -> object:
        answer = honest(envelope)
        receipt = rig.control.receipts[-1]
        if receipt.stage == "final" and receipt.spend is not None:
            finals.append((receipt.spend, rig.clock.elapsed_s()))
        return answer

    rig.control.send_receipt = note  # type: ignore[method-assign,assignment]  # looks at what is sent
    # The agent dies between the old lease's final receipt and the new one's reservation.
    for _ in range(400):
        rig.turn()
        rig.clock.advance(0.1)
        if rig.host.memory.state.waiting and rig.quanta_left() < 0.3:
            break
    assert rig.host.memory.state.waiting


__all__ = ["PEAK", "Crashed", "parse_flop"]
