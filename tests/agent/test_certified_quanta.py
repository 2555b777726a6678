"""A host with a certified counter: what its receipts carry, what it keeps, and how it outlasts an outage."""

from __future__ import annotations

import pytest

from sekisho.licensing.spending import MOST_AHEAD
from sekisho.model.statements import LeaseTerms, ReceiptGiven
from tests.fake_tpm import FakeTpm, TpmRig, certified_value
from tests.fakes import FakeControl, Rig

SHORT = LeaseTerms(interval_s=20, grace_s=2, quantum_s=2)


def quanta(rig: Rig) -> list[ReceiptGiven]:
    return [receipt for receipt in rig.control.receipts if receipt.stage == "quantum"]


def test_each_quantum_s_receipt_carries_the_counter_s_word_for_its_own_number() -> None:
    """Over the newest challenge that the issuer sent: with the lease first, with each acknowledgement after."""
    rig = TpmRig().started()
    rig.run_for(6)

    receipts = quanta(rig)
    certified = [receipt.certified for receipt in receipts]
    assert len(receipts) >= 3
    assert [c and certified_value(c) for c in certified] == [r.quantum for r in receipts]
    challenges = [c.challenge for c in certified if c]
    assert len(set(challenges)) == len(challenges)


def test_a_receipt_that_is_no_quantum_s_carries_no_certified_counter() -> None:
    """Only what spends is certified."""
    rig = TpmRig().started()
    rig.control.issue(rig.control.order())
    rig.run_for(2)

    others = [r for r in rig.control.receipts if r.stage != "quantum"]
    assert others
    assert all(receipt.certified is None for receipt in others)


def test_a_host_with_a_file_asks_for_no_certificate() -> None:
    """C0 receipts stay as they were."""
    rig = Rig().started()

    assert [receipt.certified for receipt in quanta(rig)] == [None]


def test_a_new_tpm_starts_above_zero_and_that_is_no_rollback() -> None:
    """A home that holds nothing begins where the index stands."""
    rig = TpmRig()

    assert rig.duty.start == "sound"
    assert rig.host.memory.state.quantum == FakeTpm.FIRST


def test_the_challenge_outlives_a_restart() -> None:
    """It lies with the state, so that a quantum can be certified while the issuer is away."""
    rig = TpmRig().started()
    before = rig.host.memory.state.challenge
    rig.control.is_silent = True
    rig.wake()
    rig.run_for(4)

    assert before is not None
    assert quanta(rig)[0].certified is not None
    pending = [given.link.receipt for given in rig.host.memory.pending.values()]
    assert [r.certified and r.certified.challenge for r in pending if r.stage == "quantum"][
        -1
    ] == before


def test_a_certified_host_goes_on_through_its_issuer_s_outage_to_the_end_of_what_it_holds() -> None:
    """With leases ahead as far as the charter lets them reach, and then stops after the grace."""
    rig = TpmRig().started(lease=SHORT)
    rig.run_for(5)
    held = rig.host.memory.state.in_hand
    assert len(held) > 2
    last = max(lease.not_after for lease in held)

    rig.control.is_silent = True
    rig.run_for(last.since(rig.clock.now()) - 3, step=0.5)
    assert rig.doing() == "running"
    rig.run_for(3 + 2 + 2 + 2)
    assert rig.doing() == "none"


def test_leases_ahead_come_one_after_the_other_each_by_its_own_nonce() -> None:
    """Numbers without a gap, no nonce twice, each reaching further than the one before, and not without end."""
    rig = TpmRig().started(lease=SHORT)
    rig.run_for(10)

    held = rig.host.memory.state.in_hand
    ends = [lease.not_after for lease in held]
    nonces = [request.nonce for request in rig.control.requests]
    assert [lease.number for lease in held] == list(range(held[0].number, held[-1].number + 1))
    assert ends == sorted(set(ends))
    assert len(set(nonces)) == len(nonces)
    assert len(rig.host.memory.state.waiting) <= MOST_AHEAD


def test_where_the_charter_lets_a_lease_reach_no_further_one_is_enough() -> None:
    """A lease as long as the charter's longest is asked for again when half of it is gone, not sooner."""
    rig = TpmRig()
    rig.control.license(lease=LeaseTerms(interval_s=86_400, grace_s=2, quantum_s=2))
    rig.run_for(10)

    assert len(rig.control.requests) == 1


