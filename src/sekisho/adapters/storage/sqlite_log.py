"""The log's database in SQLite: WAL, every commit synced in full, one process at a time."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self, TypeVar

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError
from sqlalchemy.pool import StaticPool

from sekisho.ledger.tree import EMPTY_ROOT
from sekisho.model.errors import Corrupt, InvalidInput, StateConflict, Unavailable
from sekisho.ports.log_store import Batch, Found, Queued, Recorded, Submission, TreeHead

__all__ = ["SCHEMA_VERSION", "SqliteLogStore", "open_engine"]

SCHEMA_VERSION = 1
APPLICATION_ID = 0x53454B31  # "SEK1"
_FULL = 2
_IN_STEP = 500
_ONE = 1
T = TypeVar("T")

_schema = MetaData()
_log = Table(
    "log",
    _schema,
    Column("id", Integer, primary_key=True),
    Column("origin", String, nullable=False),
)
_queue = Table(
    "queue",
    _schema,
    Column("number", Integer, primary_key=True),
    Column("envelope", LargeBinary, nullable=False),
    Column("payload_sha256", LargeBinary, nullable=False),
    Column("unique_keys", String, nullable=False),
    sqlite_autoincrement=True,  # a number is never used again, so an old outcome cannot meet a new row
)
_entries = Table(
    "entries",
    _schema,
    Column("idx", Integer, primary_key=True),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("payload_sha256", LargeBinary, unique=True),
)
_unique = Table(
    "unique_keys",
    _schema,
    Column("name", String, primary_key=True),
    Column("idx", Integer, nullable=False),
)
_head = Table(
    "head",
    _schema,
    Column("id", Integer, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("root", LargeBinary, nullable=False),
)
_cosigned = Table(
    "cosigned",
    _schema,
    Column("id", Integer, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("note", LargeBinary, nullable=False),
)


class SqliteLogStore:
    """A `LogStore` in one SQLite file, locked for the process that opened it until `close` or its end.

    Raises StateConflict where another process holds it; InvalidInput where the file is another program's,
    another log's, or of a newer schema; Corrupt where it cannot be read or is not synced as asked.
    """

    def __init__(self, path: Path, *, origin: str) -> None:
        self._lock = threading.RLock()
        self._lock_file = _hold_lock(path.with_name(f"{path.name}.lock"))
        self._engine = open_engine(path)
        try:
            with self._transaction() as connection:
                _prepare(connection, path, origin)
            self._check_synced(path)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        with self._lock:
            self._engine.dispose()
            self._lock_file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def accept(self, submissions: Sequence[Submission]) -> list[int]:
        # Crash before the commit: none of them is queued. After it: all are, whoever asked may ask again.
        with self._transaction() as connection:
            return [_queue_one(connection, submission) for submission in submissions]

    def load_queued(self, limit: int) -> list[Queued]:
        with self._transaction() as connection:
            rows = connection.execute(select(_queue).order_by(_queue.c.number).limit(limit)).all()
        return [
            Queued(
                number=row.number,
                submission=Submission(
                    envelope=row.envelope,
                    payload_sha256=row.payload_sha256,
                    unique=tuple(json.loads(row.unique_keys)),
                ),
            )
            for row in rows
        ]

    def settle(self, numbers: Sequence[int]) -> None:
        with self._transaction() as connection:
            _remove_queued(connection, numbers)

    def load_head(self) -> TreeHead:
        with self._transaction() as connection:
            row = connection.execute(select(_head.c.size, _head.c.root)).one()
        return TreeHead(size=row.size, root=row.root)

    def load_entries(self, start: int, stop: int) -> list[Recorded]:
        query = (
            select(_entries)
            .where(_entries.c.idx >= start, _entries.c.idx < stop)
            .order_by(_entries.c.idx)
        )
        with self._transaction() as connection:
            rows = connection.execute(query).all()
        return [
            Recorded(
                index=row.idx,
                leaf_hash=row.leaf_hash,
                envelope=row.envelope,
                payload_sha256=row.payload_sha256,
            )
            for row in rows
        ]

    def find_recorded(self, submissions: Sequence[Submission]) -> Found:
        payloads: dict[bytes, tuple[int, bytes]] = {}
        unique: dict[str, tuple[int, bytes]] = {}
        with self._transaction() as connection:
            for digests in _in_steps([item.payload_sha256 for item in submissions]):
                query = select(_entries).where(_entries.c.payload_sha256.in_(digests))
                for row in connection.execute(query):
                    payloads[row.payload_sha256] = (row.idx, row.leaf_hash)
            for names in _in_steps([name for item in submissions for name in item.unique]):
                joined = select(_unique.c.name, _entries.c.idx, _entries.c.leaf_hash).join(
                    _entries, _entries.c.idx == _unique.c.idx
                )
                for row in connection.execute(joined.where(_unique.c.name.in_(names))):
                    unique[row.name] = (row.idx, row.leaf_hash)
        return Found(payloads=payloads, unique=unique)

    def commit_batch(self, batch: Batch) -> None:
        # Crash before the commit: nothing of the batch is there. After it: all of it is.
        try:
            with self._transaction() as connection:
                _swap_head(connection, batch.old, batch.new)
                connection.execute(insert(_entries), [_entry_row(entry) for entry in batch.entries])
                names = [{"name": key, "idx": e.index} for e in batch.entries for key in e.unique]
                if names:
                    connection.execute(insert(_unique), names)
                _remove_queued(connection, batch.numbers)
        except IntegrityError as error:
            raise Corrupt(f"the batch repeats what stands already: {error.orig}") from None

    def load_cosigned(self) -> tuple[int, bytes] | None:
        with self._transaction() as connection:
            row = connection.execute(select(_cosigned.c.size, _cosigned.c.note)).one_or_none()
        return None if row is None else (row.size, row.note)

    def save_cosigned(self, size: int, note: bytes) -> None:
        with self._transaction() as connection:
            held = connection.execute(select(_cosigned.c.size)).scalar_one_or_none()
            if held is not None and held > size:
                raise StateConflict(
                    f"a checkpoint of size {held} is held, {size} would be a step back"
                )
            # Crash before the commit: the checkpoint before stays; the head is cosigned again.
            connection.execute(delete(_cosigned))
            connection.execute(insert(_cosigned).values(id=_ONE, size=size, note=note))

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._lock:
            try:
                with self._engine.begin() as connection:
                    yield connection
            except IntegrityError:
                raise
            except OperationalError as error:
                raise Unavailable(
                    f"the log's database refuses: {error.orig}", remedy="check disk space"
                ) from None
            except DatabaseError as error:
                raise Corrupt(
                    f"the log's database cannot be read: {error.orig}",
                    remedy="restore it from a backup",
                ) from None

    def _check_synced(self, path: Path) -> None:
        with self._transaction() as connection:
            mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
            synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
        if (mode, synchronous) != ("wal", _FULL):
            raise Corrupt(
                f"{path}: journal {mode}, synchronous {synchronous}, asked for wal and {_FULL}",
                remedy="use a local file system",
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
        connect_args={"check_same_thread": False},
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    # We open transactions ourselves: the driver's own begin only at the first write.
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout=5000")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _prepare(connection: Connection, path: Path, origin: str) -> None:
    """Create the tables in a new file, or check that an old one is ours."""
    application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar_one()
    if application == 0 and tables == 0:
        # Crash before the commit: an empty file, prepared again at the next start.
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")
        _schema.create_all(connection)
        connection.execute(insert(_log).values(id=_ONE, origin=origin))
        connection.execute(insert(_head).values(id=_ONE, size=0, root=EMPTY_ROOT))
        return
    if application != APPLICATION_ID:
        raise InvalidInput(
            "a database of another program", path=str(path), remedy="name another file"
        )
    if version != SCHEMA_VERSION:
        raise InvalidInput(
            f"schema version {version}, this program knows {SCHEMA_VERSION}",
            path=str(path),
            remedy="run the version that wrote it",
        )
    held = connection.execute(select(_log.c.origin)).scalar_one()
    if held != origin:
        raise InvalidInput(f"the database of {held!r}, not of {origin!r}", path=str(path))


def _queue_one(connection: Connection, submission: Submission) -> int:
    result = connection.execute(
        insert(_queue).values(
            envelope=submission.envelope,
            payload_sha256=submission.payload_sha256,
            unique_keys=json.dumps(submission.unique),
        )
    )
    key = result.inserted_primary_key
    if key is None:
        raise Corrupt("the database gave a queued row no number")
    return int(key[0])


def _swap_head(connection: Connection, old: TreeHead, new: TreeHead) -> None:
    swapped = connection.execute(
        update(_head)
        .where(_head.c.size == old.size, _head.c.root == old.root)
        .values(size=new.size, root=new.root)
    )
    if swapped.rowcount != 1:
        raise StateConflict(
            f"the log is no longer at size {old.size}", remedy="stop the other writer, start again"
        )


def _entry_row(entry: Recorded) -> dict[str, object]:
    return {
        "idx": entry.index,
        "leaf_hash": entry.leaf_hash,
        "envelope": entry.envelope,
        "payload_sha256": entry.payload_sha256,
    }


def _remove_queued(connection: Connection, numbers: Sequence[int]) -> None:
    for step in _in_steps(numbers):
        connection.execute(delete(_queue).where(_queue.c.number.in_(step)))


def _in_steps(items: Sequence[T]) -> Iterable[Sequence[T]]:
    """SQLite takes a bounded number of bound values in one statement."""
    for start in range(0, len(items), _IN_STEP):
        yield items[start : start + _IN_STEP]
