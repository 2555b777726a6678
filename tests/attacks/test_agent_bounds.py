"""One test per way in which a host spends more than it is counted for, or outlives what it was allowed."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.agent.memory import Memory
from sekisho.model.amounts import parse_flop
from sekisho.model.errors import StateConflict
from sekisho.model.statements import (
    LeaseTerms,
    ReceiptGiven,
    parse_payload,
)
from sekisho.model.statements.shapes import Span
from sekisho.ports.control import LeaseAnswer, Unacknowledged
from sekisho.signing import parse_envelope
from tests.fake_tpm import FakeTpm, TpmRig
from tests.fakes import FakeFiles, Rig

SHORT = LeaseTerms(interval_s=60, grace_s=2, quantum_s=2)
PEAK = 1_000_000_000


def with_chip(rig: Rig, **changes: object) -> None:
    """The host's one device enrolled otherwise."""
    enrolled = rig.follower.enrolment()
    assert enrolled is not None
    device = msgspec.structs.replace(enrolled.devices[0], **changes)
    other = msgspec.structs.replace(enrolled, devices=(device,))
    rig.follower.enrolment = lambda: other  # type: ignore[method-assign]  # as the log would say it


def spent_of(rig: Rig) -> int:
    lease = rig.host.memory.state.lease
    assert lease is not None
    return parse_flop(lease.spent)


@pytest.mark.parametrize(
    "changes",
    [
        {"chip": "H100 SXM", "basis": "table"},
        {"chip": "H100 SXM", "basis": "declared"},
        {"chip": "host CPU", "basis": "table"},
        {"chip": "host CPUs and a GPU"},
        {"chip": "emulated accelerator"},
    ],
)
def test_accelerators_bounded_by_processor_seconds(changes: dict[str, object]) -> None:
    """One busy core may feed a device at its peak: where it is no processor each quantum counts in full."""
    rig = Rig().started(lease=SHORT)
    with_chip(rig, **changes)
    rig.driver.rate = 0.01
    rig.run_for(20)

    assert spent_of(rig) >= 18 * PEAK


def test_cores_declared_by_the_host_itself() -> None:
    """The host's own count of cores makes no bound smaller: the enrolment says how many share the peak."""
    rig = Rig().started(lease=SHORT)
    rig.host.cores = 64
    rig.driver.rate = 1.0
    rig.run_for(20)

    assert spent_of(rig) >= 15 * PEAK


def test_cores_that_the_enrolment_states() -> None:
    """A processor of four cores: one busy core is a quarter of its peak."""
    rig = Rig().started(lease=SHORT)
    with_chip(rig, chip="host CPU, 4 cores")

    assert rig.host.core_flop_per_s() == PEAK // 4


def test_kexec_with_the_clock_set_back() -> None:
    """Another kernel under the same TPM counts: elapsed time began anew, so no lease in hand counts."""
    rig = TpmRig().started(lease=SHORT)
    rig.run_for(2)
    rig.control.is_silent = True
    rig.clock.boot, rig.clock.elapsed, rig.driver.state = "kexec", 5.0, "ended"
    rig.wake()
    rig.run_for(3)

    assert rig.doing() == "none"


def test_power_cut_of_a_tpm_that_never_slept() -> None:
    """A reset sets a TPM's restart count to zero, where it stood: both counts are compared, as a TPM names them."""
    memory = Memory(FakeFiles(), FakeTpm(), "host-1")
    memory.open("kernel/tpm 3/0")

    assert memory.is_another("kernel/tpm 4/0")
    assert not memory.is_another("kernel/tpm 3/0")


def test_period_shortened_under_leases_in_hand() -> None:
    """An amendment that ends the licence sooner ends what is held under it."""
    rig = Rig().started(lease=SHORT)
    assert rig.duty.quanta.covered_s() > 30
    lease = rig.host.memory.state.lease
    assert lease is not None
    state = rig.follower.ledger.licences[lease.licence.leaf]
    period = Span(start=state.licence.period.start, end=rig.clock.now().plus(5))
    shorter = msgspec.structs.replace(
        state, licence=msgspec.structs.replace(state.licence, period=period)
    )
    ledger = rig.follower.ledger
    rig.follower.ledger = msgspec.structs.replace(
        ledger, licences=ledger.licences.plus(lease.licence.leaf, shorter)
    )
    assert rig.duty.quanta.covered_s() <= 5
    rig.run_for(5 + SHORT.grace_s + 1)

    assert rig.doing() == "none"


def refusing(rig: Rig, refused: list[int], *, until_lease: int) -> None:
    """An issuer that keeps quanta of leases below a number, and does not acknowledge them."""
    send = rig.control.send_receipt

    def answer(raw: bytes) -> bytes | None:
        told = send(raw)
        receipt = _receipt(raw)
        spend = receipt.spend if receipt.stage == "quantum" else None
        if spend is not None and spend.lease_number < until_lease:
            refused.append(receipt.sequence)
            raise Unacknowledged("kept, not acknowledged")
        return told

    rig.control.send_receipt = answer  # type: ignore[assignment, method-assign]  # the test's own issuer


def _receipt(raw: bytes) -> ReceiptGiven:
    fact = parse_payload(parse_envelope(raw).payload).predicate
    assert isinstance(fact, ReceiptGiven)
    return fact


def test_quantum_that_is_kept_but_not_acknowledged() -> None:
    """The work stops at the quantum's end and grace; it goes on under another lease, not under the refused one."""
    rig = Rig()
    refused: list[int] = []
    refusing(rig, refused, until_lease=1_000)
    rig.started(lease=SHORT)
    rig.run_for(1)
    rig.control.grant = no_lease  # type: ignore[assignment, method-assign]  # nothing more is granted
    rig.run_for(SHORT.quantum_s + SHORT.grace_s + 1)
    held = len(refused)
    rig.run_for(20)

    assert rig.doing() == "none"
    assert len(refused) == held
    assert held <= 2  # the lease in hand and one asked for ahead


def no_lease(*_: object) -> LeaseAnswer:
    raise StateConflict("no further lease")


def test_work_goes_on_after_a_quantum_that_was_not_acknowledged() -> None:
    """Of a first lease nothing is acknowledged; under the second one work runs, in one chain, and is paid for."""
    rig = Rig()
    refused: list[int] = []
    refusing(rig, refused, until_lease=2)
    rig.started(lease=SHORT)
    rig.run_for(15)

    assert rig.doing() == "running"
    assert len(refused) == 1
    assert rig.control.chain.sequence == len(rig.control.receipts)
    assert rig.duty.quanta.is_acknowledged


def test_restart_of_the_agent_over_a_quantum_that_was_not_acknowledged() -> None:
    """An agent started anew sends it again and hears the same: no restart begins another quantum on it."""
    rig = Rig()
    refused: list[int] = []
    refusing(rig, refused, until_lease=1_000)
    rig.started(lease=SHORT)
    rig.run_for(1)
    rig.control.grant = no_lease  # type: ignore[assignment, method-assign]  # nothing more is granted
    rig.run_for(10)
    quantum = rig.host.memory.state.quantum
    for _ in range(3):
        rig.wake()
        rig.run_for(3)

    assert rig.host.memory.state.quantum == quantum
