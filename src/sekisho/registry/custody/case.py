"""One event before the book: whom it speaks of, what lies in that at its time, and what it does to each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from sekisho.model.custody import Movement, Standing
from sekisho.model.instants import Instant
from sekisho.registry.custody.acts import CONTAINMENT, WITHOUT_EFFECT
from sekisho.registry.custody.book import AlertCode, Book, Captured, Touch
from sekisho.registry.custody.facts import Facts, Reading, Role, puts_in
from sekisho.registry.custody.folding import Folded, fold, in_order, insert
from sekisho.registry.custody.steps import UNKNOWN, advance
from sekisho.registry.custody.track import Share, Step, Track, Trouble

__all__ = ["Case", "Change", "Stay", "difference", "stays_of"]

_STILL = WITHOUT_EFFECT | CONTAINMENT | {"register", "announce", "void", "rework"}
"""Acts that do not befall what is inside."""
MOST_BEFORE_LATE: Final = 256
"""Events of one signer on one chip, from which on it may tell nothing more of the chip's past."""


class Change(msgspec.Struct):
    """What the event does to one chip or container: `lay_in` then, `was` before it all, `now` after it all."""

    epc: str
    role: Role
    lay_in: str
    was: Track
    now: Track
    shares: dict[str, Share] = {}
    headers: dict[str, Movement] = {}
    notes: tuple[tuple[AlertCode, str], ...] = ()


class Stay(msgspec.Struct, frozen=True):
    """That something lay in a container from an instant to another, or until now."""

    parent: str
    since: Instant
    until: Instant | None


