"""Deciding events one after the other: what each does to the book, and which waiting ones it releases.

What a missing earlier event could still make right waits, without any effect. What nothing could make right is
refused. Either way an event takes effect on all that it names or on nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from sekisho.model.custody import Movement, Standing
from sekisho.registry.custody.acts import WITHOUT_EFFECT
from sekisho.registry.custody.book import Alert, AlertCode, Book, Captured, Taking, Touch
from sekisho.registry.custody.case import Case, Change
from sekisho.registry.custody.facts import Facts, Reading, Role
from sekisho.registry.custody.judging import check_alone, check_together
from sekisho.registry.custody.memory import MemoryBook
from sekisho.registry.custody.movements import open_chips, update_movement
from sekisho.registry.custody.reference import is_reference
from sekisho.registry.custody.sightings import contradictions, where_seen
from sekisho.registry.custody.track import Share, Trouble
from sekisho.registry.custody.undoing import find_original, undo
from sekisho.registry.terms import RegisterTerms

__all__ = ["take"]

MOST_ALERTS: Final = 1_000
"""For one event; the last one says how many more there were."""

MOST_WAITING: Final = 64
"""Events of one signer that may wait for one chip."""
MOST_NAMED_WAITING: Final = 20_000
"""Chips that these may name together, unless there is only one."""


def take(book: Book, captured: Captured, terms: RegisterTerms) -> tuple[Taking, ...]:
    """What an event does, and then each event that waited and now takes effect or is refused for good, in order.

    An event that still waits, but for other EPCs than before, comes again as waiting with all of them. Deterministic:
    the same events in the same order give the same takings, live, at a rebuild and for the auditor.
    """
    reading = Reading(terms)
    first = _decide(book, captured, reading)
    if first.outcome != "taken" or not _early_for(book, first, reading.facts(captured)):
        return (first,)
    ahead = MemoryBook(book)
    ahead.apply(first, captured)
    takings = [first]
    early = _early_for(ahead, first, reading.facts(captured))
    while early:
        following: dict[int, Captured] = {}
        for waiting in sorted(early, key=_by_time):
            taking = _decide(ahead, waiting, reading)
            following.pop(waiting.number, None)
            if taking.outcome == "waiting" and _waits_as_before(ahead, waiting, taking):
                continue
            ahead.apply(taking, waiting)
            takings.append(taking)
            if taking.outcome == "taken":
                released = _early_for(ahead, taking, reading.facts(waiting))
                following.update((other.number, other) for other in released)
        early = list(following.values())
    return tuple(takings)


def _by_time(captured: Captured) -> tuple[int, int]:
    return captured.event.at.us, captured.number


def _waits_as_before(book: Book, captured: Captured, taking: Taking) -> bool:
    return all(
        any(other.number == captured.number for other in book.waiting(epc))
        for epc in taking.waits_for
    )


def _early_for(book: Book, taking: Taking, facts: Facts) -> list[Captured]:
    """The events that may have waited for this one; for an observation, only a declaration that it is an error.

    An event of the past may change a chip's past alone, so what it touches counts, not what it changed.
    """
    found: dict[int, Captured] = {}
    is_seen = facts.effect in WITHOUT_EFFECT
    touched = (
        *(touch.epc for touch in taking.touches),
        *taking.contained,
        *taking.contained.values(),
    )
    for epc in dict.fromkeys(touched):
        for other in book.waiting(epc):
            declares = other.event.error is not None and other.hash_id == facts.captured.hash_id
            if declares or not is_seen:
                found[other.number] = other
    return list(found.values())


# --- one event --------------------------------------------------------------------------------


def _decide(book: Book, captured: Captured, reading: Reading) -> Taking:
    """1. Alone. 2. What it names. 3. Each chip. 4. All together. 5. What follows."""
    case = Case(book, captured, reading)
    facts = case.facts
    trouble = check_alone(facts)
    subjects = case.subjects()
    if trouble is not None:
        return _refused(case, [(next(iter(subjects), ""), trouble)], subjects)
    if facts.effect == "void":
        return _undo(case, subjects)
    if facts.effect in WITHOUT_EFFECT:
        return _observe(case, subjects)
    if facts.effect == "announce" and (trouble := _cannot_announce(case)) is not None:
        return _refused(case, [(next(iter(subjects), ""), trouble)], subjects)
    return _act(case, subjects)


def _act(case: Case, subjects: dict[str, Role]) -> Taking:
    inside = case.inside(subjects)
    changes: dict[str, Change] = {}
    troubles: list[tuple[str, Trouble]] = []
    roles: Mapping[str, Role] = (
        {**subjects, **dict.fromkeys(inside, "inside")} if inside else subjects
    )
    for epc, role in roles.items():
        change = case.change(epc, role)
        if isinstance(change, Change):
            changes[epc] = change
        else:
            troubles.append((epc, change))
    if not troubles:
        troubles += _contradicted(case, changes, subjects)
        troubles += check_together(case, changes, subjects)
    touches = case.touches(subjects, inside)
    if troubles:
        return _refused(case, troubles, subjects, touches)
    notes = [(epc, *note) for epc, change in changes.items() for note in change.notes]
    notes += _passing(case, changes)
    taking = _follow(case, changes, touches, notes)
    return _announce(case, taking, changes) if case.facts.effect == "announce" else taking


def _contradicted(
    case: Case, changes: Mapping[str, Change], subjects: Mapping[str, Role]
) -> list[tuple[str, Trouble]]:
    """An act by somebody who shows another identity than the registered one is refused."""
    event = case.facts.event
    if not (event.ilmd or event.extensions) or case.facts.effect in ("register", "rework"):
        return []
    found = []
    for epc in subjects:
        was = changes[epc].was.standing
        if was is not None and changes[epc].role != "container":
            notes = contradictions(case.book, epc, was, case.facts, alone=len(subjects) == 1)
            found += [(epc, Trouble(code, detail)) for code, detail in notes]
    return found


def _passing(case: Case, changes: Mapping[str, Change]) -> Iterator[tuple[str, AlertCode, str]]:
    """What is odd about chips that an event only saw: as they passed by somebody, or were kept in a rework."""
    is_placed = case.facts.effect == "place"
    for epc, change in changes.items():
        if not is_placed and change.role != "kept":
            continue
        standing = case.standing_then(epc)
        seen = where_seen(standing, case.facts) if standing is not None else None
        if seen is not None:
            yield epc, *seen


def _observe(case: Case, subjects: dict[str, Role]) -> Taking:
    """Nothing changes; what does not fit the book is said."""
    facts, book = case.facts, case.book
    inside = case.inside(subjects)
    notes: list[tuple[str, AlertCode, str]] = []
    alerts: list[Alert] = []
    if facts.act != facts.effect:
        detail = f"{facts.act} without an endorsement: kept as an observation, without effect"
        first = next(iter(subjects), "")
        alerts.append(Alert(code="unsigned", epc=first, detail=detail, number=facts.number))
    for epc in (*subjects, *inside):
        was = book.standing(epc)
        if was is None:
            if epc in subjects and facts.act not in ("register", "rework") and not book.inside(epc):
                notes.append((epc, "unknown-id", "seen, and nobody registered it"))
            continue
        then = case.standing_then(epc)
        if then is None:
            notes.append((epc, "before-manufacture", f"seen before it was made at {was.made}"))
            continue
        seen = where_seen(then, facts)
        if seen is not None:
            notes.append((epc, *seen))
        if epc in subjects and facts.act != "register":
            other = contradictions(book, epc, then, facts, alone=len(subjects) == 1)
            notes += [(epc, *note) for note in other]
    return Taking(
        number=facts.number,
        outcome="taken",
        alerts=(*alerts, *_noted(facts, notes)),
        touches=case.touches(subjects, inside),
    )


def _undo(case: Case, subjects: dict[str, Role]) -> Taking:
    original = find_original(case, subjects)
    if isinstance(original, Trouble):
        return _refused(case, [(next(iter(subjects), ""), original)], subjects)
    touched, changes = undo(case, original)
    if not isinstance(changes, dict):
        return _refused(case, changes, subjects)
    taking = _follow(case, changes, case.touches(touched, _inside_only(touched)), [])
    movements = dict(taking.movements)
    announced = case.reading.facts(original).effect == "announce"
    if announced:
        movement = case.book.movement(case.facts.reference)
        if movement is not None and movement.state == "announced":
            movements[movement.reference] = msgspec.structs.replace(movement, state="cancelled")
    return msgspec.structs.replace(taking, voids=original.number, movements=movements)


def _inside_only(touched: dict[str, Role]) -> list[str]:
    inside = [epc for epc, role in touched.items() if role == "inside"]
    for epc in inside:
        del touched[epc]
    return inside


# --- what follows -----------------------------------------------------------------------------


def _follow(
    case: Case,
    changes: Mapping[str, Change],
    touches: tuple[Touch, ...],
    notes: list[tuple[str, AlertCode, str]],
) -> Taking:
    standings: dict[str, Standing] = {}
    contained: dict[str, str] = {}
    gone: list[str] = []
    for epc, change in changes.items():
        was, now = change.was, change.now
        if now.standing is None:
            if was.standing is not None:
                gone.append(epc)
        elif now.standing != was.standing:
            standings[epc] = now.standing
        if now.parent != was.parent:
            contained[epc] = now.parent
    movements = _movements(case.book, changes.values())
    notes += _shortages(case.facts, movements.values())
    return Taking(
        number=case.facts.number,
        outcome="taken",
        alerts=_noted(case.facts, notes) if notes else (),
        touches=touches,
        standings=standings,
        movements=movements,
        contained=contained,
        gone=tuple(gone),
    )


def _movements(book: Book, changes: Iterable[Change]) -> dict[str, Movement]:
    shares: dict[str, dict[str, Share]] = {}
    headers: dict[str, Movement] = {}
    for change in changes:
        for reference, share in change.shares.items():
            shares.setdefault(reference, {})[change.epc] = share
        if change.headers:
            headers.update(change.headers)
    found = {}
    for reference, parts in shares.items():
        movement = update_movement(book.movement(reference), headers.get(reference), parts)
        if movement is not None:
            found[reference] = movement
    return found


def _shortages(facts: Facts, movements: Iterable[Movement]) -> list[tuple[str, AlertCode, str]]:
    """What is missing where the receipt says that this was all, or that the quantity is wrong."""
    event = facts.event
    closing = "completeness_verified" in (event.disposition, *event.persistent_set)
    if facts.effect != "receive" or not (closing or event.disposition == "mismatch_quantity"):
        return []
    return [
        (epc, "shortage", f"did not arrive with movement {movement.reference}")
        for movement in movements
        for epc in open_chips(movement)
    ]


def _cannot_announce(case: Case) -> Trouble | None:
    reference = case.facts.reference
    if not is_reference(reference):
        return Trouble("bad-reference", f"{reference[:40]!r} is no movement reference")
    if case.book.movement(reference) is not None:
        return Trouble("bad-reference", f"{reference} is announced or under way already")
    return None


def _announce(case: Case, taking: Taking, changes: Mapping[str, Change]) -> Taking:
    """Notice runs from when the register got it: an announcement cannot be dated back."""
    facts = case.facts
    standing = next((c.now.standing for c in changes.values() if c.now.standing), None)
    if standing is None:
        return taking
    known_from = max(facts.at, facts.captured.received)
    movement = Movement(
        reference=facts.reference,
        state="announced",
        shipper=standing.custodian,
        consignee=next(iter(facts.receivers), "") or standing.custodian,
        destination=facts.destination,
        owner=facts.owner,
        shipped=known_from,
        due=known_from.plus(facts.terms.custody.receipt_within_s),
        shipment=facts.number,
        epcs=tuple(sorted(epc for epc, c in changes.items() if c.now.standing is not None)),
    )
    return msgspec.structs.replace(taking, movements={movement.reference: movement})


# --- what is kept from taking effect ----------------------------------------------------------


def _refused(
    case: Case,
    troubles: list[tuple[str, Trouble]],
    subjects: dict[str, Role],
    touches: tuple[Touch, ...] = (),
) -> Taking:
    """Waiting where each of the troubles may pass, else refused."""
    waits = all(trouble.waits for _, trouble in troubles)
    waits_for = dict.fromkeys(epc for epc, _ in troubles if epc) if waits else {}
    if waits and troubles[0][1].code == "nothing-to-correct":
        waits_for = dict.fromkeys(subjects)
    crowded = next((epc for epc in waits_for if _is_crowded(case, epc)), None)
    if crowded is not None:
        detail = f"waits for {crowded}, for which too much of the same signers' waits already"
        troubles, waits_for = [(crowded, Trouble(troubles[0][1].code, detail))], {}
    number = case.facts.number
    alerts = {
        (trouble.code, epc): Alert(code=trouble.code, epc=epc, detail=trouble.detail, number=number)
        for epc, trouble in troubles
    }
    return Taking(
        number=number,
        outcome="waiting" if waits and waits_for else "refused",
        alerts=_capped(tuple(alerts.values())),
        touches=touches or case.touches(subjects, ()),
        waits_for=tuple(waits_for),
    )


def _is_crowded(case: Case, epc: str) -> bool:
    """Whether one more event of these signers may not wait for a chip: each is gone through whenever the chip changes.

    Counted by signer, so that nobody can take the places of others.
    """
    who = case.captured.parties | case.captured.powers
    same = [
        other
        for other in case.book.waiting(epc)
        if other.number != case.captured.number and not who.isdisjoint(other.parties | other.powers)
    ]
    if len(same) >= MOST_WAITING:
        return True
    named = sum(len(case.reading.facts(other).named) for other in same)
    return bool(same) and named + len(case.facts.named) > MOST_NAMED_WAITING


def _noted(facts: Facts, notes: Iterable[tuple[str, AlertCode, str]]) -> tuple[Alert, ...]:
    alerts = {
        (code, epc): Alert(code=code, epc=epc, detail=detail, number=facts.number, refused=False)
        for epc, code, detail in notes
    }
    return _capped(tuple(alerts.values()))


def _capped(alerts: tuple[Alert, ...]) -> tuple[Alert, ...]:
    if len(alerts) <= MOST_ALERTS:
        return alerts
    last = alerts[MOST_ALERTS - 1]
    more = f"{last.detail}; and {len(alerts) - MOST_ALERTS} more alerts of this event"
    return (*alerts[: MOST_ALERTS - 1], msgspec.structs.replace(last, detail=more))
