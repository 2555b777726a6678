"""Attacks on suspensions by whoever runs the control plane or the network: replayed, lifted, kept back."""

from __future__ import annotations

import pytest

from sekisho.model.statements import AccessTerms, Scope
from sekisho.ports.control import FeedItem
from tests.access.points import XA, XB, PointRig, unproven
from tests.factory import AUTHORITY, OPERATOR, VERIFIER
from tests.fake_control import QUORUM


def suspended() -> PointRig:
    rig = PointRig()
    rig.suspend()
    rig.beat()
    assert rig.code(XA) == "access-suspended"
    return rig


def test_a_suspension_replayed_after_its_resume_suspends_nobody() -> None:
    """The same order, with its own good proof, told again: what was lifted stays lifted."""
    rig = PointRig()
    order = rig.suspend()
    rig.beat()
    rig.control.clock.advance(1)
    rig.resume(order)
    rig.beat(1)
    assert rig.code(XA) == "served"
    index = rig.control.indexes[order.digest]
    again = FeedItem(envelope=order.raw, proof=rig.control.log.prove(index, rig.control.now()))
    rig.point.hear_order(again)
    assert rig.code(XA) == "served"


def test_a_suspension_of_another_log_or_charter_is_not_taken() -> None:
    """Signed by the very quorum, for another regime."""
    rig = PointRig()
    rig.beat()
    order = rig.control.order(
        kind="suspend-access",
        effect="suspend-access",
        access=AccessTerms(),
        log="another.example/log",
    )
    index = rig.control.log.append(order.raw)
    proof = rig.control.log.prove(index, rig.control.now())
    findings = rig.point.hear_order(FeedItem(envelope=order.raw, proof=proof))
    assert [finding.code for finding in findings] == ["foreign-order"]
    assert rig.code(XB) == "served"


def test_a_suspension_lifted_without_witnesses_stays() -> None:
    """A resume by its whole quorum, shown by the feed and not by the log, lifts nothing."""
    rig = suspended()
    order = rig.control.book.orders["suspend-access/JP"][1]
    lifting = rig.control.order(
        kind="resume",
        effect="lift",
        lifts=(order.reference,),
        scope=Scope(sites=("site-1",)),
    )
    unproven(rig, lifting)
    assert rig.codes[-1] == "unwitnessed-release"
    assert rig.code(XA) == "access-suspended"


@pytest.mark.parametrize(
    "signers",
    [
        (OPERATOR,),
        (*AUTHORITY[:2], VERIFIER[0]),
        AUTHORITY[:3],
        (VERIFIER[0], VERIFIER[1], OPERATOR),
    ],
)
@pytest.mark.parametrize("kind", ["suspend-access", "resume"])
def test_too_few_keys_neither_suspend_nor_lift(kind: str, signers: tuple[object, ...]) -> None:
    """A false suspension is as hard as a false resume: both ask for three of the authority and a verifier."""
    rig = suspended() if kind == "resume" else PointRig()
    rig.beat()
    more = (
        {"lifts": (rig.control.book.orders["suspend-access/JP"][1].reference,), "effect": "lift"}
        if kind == "resume"
        else {"access": AccessTerms(), "effect": "suspend-access"}
    )
    order = rig.control.order(kind=kind, signers=signers, **more)  # type: ignore[arg-type]  # keys
    index = rig.control.log.append(order.raw)
    proof = rig.control.log.prove(index, rig.control.now())
    findings = rig.point.hear_order(FeedItem(envelope=order.raw, proof=proof))
    assert [finding.code for finding in findings] == ["not-authorised"]
    assert rig.code(XB) == "served"
    assert rig.code(XA) == ("access-suspended" if kind == "resume" else "served")
    assert len(QUORUM) == 4


def test_a_resume_of_a_narrower_scope_lifts_nothing() -> None:
    """Whoever signs a resume reads its scope: it must be that of the suspension."""
    rig = suspended()
    order = rig.control.book.orders["suspend-access/JP"][1]
    lifting = rig.control.order(
        kind="resume", effect="lift", lifts=(order.reference,), scope=Scope(hosts=("host-1",))
    )
    index = rig.control.log.append(lifting.raw)
    proof = rig.control.log.prove(index, rig.control.now())
    findings = rig.point.hear_order(FeedItem(envelope=lifting.raw, proof=proof))
    assert [finding.code for finding in findings] == ["order-fault"]
    assert rig.code(XA) == "access-suspended"


def test_a_suspension_kept_back_while_the_registers_speak_closes_the_gate() -> None:
    """The head tells of an order that nobody shows: refused after the fetch delay, everybody."""
    rig = PointRig()
    rig.beat()
    order = rig.suspend()
    index = rig.control.indexes[order.digest]
    rig.control.feed = [row for row in rig.control.feed if row[0] != index]
    rig.beat()
    assert rig.code(XB) == "served"
    rig.beat(61)
    assert rig.code(XB) == "order-outstanding"


def test_a_suspension_kept_back_with_the_heartbeat_closes_the_gate_in_time() -> None:
    """Silence of the registers: fresh checkpoints without their word are no word."""
    rig = PointRig(silence_s=300)
    rig.beat()
    rig.suspend()
    rig.control.feed = [row for row in rig.control.feed if row[1] == "time-marked"]
    rig.control.clock.advance(301)
    rig.catch_up()
    assert rig.code(XB) == "picture-stale"


def test_a_future_heartbeat_buys_no_silence() -> None:
    """Dated a year ahead, it counts from when its witnesses saw it."""
    rig = PointRig(silence_s=300)
    rig.beat()
    now = rig.control.clock.system
    rig.control.clock.system = now.plus(365 * 86_400)
    rig.control.state_heads()
    rig.control.clock.system = now
    rig.catch_up()
    rig.control.clock.advance(301)
    assert rig.code(XB) == "picture-stale"
