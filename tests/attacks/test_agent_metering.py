"""One test per way in which work computes where its meter does not look: missing evidence is never zero."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.model.amounts import parse_flop
from sekisho.model.statements import EnrolledDevice, LeaseTerms
from sekisho.ports.driver import WorkloadReading
from tests.attacks.test_agent_bounds import spent_of, with_chip
from tests.devices import count, rig_with, seen, working
from tests.fakes import Rig

PEAK = 1_000_000_000
TERMS = LeaseTerms(interval_s=60, grace_s=2, quantum_s=2)
QUANTUM = PEAK * (TERMS.quantum_s + TERMS.grace_s)


def counted() -> Rig:
    """Work on one counted device, which uses next to nothing by its meter."""
    rig = rig_with()
    rig.driver.rate = 0.01
    count(rig, seen("GPU-0"))
    count(rig, working("GPU-0", 4711), times=3)
    assert rig.doing() == "running"
    return rig


def used(rig: Rig, looks: int, why: str) -> int:
    """What so many looks at the devices cost, by the receipts of the lease in hand."""
    before = spent_of(rig)
    count(rig, working("GPU-0", 4711), times=looks, why=why)
    return spent_of(rig) - before


def test_accelerators_that_cannot_be_counted_are_charged_at_the_peak_of_all() -> None:
    """A driver that falls silent hides what else computes: each quantum counts in full until it answers."""
    rig = counted()
    assert used(rig, 4, "") < QUANTUM

    blind = used(rig, 4, "the driver hangs")

    assert blind >= 3 * QUANTUM
    assert "meter-unreadable" in rig.control.codes()
    count(rig, working("GPU-0", 4711), times=2)
    assert used(rig, 4, "") < QUANTUM


def test_a_look_that_failed_within_a_quantum_costs_the_whole_quantum() -> None:
    """Blind for one look only, and seeing again before the quantum ends: the gap is not zero either."""
    rig = counted()
    rig.run_for(0.25)
    before = spent_of(rig)
    count(rig, times=1, why="the driver hangs")
    count(rig, working("GPU-0", 4711), times=2)

    assert spent_of(rig) - before >= QUANTUM


def test_a_census_that_nobody_hears_is_blind_as_well() -> None:
    """Silence beyond the time in which a driver answers counts as the driver's own word that it cannot."""
    rig = counted()
    rig.run_for(16, step=0.5)
    before = spent_of(rig)
    rig.run_for(8, step=0.5)

    assert spent_of(rig) - before >= 3 * QUANTUM


def handed_out(rig: Rig, device_s: float = 0.0) -> None:
    """The driver is a scheduler's: it tells the device-seconds that its jobs were handed, at a steady pace."""
    read, begun = rig.driver.read, rig.clock.elapsed_s()

    def told() -> WorkloadReading:
        passed = rig.clock.elapsed_s() - begun
        return msgspec.structs.replace(read(), cpu_s=0.0, device_s=device_s * passed)

    rig.driver.read = told  # type: ignore[method-assign]  # as a scheduler's driver reads


@pytest.mark.parametrize("driver", ["slurm", "kubernetes"])
def test_jobs_of_a_host_without_accelerators(driver: str) -> None:
    """No job is handed a device, and all of them compute: the host's own peak and time are charged, not zero."""
    rig = Rig(driver=driver, command=())
    handed_out(rig)
    rig.started(lease=TERMS)
    rig.run_for(20)

    assert 18 * PEAK <= spent_of(rig) <= 22 * PEAK


def test_jobs_that_ask_for_accelerators_only_pay_for_them() -> None:
    """Where every enrolled device is one that the scheduler hands out, its device time is the bound as before."""
    rig = Rig(driver="slurm", command=())
    handed_out(rig, device_s=0.5)
    rig.control.license(lease=TERMS)
    rig.turn()
    with_chip(rig, chip="H100 SXM", basis="table")
    rig.run_for(20)

    assert 8 * PEAK <= spent_of(rig) <= 11 * PEAK


def test_jobs_beside_accelerators_on_the_host_s_own_processor() -> None:
    """Of a host that enrolled both, device time pays for the one and the clock for the other."""
    rig = Rig(driver="slurm", command=())
    handed_out(rig, device_s=0.5)
    rig.control.license(lease=TERMS, budget_flop=str(10**15))
    rig.turn()
    enrolled = rig.follower.enrolment()
    assert enrolled is not None
    gpu = EnrolledDevice(
        device="host-1/gpu-0", chip="H100 SXM", peak_flop_per_s=str(2 * PEAK), basis="table"
    )
    both = msgspec.structs.replace(enrolled, devices=(*enrolled.devices, gpu))
    rig.follower.enrolment = lambda: both  # type: ignore[method-assign]  # as the log would say it
    # A lease of the host as it was enrolled first has room for a third of that.
    rig.run_for(8)

    lease = rig.host.memory.state.lease
    assert lease is not None
    assert 2 * PEAK * 7 <= parse_flop(lease.spent) <= 2 * PEAK * 9


def test_an_agent_that_hung_through_its_permit_pays_what_it_reserved() -> None:
    """The watchdog ended the jobs at quantum and grace: time after that is nobody's, and breaks no allowance."""
    rig = Rig(driver="slurm", command=())
    handed_out(rig)
    rig.started(lease=TERMS)
    rig.run_for(1)
    reserved = parse_flop(rig.host.memory.state.lease.reserved)  # type: ignore[union-attr]  # under a lease
    rig.clock.advance(30)
    rig.turn()

    assert spent_of(rig) == reserved
