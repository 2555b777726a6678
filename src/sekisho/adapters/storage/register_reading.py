"""What a register's database is asked about events, captures and batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, or_, select

from sekisho.adapters.storage.register_engine import RegisterEngine
from sekisho.adapters.storage.register_packing import is_plain, mark_of, narrow, unpack, widen
from sekisho.adapters.storage.register_rows import (
    BATCHES,
    CAPTURES,
    EVENTS,
    OUTCOMES,
    batch_of,
    capture_of,
    events_of,
    name_list,
    whole,
    word_ids,
)
from sekisho.adapters.storage.register_schema import (
    batches,
    captures,
    documents,
    events,
    outcomes,
    touches,
    waits,
    words,
)
from sekisho.adapters.storage.register_words import Vocabulary
from sekisho.model.errors import InvalidInput
from sekisho.ports.register_store import BatchRow, CaptureRow, EventFilter, EventRow, Page

__all__ = ["EventReading"]

SCAN = 100_000
"""Events that one search looks at before it answers with what it has, and where to go on."""


class EventReading:
    """Questions to one database; each takes the connection of a transaction that the caller opened."""

    def __init__(self, engine: RegisterEngine, vocabulary: Vocabulary) -> None:
        self._engine = engine
        self._vocabulary = vocabulary
        self._by_hash = EVENTS.where(engine.among(events.c.hash_mark, "wanted"))
        nobody = func.coalesce(
            select(words.c.id).where(words.c.word == name_list(())).scalar_subquery(), 0
        )
        self._history = (
            select(touches.c.epc, touches.c.number)
            .join(outcomes, outcomes.c.number == touches.c.number)
            .join(events, events.c.number == touches.c.number)
            .where(
                engine.among(touches.c.epc, "wanted"),
                outcomes.c.outcome == OUTCOMES["taken"],
                outcomes.c.voided_by.is_(None),
                # What nobody endorsed changes nothing, and anybody may send much of it.
                or_(events.c.parties != nobody, events.c.powers != nobody),
            )
            .order_by(touches.c.epc, outcomes.c.effect)
        )
        self._waiting = (
            select(waits.c.epc, waits.c.number)
            .where(engine.among(waits.c.epc, "wanted"))
            .order_by(waits.c.epc, waits.c.number)
        )
        self._roles = select(touches.c.number, touches.c.role).where(
            touches.c.epc == bindparam("epc")
        )
        self._numbered = EVENTS.where(engine.among(events.c.number, "wanted"))

    def hashes(self, connection: Connection, hash_ids: Sequence[str]) -> dict[str, list[EventRow]]:
        marks = {mark_of(narrow(hash_id)) for hash_id in filter(is_plain, hash_ids)}
        found: dict[str, list[EventRow]] = {}
        asked = set(hash_ids)
        query = self._by_hash.order_by(events.c.number)
        for row in self._read(connection, query, marks):
            if row.hash_id in asked:
                found.setdefault(row.hash_id, []).append(row)
        return found

    def histories(self, connection: Connection, names: Sequence[str]) -> dict[str, list[EventRow]]:
        return self._by_epc(connection, self._history, names)

    def waiting(self, connection: Connection, names: Sequence[str]) -> dict[str, list[EventRow]]:
        return self._by_epc(connection, self._waiting, names)

    def timeline(self, connection: Connection, epc: str) -> list[tuple[EventRow, str]]:
        ids = self._vocabulary.epcs.ids(connection, [epc])
        if not ids:
            return []
        rows = connection.execute(self._roles, {"epc": ids[epc]}).all()
        roles = self._vocabulary.words.texts(connection, {row.role for row in rows})
        told = self.numbered(connection, {row.number for row in rows})
        pairs = [(told[row.number], roles[row.role]) for row in rows if row.number in told]
        return sorted(pairs, key=lambda pair: (pair[0].at.us, pair[0].number, pair[1]))

    def numbered(self, connection: Connection, numbers: Iterable[int]) -> dict[int, EventRow]:
        return {row.number: row for row in self._read(connection, self._numbered, set(numbers))}

    def following(self, connection: Connection, after: int, limit: int) -> list[EventRow]:
        query = EVENTS.where(events.c.number > after).order_by(events.c.number).limit(limit)
        return self._decode(connection, query, {})

    def of_batch(self, connection: Connection, batch: int) -> list[EventRow]:
        inside = self._inside_batch(connection, batch)
        if inside is None:
            return []
        return self._decode(connection, EVENTS.where(inside).order_by(events.c.place), {})

    def salts_of_batch(self, connection: Connection, batch: int) -> list[tuple[bytes, str, str]]:
        inside = self._inside_batch(connection, batch)
        if inside is None:
            return []
        query = (
            select(events.c.salt, events.c.hash, captures.c.id)
            .join(captures, captures.c.number == events.c.capture)
            .where(inside)
            .order_by(events.c.place)
        )
        return [(whole(row.salt), widen(row.hash), row.id) for row in connection.execute(query)]

    def _inside_batch(self, connection: Connection, batch: int) -> ColumnElement[bool] | None:
        span = connection.execute(
            select(batches.c.first, batches.c.last).where(batches.c.batch == batch)
        ).first()
        if span is None or span.first is None:
            return None
        return events.c.number.between(span.first, span.last) & (events.c.batch == batch)

    def search(self, connection: Connection, wanted: EventFilter, after: int, limit: int) -> Page:
        """Numbers first, of a bounded span of the register; the documents only of those that match."""
        newest = connection.execute(select(func.max(events.c.number))).scalar_one() or 0
        limbs = self._limbs(connection, wanted)
        if limbs is None or limit < 1:
            return Page(events=())
        is_narrow = bool(wanted.match_epcs)
        until = newest if is_narrow else min(newest, after + SCAN)
        query = select(events.c.number).where(events.c.number > after, events.c.number <= until)
        found = connection.scalars(
            query.where(*limbs).order_by(events.c.number).limit(limit + 1)
        ).all()
        told = self.numbered(connection, found[:limit])
        following = found[limit - 1] if len(found) > limit else until if until < newest else None
        return Page(events=tuple(told[number] for number in found[:limit]), following=following)

    def capture(self, connection: Connection, capture: str) -> CaptureRow | None:
        if not is_plain(capture):
            return None
        found = self._captures(connection, CAPTURES.where(captures.c.id == capture))
        return found[0] if found else None

    def captures_of(self, connection: Connection, named: Sequence[str]) -> list[CaptureRow]:
        wanted = [name for name in named if is_plain(name)]
        query = CAPTURES.where(self._engine.among(captures.c.id, "wanted"))
        return self._captures(connection, query.params(wanted=self._engine.wanted(wanted)))

    def document(self, connection: Connection, capture: str) -> bytes:
        if not is_plain(capture):
            return b""
        query = (
            select(documents.c.document)
            .join(captures, captures.c.number == documents.c.number)
            .where(captures.c.id == capture)
        )
        found = connection.scalars(query).first()
        return b"" if found is None else unpack(found)

    def captures(self, connection: Connection, after: str, limit: int) -> list[CaptureRow]:
        query = CAPTURES.order_by(captures.c.number.desc()).limit(limit)
        if after:
            at = (
                None
                if not is_plain(after)
                else connection.execute(
                    select(captures.c.number).where(captures.c.id == after)
                ).scalar_one_or_none()
            )
            if at is None:
                raise InvalidInput(
                    f"no capture {after[:60]!r}", path="after", remedy="begin with the newest"
                )
            query = query.where(captures.c.number < at)
        return self._captures(connection, query)

    def batches(
        self, connection: Connection, *, unlogged: bool, after: int, limit: int
    ) -> list[BatchRow]:
        query = BATCHES.where(batches.c.batch > after).order_by(batches.c.batch).limit(limit)
        if unlogged:
            query = query.where(batches.c.entry.is_(None))
        return [batch_of(row) for row in connection.execute(query)]

    def batch(self, connection: Connection, batch: int) -> BatchRow | None:
        row = connection.execute(BATCHES.where(batches.c.batch == batch)).first()
        return None if row is None else batch_of(row)

    def _captures(self, connection: Connection, query: Select[Any]) -> list[CaptureRow]:
        rows = connection.execute(query).all()
        named = {number for row in rows for number in (row.parties, row.powers)}
        words = self._vocabulary.words.texts(connection, named)
        return [capture_of(row, words) for row in rows]

    def _by_epc(
        self, connection: Connection, query: Select[Any], names: Sequence[str]
    ) -> dict[str, list[EventRow]]:
        """Events in the order in which `query` gives (EPC, number) pairs, each event read once."""
        ids = self._vocabulary.epcs.ids(connection, names)
        if not ids:
            return {}
        wanted = {"wanted": self._engine.wanted(sorted(ids.values()))}
        pairs = connection.execute(query, wanted).all()
        told = self.numbered(connection, {number for _, number in pairs})
        named = {number: name for name, number in ids.items()}
        found: dict[str, list[EventRow]] = {}
        for epc, number in dict.fromkeys((row[0], row[1]) for row in pairs):
            found.setdefault(named[epc], []).append(told[number])
        return found

    def _read(
        self, connection: Connection, query: Select[Any], wanted: Iterable[int]
    ) -> list[EventRow]:
        values = sorted(wanted)
        if not values:
            return []
        return self._decode(connection, query, {"wanted": self._engine.wanted(values)})

    def _decode(
        self, connection: Connection, query: Select[Any], values: dict[str, object]
    ) -> list[EventRow]:
        rows = connection.execute(query, values).all()
        return events_of(rows, self._vocabulary.words.texts(connection, word_ids(rows)))

    def _limbs(
        self, connection: Connection, wanted: EventFilter
    ) -> list[ColumnElement[bool]] | None:
        """What an event must be; None where a word is asked for that no event has."""
        limbs = _times(wanted)
        for name, asked in _WORDS:
            words = asked(wanted)
            if words:
                ids = self._vocabulary.words.ids(connection, words)
                if not ids:
                    return None
                limbs.append(events.c[name].in_(sorted(ids.values())))
        if wanted.match_epcs:
            epcs = self._vocabulary.epcs.ids(connection, wanted.match_epcs)
            roles = self._vocabulary.words.ids(connection, wanted.roles)
            if not epcs or (wanted.roles and not roles):
                return None
            inside = select(touches.c.number).where(touches.c.epc.in_(sorted(epcs.values())))
            if roles:
                inside = inside.where(touches.c.role.in_(sorted(roles.values())))
            limbs.append(events.c.number.in_(inside))
        return limbs


_WORDS: tuple[tuple[str, Callable[[EventFilter], tuple[str, ...]]], ...] = (
    ("type", lambda wanted: wanted.types),
    ("action", lambda wanted: wanted.actions),
    ("biz_step", lambda wanted: wanted.biz_steps),
    ("disposition", lambda wanted: wanted.dispositions),
    ("read_point", lambda wanted: wanted.read_points),
    ("biz_location", lambda wanted: wanted.biz_locations),
)


def _times(wanted: EventFilter) -> list[ColumnElement[bool]]:
    limbs: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        limbs.append(events.c.at >= wanted.since.us)
    if wanted.before is not None:
        limbs.append(events.c.at < wanted.before.us)
    if wanted.received_since is not None:
        limbs.append(events.c.received >= wanted.received_since.us)
    if wanted.received_before is not None:
        limbs.append(events.c.received < wanted.received_before.us)
    return limbs
