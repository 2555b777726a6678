"""The register of chips in SQL: one implementation of the port, over the engine of each kind of database."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, func, select, update

from sekisho.adapters.storage.register_derived import DerivedReading
from sekisho.adapters.storage.register_engine import RegisterEngine
from sekisho.adapters.storage.register_packing import narrow
from sekisho.adapters.storage.register_reading import EventReading
from sekisho.adapters.storage.register_saving import (
    BY_EVENT,
    BY_TIME,
    FORGOTTEN,
    Saving,
    SavingQueries,
    find_keys,
    load_progress,
)
from sekisho.adapters.storage.register_schema import (
    DERIVED,
    alerts,
    batches,
    events,
    progress,
)
from sekisho.adapters.storage.register_standing import FEW, StandingReading
from sekisho.adapters.storage.register_words import Vocabulary
from sekisho.model.custody import Movement, Standing
from sekisho.model.errors import StateConflict
from sekisho.model.instants import Instant
from sekisho.ports.register_store import (
    AlertRow,
    BatchRow,
    CaptureRow,
    Change,
    Dimension,
    EventFilter,
    EventRow,
    Holding,
    LineRow,
    Numbers,
    Page,
)

__all__ = ["RegisterSql", "open_register"]

STEP = 1_000


def open_register(place: Path | str, *, writes: bool = True) -> RegisterSql:
    """The register in a SQLite file, made where it is not there, or in a PostgreSQL database by libpq's address.

    One process has it open to write; with `writes` false it is read beside that one. Raises StateConflict where
    another process writes it, InvalidInput where it is another program's or of a newer schema, Unavailable, Corrupt.
    """
    if isinstance(place, str) and _is_address(place):
        from sekisho.adapters.storage.register_postgres import (  # noqa: PLC0415 - only where a server keeps it
            PostgresRegister,
        )

        return RegisterSql(PostgresRegister(place, writes=writes))
    from sekisho.adapters.storage.register_sqlite import SqliteRegister  # noqa: PLC0415 - as above

    return RegisterSql(SqliteRegister(Path(os.fspath(place)), writes=writes))


def _is_address(place: str) -> bool:
    return re.match(r"postgres(ql)?://|\s*\w+\s*=", place) is not None


class RegisterSql:
    """A `RegisterStore`; of its threads many read and one writes."""

    def __init__(self, engine: RegisterEngine) -> None:
        self._engine = engine
        self._vocabulary = Vocabulary.of(engine)
        self._queries = SavingQueries(engine)
        self._events = EventReading(engine, self._vocabulary)
        self._standings = StandingReading(engine, self._vocabulary)

    def close(self) -> None:
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- writing ----------------------------------------------------------------------------

    def save(self, change: Change) -> None:
        # Crash before the commit: nothing of it is there, whoever captured got no answer and captures again. After it:
        # all of it is; the same captures again meet their keys.
        with self._engine.writing() as connection:
            saving = self._saving(connection)
            saving.save(change)
        self._remember(saving)

    def save_alerts(self, given: Sequence[AlertRow]) -> None:
        # Crash before the commit: whoever looks for what is overdue finds it again.
        with self._engine.writing() as connection:
            saving = self._saving(connection)
            saving.words = self._vocabulary.words.intern(connection, [row.code for row in given])
            saving.epcs = self._vocabulary.epcs.intern(connection, [row.epc for row in given])
            saving.save_alerts(given, BY_TIME)
        self._remember(saving)

    def settle_batch(self, batch: int, entry: int, leaf: str) -> None:
        # Crash before the commit: the log is asked again which entry commits to the batch.
        with self._engine.writing() as connection:
            at = batches.c.batch == batch
            held = connection.execute(select(batches.c.entry, batches.c.leaf).where(at)).first()
            if held is None or (held.entry, held.leaf) not in {
                (None, narrow("")),
                (entry, narrow(leaf)),
            }:
                raise StateConflict(
                    f"batch {batch} is not there, or has another entry than {entry}",
                    remedy="check the register against the log",
                )
            connection.execute(update(batches).where(at).values(entry=entry, leaf=narrow(leaf)))

    def mark_known(self, up_to_entry: int, known: Instant) -> None:
        # Crash before the commit: the next mark says it, later than it was known and never earlier.
        with self._engine.writing() as connection:
            unknown = batches.c.known.is_(None) & (batches.c.entry < up_to_entry)
            connection.execute(update(batches).where(unknown).values(known=known.us))

    def forget_derived(self) -> None:
        # Crash before the commit: everything derived stands. After it: it is made again at the next start.
        with self._engine.writing(long=True) as connection:
            for table in DERIVED:
                self._engine.clear(connection, table)
            forgotten = update(alerts).where(alerts.c.stands == BY_EVENT)
            connection.execute(forgotten.values(stands=FORGOTTEN))
            connection.execute(update(progress).values(effect=0, batch=0, line=0))

    def _saving(self, connection: Connection) -> Saving:
        return Saving(self._engine, self._queries, self._vocabulary, connection)

    def _remember(self, saving: Saving) -> None:
        self._vocabulary.words.keep(saving.words)
        self._vocabulary.epcs.keep(saving.epcs)

    # --- events -----------------------------------------------------------------------------

    def load_numbers(self) -> Numbers:
        with self._engine.reading() as connection:
            return Numbers(
                event=connection.execute(select(func.max(events.c.number))).scalar_one() or 0,
                effect=load_progress(self._queries, connection).effect,
                batch=connection.execute(select(func.max(batches.c.batch))).scalar_one() or 0,
            )

    def find_keys(self, keys: Sequence[tuple[bytes, str]]) -> dict[bytes, int]:
        with self._engine.reading() as connection:
            return find_keys(self._engine, self._queries, connection, keys)

    def load_history(self, epcs: Sequence[str]) -> dict[str, tuple[EventRow, ...]]:
        with self._engine.reading() as connection:
            return _in_tuples(self._events.histories(connection, epcs))

    def load_timeline(self, epc: str) -> tuple[tuple[EventRow, str], ...]:
        with self._engine.reading() as connection:
            return tuple(self._events.timeline(connection, epc))

    def load_waiting(self, epcs: Sequence[str]) -> dict[str, tuple[EventRow, ...]]:
        with self._engine.reading() as connection:
            return _in_tuples(self._events.waiting(connection, epcs))

    def find_hashes(self, hash_ids: Sequence[str]) -> dict[str, tuple[EventRow, ...]]:
        with self._engine.reading() as connection:
            return _in_tuples(self._events.hashes(connection, hash_ids))

    def find_events(self, wanted: EventFilter, *, after: int, limit: int) -> Page:
        with self._engine.reading() as connection:
            return self._events.search(connection, wanted, after, limit)

    def load_events(self, *, after: int, limit: int) -> tuple[EventRow, ...]:
        with self._engine.reading() as connection:
            return tuple(self._events.following(connection, after, limit))

    def load_batch_events(self, batch: int) -> tuple[EventRow, ...]:
        with self._engine.reading() as connection:
            return tuple(self._events.of_batch(connection, batch))

    def load_batch_salts(self, batch: int) -> tuple[tuple[bytes, str, str], ...]:
        with self._engine.reading() as connection:
            return tuple(self._events.salts_of_batch(connection, batch))

    def find_capture(self, capture: str) -> CaptureRow | None:
        with self._engine.reading() as connection:
            return self._events.capture(connection, capture)

    def find_captures(self, captures: Sequence[str]) -> dict[str, CaptureRow]:
        with self._engine.reading() as connection:
            return {row.capture: row for row in self._events.captures_of(connection, captures)}

    def load_document(self, capture: str) -> bytes:
        with self._engine.reading() as connection:
            return self._events.document(connection, capture)

    def load_captures(self, *, after: str, limit: int) -> tuple[CaptureRow, ...]:
        with self._engine.reading() as connection:
            return tuple(self._events.captures(connection, after, limit))

    def load_batches(
        self, *, unlogged: bool = False, after: int = 0, limit: int = 1000
    ) -> tuple[BatchRow, ...]:
        with self._engine.reading() as connection:
            found = self._events.batches(connection, unlogged=unlogged, after=after, limit=limit)
        return tuple(found)

    def find_batch(self, batch: int) -> BatchRow | None:
        with self._engine.reading() as connection:
            return self._events.batch(connection, batch)

    # --- chips ------------------------------------------------------------------------------

    def load_standings(self, epcs: Sequence[str]) -> dict[str, Standing]:
        with self._engine.reading() as connection:
            return self._standings.standings(connection, epcs)

    def load_inside(self, epcs: Sequence[str]) -> dict[str, tuple[str, ...]]:
        with self._engine.reading() as connection:
            return self._standings.inside(connection, epcs)

    def load_containers(self, epcs: Sequence[str]) -> dict[str, str]:
        with self._engine.reading() as connection:
            return self._standings.containers(connection, epcs)

    def load_movements(self, references: Sequence[str]) -> dict[str, Movement]:
        with self._engine.reading() as connection:
            return self._standings.movements(connection, references)

    def load_open_movements(self, due_before: Instant) -> tuple[Movement, ...]:
        with self._engine.reading() as connection:
            return tuple(self._standings.open_movements(connection, due_before))

    def find_identities(self, serials: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
        with self._engine.reading() as connection:
            return self._standings.identities(connection, serials)

    def find_serial(self, serial: str) -> tuple[str, ...]:
        with self._engine.reading() as connection:
            return self._standings.serial(connection, serial)

    def find_device_keys(self, device_keys: Sequence[str]) -> dict[str, str]:
        with self._engine.reading() as connection:
            return self._standings.device_keys(connection, device_keys)

    def count_holdings(
        self, by: Sequence[Dimension], where: Mapping[Dimension, Sequence[str]] | None = None
    ) -> tuple[Holding, ...]:
        with self._engine.reading() as connection:
            return tuple(self._standings.holdings(connection, by, where))

    def iterate_standings(
        self, where: Mapping[Dimension, Sequence[str]] | None = None, *, after: str = ""
    ) -> Iterator[Standing]:
        with self._engine.reading() as connection:
            few = bool(where) and self._standings.count(connection, where) <= FEW
            ids = self._standings.few(connection, where, after) if few and where else []
        if few and where:
            for start in range(0, len(ids), STEP):
                with self._engine.reading() as connection:
                    page = self._standings.numbered(connection, ids[start : start + STEP], where)
                yield from page
            return
        last = after
        while True:
            with self._engine.reading() as connection:
                page = self._standings.page(connection, where, last, STEP)
            yield from page
            if len(page) < STEP:
                return
            last = page[-1].epc

    def sum_lines(
        self, area: str, *, since: Instant | None, before: Instant, as_of: Instant | None = None
    ) -> dict[tuple[str, bool], int]:
        with self._engine.reading() as connection:
            return self._standings.line_sums(connection, area, since, before, as_of)

    def load_lines(
        self, area: str, *, since: Instant | None, before: Instant, after: int, limit: int
    ) -> tuple[LineRow, ...]:
        with self._engine.reading() as connection:
            return tuple(self._standings.lines(connection, area, since, before, (after, limit)))

    def load_alerts(
        self, *, after: int, limit: int, epc: str | None = None, newest: bool = False
    ) -> tuple[AlertRow, ...]:
        with self._engine.reading() as connection:
            found = self._standings.alerts(connection, (after, limit), epc, newest=newest)
        return tuple(found)

    def load_derived(self) -> Iterable[tuple[str, bytes]]:
        return DerivedReading(self._engine, self._vocabulary, self._standings).everything()


def _in_tuples(found: dict[str, list[EventRow]]) -> dict[str, tuple[EventRow, ...]]:
    return {name: tuple(rows) for name, rows in found.items()}
