"""Clocks turned by whoever owns the host: permits end by the latest, restrictions by the earliest."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.agent.events import FeedCame
from sekisho.model.statements import LeaseTerms
from sekisho.model.wire import canonical
from tests.fake_tpm import TpmRig
from tests.fakes import Rig

SHORT = LeaseTerms(interval_s=20, grace_s=2, quantum_s=2)


def test_clock_rollback_during_a_lease() -> None:
    """The lease ends when it ends: signed time plus what elapsed is never earlier than the truth allows."""
    rig = TpmRig().started(lease=SHORT)
    last = max(lease.not_after for lease in rig.host.memory.state.in_hand)
    left = last.since(rig.clock.now())
    rig.control.is_silent = True
    rig.clock.system = rig.clock.system.plus(-86_400)
    rig.run_for(left + 2 + 2 + 2, step=0.5)

    assert rig.doing() == "none"
    rig.control.is_silent = False
    rig.run_for(1)
    assert "clock-behind" in rig.control.codes()


def test_clock_rollback_before_a_lease() -> None:
    """A lease that has ended by the signed time is not taken, however early the system clock says that it is."""
    rig = TpmRig()
    rig.control.license(lease=SHORT)
    honest = rig.control.send_request
    rig.control.send_request = _late(rig, honest)  # type: ignore[method-assign,assignment]  # the attack
    rig.run_for(3)

    assert rig.doing() == "none"
    assert "stale-lease" in rig.control.codes()


def _late(rig: Rig, honest: object) -> object:
    """Holds the answer back until the lease is over, and turns the system clock back over the delay."""

    def hold(envelope: bytes) -> object:
        answer = honest(envelope)  # type: ignore[operator]  # the control plane's own method
        rig.clock.advance(30)
        rig.control.state_heads()  # a witnessed checkpoint of the true time
        rig.duty.hear(_news(rig))
        rig.clock.system = rig.clock.system.plus(-3_600)
        return answer

    return hold


def _news(rig: Rig) -> FeedCame:
    return FeedCame(rig.control.fetch_feed("host-1", 0, 0))


def test_clock_forward_ends_permits_and_no_order() -> None:
    """A clock set ahead stops the work sooner, and keeps it stopped for as long as the order stands."""
    rig = Rig().started()
    rig.control.issue(
        rig.control.order(kind="hold", expires=rig.control.now().plus(3_600), on_expiry="lapse")
    )
    rig.run_for(1)
    assert rig.doing() == "frozen"
    rig.control.is_silent = True
    rig.clock.system = rig.clock.system.plus(86_400)
    rig.run_for(5)

    assert rig.doing() == "frozen"


def test_clock_forward_during_a_lease_ends_it() -> None:
    """Whoever sets the clock ahead loses the lease, not the regulator."""
    rig = TpmRig().started(lease=SHORT)
    rig.control.is_silent = True
    rig.clock.system = rig.clock.system.plus(86_400)
    rig.run_for(6)

    assert rig.doing() == "none"


def test_clock_forward_and_back_gives_no_second_life() -> None:
    """What was given back while the clock stood ahead is gone; a fresh lease by a fresh nonce goes on."""
    rig = TpmRig().started(lease=SHORT)
    rig.control.is_silent = True
    rig.clock.system = rig.clock.system.plus(86_400)
    rig.run_for(6)
    rig.clock.system = rig.clock.system.plus(-86_400)
    rig.run_for(3)
    assert rig.doing() == "none"

    rig.control.is_silent = False
    rig.run_for(6)
    nonces = [request.nonce for request in rig.control.requests]
    assert rig.doing() == "running"
    assert len(set(nonces)) == len(nonces)


@pytest.mark.parametrize("made", [Rig, TpmRig], ids=["C0", "C2"])
def test_suspend_to_outlive_a_lease(made: type[Rig]) -> None:
    """The elapsed time counts through suspend: what ended in its sleep is over when the host wakes."""
    rig = made().started(lease=SHORT)
    rig.control.is_silent = True
    rig.clock.sleep(7_200)
    rig.turn()

    assert rig.doing() != "running"


def test_a_short_suspend_without_a_certified_clock() -> None:
    """C0: the work is frozen, its lease goes back, and it goes on under one that answers a fresh nonce."""
    rig = Rig().started()
    rig.run_for(1)
    before = len(rig.control.requests)
    rig.control.is_silent = True
    rig.clock.sleep(1.5)
    rig.run_for(1)
    assert rig.doing() == "frozen"
    assert rig.duty.start == "woken"

    rig.control.is_silent = False
    rig.run_for(3)
    assert rig.doing() == "running"
    assert len(rig.control.requests) == before + 1
    assert rig.driver.calls.count("start") == 1


def test_a_request_from_before_the_suspend_is_not_used() -> None:
    """Its nonce is not fresh: the answer keeps the numbers whole and is given back."""
    rig = Rig()
    rig.control.license()
    rig.turn()
    asked = rig.host.memory.load_request()
    assert asked is not None
    rig.clock.sleep(5)
    rig.duty.look()
    rig.run_for(3)

    assert rig.doing() == "running"
    assert rig.host.memory.state.in_hand[0].number == 2


def test_a_short_suspend_with_a_tpm_that_kept_its_power() -> None:
    """C2: nothing was lost, the work goes on."""
    rig = TpmRig().started(lease=SHORT)
    rig.control.is_silent = True
    rig.clock.sleep(1.5)
    rig.run_for(1)

    assert rig.doing() == "running"
    assert rig.duty.start == "sound"


def test_a_suspend_that_reset_the_tpm() -> None:
    """C2: its clock stood still, so a fresh lease is asked for as after a reboot."""
    rig = TpmRig().started(lease=SHORT)
    rig.control.is_silent = True
    rig.clock.sleep(1.5)
    rig.counter.resets += 1
    rig.run_for(1)

    assert rig.doing() == "frozen"
    assert rig.duty.start == "woken"


def test_reboot_without_contact() -> None:
    """C0: nothing runs until the issuer has answered this boot's own nonce, and the old lease is given back."""
    rig = Rig().started()
    rig.driver.state = "ended"
    rig.clock.boot, rig.clock.elapsed, rig.clock.slept = "boot-2", 5.0, 0.0
    rig.control.is_silent = True
    rig.wake()
    rig.run_for(30)

    assert rig.doing() == "none"
    assert rig.driver.calls.count("start") == 1


