"""What one event does to one chip: the life table, who may sign, and what changes in its standing.

A step looks at the chip alone: its standing, what it lies in, its movement. So a chip's whole path follows from its
own events, in any order of capture. What several chips have to do with each other is looked at in `judging`.
"""

from __future__ import annotations

from typing import Final

from sekisho.model.custody import Standing
from sekisho.registry.custody.acts import CONTAINMENT, WITHOUT_EFFECT
from sekisho.registry.custody.changes import CHANGES, moved, unmoved
from sekisho.registry.custody.facts import Facts, Role
from sekisho.registry.custody.life import LIFE, Passage
from sekisho.registry.custody.registering import identity_of, wrong_tpp
from sekisho.registry.custody.track import Step, Track, Trouble

__all__ = ["UNKNOWN", "advance"]

UNKNOWN: Final = Trouble("unknown-id", "nobody registered it", waits=True)
_SPARED: Final = {"lost": "find", "stolen": "recover", "destroyed": ""}
"""What is lost, stolen or destroyed does not share what befalls its container, but for what brings it back."""

_PRESENT: Final = CONTAINMENT | {"activate", "suspend", "place", "ship"}
"""Acts that take the chip itself to be at the event's place."""

_OUTSIDE_ONLY: Final = CONTAINMENT | {"void", "announce", "register", "rework"}
"""Acts that never befall what is inside."""


def advance(track: Track, facts: Facts, epc: str, role: Role) -> Step | Trouble:
    """One event for one chip in one role.

    What acts on a chip, or on what it lies in, is its newest event also where it leaves all else as it is: whether it
    does may depend on an event still to come from before it. Observations never are.
    """
    act = facts.effect
    if act in WITHOUT_EFFECT or role == "kept" or (role == "inside" and act in _OUTSIDE_ONLY):
        return Step(track)
    if act == "register" or role == "output":
        return _register(track, facts, epc)
    if act in CONTAINMENT:
        return _contain(track, facts, role)
    if role == "inside" and not track.parent:
        return Trouble("illegal-transition", "lies in nothing that the event moves")
    return UNKNOWN if track.standing is None else _act(track, track.standing, facts, role)


def _act(track: Track, was: Standing, facts: Facts, role: Role) -> Step | Trouble:
    passed_by = facts.effect == "place" and not _holds(was, facts)
    if passed_by or (role == "inside" and _is_spared(was, facts)):
        return unmoved(track, was, facts)
    passage = _passage(track, was, facts)
    if isinstance(passage, Trouble):
        return passage
    change = CHANGES.get(facts.effect)
    return unmoved(track, was, facts) if change is None else change(track, was, facts, passage)


# --- who may, and whether it can be -----------------------------------------------------------


def _holds(was: Standing, facts: Facts) -> bool:
    return was.custodian in facts.parties or was.holder in facts.parties


def _is_spared(was: Standing, facts: Facts) -> bool:
    only = _SPARED.get(was.state)
    if only is not None:
        return facts.effect != only
    # Taken out and received earlier, one by one, before the packaging was.
    arrived = was.state != "in-transit" and was.custodian in facts.parties
    return arrived and facts.effect in ("receive", "return", "refuse")


def _passage(track: Track, was: Standing, facts: Facts) -> Passage | Trouble:
    act = facts.effect
    passage = LIFE.get((was.state, act))
    if passage is None and was.state in ("destroyed", "stolen"):
        return Trouble("already-retired", f"is {was.state}")
    if was.state == "active" and act in _PRESENT and _elsewhere(was, facts):
        detail = f"is active at {was.site}, not at {facts.site}"
        return Trouble("active-elsewhere", detail, waits=True)
    if passage is None:
        return _impossible(was, facts)
    return _unsigned_by(track, was, facts, passage) or passage


def _elsewhere(was: Standing, facts: Facts) -> bool:
    return bool(was.site and facts.site) and was.site != facts.site


