"""The log's database in SQLite: WAL, every commit synced in full, one process at a time."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from sekisho.adapters.storage.log_schema import SCHEMA_VERSION, check_origin, create_schema
from sekisho.adapters.storage.schema_upgrade import upgrade_schema
from sekisho.adapters.storage.sql_log import Claim, EntryRow, SqlLogStore, check_counts
from sekisho.adapters.storage.sqlite_claims import SqliteClaims, insert_rows
from sekisho.adapters.storage.sqlite_refusals import REFUSALS
from sekisho.model.errors import Corrupt, InvalidInput, SekishoError, StateConflict, Unavailable
from sekisho.ports.log_store import Recorded

__all__ = ["APPLICATION_ID", "SqliteLogStore", "open_engine"]

APPLICATION_ID = 0x53454B31  # "SEK1"
PAGE_BYTES = 8192
"""Five entries of the usual size fill a page; with 4 KiB a quarter of each page would lie empty."""

JOURNAL_BYTES = 64 << 20
CACHE_KIB = 32 << 10
_FULL = 2


class SqliteLogStore(SqlLogStore):
    """A `LogStore` in one SQLite file, locked for the process that opened it until `close` or its end.

    Raises StateConflict where another process holds it; InvalidInput where the file is another program's,
    another log's, or of a newer schema; Unavailable where the folder cannot be written; Corrupt where it
    cannot be read or is not synced as asked. A file of an older schema is brought up to date.
    """

    def __init__(self, path: Path, *, origin: str) -> None:
        self._path = path
        self._lock_file = _hold_lock(path.with_name(f"{path.name}.lock"))
        super().__init__(_open_log_engine(path))
        try:
            with self._transaction() as connection:
                _prepare(connection, path, origin)
                check_counts(connection)
            self._check_synced()
            self._load_claims()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        with self._lock:
            super().close()
            self._lock_file.close()

    def sequence(self, first: int, entries: Sequence[Recorded]) -> None:
        with self._lock:
            if (
                self._claims.size != first
            ):  # somebody was stopped between the commit and its being noted
                self._load_claims()
            self._claims.begin()
            super().sequence(first, entries)
            self._claims.keep(first + len(entries))

    def _load_claims(self) -> None:
        with self._transaction() as connection:
            self._claims = SqliteClaims(connection)

    def _insert_entries(self, connection: Connection, rows: list[EntryRow]) -> None:
        insert_rows(connection, "entries", rows)

    def _insert_claims(self, connection: Connection, taken: list[Claim]) -> None:
        self._claims.take(connection, taken)

    def _find_claims(self, connection: Connection, wanted: Sequence[bytes]) -> dict[bytes, int]:
        return self._claims.find(connection, wanted)

    def _check_synced(self) -> None:
        with self._transaction() as connection:
            mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
            synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
        if (mode, synchronous) != ("wal", _FULL):
            raise Corrupt(
                f"{self._path}: journal {mode}, synchronous {synchronous}, asked for wal and {_FULL}",
                remedy="use a local file system",
            )

    def _end_transaction(self) -> None:
        raw = None if self._held is None else self._held.connection.driver_connection
        if isinstance(raw, sqlite3.Connection) and raw.in_transaction:
            raw.rollback()

    def _judge(self, error: DBAPIError) -> SekishoError:
        code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in REFUSALS:
            return Unavailable(
                f"the log's database {self._path} refuses: {error.orig}",
                remedy="check disk space and rights, then try again",
            )
        return Corrupt(
            f"the log's database {self._path} cannot be read: {error.orig}",
            remedy="restore it from a backup",
        )


def _hold_lock(path: Path) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")  # held for the life of the store
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be opened: {error.strerror}", remedy="check rights"
        ) from None
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise StateConflict(
            f"another process writes this log ({path})",
            remedy="stop it first; a log has one writer",
        ) from None
    return file


def open_engine(path: Path) -> Engine:
    """One connection in WAL mode, synced in full, with transactions that take the write lock at once."""
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=os.fspath(path)),
        poolclass=StaticPool,
        connect_args={"check_same_thread": False, "cached_statements": 256},
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _open_log_engine(path: Path) -> Engine:
    engine = open_engine(path)
    # First, since the size of a page is settled by the first thing that is written.
    event.listen(engine, "connect", _on_connect_log, insert=True)
    return engine


def _on_connect_log(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    # Rarely, because a page that changes often is then brought over to the file once.
    connection.execute(f"PRAGMA wal_autocheckpoint={JOURNAL_BYTES // PAGE_BYTES}")


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    # We open transactions ourselves: the driver's own begin only at the first write.
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout=5000")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _prepare(connection: Connection, path: Path, origin: str) -> None:
    """Create the tables in a new file, or check that an old one is ours and bring it up to date."""
    application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar_one()
    if application == 0 and tables == 0:
        # Crash before the commit: an empty file, prepared again at the next start.
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
        create_schema(connection, origin)
    elif application != APPLICATION_ID:
        raise InvalidInput(
            "a database of another program", path=str(path), remedy="name another file"
        )
    else:
        # Crash before the commit: the old version, brought up to date at the next start.
        upgrade_schema(connection, version, str(path))
    connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")
    check_origin(connection, origin, str(path))
