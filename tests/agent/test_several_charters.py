"""A host under two charters: it works while both let it, the strictest effect wins, each book is charged in full."""

from __future__ import annotations

import pytest

from sekisho.model.amounts import parse_flop
from sekisho.model.statements import HostRetired, LeaseTerms
from tests.agent.joint_rig import JointRig, books, lift, pause, unenrol
from tests.factory import AUTHORITY, OPERATOR, signed
from tests.fakes import Rig

Q = 4_000_000_000  # one quantum with its grace at the enrolled peak: (2 s + 2 s) x 1e9


@pytest.fixture
def joint() -> JointRig:
    """Licensed under both charters, and at work."""
    return JointRig().started()


def halts(rig: Rig) -> list[tuple[str, str | None]]:
    """State and means of each halt that the charter was told."""
    return [(r.state, r.means) for r in rig.control.receipts if r.stage == "halted"]


def test_work_starts_once_both_charters_license_it() -> None:
    """A licence under one satisfies nothing under the other; with both the work starts, and once."""
    joint = JointRig()
    joint.a.control.license()
    joint.run_for(3)
    assert (joint.driver.calls, joint.a.control.stages()) == ([], [])
    assert joint.a.duty.decision is not None
    assert "charter B: it has no lease for this work" in joint.a.duty.decision.reasons

    joint.b.control.license()
    joint.run_for(2)
    assert joint.driver.calls.count("start") == 1
    assert joint.doing() == "running"
    assert joint.a.control.codes() == joint.b.control.codes() == []


def test_both_books_are_charged_in_full(joint: JointRig) -> None:
    """A FLOP that is computed is bounded and reserved in both, over quanta and over leases."""
    joint.run_for(130)
    for rig in joint.halves:
        spends = [(parse_flop(reserved), parse_flop(bound)) for reserved, bound in books(rig)]
        assert len(spends) > 60
        assert all(reserved >= bound for reserved, bound in spends)
    last_a, last_b = (books(rig)[-1][1] for rig in joint.halves)
    used = (
        0.25 * 10 * 1e9
    )  # a quarter of one core since the third lease began, ten seconds ago at most
    assert abs(parse_flop(last_a) - parse_flop(last_b)) < used
    assert joint.driver.calls.count("start") == 1


def test_a_pause_of_one_charter_stops_the_work_for_both(joint: JointRig) -> None:
    """Only that charter hears of a halt; the other keeps its lease, and spends nothing while the work stands."""
    pause(joint.a)
    joint.run_for(3)
    assert joint.doing() == "frozen"
    assert joint.a.control.stages()[-3:] == ["received", "halted", "final"]
    assert set(joint.b.control.stages()) == {"quantum"}

    told = len(joint.b.control.receipts)
    joint.run_for(10)
    assert len(joint.b.control.receipts) == told
    assert joint.b.host.memory.state.lease is not None

    lift(joint.a)
    joint.run_for(2)
    assert joint.doing() == "running"
    assert "resumed" in joint.a.control.stages()
    assert "resumed" not in joint.b.control.stages()


def test_the_stop_comes_before_any_charter_s_writing(joint: JointRig) -> None:
    """Whichever home hears of it, the work stands before the first durable step of the other."""
    joint.fuse.steps.clear()
    pause(joint.b)
    joint.driver.calls.clear()
    stopped_at: list[int] = []
    freeze = joint.driver.freeze
    joint.driver.freeze = lambda: (stopped_at.append(len(joint.fuse.steps)), freeze())[1]  # type: ignore[method-assign, func-returns-value]  # a spy
    joint.b.turn()
    assert stopped_at == [0]


def test_both_pause_and_each_resume_lifts_its_own(joint: JointRig) -> None:
    """Same register, same number: the first resume changes nothing, the second lets the work go."""
    pause(joint.a)
    pause(joint.b)
    joint.run_for(2)
    assert halts(joint.a) == halts(joint.b) == [("frozen", "cgroup-v2-freeze")]

    lift(joint.a)
    joint.run_for(10)
    assert joint.doing() == "frozen"
    lift(joint.b)
    joint.run_for(3)
    assert joint.doing() == "running"
    assert joint.driver.calls.count("thaw") == 1