def _impossible(was: Standing, facts: Facts) -> Trouble:
    act = facts.effect
    if act in ("receive", "return", "refuse"):
        detail = f"is {was.state} with {was.custodian}: no shipment of it is under way"
        return Trouble("receipt-without-shipment", detail, waits=True)
    if was.custodian not in facts.parties:
        return _other_holder(was, facts)
    return Trouble("illegal-transition", f"cannot {act} what is {was.state}", waits=True)


def _other_holder(was: Standing, facts: Facts) -> Trouble:
    signed = ", ".join(sorted(facts.parties)) or "charter keys alone"
    detail = f"is with {was.custodian}; {facts.effect} was signed by {signed}"
    return Trouble("other-holder", detail, waits=True)


def _unsigned_by(track: Track, was: Standing, facts: Facts, passage: Passage) -> Trouble | None:
    """The Trouble where who must sign did not."""
    signer = passage.signer
    if signer == "custodian":
        return None if was.custodian in facts.parties else _other_holder(was, facts)
    if signer == "holder":
        return None if _holds(was, facts) else _other_holder(was, facts)
    if signer == "adjudicator":
        if "adjudicate" in facts.captured.powers:
            return None
        return Trouble("wrong-signer", "takes the charter's power to adjudicate")
    return _unsigned_by_consignee(track, was, facts)


def _unsigned_by_consignee(track: Track, was: Standing, facts: Facts) -> Trouble | None:
    movement = track.movement
    if movement is None:
        return Trouble("receipt-without-shipment", "no shipment of it is known", waits=True)
    receiver = was.custodian if track.sent_back else movement.consignee
    if facts.effect == "refuse" and track.sent_back:
        return Trouble("illegal-transition", "was refused already and goes back", waits=True)
    if receiver in facts.parties:
        return None
    detail = f"movement {movement.reference} is for {receiver}, who did not sign"
    return Trouble("wrong-signer", detail)


# --- what changes -----------------------------------------------------------------------------


def _register(track: Track, facts: Facts, epc: str) -> Step | Trouble:
    if track.standing is not None:
        return Trouble("duplicate-serial", "is registered already")
    identity = identity_of(facts, epc)
    if isinstance(identity, Trouble):
        return identity
    standing = Standing(
        epc=epc,
        identity=identity,
        state="registered",
        custodian=identity.maker,
        holder=identity.maker,
        owner=facts.owner or identity.maker,
        site=facts.site,
        country=facts.country,
        parent=track.parent,
        licence=facts.licence,
        made=facts.at,
        at=facts.at,
        number=facts.number,
    )
    wrong = wrong_tpp(facts, identity.model)
    return Step(Track(standing, track.parent), notes=(("model-mismatch", wrong),) if wrong else ())


def _contain(track: Track, facts: Facts, role: Role) -> Step | Trouble:
    """Into a container or out of it: contents and container are both their custodian's to change."""
    was = track.standing
    if was is not None:
        passage = _passage(track, was, facts)
        if isinstance(passage, Trouble):
            return passage
    if role == "container":
        return Step(track) if was is None else unmoved(track, was, facts)
    into, parent = facts.event.action == "ADD", facts.event.parent
    misplaced = _misplaced(track.parent, parent, into=into)
    if misplaced is not None:
        return misplaced
    now = parent if into else ""
    if was is None:
        return Step(Track(None, now))
    there = moved(was, facts, parent=now)
    return Step(Track(there, now, track.movement, track.sent_back))


def _misplaced(lies_in: str, parent: str, *, into: bool) -> Trouble | None:
    if into and lies_in and lies_in != parent:
        return Trouble("two-containers", f"lies in {lies_in}, not in {parent}", waits=True)
    if not into and lies_in != parent:
        detail = f"lies in {lies_in or 'no container'}, not in {parent}"
        return Trouble("illegal-transition", detail, waits=True)
    return None