@pytest.mark.parametrize("tier", ["C0", "C1"])
def test_without_a_certified_counter_one_lease_is_asked_for_ahead(tier: str) -> None:
    """Each quantum needs the issuer anyway, so more would only bind budget."""
    rig = Rig(FakeControl(tier=tier))  # type: ignore[arg-type]  # the parameters above are tiers
    rig.counter.tier = tier  # type: ignore[assignment]  # as above
    rig.started(lease=SHORT)
    most = 0
    for _ in range(60):
        rig.run_for(0.5)
        most = max(most, len(rig.host.memory.state.waiting))

    assert most == 1
    assert rig.doing() == "running"


def test_the_work_never_waits_for_the_next_of_many_leases() -> None:
    """Over several lease ends nothing stops, each lease is closed by one final receipt, quanta never go back."""
    rig = TpmRig().started(lease=SHORT)
    rig.run_for(70, step=0.5)

    finals = [r.spend.lease_number for r in rig.control.receipts if r.stage == "final" and r.spend]
    assert rig.driver.calls.count("start") == 1
    assert finals == list(range(1, len(finals) + 1))
    assert len(finals) >= 3
    assert rig.control.codes() == []


def test_a_silent_counter_stops_the_work_after_quantum_and_grace() -> None:
    """No quantum can be counted, so none begins; when the TPM answers again the work goes on, nothing spent twice."""
    rig = TpmRig().started()
    rig.counter.is_mute = True
    rig.run_for(8)
    assert rig.doing() == "none"
    assert set(rig.control.codes()) == {"counter-silent"}

    rig.counter.is_mute = False
    rig.run_for(6)
    assert rig.doing() == "running"
    state = rig.host.memory.state
    assert state.quantum == rig.counter.value
    assert [r.sequence for r in rig.control.receipts] == list(
        range(1, len(rig.control.receipts) + 1)
    )


def test_a_step_of_unknown_outcome_is_made_good_before_the_next() -> None:
    """The state is one ahead of a TPM that fell silent: never two, which would be a rollback at the next start."""
    rig = TpmRig().started()
    rig.counter.is_silent = True
    for _ in range(40):
        rig.run_for(0.25)
        assert rig.host.memory.state.quantum - rig.counter.value in (0, 1)
    rig.counter.is_silent = False
    rig.wake()

    assert rig.duty.start == "sound"


def test_a_restart_of_the_kernel_alone_needs_a_fresh_lease() -> None:
    """The TPM kept its counts, but elapsed time began anew: nobody can say how long another kernel ran."""
    rig = TpmRig().started(lease=SHORT)
    rig.run_for(3)
    rig.driver.state = "ended"
    rig.clock.boot, rig.clock.elapsed = "boot-2", 5.0
    rig.control.is_silent = True
    rig.wake()
    rig.run_for(2)
    assert rig.duty.start == "rebooted"
    assert rig.doing() == "none"

    rig.control.is_silent = False
    rig.run_for(3)
    assert rig.doing() == "running"


def test_a_tpm_that_was_reset_needs_a_fresh_lease() -> None:
    """Its clock stood still while the power was off: nobody can say for how long."""
    rig = TpmRig().started(lease=SHORT)
    rig.driver.state = "ended"
    rig.counter.resets += 1
    rig.clock.boot = "boot-2"
    rig.control.is_silent = True
    rig.wake()
    rig.run_for(3)
    assert rig.duty.start == "rebooted"
    assert rig.doing() == "none"

    rig.control.is_silent = False
    rig.run_for(3)
    assert rig.doing() == "running"


def test_a_tier_that_is_learned_later_makes_no_reboot() -> None:
    """Before the first feed a TPM counts as C1; the state tells kernel and TPM, so that either can be compared."""
    rig = TpmRig()
    rig.counter.tier = "C1"
    rig.files.files.clear()
    rig.wake()
    rig.counter.tier = "C2"
    rig.wake()
    first = rig.duty.start
    rig.counter.tier = "C1"
    rig.clock.boot = "boot-3"
    rig.wake()

    assert (first, rig.duty.start) == ("sound", "rebooted")


def test_leases_that_ended_while_nobody_looked_are_passed_over() -> None:
    """An agent that was away for two leases closes both and goes on with the third that waited."""
    rig = TpmRig().started(lease=SHORT)
    rig.run_for(5)
    rig.driver.state = "ended"
    rig.control.is_silent = True
    rig.clock.advance(45)
    rig.wake()
    rig.run_for(1)

    held = rig.host.memory.state.lease
    given = [g.link.receipt for g in rig.host.memory.pending.values()]
    finals = [r.spend.lease_number for r in given if r.stage == "final" and r.spend is not None]
    begun = {r.spend.lease_number for r in given if r.stage == "quantum" and r.spend is not None}
    assert rig.doing() == "running"
    assert held is not None
    assert held.not_after > rig.clock.now()
    assert finals == list(range(1, held.number))
    assert begun == {held.number}
    assert len(finals) >= 2
