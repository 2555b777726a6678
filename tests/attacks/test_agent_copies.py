"""Hosts that exist twice: disks set back, folders copied, machines cloned. Copies spend nothing that nobody sees."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.model.amounts import parse_flop
from sekisho.model.statements import LeaseTerms
from tests import factory
from tests.factory import AUTHORITY, OPERATOR, signed, signer
from tests.fake_tpm import FakeTpm, TpmRig
from tests.fakes import FakeControl, Rig

SHORT = LeaseTerms(interval_s=20, grace_s=2, quantum_s=2)


def copied(original: Rig, *, with_counter: bool = True) -> Rig:
    """A second live host over a copy of the first one's home, on hardware of its own."""
    other = Rig(original.control)
    other.files.files = dict(original.files.files)
    if with_counter:
        other.counter.value = original.counter.value
    other.wake()
    return other


def run_both(one: Rig, other: Rig, seconds: float, step: float = 0.25) -> None:
    """Both at once; the clock is the same for both."""
    for _ in range(round(seconds / step)):
        one.turn()
        other.turn()
        one.clock.advance(step)


def allowances(control: FakeControl) -> int:
    return sum(
        lease.allowance_flop or 0
        for state in control.ledger.licences.values()
        for lease in state.leases
    )


def test_rollback_of_the_state_folder() -> None:
    """C2: every file set back at once, the TPM not: it is found, and nothing runs before a fresh lease."""
    rig = TpmRig().started(lease=SHORT)
    snapshot = dict(rig.files.files)
    rig.run_for(8)
    rig.driver.state = "ended"
    rig.files.files = snapshot
    rig.control.is_silent = True
    rig.wake()
    rig.run_for(3)

    assert rig.duty.start == "rolled-back"
    assert rig.doing() == "none"
    assert rig.host.memory.state.in_hand == ()


def test_rollback_of_a_disk_snapshot_with_its_counter() -> None:
    """C0: files and counter together; the host cannot see it, the issuer does, and no quantum is acknowledged."""
    rig = Rig().started()
    rig.run_for(3)
    files, counter = dict(rig.files.files), rig.counter.value
    rig.run_for(8)
    rig.driver.state = "ended"
    rig.files.files, rig.counter.value = files, counter
    before = len(rig.control.receipts)
    rig.wake()
    rig.run_for(12)

    assert rig.duty.start == "sound"
    assert rig.doing() == "none"
    assert len(rig.control.receipts) == before
    assert "receipt-refused" in rig.control.codes()


def test_snapshot_restored_again_and_again_spends_at_most_one_quantum_each() -> None:
    """C0: what a restore gains is bounded by quantum and grace, and each leaves receipts that fork."""
    rig = Rig().started()
    rig.run_for(3)
    files, counter = dict(rig.files.files), rig.counter.value
    rig.run_for(4)
    ran = []
    for _ in range(5):
        rig.driver.state = "ended"
        rig.files.files, rig.counter.value = dict(files), counter
        rig.wake()
        since = rig.clock.elapsed_s()
        while rig.clock.elapsed_s() - since < 10:
            rig.run_for(0.25)
            if rig.doing() == "running":
                last = rig.clock.elapsed_s()
        ran.append(last - since)

    assert max(ran) <= 2 + 2 + 1


def test_clone_of_a_host() -> None:
    """Two live copies give two receipts of one number: one branch is never acknowledged, and stops."""
    one = Rig().started()
    one.run_for(3)
    other = copied(one)
    run_both(one, other, 12)

    assert sorted((one.doing(), other.doing())) in (["none", "none"], ["none", "running"])
    assert "receipt-refused" in one.control.codes()


def test_clone_of_a_host_with_a_tpm() -> None:
    """The copy has another TPM: its counter says that this is not the host that the state speaks of."""
    one = TpmRig().started(lease=SHORT)
    one.run_for(5)
    other = TpmRig(one.control)
    other.files.files = dict(one.files.files)
    other.counter.value = FakeTpm.FIRST + 1_000
    other.wake()

    assert other.duty.start == "rolled-back"
    other.duty.look()
    assert other.doing() == "none"


def test_the_copies_of_a_clone_together_reserve_at_most_twice_what_was_leased() -> None:
    """Invariant 4's bound: each branch keeps to its own allowance, and both are seen."""
    one = Rig()
    one.driver.rate = 1.0
    one.started(lease=SHORT)
    other = copied(one)
    other.driver.rate = 1.0
    run_both(one, other, 30)

    highest: dict[tuple[int, int], int] = {}
    for branch, rig in enumerate((one, other)):
        given = [g.link.receipt for g in rig.host.memory.pending.values()]
        for receipt in (*rig.control.receipts, *given):
            if receipt.spend is not None:
                key = (branch, receipt.spend.lease_number)
                reserved = parse_flop(receipt.spend.reserved_flop)
                highest[key] = max(highest.get(key, 0), reserved)
    assert sum(highest.values()) <= 2 * allowances(one.control)


@pytest.mark.parametrize("key", ["host-2", "host-1"])
def test_cloned_device_id(key: str) -> None:
    """A second host that names the first one's device, or bears its key, is enrolled nowhere."""
    control = FakeControl()
    mine = factory.host_enrolled()
    other = factory.host_enrolled("host-2", of=signer(key))
    fact = msgspec.structs.replace(
        other, devices=mine.devices if key == "host-2" else other.devices
    )
    rig = Rig(control).started()
    raw = signed(fact, AUTHORITY[0], OPERATOR).raw
    index = control.log.append(raw)
    control.feed.append((index, "host-enrolled", None))
    rig.run_for(1)

    assert "shared-key" in control.codes()
    assert "host-2" not in rig.follower.regime.hosts
    assert rig.doing() == "running"
