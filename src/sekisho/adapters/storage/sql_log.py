"""The log's database in SQL: one implementation of the port, with a thin edge for each kind of database."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

from sqlalchemy import Connection, Engine, bindparam, delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from sekisho.adapters.storage.log_schema import (
    ONE,
    claim_of_name,
    claim_of_payload,
    claims_of,
    cosigned,
    encode_names,
    entries,
    head,
    in_steps,
)
from sekisho.model.errors import Corrupt, SekishoError, StateConflict
from sekisho.ports.log_store import Found, Recorded, Submission, TreeHead

__all__ = ["Claim", "EntryRow", "SqlLogStore", "check_counts"]

EntryRow = tuple[int, bytes, bytes | None, str | None, bytes]
"""A row of `entries`, in the order of its columns."""

Claim = tuple[bytes, int]
"""A row of `claims`: what was taken, and the entry that took it."""

_READ_STEP = 1000

_grow = update(head).where(head.c.entries == bindparam("first")).values(entries=bindparam("after"))
_swap = (
    update(head)
    .where(
        head.c.size == bindparam("old_size"),
        head.c.root == bindparam("old_root"),
        head.c.entries >= bindparam("new_size"),
    )
    .values(size=bindparam("new_size"), root=bindparam("new_root"))
)
_span = (
    select(entries.c.idx, entries.c.leaf_hash, entries.c.envelope, entries.c.payload_sha256)
    .where(entries.c.idx >= bindparam("start"), entries.c.idx < bindparam("stop"))
    .order_by(entries.c.idx)
)


class SqlLogStore(ABC):
    """A `LogStore` over one connection, used by one thread at a time; the database is held until `close`.

    One connection, because what keeps other writers away is bound to it.
    """

    def __init__(self, engine: Engine) -> None:
        self._lock = threading.RLock()
        self._engine = engine
        self._held: Connection | None = None

    def close(self) -> None:
        with self._lock:
            self._drop_connection()
            self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def verify_held(self) -> None:  # noqa: B027 - most databases need nothing here
        """Raise FencedOff where another process may write this log. A locked file is held while its process lives."""

    def load_size(self) -> int:
        with self._transaction() as connection:
            return int(connection.execute(select(head.c.entries)).scalar_one())

    def load_head(self) -> TreeHead:
        with self._transaction() as connection:
            row = connection.execute(select(head.c.size, head.c.root)).one()
        return TreeHead(size=row.size, root=row.root)

    def load_entries(self, start: int, stop: int) -> list[Recorded]:
        found: list[Recorded] = []
        for first in range(max(start, 0), stop, _READ_STEP):
            span = {"start": first, "stop": min(first + _READ_STEP, stop)}
            # A transaction for each step: whoever appends waits for one step and not for all of them.
            with self._transaction() as connection:
                rows = connection.execute(_span, span).all()
            found += [
                Recorded(index=idx, leaf_hash=leaf, envelope=envelope, payload_sha256=payload)
                for idx, leaf, envelope, payload in rows
            ]
            if len(rows) < span["stop"] - first:
                break
        return found

    def find_recorded(self, submissions: Sequence[Submission]) -> Found:
        payloads = {
            claim_of_payload(item.payload_sha256): item.payload_sha256 for item in submissions
        }
        names = {claim_of_name(name): name for item in submissions for name in item.unique}
        with self._transaction() as connection:
            found = self._find_claims(connection, [*payloads, *names])
            leaves = _find_leaves(connection, list(found.values()))
        places = {key: (index, leaves[index]) for key, index in found.items()}
        return Found(
            payloads={payloads[key]: place for key, place in places.items() if key in payloads},
            unique={names[key]: place for key, place in places.items() if key in names},
        )

    def sequence(self, first: int, entries: Sequence[Recorded]) -> None:
        rows = [
            (e.index, e.leaf_hash, e.payload_sha256, encode_names(e.unique), e.envelope)
            for e in entries
        ]
        taken = [(key, e.index) for e in entries for key in claims_of(e.payload_sha256, e.unique)]
        after = first + len(rows)
        with self._transaction() as connection:
            grown = connection.execute(_grow, {"first": first, "after": after})
            if grown.rowcount != 1:
                raise StateConflict(
                    f"the log has no longer {first} entries",
                    remedy="stop the other writer, start again",
                )
            if rows:
                self._insert_entries(connection, rows)
            if taken:
                self._insert_claims(connection, taken)
            # Crash before the commit: none of them is there. After it: all are, whoever asked may ask again.

    def swap_head(self, old: TreeHead, new: TreeHead) -> None:
        values = {
            "old_size": old.size,
            "old_root": old.root,
            "new_size": new.size,
            "new_root": new.root,
        }
        # Crash before the commit: the tiles of the larger tree are written again. After it: they are there.
        with self._transaction() as connection:
            if connection.execute(_swap, values).rowcount != 1:
                raise StateConflict(
                    f"the tree is no longer at size {old.size}, or {new.size} entries are not there",
                    remedy="stop the other writer, start again",
                )

    def load_cosigned(self) -> tuple[int, bytes] | None:
        with self._transaction() as connection:
            row = connection.execute(select(cosigned.c.size, cosigned.c.note)).one_or_none()
        return None if row is None else (row.size, row.note)

    def save_cosigned(self, size: int, note: bytes) -> None:
        with self._transaction() as connection:
            held = connection.execute(select(cosigned.c.size)).scalar_one_or_none()
            if held is not None and held > size:
                raise StateConflict(
                    f"a checkpoint of size {held} is held, {size} would be a step back"
                )
            # Crash before the commit: the checkpoint before stays; the head is cosigned again.
            connection.execute(delete(cosigned))
            connection.execute(insert(cosigned).values(id=ONE, size=size, note=note))

    @abstractmethod
    def _insert_entries(self, connection: Connection, rows: list[EntryRow]) -> None:
        """Many rows at once."""

    @abstractmethod
    def _insert_claims(self, connection: Connection, taken: list[Claim]) -> None:
        """Many claims at once. Raises Taken where one of them stands already."""

    @abstractmethod
    def _find_claims(self, connection: Connection, wanted: Sequence[bytes]) -> dict[bytes, int]:
        """Which entries took these keys."""

    @abstractmethod
    def _judge(self, error: DBAPIError) -> SekishoError:
        """What the database's own error means here: Unavailable, Corrupt or InvalidInput."""

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """All or nothing; durable when it ends. After an error the next one begins with a sound connection."""
        with self._lock:
            try:
                connection = self._ready_connection()
                with connection.begin():
                    yield connection
            except DBAPIError as error:
                if self._held is not None and (
                    error.connection_invalidated or self._held.invalidated
                ):
                    self._drop_connection()
                self._end_transaction()
                raise self._judge(error) from None

    def _end_transaction(self) -> None:  # noqa: B027 - most databases need nothing here
        """Where a refused commit can leave its transaction open, end it: else every later call would meet it."""

    def _ready_connection(self) -> Connection:
        if self._held is None:
            self._held = self._engine.connect()
        return self._held

    def _drop_connection(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.close()


def check_counts(connection: Connection) -> None:
    """The number of entries that the head tells is the one that is there. Raises Corrupt."""
    told = connection.execute(select(head.c.entries, head.c.claimed, head.c.size)).one()
    last = connection.execute(
        select(entries.c.idx).order_by(entries.c.idx.desc()).limit(1)
    ).scalar_one_or_none()
    there = 0 if last is None else int(last) + 1
    if there != told.entries or not 0 <= told.size <= there or not 0 <= told.claimed <= there:
        raise Corrupt(
            f"the log's database tells of {told.entries} entries, {told.size} in the tree, "
            f"and holds {there}",
            remedy="restore it from a backup",
        )


def _find_leaves(connection: Connection, indexes: Sequence[int]) -> dict[int, bytes]:
    leaves: dict[int, bytes] = {}
    for step in in_steps(indexes):
        query = select(entries.c.idx, entries.c.leaf_hash).where(entries.c.idx.in_(step))
        leaves.update((idx, leaf) for idx, leaf in connection.execute(query).all())
    return leaves
