"""A second charter's operator who would loosen the first one's grip on the host that both stand over."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.model.statements import LeaseTerms
from sekisho.ports.control import FeedItem, LeaseAnswer
from tests.agent.joint_rig import JointRig, lift, pause
from tests.factory import OPERATOR, VERIFIER, signed, signer
from tests.fakes import Rig
from tests.outages import outage

SHORT = LeaseTerms(interval_s=20, grace_s=2, quantum_s=2)


@pytest.fixture
def joint() -> JointRig:
    """Both charters have the same keys, log, registers and numbers: the hardest case for whoever tells them apart."""
    return JointRig().started()


def held(joint: JointRig) -> None:
    """The work stands, and no charter let it go meanwhile."""
    joint.run_for(5)
    assert joint.doing() == "frozen"
    assert "thaw" not in joint.driver.calls


def test_order_of_one_charter_replayed_to_the_other(joint: JointRig) -> None:
    """Properly signed and witnessed there, it is foreign here: a finding, and nothing stops."""
    foreign = joint.a.control.order()
    joint.b.control.show(foreign)
    joint.run_for(2)
    assert joint.doing() == "running"
    assert joint.b.control.codes() == ["foreign-order"]


def test_order_replayed_with_its_proof(joint: JointRig) -> None:
    """The same with inclusion in a witnessed checkpoint: both charters' logs have one name and one key here."""
    pause(joint.a)
    index = joint.a.control.indexes[joint.a.control.book.orders["pause/JP"][1].digest]
    item = FeedItem(
        envelope=joint.a.control.log.entries[index],
        proof=joint.a.control.log.prove(index, joint.clock.now()),
    )
    kept, finding = joint.b.follower.take_item(item)
    assert kept is None
    assert finding is not None
    assert finding.code == "foreign-order"
    assert joint.b.follower.book.heads["pause/JP"].number == 0


def test_resume_of_the_other_charter_lifts_nothing_here(joint: JointRig) -> None:
    """It has an order of the same register and number of its own, and lifts that with all signatures."""
    pause(joint.a)
    joint.run_for(1)
    pause(joint.b)
    joint.run_for(1)
    lift(joint.b)
    held(joint)


def test_resume_of_the_other_charter_that_names_our_order(joint: JointRig) -> None:
    """By register, number and digest: it can lift only what its own book holds."""
    pause(joint.a)
    joint.run_for(1)
    ours = joint.a.control.book.orders["pause/JP"][1].reference
    joint.b.control.show(
        joint.b.control.order(kind="resume", effect="lift", lifts=[ours], on_expiry="lapse")
    )
    held(joint)
    assert joint.a.follower.book.heads["resume/JP"].number == 0


def test_our_resume_shown_by_the_other_charter_s_control_plane_alone(joint: JointRig) -> None:
    """A resume that only the other's feed carries is not heard here: each follows its own log."""
    pause(joint.a)
    joint.run_for(1)
    newest = joint.a.control.book.orders["pause/JP"][1].reference
    resume = joint.a.control.order(kind="resume", effect="lift", lifts=[newest], on_expiry="lapse")
    joint.b.control.show(resume)
    held(joint)


def test_lease_of_the_other_charter(joint: JointRig) -> None:
    """Its answer to our request is no lease here, though the same key grants in both."""
    lease = joint.b.host.memory.state.lease
    assert lease is not None
    answer = next(iter(joint.b.control.leases.values()))
    joint.a.control.bend_lease = lambda _: LeaseAnswer(
        envelope=answer.envelope, proof=answer.proof, disclosures=answer.disclosures
    )
    joint.run_for(75)
    assert joint.doing() == "ended"
    assert any(code != "busy-without-lease" for code in joint.a.control.codes())