def restart_in_the_past(rig: Rig, seconds: float, *, each_s: float, boot: str = "") -> None:
    """Again and again: the agent ended, the system clock set back by a day, the agent started; nothing is heard."""
    rig.control.is_silent = True
    for number in range(round(seconds / each_s)):
        rig.clock.system = rig.clock.system.plus(-86_400)
        if boot:
            rig.driver.state = "ended"
            rig.clock.boot, rig.clock.elapsed = f"{boot}-{number}", 5.0
        rig.wake()
        rig.run_for(each_s, step=0.5)


def test_clock_rollback_and_restart_of_the_agent() -> None:
    """What an agent knew of the time the next one knows too: no lease is made young again."""
    rig = TpmRig().started(lease=SHORT)
    rig.run_for(2)
    last = max(lease.not_after for lease in rig.host.memory.state.in_hand)
    left = last.since(rig.clock.now())
    restart_in_the_past(rig, left + 20, each_s=10)

    assert rig.doing() == "none"


def test_clock_rollback_and_restart_of_the_kernel() -> None:
    """C2: where the elapsed time begins anew no lease counts, whatever clock and counts say."""
    rig = TpmRig().started(lease=SHORT)
    rig.run_for(2)
    last = max(lease.not_after for lease in rig.host.memory.state.in_hand)
    left = last.since(rig.clock.now())
    restart_in_the_past(rig, 1.4 * left + 20, each_s=10, boot="kexec")

    assert rig.doing() == "none"


def test_a_time_forged_into_the_state_file_ends_no_order() -> None:
    """It only ends permits sooner: what restricts ends by what witnesses signed."""
    rig = Rig().started()
    rig.control.issue(
        rig.control.order(kind="hold", expires=rig.control.now().plus(3_600), on_expiry="lapse")
    )
    rig.run_for(1)
    state = msgspec.structs.replace(
        rig.host.memory.state, known=rig.control.now().plus(10 * 86_400), known_at_us=0
    )
    rig.files.files["state.json"] = canonical(state)
    rig.control.is_silent = True
    rig.wake()
    rig.run_for(2)

    assert rig.doing() == "frozen"
    assert rig.follower.in_force(rig.host.latest()) != ()
