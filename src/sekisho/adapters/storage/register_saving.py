"""One change of a register, written in one transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, bindparam, delete, func, select, text, update

from sekisho.adapters.storage.register_chip_rows import (
    movement_row,
    standing_row,
    standing_words,
)
from sekisho.adapters.storage.register_engine import RegisterEngine, conflict
from sekisho.adapters.storage.register_packing import is_plain, mark_of, narrow, pack, plain
from sekisho.adapters.storage.register_rows import (
    OUTCOMES,
    capture_row,
    capture_words,
    event_row,
    event_words,
)
from sekisho.adapters.storage.register_schema import (
    DIMENSIONS,
    ONE,
    alerts,
    batches,
    captures,
    containment,
    documents,
    events,
    holdings,
    lines,
    movements,
    outcomes,
    progress,
    standings,
    touches,
    waits,
)
from sekisho.adapters.storage.register_words import Vocabulary
from sekisho.model.errors import Corrupt, StateConflict
from sekisho.ports.register_store import AlertRow, Change

__all__ = [
    "BY_EVENT",
    "BY_TIME",
    "FORGOTTEN",
    "Saving",
    "SavingQueries",
    "find_keys",
    "load_progress",
]

FORGOTTEN, BY_EVENT, BY_TIME = 0, 1, 2
"""What `alerts.stands` says: to be raised again, raised by an event, raised by time."""

_ADD_UP = conflict(holdings, DIMENSIONS, adding=("count",))
_LEAF = "CASE WHEN length(excluded.leaf) > 1 THEN excluded.leaf ELSE alerts.leaf END"
_ALERT_KEY = " ON CONFLICT (number, code, epc) DO UPDATE SET leaf = " + _LEAF
_ALERT_AGAIN = (
    _ALERT_KEY
    + ", detail = excluded.detail, refused = excluded.refused, raised = excluded.raised"
    + ", stands = excluded.stands"
)


# By both marks, whole rows of which are compared: many events may share a hash id, few a key's eight bytes.
_KEYS = {
    "sqlite": (
        'SELECT e."key", e.number FROM json_each(:wanted) AS w CROSS JOIN events AS e '
        "ON e.hash_mark = json_extract(w.value, '$[0]') "
        "AND e.key_mark = json_extract(w.value, '$[1]')"
    ),
    "postgresql": (
        "SELECT e.key, e.number FROM unnest(CAST(:hashes AS bigint[]), CAST(:keys AS bigint[])) "
        "AS w (hash_mark, key_mark) "
        "JOIN events AS e ON e.hash_mark = w.hash_mark AND e.key_mark = w.key_mark"
    ),
}


class SavingQueries:
    """What a change asks of one database while it is saved; made once, since making them takes longer than asking."""

    def __init__(self, engine: RegisterEngine) -> None:
        self.keys = text(_KEYS[engine.kind])
        self.captures = select(captures.c.id, captures.c.number).where(
            engine.among(captures.c.id, "wanted")
        )
        self.newest_capture = select(func.max(captures.c.number))
        self.newest_alert = select(func.max(alerts.c.place))
        self.progress = select(progress.c.effect, progress.c.batch, progress.c.line)
        self.go_on = update(progress).where(progress.c.id == ONE)
        self.batches = {
            table.name: select(table.c.number, table.c.batch).where(
                engine.among(table.c.number, "wanted"), table.c.batch.is_not(None)
            )
            for table in (events, outcomes)
        }
        self.dimensions = select(*(standings.c[name] for name in DIMENSIONS)).where(
            engine.among(standings.c.epc, "wanted")
        )
        self.forget = {
            column.table.name: delete(column.table).where(engine.among(column, "wanted"))
            for column in (standings.c.epc, containment.c.epc, waits.c.number)
        }
        self.forget_none = delete(holdings).where(holdings.c.count == 0)
        self.void = (
            update(outcomes)
            .where(outcomes.c.number == bindparam("at_number"))
            .values(voided_by=bindparam("by"))
        )


class Progress(NamedTuple):
    """The newest effect, the batch in which it happened, the newest line."""

    effect: int
    batch: int
    line: int


def load_progress(queries: SavingQueries, connection: Connection) -> Progress:
    """How far what is derived tells. Raises Corrupt."""
    row = connection.execute(queries.progress).first()
    if row is None or not all(isinstance(value, int) and value >= 0 for value in row):
        raise Corrupt(
            "the register does not say how far it tells", remedy="restore it from a backup"
        )
    return Progress(*row)


class Saving:
    """A change on its way into the tables: one object for one transaction."""

    def __init__(
        self,
        engine: RegisterEngine,
        queries: SavingQueries,
        vocabulary: Vocabulary,
        connection: Connection,
    ) -> None:
        self._engine = engine
        self._queries = queries
        self._vocabulary = vocabulary
        self._connection = connection
        self.words: dict[str, int] = {}
        self.epcs: dict[str, int] = {}

    def save(self, change: Change) -> None:
        """All of it. Raises StateConflict; what was written by then goes with the transaction."""
        self._refuse(change)
        self._progress = load_progress(self._queries, self._connection)
        self.words = self._vocabulary.words.intern(self._connection, _words_of(change))
        self.epcs = self._vocabulary.epcs.intern(self._connection, _epcs_of(change))
        self._save_events(change)
        effects = self._save_outcomes(change)
        self._save_standings(change)
        self._save_rest(change)
        self.save_alerts(change.alerts, BY_EVENT)
        self._save_progress(change, effects)

    def save_alerts(self, given: Sequence[AlertRow], stands: int) -> None:
        """Alerts by (number, code, EPC), the last of the same; a leaf that is known is not lost."""
        if not given:
            return
        newest = self._connection.execute(self._queries.newest_alert).scalar_one() or 0
        once = {(row.number, row.code, row.epc): row for row in given}
        rows = [
            (
                newest + 1 + place,
                row.number,
                self.words[row.code],
                self.epcs[row.epc],
                plain(row.detail),
                int(row.refused),
                row.raised.us,
                narrow(row.leaf),
                stands,
            )
            for place, row in enumerate(once.values())
        ]
        ending = _ALERT_AGAIN if stands == BY_EVENT else _ALERT_KEY
        self._engine.put(self._connection, alerts, rows, ending)

    def _refuse(self, change: Change) -> None:
        """What a change cannot be. Raises StateConflict."""
        pairs = [(row.key, row.hash_id) for row in change.events]
        keys = [key for key, _ in pairs]
        found = find_keys(self._engine, self._queries, self._connection, pairs)
        if found or len(set(keys)) < len(keys):
            where = f"event {min(found.values())}" if found else "the same change"
            raise StateConflict(
                f"the key of one of these events stands already, in {where}; nothing was saved",
                remedy="ask which keys stand, and leave repeated events out",
            )
        both = set(change.standings).intersection(change.gone)
        if both:
            raise StateConflict(
                f"{min(both)} cannot stand and be gone in one change; nothing was saved",
                remedy="keep what holds when the whole group is done",
            )

    def _save_events(self, change: Change) -> None:
        numbers = self._save_captures(change)
        rows = [event_row(row, self.words, numbers[row.capture]) for row in change.events]
        self._engine.add(self._connection, events, rows)
        if change.batch is not None:
            batch = change.batch
            span = [row.number for row in change.events if row.batch == batch.batch]
            row = (
                batch.batch,
                batch.made.us,
                batch.events,
                *((min(span), max(span)) if span else (None, None)),
                batch.root,
                batch.entry,
                narrow(batch.leaf),
                None if batch.known is None else batch.known.us,
            )
            self._engine.add(self._connection, batches, [row])

    def _save_captures(self, change: Change) -> dict[str, int]:
        """The numbers of the captures named; new ones get the next, known ones are written again."""
        wanted = {row.capture for row in change.captures} | {row.capture for row in change.events}
        wanted |= set(change.documents)
        if not wanted:
            return {}
        names = {"wanted": self._engine.wanted(map(plain, sorted(wanted)))}
        known = self._connection.execute(self._queries.captures, names)
        found: dict[str, int] = {row[0]: row[1] for row in known}
        newest = self._connection.execute(self._queries.newest_capture).scalar_one() or 0
        once = {row.capture: row for row in change.captures}
        for name in once:
            found.setdefault(name, newest + 1 + len(found))
        if len(found) < len(wanted):
            raise StateConflict(
                f"capture {min(wanted - set(found))} of an event is not there; nothing was saved",
                remedy="save a capture with its events or before them",
            )
        rows = [capture_row(row, found[name], self.words) for name, row in once.items()]
        self._engine.replace(self._connection, captures, rows)
        whole = [(found[name], pack(data)) for name, data in change.documents.items()]
        self._engine.replace(self._connection, documents, whole)
        return found

    def _save_outcomes(self, change: Change) -> tuple[int, int]:
        """Outcomes of new events, and of older ones that waited; the newest effect and the batch that it was in."""
        own = {row.number: row.batch for row in change.events}
        own |= self._batches_of([number for number, _ in change.settled if number not in own])
        effects = {row.number: row.effect for row in change.events if row.effect is not None}
        effects |= {number: effect for number, effect in change.settled if effect is not None}
        told = {row.number: row.outcome for row in change.events}
        told |= dict.fromkeys((number for number, _ in change.waits), "waiting")
        told |= {number: "taken" if e is not None else "refused" for number, e in change.settled}
        newest, batch = self._progress.effect, self._progress.batch
        happened: dict[int, int] = {}
        for number, effect in sorted(effects.items(), key=lambda pair: pair[1]):
            # What was released took effect together with the event that released it, in that one's batch.
            batch = max(batch, own[number])
            newest = max(newest, effect)
            happened[number] = batch
        voided = {row.number: row.voided_by for row in change.events}
        rows = [
            (n, OUTCOMES[word], effects.get(n), happened.get(n), voided.get(n))
            for n, word in told.items()
        ]
        self._engine.replace(self._connection, outcomes, rows, but=("voided_by",))
        self._happened = happened
        self._void(change.voided)
        return newest, batch

    def _void(self, voided: Sequence[tuple[int, int]]) -> None:
        for number, by in voided:
            done = self._connection.execute(self._queries.void, {"at_number": number, "by": by})
            if done.rowcount != 1:
                raise StateConflict(f"event {number} to be voided is not there; nothing was saved")

    def _batches_of(self, numbers: Sequence[int]) -> dict[int, int]:
        """The batches that these events came in. Raises StateConflict where one is not there."""
        found = self._find_batches(events, numbers)
        missing = set(numbers) - set(found)
        if missing:
            raise StateConflict(
                f"event {min(missing)} is not there; nothing was saved",
                remedy="save an event before what follows from it",
            )
        return found

    def _find_batches(self, table: Table, numbers: Sequence[int]) -> dict[int, int]:
        """Of `events` the batches that they came in, of `outcomes` those in which they took effect."""
        if not numbers:
            return {}
        wanted = {"wanted": self._engine.wanted(sorted(set(numbers)))}
        found = self._connection.execute(self._queries.batches[table.name], wanted)
        return {row[0]: row[1] for row in found}

    def _save_standings(self, change: Change) -> None:
        if not change.standings and not change.gone:
            return
        rows = [standing_row(row, self.words, self.epcs) for row in change.standings.values()]
        gone = [self.epcs[epc] for epc in change.gone]
        counts: Counter[tuple[object, ...]] = Counter(row[1:9] for row in rows)
        counts.subtract(self._dimensions_of([*(row[0] for row in rows), *gone]))
        self._engine.replace(self._connection, standings, rows)
        self._forget(standings, gone)
        moved = [(*values, count) for values, count in counts.items() if count]
        self._engine.put(self._connection, holdings, moved, _ADD_UP)
        if any(count < 0 for count in counts.values()):
            self._connection.execute(self._queries.forget_none)

    def _dimensions_of(self, epcs: list[Any]) -> Iterator[tuple[object, ...]]:
        wanted = {"wanted": self._engine.wanted(epcs)}
        for row in self._connection.execute(self._queries.dimensions, wanted):
            yield tuple(row)

    def _save_rest(self, change: Change) -> None:
        put, epcs, words = self._engine, self.epcs, self.words
        found = {(epcs[row.epc], row.number, words[row.role]) for row in change.touches}
        put.keep(self._connection, touches, sorted(found))
        inside = [(epcs[epc], epcs[parent]) for epc, parent in change.contained.items() if parent]
        put.replace(self._connection, containment, inside)
        self._forget(containment, [epcs[e] for e, into in change.contained.items() if not into])
        rows = [movement_row(row, words) for row in change.movements.values()]
        put.replace(self._connection, movements, rows)
        waiting = {number for number, _ in change.waits}
        self._forget(waits, sorted(waiting | {number for number, _ in change.settled}))
        put.keep(self._connection, waits, [(epcs[epc], number) for number, epc in change.waits])

    def _forget(self, table: Table, values: list[int]) -> None:
        if values:
            wanted = {"wanted": self._engine.wanted(values)}
            self._connection.execute(self._queries.forget[table.name], wanted)

    def _save_progress(self, change: Change, effects: tuple[int, int]) -> None:
        newest = self._progress.line
        happened = dict(self._happened)
        others = [row.number for row in change.lines if row.number not in happened]
        happened |= self._find_batches(outcomes, others)
        rows = [
            (
                self.words[row.area],
                newest + 1 + place,
                row.number,
                self.words[row.code],
                self.epcs[row.epc],
                row.at.us,
                self.words[row.other],
                int(row.reverses),
                happened.get(row.number, effects[1]),
            )
            for place, row in enumerate(change.lines)
        ]
        self._engine.add(self._connection, lines, rows)
        effect, batch = effects
        values = {"effect": effect, "batch": batch, "line": newest + len(rows)}
        self._connection.execute(self._queries.go_on, values)


def find_keys(
    engine: RegisterEngine,
    queries: SavingQueries,
    connection: Connection,
    keys: Sequence[tuple[bytes, str]],
) -> dict[bytes, int]:
    """The numbers of the events that bear these keys."""
    if not keys:
        return {}
    asked = {key for key, _ in keys}
    marks = [(mark_of(narrow(h)), mark_of(key)) for key, h in keys if is_plain(h)]
    wanted: dict[str, object] = {"wanted": json.dumps(marks)}
    if engine.kind == "postgresql":
        wanted = {"hashes": [mark for mark, _ in marks], "keys": [mark for _, mark in marks]}
    found = connection.execute(queries.keys, wanted)
    return {key: number for key, number in found if key in asked}


def _words_of(change: Change) -> Iterable[str]:
    found: dict[str, None] = {}
    for capture in change.captures:
        found.update(dict.fromkeys(capture_words(capture)))
    for event in change.events:
        found.update(dict.fromkeys(event_words(event)))
    for standing in change.standings.values():
        found.update(dict.fromkeys(standing_words(standing)))
    found.update(dict.fromkeys(row.role for row in change.touches))
    found.update(dict.fromkeys(row.state for row in change.movements.values()))
    found.update(dict.fromkeys(row.code for row in change.alerts))
    for line in change.lines:
        found.update({line.area: None, line.code: None, line.other: None})
    return found


def _epcs_of(change: Change) -> Iterable[str]:
    found: dict[str, None] = dict.fromkeys(row.epc for row in change.touches)
    found.update(dict.fromkeys(change.standings))
    found.update((row.parent, None) for row in change.standings.values() if row.parent)
    found.update(dict.fromkeys(change.gone))
    for epc, parent in change.contained.items():
        found.update({epc: None, parent: None} if parent else {epc: None})
    found.update((epc, None) for _, epc in change.waits)
    found.update(dict.fromkeys(row.epc for row in change.alerts))
    found.update(dict.fromkeys(row.epc for row in change.lines))
    return found