def test_outage_declared_under_the_other_charter_spares_nothing_here() -> None:
    """Here silence stops the work after its grace, as if nobody had declared anything."""
    joint = JointRig()
    for rig in joint.halves:
        rig.control.license(lease=SHORT)
    joint.run_for(2)
    joint.b.control.admit(outage(joint.b.control))
    joint.run_for(1)
    joint.a.control.is_silent = True
    joint.run_for(8)
    assert joint.doing() == "ended"


def test_outage_of_the_other_charter_handed_to_ours(joint: JointRig) -> None:
    """Its keys are another's: what both constituencies there signed, nobody signed here."""
    fact = outage(joint.b.control, signers=(signer("other-1"), signer("other-2")))
    kept, finding = joint.a.follower.take_item(FeedItem(envelope=fact.raw))
    assert kept is None
    assert finding is not None


def test_drill_of_the_other_charter_s_canary_thaws_nothing(joint: JointRig) -> None:
    """A drill there, and its end, leave our pause as it was."""
    pause(joint.a)
    joint.run_for(1)
    pause(joint.b, drill=True)
    joint.run_for(1)
    lift(joint.b)
    held(joint)


def test_exemption_under_the_other_charter_exempts_nothing_here(joint: JointRig) -> None:
    """Its order names our run as exempt; ours does not."""
    pause(joint.b, exemptions=("run-1",))
    pause(joint.a)
    held(joint)


def test_licence_in_advise_under_the_other_charter() -> None:
    """The mildest mode there changes nothing about the end of the lease here."""
    joint = JointRig()
    joint.a.control.license(lease=SHORT)
    joint.b.control.license(mode="advise")
    joint.run_for(2)
    assert joint.doing() == "running"
    joint.a.control.is_silent = True
    joint.run_for(8)
    assert joint.doing() == "ended"


def test_flood_of_the_other_charter_s_receipts_keeps_no_order_back(joint: JointRig) -> None:
    """Its control plane refuses and repeats everything; our pause acts in the next look."""
    joint.b.control.acknowledges = False
    joint.run_for(1)
    pause(joint.a)
    joint.a.turn()
    assert joint.doing() == "frozen"


def test_other_charter_s_agent_state_set_back(joint: JointRig) -> None:
    """A rollback of its home ends the work until that charter is satisfied; ours is not set back by it."""
    before = dict(joint.b.files.files)
    joint.run_for(10)
    quantum = joint.a.host.memory.state.quantum
    joint.b.files.files.clear()
    joint.b.files.files.update(before)
    joint.wake()
    joint.turn()
    assert joint.doing() == "ended"
    assert (joint.a.duty.start, joint.b.duty.start) == ("sound", "rolled-back")
    joint.run_for(5)
    assert joint.doing() == "ended"
    assert joint.a.host.memory.state.quantum >= quantum
    assert "rolled-back" in joint.b.control.codes()
    assert "rolled-back" not in joint.a.control.codes()


def test_charter_that_pretends_to_have_retired_the_host(joint: JointRig) -> None:
    """Signed by too few it is no retirement: the pause still counts."""
    from sekisho.model.statements import HostRetired

    fact = HostRetired(effective=joint.clock.now(), host="host-1", reason="gone")
    raw = signed(fact, VERIFIER[0], OPERATOR).raw
    index = joint.a.control.log.append(raw)
    joint.a.control.feed.append((index, "host-retired", None))
    pause(joint.a)
    joint.run_for(2)
    assert joint.doing() == "frozen"
    assert not joint.a.follower.is_retired


def keys_differ(rig: Rig) -> str:
    return rig.control.charter.digest


def test_charters_differ_in_their_digest_alone(joint: JointRig) -> None:
    """What the tests above rest on: equal terms but for the name, equal root but for the digest."""
    one, other = (rig.control for rig in joint.halves)
    assert keys_differ(joint.a) != keys_differ(joint.b)
    assert msgspec.structs.replace(one.terms, name="") == msgspec.structs.replace(
        other.terms, name=""
    )
    assert one.root.log == other.root.log
