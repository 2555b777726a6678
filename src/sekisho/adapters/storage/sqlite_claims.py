"""The newest claims of a SQLite log, held in memory until they can be filed with others of their neighbourhood.

SQLite's journal is written in pages, and claims are spread evenly over their index: each would write a page of
its own, which costs more than all else in a transaction together. So the newest stay in memory; what they are is
durable in `entries`, where a start reads them back from `head.claimed` on. A sweep over the keys files them into
`claims` in their order, a page for many, in the transactions that bring new ones. Every transaction asks both for
what it takes, while it holds the database's write lock and this process holds the log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain

import msgspec
from sqlalchemy import Connection, select, update

from sekisho.adapters.storage.log_schema import claims_of, decode_names, entries, head, in_steps
from sekisho.model.errors import Corrupt
from sekisho.ports.log_store import Taken

__all__ = ["SqliteClaims", "insert_rows"]

KEEP = 32_768
"""Claims in memory, some 200 bytes each, before a sweep begins; a start reads back at most twice as many."""

LEAST_SLICE = 16
_READ_STEP = 2000
# A claim that a stopped sweep filed may be filed again; under another entry it breaks a constraint, as it should.
_SAME_AGAIN = (
    " ON CONFLICT (key) DO UPDATE SET idx = CASE WHEN idx = excluded.idx THEN idx ELSE NULL END"
)


class _Step(msgspec.Struct, frozen=True, kw_only=True):
    """What one transaction does to the claims in memory, once it stands."""

    taken: Sequence[tuple[bytes, int]] = ()
    filed: Sequence[bytes] = ()


class SqliteClaims:
    """The claims of the first `size` entries. What a transaction takes counts when `keep` says that it stands."""

    def __init__(self, connection: Connection) -> None:
        row = connection.execute(select(head.c.claimed, head.c.entries)).one()
        self.size: int = row.entries
        self._held = _read_back(connection, row.claimed, row.entries)
        self._sweep: list[bytes] = []
        self._below = 0
        self._step = _Step()

    def begin(self) -> None:
        """A transaction begins that may take nothing: what one before it took and lost must not be kept with it."""
        self._step = _Step()

    def take(self, connection: Connection, taken: list[tuple[bytes, int]]) -> None:
        """Take what the newest entries claim, in the caller's transaction. Raises Taken."""
        wanted = [key for key, _ in taken]
        if len(set(wanted)) < len(wanted) or self.find(connection, wanted):
            raise Taken("a payload or a unique key of these rows stands in the log")
        self._step = _Step(taken=taken)
        if not self._sweep and len(self._held) > KEEP:
            self._sweep = sorted(self._held, reverse=True)
            self._below = self.size
        if self._sweep:
            self._step = _Step(taken=taken, filed=self._file(connection, 2 * len(taken)))

    def keep(self, size: int) -> None:
        """The transaction of the last `take` is committed, the log has `size` entries by it."""
        step, self._step, self.size = self._step, _Step(), size
        self._held.update(step.taken)
        for key in step.filed:
            del self._held[key]
        if step.filed:
            del self._sweep[-len(step.filed) :]

    def find(self, connection: Connection, wanted: Sequence[bytes]) -> dict[bytes, int]:
        """Which entries took these keys."""
        found = {key: self._held[key] for key in wanted if key in self._held}
        return found | _find_filed(connection, wanted)

    def _file(self, connection: Connection, most: int) -> list[bytes]:
        """Write the next slice of the sweep to where it stays."""
        filed = self._sweep[-max(most, LEAST_SLICE) :]
        rows = [(key, self._held[key]) for key in reversed(filed)]
        insert_rows(connection, "claims", rows, ending=_SAME_AGAIN)
        if len(filed) == len(self._sweep):
            connection.execute(update(head).values(claimed=self._below))
        return filed


def insert_rows(
    connection: Connection, table: str, rows: Sequence[tuple[object, ...]], *, ending: str = ""
) -> None:
    """Many rows in few calls: each call gives other threads a turn and waits for its own again."""
    for some in in_steps(rows):
        statement = _insertion(table, len(some), len(some[0])) + ending
        connection.exec_driver_sql(statement, tuple(chain.from_iterable(some)))


@lru_cache(maxsize=256)
def _insertion(table: str, rows: int, columns: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"INSERT INTO {table} VALUES {', '.join([row] * rows)}"  # noqa: S608 - our own names


@lru_cache(maxsize=256)
def _search(keys: int) -> str:
    return f"SELECT key, idx FROM claims WHERE key IN ({', '.join('?' * keys)})"  # noqa: S608 - marks only


def _find_filed(connection: Connection, wanted: Sequence[bytes]) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for some in in_steps(wanted):
        rows = connection.exec_driver_sql(_search(len(some)), tuple(some)).all()
        found.update((key, idx) for key, idx in rows)
    return found


def _read_back(connection: Connection, start: int, stop: int) -> dict[bytes, int]:
    """The claims of these entries. Raises Corrupt where two of them claim the same.

    A sweep that was stopped may have filed some of them already. They are not looked up, which on a large log that
    nobody read yet takes a read of the disk for each; the next sweep files them again, the same.
    """
    held: dict[bytes, int] = {}
    for taken in _claims_from(connection, start, stop):
        for key, index in taken:
            if key in held:
                raise Corrupt(
                    f"entry {index} repeats a payload or a unique key",
                    remedy="restore the database from a backup",
                )
            held[key] = index
    return held


def _claims_from(
    connection: Connection, start: int, stop: int
) -> Iterator[list[tuple[bytes, int]]]:
    query = select(entries.c.idx, entries.c.payload_sha256, entries.c.unique_keys)
    for first in range(start, stop, _READ_STEP):
        span = query.where(entries.c.idx >= first, entries.c.idx < min(first + _READ_STEP, stop))
        yield [
            (key, index)
            for index, payload, names in connection.execute(span.order_by(entries.c.idx)).all()
            for key in claims_of(payload, decode_names(names))
        ]