def test_the_strictest_of_two_effects_wins(joint: JointRig) -> None:
    """Frozen by one, then ended by the other; each receipt says what the machine did in its turn."""
    pause(joint.a)
    joint.run_for(1)
    pause(joint.b, effect="checkpoint-then-stop", grace_s=1)
    joint.run_for(4)
    assert joint.doing() == "ended"
    assert halts(joint.a) == [("frozen", "cgroup-v2-freeze")]
    assert [state for state, _ in halts(joint.b)] == ["frozen"]

    lift(joint.b)
    joint.run_for(3)
    assert joint.doing() == "ended"
    lift(joint.a)
    joint.run_for(3)
    assert joint.doing() == "running"
    assert joint.driver.calls.count("start") == 2


def test_a_halt_names_the_means_that_another_charter_used(joint: JointRig) -> None:
    """An order that finds the work ended by the other charter says by what it was ended."""
    pause(joint.a, effect="checkpoint-then-stop", grace_s=1)
    pause(joint.b, effect="checkpoint-then-stop", grace_s=30)
    joint.run_for(3)
    assert halts(joint.a) == halts(joint.b) == [("ended", "cgroup-v2-kill")]


def test_the_checkpoint_of_the_one_is_on_the_other_s_receipt_too(joint: JointRig) -> None:
    """Both ask for a checkpoint, and each names the digest that it kept."""
    pause(joint.a, effect="checkpoint-then-stop", grace_s=30)
    pause(joint.b, effect="checkpoint-then-stop", grace_s=30)
    joint.run_for(3)
    kept = [
        [r.checkpoint for r in rig.control.receipts if r.stage == "checkpointed"]
        for rig in joint.halves
    ]
    assert joint.doing() == "ended"
    assert all(len(one) == 1 and one[0] is not None for one in kept)


def test_silence_of_one_charter_stops_the_work_as_it_says(joint: JointRig) -> None:
    """No acknowledgement, no further quantum there: the work ends after its grace, whatever the other says."""
    joint.b.control.is_silent = True
    joint.run_for(8)
    assert joint.doing() == "ended"
    assert joint.a.duty.decision is not None
    assert any(why.startswith("charter B: ") for why in joint.a.duty.decision.reasons)

    joint.b.control.is_silent = False
    joint.run_for(5)
    assert joint.doing() == "running"


def test_a_dead_agent_s_work_ends_with_the_earlier_permit(joint: JointRig) -> None:
    """What the watchdog holds never outlives either charter's quantum and grace."""
    joint.b.control.is_silent = True
    joint.run_for(3)  # one charter extends its own permit, the other cannot
    joint.clock.advance(2 + 2)
    joint.driver.enforce()
    assert joint.doing() == "ended"


def test_a_charter_that_enrols_later_freezes_what_it_has_not_licensed() -> None:
    """Its effect on work without a lease decides, with a finding; its licence lets the work go on."""
    joint = JointRig()
    row = unenrol(joint.b)
    joint.a.control.license()
    joint.run_for(3)
    assert joint.doing() == "running"
    assert joint.b.control.codes() == []

    joint.b.control.feed.append(row)
    joint.run_for(2)
    assert joint.doing() == "frozen"
    assert joint.b.control.codes() == ["busy-without-lease"]

    joint.b.control.license()
    joint.run_for(3)
    assert joint.doing() == "running"


def test_a_charter_that_only_advises_lets_the_other_s_work_run() -> None:
    """Nothing is stopped for lack of its licence, and each run without one is found."""
    joint = JointRig(busy_without_lease="advise")
    joint.a.control.license()
    joint.run_for(20)
    joint.wake()
    joint.run_for(20)
    assert joint.doing() == "running"
    assert joint.driver.calls.count("start") == 1
    assert set(joint.b.control.codes()) == {"busy-without-lease"}
    assert books(joint.b) == []

    pause(joint.b)
    joint.run_for(2)
    assert joint.doing() == "frozen"


