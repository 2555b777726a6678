"""The register's database in SQLite: WAL, every commit synced in full, one process that writes, readers beside it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool, StaticPool

from sekisho.adapters.storage.register_engine import (
    READERS,
    WAIT_S,
    RegisterEngine,
    Rows,
    overrun,
)
from sekisho.adapters.storage.register_schema import SCHEMA_VERSION, create_schema
from sekisho.adapters.storage.register_upgrade import upgrade_register
from sekisho.adapters.storage.sqlite_refusals import REFUSALS
from sekisho.model.errors import Corrupt, InvalidInput, SekishoError, StateConflict, Unavailable

__all__ = ["APPLICATION_ID", "SqliteRegister"]

APPLICATION_ID = 0x53454B32  # "SEK2"
PAGE_BYTES = 4096
"""Keys and EPCs are spread evenly over their indexes: each costs the journal a page, and small ones cost less."""

JOURNAL_BYTES = 256 << 20
"""How long the journal grows before it is brought over: a page that changes often is then written to the file once."""

WRITER_KIB = 64 << 10
READER_KIB = 8 << 10
_MOST_ROWS = 128
_FULL = 2


class SqliteRegister(RegisterEngine):
    """One SQLite file, locked for the process that opened it to write until `close` or its end.

    Raises StateConflict where another process holds it; InvalidInput where the file is another program's or of a
    newer schema; Unavailable where the folder cannot be written; Corrupt where it cannot be read or is not synced
    as asked. With `writes` false no lock is taken, and the file must be there and of this schema.
    """

    kind = "sqlite"

    def __init__(self, path: Path, *, writes: bool = True) -> None:
        self._path = path
        self._writes = writes
        self._lock = threading.RLock()
        self._held_lock = _hold_lock(path) if writes else None
        self._readers = _open_engine(path, writes=False)
        self._writer = _open_engine(path, writes=True) if writes else None
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        with self._lock:
            self._readers.dispose()
            if self._writer is not None:
                self._writer.dispose()
            if self._held_lock is not None:
                self._held_lock.close()

    @contextmanager
    def writing(self, *, long: bool = False) -> Iterator[Connection]:  # noqa: ARG002 - it is on this machine
        if self._writer is None:
            raise StateConflict(
                f"{self._path} was opened to be read", remedy="write through the running server"
            )
        with self._lock, self._translated(), self._writer.connect() as connection:
            try:
                with connection.begin():
                    yield connection
            except BaseException:
                _end_transaction(connection)
                raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._translated(), self._readers.begin() as connection:
            yield connection

    def put(self, connection: Connection, table: Table, rows: Rows, ending: str = "") -> None:
        """In few calls: each gives other threads a turn, and waits for its own again."""
        raw = connection.connection.driver_connection
        if not isinstance(raw, sqlite3.Connection):
            raise Corrupt("the register's database is not SQLite")
        columns = tuple(column.name for column in table.columns)
        start = 0
        while start < len(rows):
            # In steps of powers of two, so that there are few statements to prepare.
            step = min(_MOST_ROWS, 1 << ((len(rows) - start).bit_length() - 1))
            statement = _insertion(table.name, columns, step) + ending
            try:
                raw.execute(statement, tuple(chain.from_iterable(rows[start : start + step])))
            except sqlite3.IntegrityError as error:
                raise _conflict(table.name, error) from None
            start += step

    def _prepare(self) -> None:
        if self._writer is None:
            with self.reading() as connection:
                _check_readable(connection, str(self._path))
            return
        with self.writing() as connection:
            _prepare(connection, str(self._path))
        with self.writing() as connection:
            mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
            synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
        if (mode, synchronous) != ("wal", _FULL):
            raise Corrupt(
                f"{self._path}: journal {mode}, synchronous {synchronous}, asked for wal and {_FULL}",
                remedy="use a local file system",
            )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError as error:
            raise _conflict("the register", error.orig or error) from None
        except PoolTimeout:
            raise overrun() from None
        except (DBAPIError, sqlite3.Error) as error:
            raise self._judge(getattr(error, "orig", None) or error) from None

    def _judge(self, error: BaseException) -> SekishoError:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in REFUSALS:
            return Unavailable(
                f"the register's database {self._path} refuses: {error}",
                remedy="check disk space and rights, then try again",
            )
        return Corrupt(
            f"the register's database {self._path} cannot be read: {error}",
            remedy="restore it from a backup",
        )


def _conflict(where: str, error: BaseException) -> SekishoError:
    return StateConflict(
        f"{where} holds one of these rows already ({error}); nothing of the change was saved",
        remedy="read the register's numbers again, and let one writer save",
    )


def _end_transaction(connection: Connection) -> None:
    """A commit that was refused, for want of space say, leaves its transaction open: the next would meet it."""
    if connection.invalidated or connection.closed:
        return
    raw = connection.connection.driver_connection
    if isinstance(raw, sqlite3.Connection) and raw.in_transaction:
        raw.rollback()


def _hold_lock(path: Path) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.with_name(f"{path.name}.lock").open("ab")  # held for the life of the store
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be opened: {error.strerror}", remedy="check rights and space"
        ) from None
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise StateConflict(
            f"another process writes this register ({path})",
            remedy="stop it first, or ask the running server; a register has one writer",
        ) from None
    return file


def _open_engine(path: Path, *, writes: bool) -> Engine:
    address = {"check_same_thread": False, "cached_statements": 256, "timeout": WAIT_S}
    if writes:
        engine = create_engine(
            URL.create("sqlite+pysqlite", database=os.fspath(path)),
            poolclass=StaticPool,
            connect_args=address,
        )
    else:
        engine = create_engine(
            URL.create(
                "sqlite+pysqlite",
                database=f"file:{_quoted(path)}",
                query={"mode": "ro", "uri": "true"},
            ),
            poolclass=QueuePool,
            pool_size=READERS,
            max_overflow=READERS,
            pool_timeout=WAIT_S,
            connect_args=address,
        )
    event.listen(engine, "connect", _on_connect_writer if writes else _on_connect_reader)
    begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _quoted(path: Path) -> str:
    """The path as SQLite's own addresses write it."""
    return os.fspath(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _on_connect_writer(connection: sqlite3.Connection, _record: object) -> None:
    # First, since the size of a page is settled by the first thing that is written.
    connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
    # We open transactions ourselves: the driver's own begin only at the first write.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA cache_size=-{WRITER_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint={JOURNAL_BYTES // PAGE_BYTES}")
    connection.execute(f"PRAGMA journal_size_limit={JOURNAL_BYTES}")


def _on_connect_reader(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA query_only=ON")
    connection.execute(f"PRAGMA cache_size=-{READER_KIB}")


def _prepare(connection: Connection, path: str) -> None:
    """Create the tables in a new file, or check that an old one is ours and bring it up to date."""
    application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar_one()
    if application == 0 and tables == 0:
        # Crash before the commit: an empty file, prepared again at the next start.
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
        create_schema(connection)
    elif application != APPLICATION_ID:
        raise InvalidInput("a database of another program", path=path, remedy="name another file")
    else:
        # Crash before the commit: the old version, brought up to date at the next start.
        upgrade_register(connection, version, path)
    if version != SCHEMA_VERSION:
        connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")


def _check_readable(connection: Connection, path: str) -> None:
    application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    if application != APPLICATION_ID:
        raise InvalidInput("a database of another program", path=path, remedy="name another file")
    if version != SCHEMA_VERSION:
        raise InvalidInput(
            f"schema version {version}, this program reads {SCHEMA_VERSION}",
            path=path,
            remedy="open it once to write with this release, or read it with the one that wrote it",
        )


@lru_cache(maxsize=512)
def _insertion(table: str, columns: tuple[str, ...], rows: int) -> str:
    row = f"({', '.join('?' * len(columns))})"
    names = ", ".join(f'"{name}"' for name in columns)
    return f"INSERT INTO {table} ({names}) VALUES {', '.join([row] * rows)}"  # noqa: S608 - our own names
