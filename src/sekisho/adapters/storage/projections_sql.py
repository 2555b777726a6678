"""Projections in SQL: one table of documents and one row that says how far they tell, in SQLite or PostgreSQL.

SQLite is not synced at each commit, as the log is: what a power cut takes is told again from the log. The position is
written in the transaction of the rows, so that the two never part.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Self

from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    cast,
    create_engine,
    delete,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import StaticPool

from sekisho.model.errors import Corrupt, StateConflict, Unavailable
from sekisho.ports.projection_store import START, Place, Position, Row

__all__ = ["ProjectionsSql", "open_projections", "remove_projections", "scratch_projections"]

_STEP = 1_000
CONNECT_S = 5
_ONE = 1
# Keys are compared by their bytes, whatever language the database was made for.
_Name = String().with_variant(String(collation="C"), "postgresql")
_schema = MetaData()
_projections = Table(
    "projections",
    _schema,
    Column("name", _Name, primary_key=True),
    Column("key", _Name, primary_key=True),
    Column("idx", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
_position = Table(
    "projected",
    _schema,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("leaf", String, nullable=False),
    Column("grounds", String, nullable=False),
)
# Cast, because a file that somebody changed may hold text there.
_whole = select(
    _projections.c.name,
    _projections.c.key,
    _projections.c.idx,
    cast(_projections.c.document, LargeBinary).label("document"),
).order_by(_projections.c.name, _projections.c.key)
_at = (_projections.c.name == bindparam("at_name")) & (_projections.c.key == bindparam("at_key"))
_forget = delete(_projections).where(_at)


class ProjectionsSql:
    """A `ProjectionStore` over an engine whose transactions see one moment."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # SQLite takes one writer; readers have connections of their own.
        self._lock = threading.Lock()
        with self._transaction() as connection:
            _schema.create_all(connection)
            connection.execute(select(_projections).limit(1))
            if connection.execute(select(_position.c.id)).first() is None:
                connection.execute(insert(_position).values(id=_ONE, **_columns(START)))

    @classmethod
    def connect(cls, url: str) -> Self:
        """The projections in a PostgreSQL database, by what libpq takes as its address."""
        import psycopg  # noqa: PLC0415 - only where a server keeps them

        # The address stays out of the engine, whose errors and repr would show it.
        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: psycopg.connect(
                url, connect_timeout=CONNECT_S, application_name="sekisho projections"
            ),
            isolation_level="REPEATABLE READ",
        )
        return cls(engine)

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def view(self) -> Iterator[_View]:
        with _translated(), self._engine.connect() as connection, connection.begin():
            yield _View(connection)

    def save(
        self, old: Position, new: Position, rows: Sequence[Row], gone: Sequence[Place]
    ) -> None:
        # Crash before the commit: the old rows with the old position; they are told on from there.
        with self._transaction() as connection:
            moved = update(_position).where(
                _position.c.size == old.size,
                _position.c.leaf == old.leaf,
                _position.c.grounds == old.grounds,
            )
            if connection.execute(moved.values(**_columns(new))).rowcount != 1:
                raise StateConflict(
                    f"the projections are no longer those of entry {old.size}",
                    remedy="read their position again, or rebuild them",
                )
            places = [*gone, *(row.place for row in rows)]
            if places:
                found = [{"at_name": name, "at_key": key} for name, key in places]
                connection.execute(_forget, found)
            _insert(connection, rows)

    def replace(self, new: Position, rows: Iterable[Row]) -> None:
        # Crash before the commit: all as before. After it: the new rows, and bytes of old ones until the next time.
        with self._transaction() as connection:
            connection.execute(delete(_projections))
            remaining = iter(rows)
            while step := list(islice(remaining, _STEP)):
                _insert(connection, step)
            connection.execute(delete(_position))
            connection.execute(insert(_position).values(id=_ONE, **_columns(new)))
        self._scrub()

    def _scrub(self) -> None:
        """Leave no bytes of rows that are gone: an erased amount may have stood in one."""
        with self._lock, _translated(), self._engine.connect() as connection:
            raw = connection.connection.driver_connection
            if isinstance(raw, sqlite3.Connection):
                raw.execute("VACUUM")
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            else:
                plain = connection.execution_options(isolation_level="AUTOCOMMIT")
                plain.exec_driver_sql("VACUUM projections")

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._lock, _translated(), self._engine.begin() as connection:
            yield connection


class _View:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        row = connection.execute(select(_position).where(_position.c.id == _ONE)).first()
        if row is None or not isinstance(row.size, int) or row.size < 0:
            raise Corrupt(
                "the projections do not say how far they tell",
                remedy="rebuild them: sekisho tables rebuild",
            )
        self.position = Position(size=row.size, leaf=row.leaf, grounds=row.grounds)

    def rows(self, table: str | None = None, *, after: str = "") -> Iterator[Row]:
        query = _whole
        if table is not None:
            query = query.where(_projections.c.name == table, _projections.c.key > after)
        with _translated():
            found = self._connection.execution_options(yield_per=_STEP).execute(query)
            for row in found:
                yield Row(table=row.name, key=row.key, document=row.document, index=row.idx)


def open_projections(path: Path, *, mend: bool = True) -> ProjectionsSql:
    """The projections in a SQLite file that only its owner may read, made anew where it is lost or unreadable.

    Private figures stand in it as they do in the private store. Raises Unavailable where disk or folder refuses;
    Corrupt only where it is not to be mended.
    """
    try:
        return _open(path)
    except Corrupt:
        if not mend:
            raise
        remove_projections(path)
        return _open(path)


def remove_projections(path: Path) -> None:
    """Take away a SQLite file that cannot be read, while nobody has it open."""
    # Crash here or later: no file, and everything is told again from the log.
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)


def scratch_projections() -> ProjectionsSql:
    """An empty store for one thread, in a file without a name: it is gone when it is closed, and after a crash."""
    engine = create_engine(
        "sqlite+pysqlite://",
        creator=lambda: sqlite3.connect("", isolation_level=None, check_same_thread=False),
        poolclass=StaticPool,
    )
    event.listen(engine, "begin", _on_begin)
    return ProjectionsSql(engine)


def _open(path: Path) -> ProjectionsSql:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}", remedy="check rights and space") from None
    engine = create_engine(URL.create("sqlite+pysqlite", database=os.fspath(path)))
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    try:
        return ProjectionsSql(engine)
    except BaseException:
        engine.dispose()
        raise


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    # We open transactions ourselves: the driver's own begin only at the first write.
    connection.isolation_level = None
    # A key that is no text is a key that nothing else has, and shown as such.
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    connection.execute("PRAGMA busy_timeout=5000")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA secure_delete=ON")


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError) as error:
        cause = getattr(error, "orig", error)
        # A statement that does not fit the tables is the file's fault: another release made them.
        is_unfit = getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
        if isinstance(error, OperationalError | sqlite3.OperationalError) and not is_unfit:
            raise Unavailable(
                f"the projections refuse: {cause}", remedy="check disk space and rights"
            ) from None
        raise Corrupt(
            f"the projections cannot be read: {cause}",
            remedy="rebuild them: sekisho tables rebuild",
        ) from None


def _columns(position: Position) -> dict[str, int | str]:
    return {"size": position.size, "leaf": position.leaf, "grounds": position.grounds}


def _insert(connection: Connection, rows: Sequence[Row]) -> None:
    if rows:
        values = [
            {"name": row.table, "key": row.key, "idx": row.index, "document": row.document}
            for row in rows
        ]
        connection.execute(insert(_projections), values)
