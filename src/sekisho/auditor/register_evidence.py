"""What a bundle discloses of a register of chips, read strictly, and the replay that everything is compared with.

The replay runs the register's own pure decision (registry.custody) over the disclosed events in the order of their
numbers. Who endorsed what is never taken from the disclosure: it is verified anew from documents and envelopes.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from sekisho.model.custody import Standing
from sekisho.model.errors import InvalidInput, SekishoError
from sekisho.model.instants import Instant
from sekisho.model.wire import from_json, parse_canonical, sha256_hex
from sekisho.registry.custody import MemoryBook, take
from sekisho.registry.custody.book import Captured, Outcome, Taking
from sekisho.registry.disclosed import (
    BATCHES,
    CAPTURES,
    DOCUMENTS,
    EVENTS,
    MAX_LINE,
    STANDINGS,
    TERMS,
    DisclosedBatch,
    DisclosedCapture,
    DisclosedEvent,
    parse_lines,
)
from sekisho.registry.epcis import event_document, event_key, event_of, hash_id, parse_document
from sekisho.registry.epcis.event import Event
from sekisho.registry.irregularity import SERIOUS
from sekisho.registry.terms import RegisterTerms

__all__ = [
    "Disclosed",
    "Replay",
    "Settled",
    "Signed",
    "documents_of",
    "is_custody_file",
    "read_disclosed",
    "replay_events",
]

K = TypeVar("K")
V = TypeVar("V")
_FILES = (TERMS, BATCHES, CAPTURES, EVENTS, STANDINGS)


class Disclosed(msgspec.Struct, frozen=True, kw_only=True):
    """The folder `custody/`: events by their numbers, and in each batch by their places; captures by id.

    `standings` is None where none are claimed; `read` are the events themselves with their hash ids, by number.
    """

    terms: RegisterTerms
    batches: Mapping[int, DisclosedBatch]
    captures: Mapping[str, DisclosedCapture]
    events: tuple[DisclosedEvent, ...]
    by_batch: Mapping[int, tuple[DisclosedEvent, ...]]
    standings: tuple[Standing, ...] | None
    read: Mapping[int, tuple[Event, str]]

    def of_batch(self, batch: int) -> tuple[DisclosedEvent, ...]:
        return self.by_batch.get(batch, ())


class Signed(msgspec.Struct, frozen=True):
    """Who endorsed a capture, as verified."""

    parties: frozenset[str] = frozenset()
    powers: frozenset[str] = frozenset()


class Settled(msgspec.Struct, frozen=True):
    """What became of an event."""

    outcome: Outcome
    effect: int | None = None
    voided_by: int | None = None


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """What the events give: their outcomes, the book at the end, and per batch what was registered for the first time.

    `gone` are EPCs whose registration was undone. `histories` have, by EPC, every event that ever took effect on it in
    the order of effect, each with the number of the event at which it did, written as so many microseconds. `raised`
    counts by batch and code the serious alerts of endorsed events that took effect at once.
    """

    settled: Mapping[int, Settled]
    book: MemoryBook
    standings: Mapping[str, Standing]
    registered: Mapping[int, tuple[str, ...]]
    gone: frozenset[str]
    histories: Mapping[str, Sequence[tuple[Captured, Instant]]]
    raised: Mapping[tuple[int, str], int]


def is_custody_file(path: str) -> bool:
    """Whether a check reads this file of a bundle."""
    return path in _FILES or path.startswith(DOCUMENTS)


def read_disclosed(files: Mapping[str, bytes]) -> Disclosed | None:
    """What is disclosed; None where nothing is. Raises InvalidInput with file and line."""
    if EVENTS not in files:
        return None
    if TERMS not in files:
        raise InvalidInput("is missing: the events mean nothing without it", path=TERMS)
    terms = parse_canonical(files[TERMS], path=TERMS, limit=MAX_LINE)
    events = parse_lines(DisclosedEvent, files[EVENTS], EVENTS)
    captures = parse_lines(DisclosedCapture, files.get(CAPTURES, b""), CAPTURES)
    batches = parse_lines(DisclosedBatch, files.get(BATCHES, b""), BATCHES)
    standings = files.get(STANDINGS)
    return Disclosed(
        terms=from_json(RegisterTerms, terms, path=TERMS),
        batches=_once({row.batch: row for row in batches}, len(batches), BATCHES),
        captures=_once({row.capture: row for row in captures}, len(captures), CAPTURES),
        events=_in_order(events),
        by_batch=_by_batch(events),
        standings=None if standings is None else parse_lines(Standing, standings, STANDINGS),
        read={row.number: _read_event(row) for row in events},
    )


def replay_events(disclosed: Disclosed, signed: Mapping[str, Signed]) -> Replay:
    """Take every event in the order of its number. Raises InvalidInput where a number is missing."""
    book = MemoryBook()
    settled: dict[int, Settled] = {}
    known: set[str] = set()
    gone: set[str] = set()
    registered: dict[int, list[str]] = {}
    histories: dict[str, list[tuple[Captured, Instant]]] = {}
    raised: Counter[tuple[int, str]] = Counter()
    effects = 0
    for place, row in enumerate(disclosed.events, 1):
        if row.number != place:
            raise InvalidInput(f"event {place} is not disclosed", path=EVENTS)
        captured = _captured(disclosed, row, signed)
        for taking in take(book, captured, disclosed.terms):
            told = captured if taking.number == row.number else book.find_waiting(taking.number)
            if told is None:
                raise InvalidInput(f"event {taking.number} settles twice", path=EVENTS)
            book.apply(taking, told)
            if taking.outcome == "taken":
                effects += 1
                if (
                    told is captured
                ):  # what was early may have raised the same before, without a finding
                    raised.update(_serious(row.batch, told, taking))
                for epc in dict.fromkeys(touch.epc for touch in taking.touches):
                    histories.setdefault(epc, []).append((told, Instant(row.number)))
            effect = effects if taking.outcome == "taken" else None
            settled[taking.number] = Settled(taking.outcome, effect)
            if taking.voids is not None:
                before = settled[taking.voids]
                settled[taking.voids] = msgspec.structs.replace(before, voided_by=taking.number)
            gone.update(taking.gone)
            fresh = [epc for epc in taking.standings if epc not in known]
            known.update(fresh)
            registered.setdefault(row.batch, []).extend(fresh)
    return Replay(
        settled=settled,
        book=book,
        standings={epc: found for epc, found in book.standings.items() if found is not None},
        registered={batch: tuple(epcs) for batch, epcs in registered.items()},
        gone=frozenset(gone),
        histories=histories,
        raised=raised,
    )


def _serious(batch: int, captured: Captured, taking: Taking) -> Iterator[tuple[int, str]]:
    if captured.parties or captured.powers:
        for alert in taking.alerts:
            if alert.code in SERIOUS:
                yield batch, alert.code


def documents_of(files: Mapping[str, bytes], sha256: str) -> frozenset[bytes] | None:
    """The events of a whole document as the register keeps them; None where it is not disclosed.

    Raises InvalidInput where the file is another document.
    """
    data = files.get(f"{DOCUMENTS}{sha256}")
    if data is None:
        return None
    if sha256_hex(data) != sha256:
        raise InvalidInput("is not the document that it is named after", path=DOCUMENTS + sha256)
    document = parse_document(data, path=DOCUMENTS + sha256)
    return frozenset(event_document(event) for event in document.events)


def _captured(disclosed: Disclosed, row: DisclosedEvent, signed: Mapping[str, Signed]) -> Captured:
    event, name = disclosed.read[row.number]
    who = signed.get(row.capture, Signed())
    return Captured(
        number=row.number,
        event=event,
        hash_id=name,
        key=event_key(event),
        parties=who.parties,
        powers=who.powers,
        received=row.received,
    )


def _read_event(row: DisclosedEvent) -> tuple[Event, str]:
    try:
        event = event_of(row.document.encode())
    except SekishoError as error:
        raise InvalidInput(f"event {row.number}: {error.message}", path=EVENTS) from None
    return event, hash_id(event)


def _in_order(events: Sequence[DisclosedEvent]) -> tuple[DisclosedEvent, ...]:
    for before, row in itertools.pairwise(events):
        if row.number <= before.number:
            raise InvalidInput(
                f"event {row.number} stands behind event {before.number}", path=EVENTS
            )
    return tuple(events)


def _by_batch(events: Sequence[DisclosedEvent]) -> dict[int, tuple[DisclosedEvent, ...]]:
    found: dict[int, list[DisclosedEvent]] = {}
    for row in events:
        found.setdefault(row.batch, []).append(row)
    return {batch: tuple(rows) for batch, rows in found.items()}


def _once(rows: dict[K, V], count: int, path: str) -> dict[K, V]:
    if len(rows) != count:
        raise InvalidInput("names the same thing twice", path=path)
    return rows
