"""A log's database read beside its writer: entries only, nothing is held and nothing is changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from sqlalchemy import Engine, create_engine, select
from sqlalchemy.exc import DatabaseError

from sekisho.adapters.storage.log_schema import check_origin, entries, head
from sekisho.model.errors import Corrupt, InvalidInput, SekishoError, Unavailable

__all__ = ["LogEntries"]

CONNECT_S: Final = 5
_STEP: Final = 1_000


class LogEntries:
    """The envelopes of one log, in a SQLite file or a PostgreSQL database. Use as a context manager."""

    def __init__(self, engine: Engine, *, origin: str, shown: str) -> None:
        """Raises InvalidInput where there is no log of this origin, Corrupt or Unavailable where it cannot be read."""
        self._engine = engine
        self._shown = shown
        try:
            with self._engine.connect() as connection:
                check_origin(connection, origin, shown)
                self.size = int(connection.execute(select(head.c.entries)).scalar_one())
        except DatabaseError as error:
            engine.dispose()
            raise self._judge(error) from None
        except BaseException:
            engine.dispose()
            raise

    @classmethod
    def of_file(cls, path: Path, *, origin: str) -> Self:
        """In a SQLite file, which is not made where it is not there."""
        if not path.exists():
            raise InvalidInput("there is no log's database", path=str(path))
        address = f"{path.absolute().as_uri()}?mode=ro"
        engine = create_engine(
            "sqlite+pysqlite://",
            creator=lambda: sqlite3.connect(address, uri=True, check_same_thread=False),
        )
        return cls(engine, origin=origin, shown=str(path))

    @classmethod
    def of_server(cls, url: str, *, origin: str) -> Self:
        """In a PostgreSQL database, by what libpq takes as its address, which is never shown."""
        import psycopg  # noqa: PLC0415 - only where a server keeps the log

        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: psycopg.connect(
                url, connect_timeout=CONNECT_S, application_name="sekisho reader"
            ),
            execution_options={"postgresql_readonly": True},
        )
        return cls(engine, origin=origin, shown="database")

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
                raise self._judge(error) from None
            if len(found) != stop - first:
                raise Corrupt(
                    f"{self._shown} lacks entries between {first} and {stop}",
                    remedy="restore it from a backup",
                )
            yield from found

    def _judge(self, error: DatabaseError) -> SekishoError:
        told = str(error.orig).strip().split("\n", 1)[0]
        if error.connection_invalidated or getattr(error.orig, "sqlstate", "") is None:
            return Unavailable(f"no connection to the log's database: {told}")
        return Corrupt(
            f"the log's database {self._shown} cannot be read: {told}",
            remedy="start the release that wrote it once, or restore it from a backup",
        )
