"""The register's database in PostgreSQL: a schema of its own, every commit synced, one session that writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    LargeBinary,
    Table,
    Text,
    create_engine,
    func,
    select,
)
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import NullPool

from sekisho.adapters.storage.postgres_session import (
    CONNECT_S,
    BinaryCursor,
    Patience,
    connect_session,
    first_line,
)
from sekisho.adapters.storage.register_engine import (
    READERS,
    WAIT_S,
    RegisterEngine,
    Rows,
    overrun,
)
from sekisho.adapters.storage.register_schema import (
    SCHEMA_VERSION,
    VERSION_TABLE,
    create_schema,
    events,
    revision_of,
)
from sekisho.adapters.storage.register_upgrade import upgrade_register
from sekisho.model.errors import Corrupt, InvalidInput, SekishoError, StateConflict, Unavailable

__all__ = ["SCHEMA", "PostgresRegister"]

SCHEMA = "register"
MARKER = "Sekisho register"
"""The comment on the schema: what application_id is to SQLite."""

SAVE_S, LONG_S = 60.0, 3600.0
"""When a server that answers nothing is given up: while a change is saved, while all that is derived is dropped."""

_STEP = 20_000
_USE_SCHEMA = f"SET search_path = {SCHEMA}"
_READ_SETTINGS = (
    f"{_USE_SCHEMA}; SET statement_timeout = '30s'; SET default_transaction_read_only = on; "
    "SET idle_in_transaction_session_timeout = '600s'; SET client_encoding = 'UTF8'"
)
_CORRUPT = (psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted)
_REFUSED = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.ReadOnlySqlTransaction,
)
_Raw = psycopg.Connection[tuple[object, ...]]


class PostgresRegister(RegisterEngine):
    """The schema `register` of a PostgreSQL database, written by one session at a time; the log may lie beside it.

    Raises what `connect_session` raises; InvalidInput where the schema is another program's or newer. After a lost
    connection the call under way raises Unavailable, and whether its transaction stands is known to the database
    alone; the next one connects again, and goes on only where the lock is free and no acknowledged event is gone.
    """

    kind = "postgresql"

    def __init__(self, url: str, *, writes: bool = True) -> None:
        self._url = url
        self._writes = writes
        self._lock = threading.RLock()
        self._held: Connection | None = None
        self._acknowledged = 0
        self._patience = Patience()
        # The address stays out of the engines, whose errors and repr would show it.
        self._writer = create_engine(
            "postgresql+psycopg://",
            creator=self._connect_writer,
            poolclass=NullPool,
            use_native_hstore=False,
        )
        self._readers = create_engine(
            "postgresql+psycopg://",
            creator=self._connect_reader,
            isolation_level="REPEATABLE READ",
            pool_size=READERS,
            max_overflow=READERS,
            pool_timeout=WAIT_S,
            pool_pre_ping=True,
            use_native_hstore=False,
        )
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        with self._lock:
            self._drop()
            self._readers.dispose()
            self._writer.dispose()
            self._patience.close()

    @contextmanager
    def writing(self, *, long: bool = False) -> Iterator[Connection]:
        if not self._writes:
            raise StateConflict(
                "the register was opened to be read", remedy="write through the running server"
            )
        with self._lock, self._patience.waiting(LONG_S if long else SAVE_S), self._translated():
            try:
                if self._held is None:
                    self._held = self._writer.connect()
                with self._held.begin():
                    if long:
                        self._held.exec_driver_sql("SET LOCAL statement_timeout = 0")
                    yield self._held
                    newest = self._held.execute(select(func.max(events.c.number))).scalar_one()
                self._acknowledged = newest or 0
            except DBAPIError as error:
                if self._held is not None and (
                    error.connection_invalidated or self._held.invalidated
                ):
                    self._drop()
                raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._translated(), self._readers.begin() as connection:
            yield connection

    def put(self, connection: Connection, table: Table, rows: Rows, ending: str = "") -> None:
        columns = list(table.columns)
        names = ", ".join(f'"{column.name}"' for column in columns)
        arrays = ", ".join(f"%b::{_type_of(column.type)}[]" for column in columns)
        statement = f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({arrays}){ending}"  # noqa: S608 - our own names
        for start in range(0, len(rows), _STEP):
            some = rows[start : start + _STEP]
            connection.exec_driver_sql(
                statement, tuple([*column] for column in zip(*some, strict=True))
            )

    def clear(self, connection: Connection, table: Table) -> None:
        connection.exec_driver_sql(f"TRUNCATE {table.name}")

    def _prepare(self) -> None:
        if self._writes:
            with self._patience.waiting(LONG_S), self._writing_anew() as connection:
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
                _prepare(connection)
        else:
            with self.reading() as connection:
                _check_readable(connection)

    @contextmanager
    def _writing_anew(self) -> Iterator[Connection]:
        """The first transaction: the tables may not be there."""
        with self._lock, self._translated():
            self._held = self._writer.connect()
            with self._held.begin():
                yield self._held

    def _connect_writer(self) -> _Raw:
        connection = connect_session(self._url, "of this database", what="register")
        try:
            self._refuse_loss(connection)
            connection.execute(_USE_SCHEMA.encode())
            connection.commit()
            self._patience.watch(connection)
        except psycopg.Error as error:
            connection.close()
            raise _refusal(error) from None
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect_reader(self) -> _Raw:
        try:
            connection = psycopg.connect(
                self._url, connect_timeout=CONNECT_S, application_name="sekisho register reader"
            )
            connection.autocommit = True
            connection.execute(_READ_SETTINGS.encode())
            connection.autocommit = False
        except psycopg.Error as error:
            raise _refusal(error) from None
        connection.cursor_factory = BinaryCursor
        return connection

    def _refuse_loss(self, connection: _Raw) -> None:
        """A server that comes back with less than it acknowledged: a copy that lagged behind, or a restored one."""
        if not self._acknowledged:
            return
        query = f"SELECT max(number) FROM {SCHEMA}.events"  # noqa: S608 - our own name
        row = connection.execute(query.encode()).fetchone()
        connection.rollback()
        if row is None or not isinstance(row[0], int) or row[0] < self._acknowledged:
            raise Corrupt(
                f"the register's database came back with {row[0] if row else 0} events, "
                f"{self._acknowledged} were acknowledged",
                remedy="bring back the server that has them",
            )

    def _drop(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError as error:
            told = first_line(error.orig) if error.orig is not None else "no reason given"
            raise StateConflict(
                f"the register holds one of these rows already ({told}); nothing of the change was saved",
                remedy="read the register's numbers again, and let one writer save",
            ) from None
        except PoolTimeout:
            raise overrun() from None
        except DBAPIError as error:
            raise _refusal(error.orig or error) from None


def _refusal(error: BaseException) -> SekishoError:
    told = first_line(error)
    if isinstance(error, psycopg.DataError) and not isinstance(error, _CORRUPT):
        return InvalidInput(
            f"the register's database takes no such value: {told}", path="register", remedy=""
        )
    if isinstance(error, _REFUSED) and not isinstance(error, _CORRUPT):
        return Unavailable(
            f"the register's database refuses: {told}",
            remedy="check the server, its disk space and the role's rights, then try again",
        )
    return Corrupt(
        f"the register's database is at odds with itself: {told}",
        remedy="restore it from a backup",
    )


def _type_of(kind: object) -> str:
    if isinstance(kind, BigInteger):
        return "bigint"
    if isinstance(kind, Integer):
        return "integer"
    if isinstance(kind, LargeBinary):
        return "bytea"
    if isinstance(kind, Text):
        return "text"
    raise TypeError(f"no column of the register is {kind!r}")


def _prepare(connection: Connection) -> None:
    """Create the tables in a new schema, or check that those there are ours and bring them up to date."""
    marker = _marker(connection)
    if marker is None and _tables(connection) == 0:
        # Crash before the commit: no schema, prepared again at the next start.
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        connection.exec_driver_sql(f"COMMENT ON SCHEMA {SCHEMA} IS '{MARKER}'")
        create_schema(connection)
        for table, column in (("events", "document"), ("movements", "document")):
            # Compressed already; trying again costs more than it saves.
            connection.exec_driver_sql(
                f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL"
            )
    elif marker != MARKER:
        raise InvalidInput(
            f"a schema {SCHEMA} of another program", path="database", remedy="use another database"
        )
    else:
        # Crash before the commit: the old version, brought up to date at the next start.
        upgrade_register(connection, _version(connection), "database")


def _check_readable(connection: Connection) -> None:
    if _marker(connection) != MARKER:
        raise InvalidInput(
            "no register in this database",
            path="database",
            remedy="open it once to write, or name another database",
        )
    version = _version(connection)
    if version != SCHEMA_VERSION:
        raise InvalidInput(
            f"schema version {version}, this program reads {SCHEMA_VERSION}",
            path="database",
            remedy="open it once to write with this release, or read it with the one that wrote it",
        )


def _marker(connection: Connection) -> object:
    query = f"SELECT obj_description(to_regnamespace('{SCHEMA}'), 'pg_namespace')"
    return connection.exec_driver_sql(query).scalar_one()


def _tables(connection: Connection) -> int:
    query = f"SELECT count(*) FROM pg_tables WHERE schemaname = '{SCHEMA}'"  # noqa: S608 - our own name
    return int(connection.exec_driver_sql(query).scalar_one())


def _version(connection: Connection) -> int:
    told = connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar_one()  # noqa: S608 - our own name
    known = {revision_of(version): version for version in range(1, SCHEMA_VERSION + 1)}
    return known.get(str(told), SCHEMA_VERSION + 1)
