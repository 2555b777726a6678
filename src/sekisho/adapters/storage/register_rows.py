"""Rows of a register's database as the values that they stand for, and the other way.

A file that somebody changed may hold anything: what does not decode raises Corrupt, never a value made up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import msgspec
from sqlalchemy import Row, Select, func, select

from sekisho.adapters.storage.register_packing import mark_of, narrow, pack, plain, unpack, widen
from sekisho.adapters.storage.register_schema import (
    DIMENSIONS,
    alerts,
    batches,
    captures,
    events,
    lines,
    outcomes,
    standings,
)
from sekisho.adapters.storage.register_words import Vocabulary
from sekisho.model.custody import Identity, Movement, Standing
from sekisho.model.errors import Corrupt
from sekisho.model.instants import Instant
from sekisho.ports.register_store import AlertRow, BatchRow, CaptureRow, EventRow, LineRow

__all__ = [
    "ALERTS",
    "BATCHES",
    "CAPTURES",
    "EVENTS",
    "LINES",
    "OUTCOMES",
    "STANDINGS",
    "UNSET",
    "Ids",
    "batch_of",
    "capture_of",
    "capture_row",
    "capture_words",
    "event_row",
    "event_words",
    "instant",
    "movement_of",
    "movement_row",
    "name_list",
    "standing_row",
    "standing_words",
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
STANDINGS: Select[Any] = select(standings)
ALERTS: Select[Any] = select(alerts)
LINES: Select[Any] = select(lines)

T = TypeVar("T")


def instant(value: object) -> Instant:
    """A column of microseconds. Raises Corrupt."""
    if type(value) is not int:
        raise Corrupt("a time in the register's database is no number", remedy="restore it")
    return Instant(value)


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
        mark_of(row.key),
        mark_of(hash_id),
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
    if not isinstance(key, bytes) or not isinstance(salt, bytes) or not isinstance(capture, str):
        raise Corrupt(f"event {number} in the register's database is none", remedy="restore it")
    if outcome is not None and outcome not in _OUTCOME_WORDS:
        raise Corrupt(f"event {number} has outcome {outcome!r}", remedy="rebuild the register")
    kind, action, biz_step, disposition, read_point, biz_location = (
        words[i] for i in columns[4:10]
    )
    return EventRow(
        number=number,
        key=key,
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
        salt=salt,
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
    if not isinstance(row.root, bytes):
        raise Corrupt(f"batch {row.batch} has no root", remedy="restore the register's database")
    return BatchRow(
        batch=row.batch,
        made=instant(row.made),
        events=row.events,
        root=row.root,
        entry=row.entry,
        leaf=widen(row.leaf),
        known=_maybe(row.known),
    )


# --- standings and movements ----------------------------------------------------------------


def standing_words(row: Standing) -> tuple[str, ...]:
    """All words that a standing's row needs, the dimensions first and in their order."""
    who = row.identity
    return (
        who.component,
        who.model,
        row.state,
        row.custodian,
        row.holder,
        row.owner,
        row.site,
        row.country,
        who.maker,
    )


def standing_row(row: Standing, words: Ids, epcs: Ids) -> tuple[object, ...]:
    """In the order of the columns of `standings`."""
    who = row.identity
    return (
        epcs[row.epc],
        *(words[word] for word in standing_words(row)),
        plain(who.serial),
        narrow(who.device_key) if who.device_key else None,
        epcs[row.parent] if row.parent else None,
        plain(row.movement),
        plain(row.licence),
        row.made.us,
        row.at.us,
        row.number,
    )


def standings_of(
    rows: Sequence[Row[Any]], vocabulary: Vocabulary, connection: Any
) -> list[Standing]:
    """Rows of `STANDINGS` as standings."""
    ids: set[int] = set()
    for row in rows:
        ids.update(row[1:10])
    words = vocabulary.words.texts(connection, ids)
    named = {row.epc for row in rows} | {row.parent for row in rows if row.parent is not None}
    epcs = vocabulary.epcs.texts(connection, named)
    return [_standing_of(row, words, epcs) for row in rows]


def _standing_of(row: Row[Any], words: Mapping[int, str], epcs: Mapping[int, str]) -> Standing:
    told = {name: words[row[1 + place]] for place, name in enumerate(DIMENSIONS)}
    component, model = told.pop("component"), told.pop("model")
    identity = {
        "component": component,
        "maker": words[row.maker],
        "serial": row.serial,
        "model": model,
        "device_key": "" if row.device_key is None else widen(row.device_key),
    }
    return Standing(
        epc=epcs[row.epc],
        identity=_checked(identity, Identity),
        parent="" if row.parent is None else epcs[row.parent],
        movement=row.movement,
        licence=row.licence,
        made=instant(row.made),
        at=instant(row.at),
        number=row.number,
        **told,  # type: ignore[arg-type]  # words of our own columns; the state is checked where it is compared
    )


def _checked(value: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise Corrupt(
            f"a {kind.__name__.lower()} in the register's database is none: {error}",
            remedy="rebuild the register",
        ) from None


def _write_instant(value: object) -> object:
    if isinstance(value, Instant):
        return value.us
    raise NotImplementedError


def _read_instant(kind: type, value: object) -> object:
    if kind is Instant:
        return instant(value)
    raise NotImplementedError


_encoder = msgspec.json.Encoder(enc_hook=_write_instant)
_movement = msgspec.json.Decoder(Movement, dec_hook=_read_instant)


def encode(value: object) -> bytes:
    """A value of ours as JSON with times in microseconds, its fields in their order: for columns and comparing."""
    return _encoder.encode(value)


def movement_row(row: Movement, words: Ids) -> tuple[object, ...]:
    """In the order of the columns of `movements`."""
    return (plain(row.reference), words[row.state], row.due.us, pack(_encoder.encode(row)))


def movement_of(document: object) -> Movement:
    """The document of a row of `movements` as a movement."""
    try:
        return _movement.decode(unpack(document))
    except msgspec.MsgspecError:
        raise Corrupt(
            "a movement in the register's database is none", remedy="rebuild the register"
        ) from None


# --- alerts and lines -----------------------------------------------------------------------


def alert_of(row: Row[Any], words: Mapping[int, str], epcs: Mapping[int, str]) -> AlertRow:
    """A row of `ALERTS` as an alert."""
    return AlertRow(
        number=row.number,
        code=words[row.code],
        epc=epcs[row.epc],
        detail=row.detail,
        refused=bool(row.refused),
        raised=instant(row.raised),
        leaf=widen(row.leaf),
        place=row.place,
    )


def line_of(row: Row[Any], words: Mapping[int, str], epcs: Mapping[int, str]) -> LineRow:
    """A row of `LINES` as a line."""
    return LineRow(
        number=row.number,
        area=words[row.area],
        code=words[row.code],
        epc=epcs[row.epc],
        at=instant(row.at),
        other=words[row.other],
        reverses=bool(row.reverses),
        place=row.place,
    )
