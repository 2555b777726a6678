"""Rows of a register's database as the values that they stand for, and the other way.

A file that somebody changed may hold anything: what does not decode raises Corrupt, never a value made up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Row, Select, func, select

from sekisho.adapters.storage.register_packing import mark_of, narrow, pack, plain, unpack, widen
from sekisho.adapters.storage.register_schema import batches, captures, events, outcomes
from sekisho.model.errors import Corrupt
from sekisho.model.instants import Instant
from sekisho.ports.register_store import BatchRow, CaptureRow, EventRow

__all__ = [
    "BATCHES",
    "CAPTURES",
    "EVENTS",
    "OUTCOMES",
    "UNSET",
    "Ids",
    "batch_of",
    "capture_of",
    "capture_row",
    "capture_words",
    "event_row",
    "event_words",
    "events_of",
    "instant",
    "whole",
    "word_ids",
]

Ids = Mapping[str, int]
_OutcomeWord = Literal["taken", "waiting", "refused"]
OUTCOMES: dict[str, int] = {"taken": 1, "waiting": 2, "refused": 3}
_OUTCOME_WORDS: dict[int | None, _OutcomeWord] = {1: "taken", 2: "waiting", 3: "refused"}
UNSET: _OutcomeWord = "waiting"
"""What an event shows whose outcome was forgotten and is not made again yet; it waits for nobody."""

_EVENT_WORDS = ("type", "action", "biz_step", "disposition", "read_point", "biz_location")
_known = batches.alias("known_from")
EVENTS: Select[Any] = (
    select(
        events.c.number,
        events.c.key,
        events.c.hash,
        events.c.at,
        *(events.c[name] for name in _EVENT_WORDS),
        captures.c.id.label("capture"),
        events.c.batch,
        events.c.place,
        events.c.received,
        events.c.parties,
        events.c.powers,
        events.c.salt,
        events.c.document,
        outcomes.c.outcome,
        outcomes.c.effect,
        outcomes.c.voided_by,
        _known.c.known,
    )
    .select_from(events)
    .join(captures, captures.c.number == events.c.capture)
    .outerjoin(outcomes, outcomes.c.number == events.c.number)
    .outerjoin(_known, _known.c.batch == func.coalesce(outcomes.c.batch, events.c.batch))
)
CAPTURES: Select[Any] = select(captures)
BATCHES: Select[Any] = select(batches)


def instant(value: object) -> Instant:
    """A column of microseconds. Raises Corrupt."""
    if type(value) is not int:
        raise Corrupt("a time in the register's database is no number", remedy="restore it")
    return Instant(value)


def whole(value: object) -> bytes:
    """A column of bytes that are stored as they are. Raises Corrupt."""
    if not isinstance(value, bytes):
        raise Corrupt("bytes in the register's database are no bytes", remedy="restore it")
    return value


def _maybe(value: object) -> Instant | None:
    return None if value is None else instant(value)


def name_list(names: Iterable[str]) -> str:
    """Parties or powers as one word: the same few sets come again and again."""
    return msgspec.json.encode(tuple(names)).decode()


def _names(word: str) -> tuple[str, ...]:
    try:
        return msgspec.json.decode(word, type=tuple[str, ...])
    except msgspec.MsgspecError:
        raise Corrupt("a list of names in the register's database is no list") from None


# --- events ---------------------------------------------------------------------------------


def event_words(row: EventRow) -> tuple[str, ...]:
    """All words that an event's row needs."""
    return (
        row.type,
        row.action,
        row.biz_step,
        row.disposition,
        row.read_point,
        row.biz_location,
        name_list(row.parties),
        name_list(row.powers),
    )


def event_row(row: EventRow, words: Ids, capture: int) -> tuple[object, ...]:
    """In the order of the columns of `events`."""
    hash_id = narrow(row.hash_id)
    return (
        row.number,
        mark_of(hash_id),
        mark_of(row.key),
        row.at.us,
        words[row.type],
        words[row.action],
        words[row.biz_step],
        words[row.disposition],
        words[row.read_point],
        words[row.biz_location],
        capture,
        row.batch,
        row.place,
        row.received.us,
        words[name_list(row.parties)],
        words[name_list(row.powers)],
        row.key,
        hash_id,
        row.salt,
        pack(row.document),
    )


def events_of(rows: Sequence[Row[Any]], words: Mapping[int, str]) -> list[EventRow]:
    """Rows of `EVENTS` as events."""
    return [_event_of(row, words) for row in rows]


def word_ids(rows: Iterable[Row[Any]]) -> set[int]:
    """All words that these rows of `EVENTS` mean."""
    found: set[int] = set()
    for row in rows:
        found.update(row[4:10])
        found.update((row.parties, row.powers))
    return found


def _event_of(row: Row[Any], words: Mapping[int, str]) -> EventRow:
    columns: Sequence[Any] = row
    number, key, hash_id, at = columns[:4]
    capture, batch, place, received, parties, powers = columns[10:16]
    salt, document, outcome, effect, voided_by, known = columns[16:]
    if outcome is not None and outcome not in _OUTCOME_WORDS:
        raise Corrupt(f"event {number} has outcome {outcome!r}", remedy="rebuild the register")
    kind, action, biz_step, disposition, read_point, biz_location = (
        words[i] for i in columns[4:10]
    )
    return EventRow(
        number=number,
        key=whole(key),
        hash_id=widen(hash_id),
        at=instant(at),
        type=kind,
        action=action,
        biz_step=biz_step,
        disposition=disposition,
        read_point=read_point,
        biz_location=biz_location,
        capture=capture,
        batch=batch,
        place=place,
        received=instant(received),
        parties=_names(words[parties]),
        powers=_names(words[powers]),
        outcome=_OUTCOME_WORDS.get(outcome, UNSET),
        effect=effect,
        voided_by=voided_by,
        salt=whole(salt),
        document=unpack(document),
        known=_maybe(known),
    )


# --- captures and batches -------------------------------------------------------------------


def capture_words(row: CaptureRow) -> tuple[str, str]:
    """All words that a capture's row needs."""
    return name_list(row.parties), name_list(row.powers)


def capture_row(row: CaptureRow, number: int, words: Ids) -> tuple[object, ...]:
    """In the order of the columns of `captures`."""
    return (
        number,
        plain(row.capture),
        row.received.us,
        narrow(row.sha256),
        row.size,
        pack(row.endorsement),
        words[name_list(row.parties)],
        words[name_list(row.powers)],
        int(row.running),
        None if row.finished is None else row.finished.us,
        row.events,
        row.taken,
        row.waiting,
        row.refused,
        row.repeated,
        pack(row.problems),
    )


def capture_of(row: Row[Any], words: Mapping[int, str]) -> CaptureRow:
    """A row of `CAPTURES` as a capture."""
    return CaptureRow(
        capture=row.id,
        received=instant(row.received),
        sha256=widen(row.sha256),
        size=row.size,
        endorsement=unpack(row.endorsement),
        parties=_names(words[row.parties]),
        powers=_names(words[row.powers]),
        running=bool(row.running),
        finished=_maybe(row.finished),
        events=row.events,
        taken=row.taken,
        waiting=row.waiting,
        refused=row.refused,
        repeated=row.repeated,
        problems=unpack(row.problems),
    )


def batch_of(row: Row[Any]) -> BatchRow:
    """A row of `BATCHES` as a batch."""
    return BatchRow(
        batch=row.batch,
        made=instant(row.made),
        events=row.events,
        root=whole(row.root),
        entry=row.entry,
        leaf=widen(row.leaf),
        known=_maybe(row.known),
    )
