"""A log's database read beside its writer: entries only, nothing is held and nothing is changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from sqlalchemy import Engine, create_engine, select
from sqlalchemy.exc import DatabaseError

from sekisho.adapters.storage.log_schema import check_origin, entries, head
from sekisho.model.errors import Corrupt, InvalidInput

__all__ = ["LogEntries"]

_STEP: Final = 1_000


class LogEntries:
    """The envelopes of one log in a SQLite file. Use as a context manager."""

    def __init__(self, path: Path, *, origin: str) -> None:
        """Raises InvalidInput where there is no log of this origin, Corrupt where it cannot be read."""
        if not path.exists():
            raise InvalidInput("there is no log's database", path=str(path))
        self._path = path
        self._engine = _open_to_read(path)
        try:
            with self._engine.connect() as connection:
                check_origin(connection, origin, str(path))
                self.size = int(connection.execute(select(head.c.entries)).scalar_one())
        except DatabaseError as error:
            self._engine.dispose()
            raise self._unreadable(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    def envelopes(self) -> Iterator[bytes]:
        """The first `size` entries in order. Each step is read on its own, so that no writer waits for us."""
        for first in range(0, self.size, _STEP):
            stop = min(first + _STEP, self.size)
            query = select(entries.c.envelope).where(entries.c.idx >= first, entries.c.idx < stop)
            try:
                with self._engine.connect() as connection:
                    found = connection.execute(query.order_by(entries.c.idx)).scalars().all()
            except DatabaseError as error:
                raise self._unreadable(error) from None
            if len(found) != stop - first:
                raise Corrupt(
                    f"{self._path} lacks entries between {first} and {stop}",
                    remedy="restore it from a backup",
                )
            yield from found

    def _unreadable(self, error: DatabaseError) -> Corrupt:
        return Corrupt(
            f"the log's database {self._path} cannot be read: {error.orig}",
            remedy="start the release that wrote it once, or restore it from a backup",
        )


def _open_to_read(path: Path) -> Engine:
    address = f"{path.absolute().as_uri()}?mode=ro"
    return create_engine(
        "sqlite+pysqlite://",
        creator=lambda: sqlite3.connect(address, uri=True, check_same_thread=False),
    )
