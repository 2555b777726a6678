"""One session with PostgreSQL: checked to be durable, the only writer of its log, and never waited for without end."""

from __future__ import annotations

import hashlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import dup
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import RowFactory, tuple_row

from sekisho.model.errors import InvalidInput, StateConflict, Unavailable

__all__ = ["Patience", "connect_session", "lock_number"]

CONNECT_S = 5
STATEMENT_S = 10
LOCK_MS = 2000
ANSWER_S = 15.0
"""When a server that answers nothing at all is given up: later than it would break a statement off itself."""

_SETTINGS = f"""
SET statement_timeout = '{STATEMENT_S}s';
SET lock_timeout = '{STATEMENT_S}s';
SET idle_in_transaction_session_timeout = '60s';
SET tcp_keepalives_idle = 10;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3;
SET client_encoding = 'UTF8'
"""
_MUST_BE_ON = ("fsync", "full_page_writes", "synchronous_commit")


class BinaryCursor(psycopg.Cursor[tuple[object, ...]]):
    """Rows as they are on the wire: envelopes in hexadecimal digits take twice the bytes and the time."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        *,
        row_factory: RowFactory[tuple[object, ...]] | None = None,
    ) -> None:
        super().__init__(connection, row_factory=row_factory or tuple_row)
        self.format = psycopg.pq.Format.BINARY


def connect_session(
    url: str, origin: str, *, what: str = "log"
) -> psycopg.Connection[tuple[object, ...]]:
    """A connection that holds the lock of a log, or of `what` else has one writer, for as long as it lives.

    `url` is what libpq takes: an address or `name=value` pairs; the password may stand in it, in the file that
    PGPASSFILE names, or in a service. Raises Unavailable where the server does not answer or does not let us
    in, InvalidInput where it would lose acknowledged commits, StateConflict where another process holds the lock.
    """
    _check_url(url)
    try:
        connection = psycopg.connect(
            url,
            connect_timeout=CONNECT_S,
            application_name=f"sekisho {what}",
            tcp_user_timeout=10_000,
        )
    except psycopg.Error as error:
        raise Unavailable(
            f"no connection to the {what}'s database: {first_line(error)}",
            remedy="check that PostgreSQL runs and lets this account in",
        ) from None
    try:
        connection.autocommit = True
        _check_durable(connection)
        _take_lock(connection, origin, what)
        connection.execute(_SETTINGS)
        connection.autocommit = False
        connection.cursor_factory = BinaryCursor
    except psycopg.Error as error:
        connection.close()
        raise Unavailable(f"the {what}'s database refuses: {first_line(error)}") from None
    except BaseException:
        connection.close()
        raise
    return connection


def first_line(error: BaseException) -> str:
    """What a person needs of libpq's words; the lines after it may hold values of the rows."""
    return str(error).strip().split("\n", 1)[0] or type(error).__name__


def _check_url(url: str) -> None:
    """Refuse what libpq cannot read, without a word of it: it may hold a password.

    One with a bare / or @ in its password is read too, but its parts end up where errors show them.
    """
    try:
        parts = {name: str(value) for name, value in conninfo_to_dict(url).items()}
        shown = [parts.get("host", ""), parts.get("dbname", ""), parts.get("user", "")]
        is_sound = re.fullmatch(r"[\d,]*", parts.get("port", "")) and "@" not in "".join(shown)
    except psycopg.Error:
        is_sound = None
    if not is_sound:
        raise InvalidInput(
            "not an address of a PostgreSQL database",
            path="database",
            remedy="write it as postgresql://user@host:5432/name, with %40, %2F and %3A for @, / and : in names",
        )


def _check_durable(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    for name in _MUST_BE_ON:
        row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
        if row is None or row[0] == "off":
            raise InvalidInput(
                f"PostgreSQL runs with {name} = off, which loses acknowledged entries in a power cut",
                path="database",
                remedy=f"set {name} = on in postgresql.conf (or for the role), then reload the server",
            )


def _take_lock(connection: psycopg.Connection[tuple[object, ...]], origin: str, what: str) -> None:
    """Waits a moment: after a killed process its session still finishes what it was at."""
    connection.execute(f"SET lock_timeout = '{LOCK_MS}ms'".encode())
    try:
        connection.execute("SELECT pg_advisory_lock(%s)", (lock_number(origin, what),))
    except psycopg.errors.LockNotAvailable:
        raise StateConflict(
            f"another process writes the {what} {origin}",
            remedy=f"stop it first, a {what} has one writer; after a broken connection wait until the "
            "server has noticed",
        ) from None


def lock_number(origin: str, what: str) -> int:
    """The number of the lock that a log's writer holds, or that of `what` else there is one of."""
    digest = hashlib.sha256(f"sekisho {what} {origin}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


class Patience:
    """Ends the connection of whoever waits for a server that answers nothing, not even that it gave up.

    Timeouts of statements are the server's own; one that is stopped, or unreachable without a word, keeps
    none. One thread looks after one session.
    """

    def __init__(self, answer_s: float = ANSWER_S) -> None:
        self._answer_s = answer_s
        self._until: float | None = None
        self._wire: socket.socket | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="log database", daemon=True)
        self._thread.start()

    def watch(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        """Look after this connection from now on, through a descriptor of our own."""
        old, self._wire = self._wire, socket.socket(fileno=dup(connection.fileno()))
        if old is not None:
            old.close()

    @contextmanager
    def waiting(self, answer_s: float | None = None) -> Iterator[None]:
        """Somebody waits for the server, for at most `answer_s` seconds."""
        self._until = time.monotonic() + (answer_s or self._answer_s)
        try:
            yield
        finally:
            self._until = None

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        if self._wire is not None:
            self._wire.close()

    def _look(self) -> None:
        while not self._ended.wait(min(1.0, self._answer_s / 4)):
            # In this order: a wire that was exchanged in between is the old one, and ending it harms nobody.
            wire, until = self._wire, self._until
            if until is not None and time.monotonic() > until and wire is not None:
                with suppress(OSError):
                    # Whoever reads from it meets its end, and gives the connection up.
                    wire.shutdown(socket.SHUT_RDWR)
