"""The log's database in PostgreSQL: every commit synced by the server, one session that writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection, create_engine, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import NullPool

from sekisho.adapters.storage.log_schema import (
    check_origin,
    claims,
    create_schema,
    head,
    in_steps,
)
from sekisho.adapters.storage.postgres_session import Patience, connect_session, first_line
from sekisho.adapters.storage.schema_upgrade import upgrade_schema
from sekisho.adapters.storage.sql_log import Claim, EntryRow, SqlLogStore, check_counts
from sekisho.model.errors import (
    Corrupt,
    InvalidInput,
    SekishoError,
    StateConflict,
    Unavailable,
)
from sekisho.ports.log_store import FencedOff, Recorded, Taken

__all__ = ["PostgresLogStore"]

MARKER = "Sekisho log"
"""The comment on table `log`: what application_id is to SQLite."""

UPGRADE_S = 3600.0
_ENTRIES = (
    "INSERT INTO entries SELECT * FROM unnest"
    "(%b::bigint[], %b::bytea[], %b::bytea[], %b::text[], %b::bytea[])"
)
_CLAIMS = "INSERT INTO claims SELECT * FROM unnest(%b::bytea[], %b::bigint[])"
_CORRUPT = (psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted)
_REFUSED = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.ReadOnlySqlTransaction,
)


class PostgresLogStore(SqlLogStore):
    """A `LogStore` in a PostgreSQL database of its own, written by one session at a time.

    Raises what `connect_session` raises; InvalidInput where the database is another program's, another
    log's, or of a newer schema. After a lost connection the call under way raises Unavailable, and whether its
    transaction stands is known to the database alone; the next call connects again, and goes on only where the
    lock is still free and no acknowledged entry is gone.
    """

    def __init__(self, url: str, *, origin: str) -> None:
        self._url = url
        self._origin = origin
        self._acknowledged = self._attempted = 0
        self._fence: FencedOff | None = None
        self._patience = Patience()
        # The address stays out of the engine, whose errors and repr would show it.
        super().__init__(
            create_engine(
                "postgresql+psycopg://",
                creator=self._connect,
                poolclass=NullPool,
                use_native_hstore=False,
            )
        )
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        super().close()
        self._patience.close()

    def verify_held(self) -> None:
        """Ask the session that holds the lock: where it is gone, connecting again shows who holds the lock now."""
        with self._transaction() as connection:
            connection.exec_driver_sql("SELECT 1")

    def sequence(self, first: int, entries: Sequence[Recorded]) -> None:
        with self._lock:
            self._attempted = first + len(entries)
            super().sequence(first, entries)
            self._acknowledged = first + len(entries)

    def _prepare(self) -> None:
        with self._lock, self._patience.waiting(UPGRADE_S), super()._transaction() as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            _prepare(connection, self._origin)
            check_counts(connection)
            self._acknowledged = connection.execute(select(head.c.entries)).scalar_one()

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        if self._fence is not None:
            raise self._fence
        connection = self._connect_again() if self._acknowledged else self._open()
        try:
            self._refuse_loss(connection)
            self._patience.watch(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _open(self) -> psycopg.Connection[tuple[object, ...]]:
        return connect_session(self._url, self._origin)

    def _connect_again(self) -> psycopg.Connection[tuple[object, ...]]:
        """After a lost connection: whoever took the lock meanwhile is the writer, and stays it."""
        try:
            return self._open()
        except StateConflict as error:
            self._fence = FencedOff(
                f"this process lost its database session, and {error.message}",
                remedy="ask the other one; this one takes part again when it is started anew",
            )
            raise self._fence from None

    def _refuse_loss(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        """A server that comes back with less than it acknowledged: a copy that lagged behind, or a restored one."""
        if not self._acknowledged:
            return
        row = connection.execute("SELECT entries FROM head").fetchone()
        connection.rollback()
        if row is None or not isinstance(row[0], int) or row[0] < self._acknowledged:
            raise Corrupt(
                f"the log's database came back with {row[0] if row else 0} entries, "
                f"{self._acknowledged} were acknowledged",
                remedy="bring back the server that has them; going on would fork the log",
            )
        if row[0] > max(self._acknowledged, self._attempted):
            self._fence = FencedOff(
                f"another process wrote entries {self._acknowledged} to {row[0] - 1} of this log",
                remedy="start this one anew: it then knows them",
            )
            raise self._fence

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._lock, self._patience.waiting(), super()._transaction() as connection:
            yield connection

    def _insert_entries(self, connection: Connection, rows: list[EntryRow]) -> None:
        connection.exec_driver_sql(_ENTRIES, tuple([*column] for column in zip(*rows, strict=True)))

    def _insert_claims(self, connection: Connection, taken: list[Claim]) -> None:
        try:
            connection.exec_driver_sql(
                _CLAIMS, tuple([*column] for column in zip(*taken, strict=True))
            )
        except IntegrityError:
            raise Taken("a payload or a unique key of these rows stands in the log") from None

    def _find_claims(self, connection: Connection, wanted: Sequence[bytes]) -> dict[bytes, int]:
        found: dict[bytes, int] = {}
        for step in in_steps(wanted):
            query = select(claims.c.key, claims.c.idx).where(claims.c.key.in_(step))
            found.update((key, idx) for key, idx in connection.execute(query).all())
        return found

    def _judge(self, error: DBAPIError) -> SekishoError:
        cause = error.orig
        told = first_line(cause) if cause is not None else "no reason given"
        if isinstance(cause, _REFUSED) and not isinstance(cause, _CORRUPT):
            return Unavailable(
                f"the log's database refuses: {told}",
                remedy="check the server, its disk space and the role's rights, then try again",
            )
        return Corrupt(
            f"the log's database is at odds with itself: {told}", remedy="restore it from a backup"
        )


def _prepare(connection: Connection, origin: str) -> None:
    """Create the tables in an empty database, or check that those there are ours and bring them up to date."""
    marker = connection.exec_driver_sql(
        "SELECT obj_description(to_regclass('log'), 'pg_class')"
    ).scalar_one()
    tables = connection.exec_driver_sql(
        "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"
    ).scalar_one()
    if marker is None and tables == 0:
        # Crash before the commit: an empty database, prepared again at the next start.
        create_schema(connection, origin)
        connection.exec_driver_sql(f"COMMENT ON TABLE log IS '{MARKER}'")
        # Envelopes are text that hardly shrinks, and trying costs more than it saves.
        connection.exec_driver_sql("ALTER TABLE entries ALTER COLUMN envelope SET STORAGE EXTERNAL")
    elif marker != MARKER:
        raise InvalidInput(
            "a database of another program", path="database", remedy="create one for the log alone"
        )
    else:
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
        # Crash before the commit: the old version, brought up to date at the next start.
        upgrade_schema(connection, int(version), "database")
    check_origin(connection, origin, "database")
