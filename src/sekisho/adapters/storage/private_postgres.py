"""The private store in a PostgreSQL database, for a control plane with a standby on another machine.

A schema of its own beside the log's tables, one session that writes, every commit synced. Whoever may read the
database reads what the log conceals: it is asked for, never assumed. Erased rows leave their file (VACUUM FULL); the
server's own write-ahead log, replicas and backups are its administrator's.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

import psycopg

from sekisho.adapters.storage.postgres_session import (
    STATEMENT_S,
    Patience,
    connect_session,
    first_line,
)
from sekisho.model.errors import Unavailable
from sekisho.ports.private_store import Paper, PaperKind

__all__ = ["WHAT", "PrivatePostgres"]

WHAT: Final = "private store"
"""What the session is called in the lock that it holds."""
_STEP: Final = 1_000
_LONG_S: Final = 3_600.0
_SCHEMA: Final = (
    "CREATE SCHEMA IF NOT EXISTS private",
    """CREATE TABLE IF NOT EXISTS private.disclosures (
        digest text NOT NULL, place integer NOT NULL, text text NOT NULL,
        PRIMARY KEY (digest, place))""",
    """CREATE TABLE IF NOT EXISTS private.papers (
        kind text NOT NULL, digest text NOT NULL, host text NOT NULL, number bigint NOT NULL,
        envelope bytea NOT NULL, PRIMARY KEY (kind, digest))""",
)
_ADD_TEXT: Final = "INSERT INTO private.disclosures VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
_ADD_PAPER: Final = "INSERT INTO private.papers VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
_Raw = psycopg.Connection[tuple[object, ...]]


class PrivatePostgres:
    """Writes and whole readings of that schema; single readings are the local store's.

    Raises what `connect_session` raises. After a lost connection the call under way raises Unavailable, and the next
    one connects again, unless another process became the writer (StateConflict).
    """

    def __init__(self, url: str, *, origin: str) -> None:
        self._url = url
        self._origin = origin
        self._lock = threading.RLock()
        self._held: _Raw | None = None
        self._patience = Patience()
        try:
            with self._session() as session:
                for statement in _SCHEMA:
                    session.execute(statement.encode())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        with self._lock:
            self._drop()
            self._patience.close()

    def save_all(self, disclosures: Mapping[str, Sequence[str]], papers: Sequence[Paper]) -> None:
        """All of them or none, durable when it returns."""
        texts = [(d, n, text) for d, some in disclosures.items() for n, text in enumerate(some)]
        rows = [(p.kind, p.digest, p.host, p.number, p.envelope) for p in papers]
        # Crash before the commit: none of them is there, and nobody was answered.
        with self._session() as session, session.cursor() as cursor:
            if texts:
                cursor.executemany(_ADD_TEXT, texts)
            if rows:
                cursor.executemany(_ADD_PAPER, rows)

    def erase_disclosures(self, digest: str) -> None:
        """Crash between the two: the row is gone, and its bytes stay in the table's file until the next erasure."""
        with self._session() as session:
            session.execute("DELETE FROM private.disclosures WHERE digest = %s", (digest,))
        with self._session(_LONG_S) as session:
            session.autocommit = True  # VACUUM is no part of a transaction
            session.execute("SET statement_timeout = 0")
            session.execute("VACUUM FULL private.disclosures")
            session.execute(f"SET statement_timeout = '{STATEMENT_S}s'".encode())
            session.autocommit = False

    def texts(self) -> Iterator[tuple[str, int, str]]:
        """Every disclosure: digest, place, text."""
        query = "SELECT digest, place, text FROM private.disclosures ORDER BY digest, place"
        yield from cast("Iterator[tuple[str, int, str]]", self._rows(query))

    def papers(self) -> Iterator[Paper]:
        query = "SELECT kind, digest, host, number, envelope FROM private.papers"
        for kind, digest, host, number, envelope in self._rows(query):
            yield Paper(
                kind=cast("PaperKind", kind),
                host=str(host),
                number=int(cast("int", number)),
                digest=str(digest),
                envelope=bytes(cast("bytes", envelope)),
            )

    def _rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        """In steps, so that no more than a step lies in memory at the driver's."""
        with self._session(_LONG_S) as session, session.cursor(name="whole") as cursor:
            cursor.itersize = _STEP
            cursor.execute(query.encode())
            yield from cursor

    @contextmanager
    def _session(self, answer_s: float | None = None) -> Iterator[_Raw]:
        """One transaction of the one session."""
        with self._lock, self._patience.waiting(answer_s):
            if self._held is None:
                self._held = connect_session(self._url, self._origin, what=WHAT)
                self._patience.watch(self._held)
            try:
                yield self._held
                self._held.commit()
            except psycopg.Error as error:
                self._drop()
                raise Unavailable(
                    f"the private store's database refuses: {first_line(error)}",
                    remedy="check the server, its disk space and the role's rights, then try again",
                ) from None
            except BaseException:
                self._drop()
                raise

    def _drop(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None
