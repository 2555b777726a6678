"""The private store in one SQLite file: every commit synced in full, only its owner may read it."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    event,
    select,
)
from sqlalchemy.dialects.sqlite import insert

from sekisho.adapters.storage.sqlite_log import open_engine
from sekisho.adapters.storage.sqlite_refusals import translated
from sekisho.model.errors import Corrupt, Unavailable
from sekisho.ports.private_store import Paper, PaperKind

__all__ = ["PrivateSqlite", "read_disclosures"]

_schema = MetaData()
_disclosures = Table(
    "disclosures",
    _schema,
    Column("digest", String, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("text", String, nullable=False),
)
# One row while bytes of an erased disclosure may still lie in the file.
_unscrubbed = Table("unscrubbed", _schema, Column("id", Integer, primary_key=True))
_papers = Table(
    "papers",
    _schema,
    Column("kind", String, primary_key=True),
    Column("digest", String, primary_key=True),
    Column("host", String, nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
)

# As text, because composing the statement anew for each batch costs more than running it.
_ADD_TEXTS = "INSERT OR IGNORE INTO disclosures (digest, place, text) VALUES (?, ?, ?)"
_ADD_PAPERS = (
    "INSERT OR IGNORE INTO papers (kind, digest, host, number, envelope) VALUES (?, ?, ?, ?, ?)"
)


def read_disclosures(path: Path) -> dict[str, tuple[str, ...]]:
    """The disclosures in a private store by payload digest, read beside its writer: nothing is made or changed.

    Raises Unavailable where the file is not there, or is not this user's to read.
    """
    found: dict[str, tuple[str, ...]] = {}
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        ) as connection:
            rows = connection.execute("SELECT digest, text FROM disclosures ORDER BY digest, place")
            for digest, text in rows:
                found[digest] = (*found.get(digest, ()), text)
    except sqlite3.Error as error:
        raise Unavailable(f"{path} cannot be read: {error}") from None
    return found


class PrivateSqlite:
    """A `PrivateStore`. The file is made with mode 0600; SQLite serialises its writers."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        os.close(descriptor)
        self._lock = threading.RLock()
        self._engine = open_engine(path)
        event.listen(self._engine, "connect", _erase_thoroughly)
        with self._transaction() as connection:
            _schema.create_all(connection)
        self._scrub()

    def close(self) -> None:
        with self._lock:
            self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """One connection for all threads, so one at a time. Raises Unavailable where disk or file refuses."""
        with self._lock, self._translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        with translated(
            "the private store", retry="check disk space", mend="restore it from a backup"
        ):
            yield

    def save_disclosures(self, digest: str, texts: Sequence[str]) -> None:
        rows = [{"digest": digest, "place": n, "text": text} for n, text in enumerate(texts)]
        # Crash before the commit: nothing is there, and the statement that needs it is not in the log yet.
        with self._transaction() as connection:
            connection.execute(insert(_disclosures).on_conflict_do_nothing(), rows)

    def load_disclosures(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        query = select(_disclosures).order_by(_disclosures.c.digest, _disclosures.c.place)
        with self._transaction() as connection:
            for row in connection.execute(query):
                found[row.digest] = (*found.get(row.digest, ()), row.text)
        return found

    def erase_disclosures(self, digest: str) -> None:
        # Crash before the commit: they are still there, and whoever erases finds them and tries again.
        with self._transaction() as connection:
            found = connection.execute(delete(_disclosures).where(_disclosures.c.digest == digest))
            if found.rowcount:
                connection.execute(insert(_unscrubbed).on_conflict_do_nothing(), {"id": 1})
        # Crash here: the rows are gone, their bytes may not be; the next start scrubs them.
        self._scrub()

    def _scrub(self) -> None:
        """Rewrite the file where something was erased, and empty its write-ahead log.

        A deleted row's bytes are overwritten, but copies stay behind in pages that were rearranged earlier (measured:
        one in a thousand), and in the write-ahead log. Raises Unavailable where there is no room for the copy.
        """
        with self._transaction() as connection:
            if connection.execute(select(_unscrubbed.c.id)).first() is None:
                return
        with self._lock, self._translated(), self._engine.connect() as connection:
            raw = connection.connection.driver_connection
            if not isinstance(raw, sqlite3.Connection):
                raise Corrupt("the private store is not SQLite")
            raw.execute("VACUUM")
            self._empty_log(raw)
        # Crash here: scrubbed twice, which is harmless.
        with self._transaction() as connection:
            connection.execute(delete(_unscrubbed))

    @staticmethod
    def _empty_log(raw: sqlite3.Connection) -> None:
        busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise Unavailable(
                "somebody reads the private store, so erased bytes stay in its write-ahead log",
                remedy="end the other program; the next start scrubs it",
            )

    def save_paper(self, paper: Paper) -> None:
        # Crash before the commit: the sender got no answer and sends it again.
        with self._transaction() as connection:
            connection.execute(
                insert(_papers).on_conflict_do_nothing(), msgspec.structs.asdict(paper)
            )

    def save_all(self, disclosures: Mapping[str, Sequence[str]], papers: Sequence[Paper]) -> None:
        texts = [
            (digest, place, text)
            for digest, some in disclosures.items()
            for place, text in enumerate(some)
        ]
        rows = [(p.kind, p.digest, p.host, p.number, p.envelope) for p in papers]
        # Crash before the commit: none of them is there, and nobody was answered.
        with self._transaction() as connection:
            if texts:
                connection.exec_driver_sql(_ADD_TEXTS, texts)
            if rows:
                connection.exec_driver_sql(_ADD_PAPERS, rows)

    def load_papers(self, kind: PaperKind, host: str | None = None) -> list[Paper]:
        query = select(_papers).where(_papers.c.kind == kind)
        if host is not None:
            query = query.where(_papers.c.host == host)
        with self._transaction() as connection:
            rows = connection.execute(query.order_by(_papers.c.host, _papers.c.number)).all()
        return [
            Paper(kind=kind, host=r.host, number=r.number, digest=r.digest, envelope=r.envelope)
            for r in rows
        ]

    def find_paper(self, kind: PaperKind, digest: str) -> Paper | None:
        query = select(_papers).where(_papers.c.kind == kind, _papers.c.digest == digest)
        with self._transaction() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return Paper(
            kind=kind, host=row.host, number=row.number, digest=row.digest, envelope=row.envelope
        )


def _erase_thoroughly(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA secure_delete=ON")  # a deleted row's bytes become zeros
    connection.execute("PRAGMA temp_store=MEMORY")  # what VACUUM copies leaves no file behind
