"""Files set back by whoever owns the disk: nothing runs until a fresh lease answers a fresh nonce."""

from __future__ import annotations

from tests.fakes import Rig


def assert_recovers(rig: Rig, requests_before: int) -> None:
    """The work was stopped, a finding raised, and it runs again only under a lease with a new nonce."""
    assert rig.duty.start == "rolled-back"
    rig.duty.look()
    assert rig.doing() == "none"
    rig.run_for(3)

    assert "rolled-back" in rig.control.codes()
    assert len(rig.control.requests) > requests_before
    nonces = [request.nonce for request in rig.control.requests]
    assert len(set(nonces)) == len(nonces)


def test_counter_rolled_back() -> None:
    """A counter behind the state by more than a crash explains."""
    rig = Rig().started()
    rig.run_for(8)
    rig.counter.value -= 2
    requests = len(rig.control.requests)
    rig.wake()

    assert_recovers(rig, requests)
    assert rig.doing() == "running"
    assert rig.counter.value == rig.host.memory.state.quantum


def test_state_file_rolled_back() -> None:
    """An old state file under a newer counter gives back no spent FLOP."""
    rig = Rig().started()
    old = rig.files.files["state.json"]
    rig.run_for(8)
    rig.files.files["state.json"] = old
    requests = len(rig.control.requests)
    rig.wake()

    assert_recovers(rig, requests)
    assert rig.host.memory.state.lease_number == len(rig.control.requests)


def test_state_file_removed() -> None:
    """No state beside a counter that has stepped is a rollback, not a beginning."""
    rig = Rig().started()
    rig.run_for(4)
    del rig.files.files["state.json"]
    requests = len(rig.control.requests)
    rig.wake()

    assert_recovers(rig, requests)


def test_state_file_garbled() -> None:
    """A state that cannot be read is no state."""
    rig = Rig().started()
    rig.run_for(4)
    rig.files.files["state.json"] = b"{"
    requests = len(rig.control.requests)
    rig.wake()

    assert_recovers(rig, requests)


def test_receipts_rolled_back() -> None:
    """A chain shorter than the state knows is found, and no receipt number is used twice."""
    rig = Rig().started()
    old = rig.files.files["receipts.jsonl"]
    rig.run_for(8)
    rig.files.files["receipts.jsonl"] = old
    requests = len(rig.control.requests)
    rig.wake()

    assert_recovers(rig, requests)
    sequences = [receipt.sequence for receipt in rig.control.receipts]
    assert sequences == list(range(1, len(sequences) + 1))


def test_reboot_runs_nothing_before_a_fresh_lease() -> None:
    """On C0 the lease of another boot is given back, and the request that waited is not used either."""
    rig = Rig().started()
    rig.driver.state = "ended"
    rig.clock.boot = "boot-2"
    rig.clock.elapsed = 5.0
    rig.wake()
    rig.control.is_silent = True
    rig.run_for(3)
    assert rig.doing() == "none"

    rig.control.is_silent = False
    rig.run_for(3)
    assert rig.doing() == "running"
    assert "final" in rig.control.stages()
    assert rig.host.memory.state.lease_number == 2


def test_a_restart_does_not_make_a_host_forget_an_order() -> None:
    """With a control plane that hides the pause after a restart, the host stays halted."""
    rig = Rig().started()
    rig.control.issue(rig.control.order())
    rig.run_for(1)
    rig.control.feed = [
        row for row in rig.control.feed if row[1] not in ("order-issued", "orders-in-force")
    ]
    rig.wake()
    rig.run_for(3)

    assert rig.doing() == "frozen"
    assert "resumed" not in rig.control.stages()