def test_a_charter_that_was_never_heard_holds_the_work() -> None:
    """Until its first word nobody knows whether it enrolled the host, or what it has ordered."""
    joint = JointRig()
    joint.b.control.is_silent = True
    joint.a.control.license()
    joint.run_for(3)
    assert joint.driver.calls == []

    unenrol(joint.b)
    joint.b.control.is_silent = False
    joint.run_for(2)
    assert joint.doing() == "running"


def test_a_charter_that_retired_the_host_restricts_it_to_its_end_alone(joint: JointRig) -> None:
    """The quantum that runs is the last one; then its lease goes back and only the other charter counts."""
    fact = HostRetired(effective=joint.clock.now(), host="host-1", reason="sold")
    joint.b.control.admit(signed(fact, AUTHORITY[0], OPERATOR))
    joint.run_for(6)
    quanta = joint.b.control.stages().count("quantum")
    joint.run_for(20)
    assert joint.doing() == "running"
    assert joint.driver.calls.count("start") == 1
    assert joint.b.control.stages().count("quantum") == quanta
    assert joint.b.host.memory.state.lease is None

    pause(joint.b)
    joint.run_for(3)
    assert joint.doing() == "running"
    pause(joint.a)
    joint.run_for(2)
    assert joint.doing() == "frozen"


def test_the_strictest_cap_holds_and_is_named_in_both_receipts(joint: JointRig) -> None:
    """Forty percent there, ten here: ten are left, as both charters are told; lifted one by one."""
    joint.driver.caps = []
    for rig, percent in ((joint.b, 10), (joint.a, 40)):
        cap = rig.control.order(kind="cap", effect="cap", cap_percent=percent, on_expiry="lapse")
        rig.control.issue(cap)
        joint.run_for(2)
    assert 400_000 not in joint.driver.caps
    assert joint.driver.caps[-1] == 100_000
    notes = [[r.cap for r in rig.control.receipts if r.stage == "capped"] for rig in joint.halves]
    assert notes == [["duty-cycle, 10 % left"]] * 2

    newest = joint.b.control.book.orders["cap/JP"][1].reference
    joint.b.control.issue(
        joint.b.control.order(kind="resume", effect="lift", lifts=[newest], on_expiry="lapse")
    )
    joint.run_for(2)
    assert joint.driver.caps[-1] == 400_000


def test_work_that_ends_by_itself_is_over_for_both(joint: JointRig) -> None:
    """Done is done: both leases go back, and nobody starts it again."""
    joint.driver.state, joint.driver.exit_code = "ended", 0
    joint.run_for(5)
    assert joint.driver.calls.count("start") == 1
    assert all(rig.host.memory.state.lease is None for rig in joint.halves)
    assert [rig.control.stages()[-1] for rig in joint.halves] == ["final", "final"]


def test_an_agent_that_starts_again_takes_over_under_both_charters(joint: JointRig) -> None:
    """The work is neither stopped nor started, and what its permit was binds both until each gives its own."""
    joint.run_for(3)
    joint.wake()
    assert all(seat.given is not None for seat in joint.joint.seats)
    joint.run_for(10)
    assert joint.driver.calls.count("start") == 1
    assert joint.doing() == "running"
    assert joint.a.control.codes() == joint.b.control.codes() == []


def test_after_a_restart_one_charter_alone_lengthens_nothing(joint: JointRig) -> None:
    """The permit of living work ends where the silent charter's did, though the other one's agent extends."""
    joint.b.control.is_silent = True
    joint.wake()
    for _ in range(2):
        joint.run_for(1)
        joint.wake()
    joint.clock.advance(4)
    joint.driver.enforce()
    assert joint.doing() == "ended"


def test_different_terms_are_kept_side_by_side() -> None:
    """A charter with short quanta and one with long ones: the shorter permit is renewed without end."""
    joint = JointRig()
    joint.a.control.license(lease=LeaseTerms(interval_s=60, grace_s=1, quantum_s=1))
    joint.b.control.license(lease=LeaseTerms(interval_s=60, grace_s=5, quantum_s=10))
    joint.run_for(30)
    assert joint.doing() == "running"
    assert joint.driver.calls.count("start") == 1
    counts = [rig.control.stages().count("quantum") for rig in joint.halves]
    assert counts[0] > 2.5 * counts[1]
