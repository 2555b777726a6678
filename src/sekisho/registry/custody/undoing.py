"""Undoing an event that was recorded in error: who may, until when, and what must not rest on it.

An error declaration repeats the event, so it has the same hash id, and with it the same place. A two-sided event takes
both sides, or the charter's adjudicator. Where later transfers, licences or a destruction rest on it, it stands, and
what remains is a compensating transfer from today. Source: protocol section 13; EMVS for the window.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from sekisho.registry.custody.acts import Act
from sekisho.registry.custody.book import Captured
from sekisho.registry.custody.case import Case, Change, difference, stays_of
from sekisho.registry.custody.facts import Facts, Role, puts_in
from sekisho.registry.custody.folding import Folded, fold, in_order
from sekisho.registry.custody.track import NOWHERE, Track, Trouble

__all__ = ["find_original", "undo"]

_TWO_SIDED: Final[frozenset[Act]] = frozenset({"receive", "return", "refuse"})
_RESTING: Final[frozenset[Act]] = frozenset(
    {
        "ship",
        "receive",
        "return",
        "refuse",
        "divert",
        "split",
        "export",
        "destroy",
        "rework",
        "recover",
        "attach-licence",
    }
)
"""Later acts that rest on who was custodian before them."""


def find_original(case: Case, subjects: Iterable[str]) -> Captured | Trouble:
    """The event that a declaration speaks of, if it may be undone at all; what may is looked at in `undo`."""
    captured, names = case.captured, tuple(subjects)
    if names and _is_declared(case, names[0]):
        return Trouble("correction-of-correction", "was declared an error before")
    original = case.book.by_hash(captured.hash_id)
    if original is None:
        detail = "no event in effect has this hash id"
        return Trouble("nothing-to-correct", detail, waits=bool(names))
    facts = case.reading.facts(original)
    within = case.facts.terms.custody.undo_within_s
    if captured.received.since(original.received) > within:
        detail = (
            f"event {original.number} was received at {original.received}, over {within} s before"
        )
        return Trouble("undo-too-late", detail)
    if facts.effect in ("destroy", "rework"):
        return Trouble("already-retired", f"event {original.number} destroyed it, which is final")
    return original


def _is_declared(case: Case, epc: str) -> bool:
    return any(
        past.event.error is not None
        and past.hash_id == case.captured.hash_id
        and bool(past.parties or past.powers)
        for past in case.book.history(epc)
    )


def undo(
    case: Case, original: Captured
) -> tuple[dict[str, Role], dict[str, Change] | list[tuple[str, Trouble]]]:
    """What the original touched, and either what undoing it changes or why it cannot be undone."""
    facts = case.reading.facts(original)
    changes: dict[str, Change] = {}
    troubles: list[tuple[str, Trouble]] = []
    touched = _touched(case, original)
    for epc in touched:
        history = case.book.history(epc)
        before = fold(epc, in_order(history), case.reading)
        rest = [past for past in history if past.number != original.number]
        after = fold(epc, in_order(rest), case.reading)
        trouble = (
            _unsigned(case, facts, before, original)
            or _rests(case, original, before, after)
            or _left_out(case, epc, before, after)
        )
        if trouble is not None:
            troubles.append((epc, trouble))
        changes[epc] = difference(epc, "subject", before, after)
    if not touched and not original.parties & case.facts.parties:
        troubles.append(
            ("", Trouble("wrong-signer", "was not recorded by who declares it an error"))
        )
    return touched, troubles or changes


def _left_out(case: Case, epc: str, before: Folded, after: Folded) -> Trouble | None:
    """The Trouble where it would have lain in a container that went without it."""
    known = set(stays_of(before))
    trouble = case.passed_over(epc, [stay for stay in stays_of(after) if stay not in known])
    return Trouble("rests-on-it", trouble.detail) if trouble is not None else None


def _touched(case: Case, original: Captured) -> dict[str, Role]:
    """What the original acted on, and what lay in that then: whatever has it in its history."""
    found: dict[str, Role] = dict.fromkeys(_named(original), "subject")
    level = list(found)
    while level:
        below = dict.fromkeys(child for epc in level for child in _ever_inside(case, epc))
        level = [epc for epc in below if epc not in found and _has(case, epc, original)]
        found.update(dict.fromkeys(level, "inside"))
    return found


def _named(original: Captured) -> Iterator[str]:
    event = original.event
    for epc in (*event.epcs, event.parent, *event.children, *event.inputs, *event.outputs):
        if epc:
            yield epc


def _ever_inside(case: Case, epc: str) -> Iterator[str]:
    yield from case.book.inside(epc)
    for captured in case.book.history(epc):
        if captured.event.parent == epc and puts_in(captured):
            yield from captured.event.children


def _has(case: Case, epc: str, original: Captured) -> bool:
    return any(past.number == original.number for past in case.book.history(epc))


def _unsigned(case: Case, facts: Facts, before: Folded, original: Captured) -> Trouble | None:
    """The Trouble where a side that the original bound did not sign its undoing."""
    if "adjudicate" in case.captured.powers:
        return None
    if facts.effect in ("steal", "recover"):
        return Trouble("wrong-signer", "what was reported stolen takes the charter's adjudicator")
    was, now = _around(before, original)
    sides = _sides(facts, was, now)
    missing = sorted(side for side in sides if side not in case.facts.parties)
    if missing:
        return Trouble("wrong-signer", f"takes the signature of {' and '.join(missing)} too")
    if not sides and not original.parties & case.facts.parties:
        return Trouble("wrong-signer", "was not recorded by who declares it an error")
    return None


def _sides(facts: Facts, was: Track, now: Track) -> set[str]:
    standing = was.standing or now.standing
    if standing is None or facts.effect in ("observe", "inspect", "count"):
        return set()
    sides = {standing.custodian}
    if facts.effect in _TWO_SIDED and was.movement is not None and not was.sent_back:
        sides.add(was.movement.consignee)
    if facts.effect in ("place", "pack", "unpack"):  # its holder may have recorded it
        return {standing.holder} if standing.custodian not in facts.parties else sides
    return sides


def _around(folded: Folded, original: Captured) -> tuple[Track, Track]:
    was = NOWHERE
    for captured, track in folded.path:
        if captured.number == original.number:
            return was, track
        was = track
    return was, was


def _rests(case: Case, original: Captured, before: Folded, after: Folded) -> Trouble | None:
    """The Trouble where what came later would not fit without it, or would have been somebody else's to do."""
    if after.trouble is not None:
        which, why = after.trouble
        detail = f"event {which.number} of {which.event.at} rests on it: {why.detail}"
        return Trouble("rests-on-it", detail)
    old, new = _custodians(case, before), _custodians(case, after)
    for number, custodian in old.items():
        if number != original.number and new.get(number, custodian) != custodian:
            return Trouble("rests-on-it", f"event {number} was {custodian}'s to do because of it")
    gone = before.track.standing is not None and after.track.standing is None
    later = [c for c, t in before.path if c.number != original.number and _counts(case, c, t)]
    if gone and later:
        return Trouble("rests-on-it", f"event {later[0].number} rests on it")
    return None


def _counts(case: Case, captured: Captured, track: Track) -> bool:
    """Whether something rests on the registration; not what somebody saw pass, else anybody could keep it there."""
    facts, now = case.reading.facts(captured), track.standing
    if facts.effect == "place" and now is not None:
        return now.custodian in facts.parties or now.holder in facts.parties
    return facts.effect not in ("observe", "inspect", "count", "void")


def _custodians(case: Case, folded: Folded) -> dict[int, str]:
    """Whose it was before each act that rests on that."""
    found: dict[int, str] = {}
    was = NOWHERE
    for captured, track in folded.path:
        if was.standing is not None and case.reading.facts(captured).effect in _RESTING:
            found[captured.number] = was.standing.custodian
        was = track
    return found