class Case:
    """An event being judged. For one `take`; what is worked out for several chips is kept."""

    def __init__(self, book: Book, captured: Captured, reading: Reading) -> None:
        self.book = book
        self.captured = captured
        self.reading = reading
        self.facts = reading.facts(captured)
        self._sent_back: dict[str, frozenset[str]] = {}

    # --- whom it speaks of ---------------------------------------------------------------------

    def subjects(self) -> dict[str, Role]:
        """What the event acts on itself, with the role of each; of everything taken out at once, that."""
        event, effect = self.facts.event, self.facts.effect
        if effect in CONTAINMENT:
            roles: dict[str, Role] = {event.parent: "container"} if event.parent else {}
            whole = not event.children and event.action == "DELETE"
            children = self.contents(event.parent) if whole else event.children
            return roles | dict.fromkeys(children, "content")
        if effect == "rework":
            outputs = {
                epc: "kept" if epc in self.facts.inputs else "output" for epc in event.outputs
            }
            return dict.fromkeys(event.inputs, "input") | outputs  # type: ignore[return-value]  # words of Role
        named: dict[str, Role] = dict.fromkeys(event.epcs, "subject")
        if event.parent:
            named[event.parent] = "subject"
        named.update(dict.fromkeys((*event.children, *event.inputs, *event.outputs), "subject"))
        return named

    def inside(self, subjects: dict[str, Role]) -> list[str]:
        """All that lay in them at the event's time, at any depth, and that the event does not name.

        Nothing of it for an event that nobody endorsed: 300 bytes from a stranger would cost a look at each chip in a
        hall.
        """
        if not (self.captured.parties or self.captured.powers):
            return []
        found: dict[str, None] = {}
        level = [epc for epc, role in subjects.items() if role != "container"]
        while level:
            below = [epc for outer in level for epc in self.contents(outer)]
            level = [
                epc for epc in dict.fromkeys(below) if epc not in found and epc not in subjects
            ]
            found.update(dict.fromkeys(level))
        return list(found)

    def depth(self, epcs: Iterable[str]) -> int:
        """How many levels of containers these are, themselves included; no further than anything may be deep."""
        seen: set[str] = set()
        level = list(epcs)
        deep = 0
        while level:
            deep += 1
            seen.update(level)
            below = dict.fromkeys(child for epc in level for child in self.contents(epc))
            level = [epc for epc in below if epc not in seen]
        return deep

    def touches(self, subjects: dict[str, Role], inside: Iterable[str]) -> tuple[Touch, ...]:
        event = self.facts.event
        if len(subjects) == 1 and len(event.epcs) == 1:
            direct = [Touch(epc=event.epcs[0], role="epc")]
        else:
            direct = [Touch(epc=epc, role="epc") for epc in dict.fromkeys(event.epcs)]
            if event.parent:
                direct.append(Touch(epc=event.parent, role="parent"))
            children = event.children or tuple(e for e, r in subjects.items() if r == "content")
            direct += [Touch(epc=epc, role="child") for epc in dict.fromkeys(children)]
            direct += [Touch(epc=epc, role="input") for epc in dict.fromkeys(event.inputs)]
            direct += [Touch(epc=epc, role="output") for epc in dict.fromkeys(event.outputs)]
        return (*direct, *(Touch(epc=epc, role="inside") for epc in inside))

    def contents(self, epc: str) -> Sequence[str]:
        """What lay directly in something at the event's time."""
        book, at = self.book, self.facts.at
        standing = book.standing(epc)
        if standing is not None and standing.at <= at:
            return book.inside(epc)
        known = dict.fromkeys(book.inside(epc))
        for captured in book.history(epc):
            event = captured.event
            if event.parent == epc and puts_in(captured):
                known.update(dict.fromkeys(event.children))
        return [child for child in known if self._lay_in(child) == epc]

    def _lay_in(self, epc: str) -> str:
        standing = self.book.standing(epc)
        if standing is not None and standing.at <= self.facts.at:
            return standing.parent
        return self.then(epc).track.parent

    def then(self, epc: str) -> Folded:
        """A chip's path up to the event's time."""
        past = [c for c in self.book.history(epc) if c.event.at <= self.facts.at]
        return fold(epc, in_order(past), self.reading)

    def standing_then(self, epc: str) -> Standing | None:
        """How it stood just before the event."""
        standing = self.book.standing(epc)
        if standing is None or standing.at <= self.facts.at:
            return standing
        return self.then(epc).track.standing

    # --- what it does to each ------------------------------------------------------------------

    def change(self, epc: str, role: Role) -> Change | Trouble:
        """What the event does to one of them: on the newest by a step, else by the whole path with it in its place."""
        standing = self.book.standing(epc)
        if standing is None or standing.at > self.facts.at:
            return self._replaced(epc, role)
        track = Track(standing, standing.parent)
        if standing.movement:
            movement = self.book.movement(standing.movement)
            track = Track(standing, standing.parent, movement, self._is_sent_back(epc, movement))
        step = advance(track, self.facts, epc, role)
        if not isinstance(step, Step):
            return step
        if not step.marks:
            return Change(epc, role, standing.parent, track, step.track, notes=step.notes)
        shares = {mark.reference: mark.share for mark in step.marks}
        headers = {m.reference: m.header for m in step.marks if m.header is not None}
        return Change(epc, role, standing.parent, track, step.track, shares, headers, step.notes)

    def _is_sent_back(self, epc: str, movement: Movement | None) -> bool:
        if movement is None or not movement.refused:
            return False
        known = self._sent_back.get(movement.reference)
        if known is None:
            known = frozenset(movement.refused) - frozenset(movement.received)
            self._sent_back[movement.reference] = known
        return epc in known

    def _replaced(self, epc: str, role: Role) -> Change | Trouble:
        history = self.book.history(epc)
        if (trouble := self._crowded(history)) is not None:
            return trouble
        before = fold(epc, in_order(history), self.reading)
        after = fold(epc, insert(history, self.captured), self.reading, self.captured)
        if after.trouble is not None:
            return self._cannot(epc, role, before, *after.trouble)
        lay_in = self._parent_before(after)
        change = difference(epc, role, before, after)
        change.lay_in = lay_in
        change.notes = after.last.notes if after.last is not None else ()
        if role == "content" and self._is_unknown_content(change):
            return UNKNOWN
        return change

    def _crowded(self, history: Sequence[Captured]) -> Trouble | None:
        """The Trouble where these signers told so much of it already that they may only add to its end.

        Each event of the past goes through the whole path; counted by signer, so that nobody can take it from others.
        """
        if len(history) < MOST_BEFORE_LATE:
            return None
        who = self.captured.parties | self.captured.powers
        own = sum(not who.isdisjoint(past.parties | past.powers) for past in history)
        if own < MOST_BEFORE_LATE:
            return None
        detail = f"comes behind {own} events of the same signers: say it as an event of today"
        return Trouble("illegal-transition", detail)

    def _cannot(
        self, epc: str, role: Role, before: Folded, which: Captured, trouble: Trouble
    ) -> Change | Trouble:
        if which is not self.captured:
            detail = (
                f"event {which.number} of {which.event.at} would no longer fit: {trouble.detail}"
            )
            return Trouble("illegal-transition", detail)
        if trouble.code != "unknown-id":
            return trouble
        standing = before.track.standing
        if standing is not None:
            return Trouble("before-manufacture", f"was made at {standing.made} only")
        if role == "subject" and self.contents(epc):  # packaging that nobody registers
            return Change(epc, role, before.track.parent, before.track, before.track)
        return trouble

    def _is_unknown_content(self, change: Change) -> bool:
        """Whether it is neither registered nor packaging that something lies in already."""
        unregistered = change.now.standing is None and self.facts.event.action == "ADD"
        return unregistered and not self.contents(change.epc)

    def _parent_before(self, after: Folded) -> str:
        parent = ""
        for captured, track in after.path:
            if captured is self.captured:
                break
            parent = track.parent
        return parent

    # --- what moved without it -----------------------------------------------------------------

    def passed_over(self, epc: str, stays: Iterable[Stay]) -> Trouble | None:
        """The Trouble where a container, while it would have lain in it, was moved by an event that left it out."""
        own: set[int] | None = None
        for stay in stays:
            for captured in self._moves_of(stay):
                if own is None:
                    own = {past.number for past in self.book.history(epc)}
                if captured.number not in own:
                    detail = f"{stay.parent} was acted on by event {captured.number} after that, without it"
                    return Trouble("illegal-transition", detail)
        return None

    def _moves_of(self, stay: Stay) -> Iterator[Captured]:
        standing = self.book.standing(stay.parent)
        if stay.until is None and standing is not None and standing.at <= stay.since:
            return
        folded = fold(stay.parent, in_order(self.book.history(stay.parent)), self.reading)
        for captured, track in folded.path:
            at = captured.event.at
            within = stay.since < at and (stay.until is None or at < stay.until)
            facts = self.reading.facts(captured)
            if (
                within
                and facts.effect not in _STILL
                and not self._passed_by(stay.parent, track, facts)
            ):
                yield captured

    def _passed_by(self, container: str, track: Track, facts: Facts) -> bool:
        """Whether somebody only saw a container pass who holds neither it nor, of mere packaging, what lies in it."""
        if facts.effect != "place":
            return False
        holds = (
            [track.standing]
            if track.standing
            else map(self.book.standing, self.contents(container))
        )
        return not any(
            there is not None
            and (there.custodian in facts.parties or there.holder in facts.parties)
            for there in holds
        )


def difference(epc: str, role: Role, before: Folded, after: Folded) -> Change:
    """What changes for a chip when its path does."""
    change = Change(epc, role, "", before.track, after.track)
    for reference in sorted(before.shares.keys() | after.shares.keys()):
        share = after.shares.get(reference, "cancelled")
        header = after.headers.get(reference)
        is_same = before.shares.get(reference) == after.shares.get(reference)
        if not is_same or header != before.headers.get(reference):
            change.shares = {**change.shares, reference: share}
            if header is not None:
                change.headers = {**change.headers, reference: header}
    return change


def stays_of(folded: Folded) -> list[Stay]:
    """What something lay in, one container after the other."""
    found: list[Stay] = []
    parent, since = "", Instant(0)
    for captured, track in folded.path:
        if track.parent != parent:
            if parent:
                found.append(Stay(parent, since, captured.event.at))
            parent, since = track.parent, captured.event.at
    if parent:
        found.append(Stay(parent, since, None))
    return found
