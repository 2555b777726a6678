"""Who writes a log in PostgreSQL, by the server's own word, and ending the sessions of one that does nothing.

A writer asks its session every second whether it still holds the lock. One that asked nothing for long is stopped, cut
off or hanging; the server ends its sessions, and it learns at its next word that it is fenced off.
"""

from __future__ import annotations

from typing import Final

import psycopg

from sekisho.adapters.storage.postgres_session import CONNECT_S, first_line, lock_number
from sekisho.adapters.storage.private_postgres import WHAT
from sekisho.model.errors import Unavailable

__all__ = ["end_silent_writer"]

_HOLDERS: Final = """
SELECT a.pid, extract(epoch FROM clock_timestamp() - greatest(a.state_change, a.query_start))::float8
FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND a.datname = current_database()
  AND (l.classid::bigint, l.objid::bigint) = (%s, %s)
"""
_HALF: Final = 0xFFFFFFFF


def end_silent_writer(url: str, origin: str, silent_s: float) -> int | None:
    """End the sessions of a log's writer where it has asked nothing for so long; its process id at the server, or None.

    Its register's and its private store's sessions go with the log's. Raises Unavailable where the server does not
    answer, or does not let this role end them.
    """
    try:
        with psycopg.connect(
            url, connect_timeout=CONNECT_S, application_name="sekisho standby", autocommit=True
        ) as connection:
            writer = _holder(connection, origin, "log")
            if writer is None or writer[1] < silent_s:
                return None
            others = (
                _holder(connection, "of this database", "register"),
                _holder(connection, origin, WHAT),
            )
            for held in (writer, *others):
                if held is not None:
                    connection.execute("SELECT pg_terminate_backend(%s)", (held[0],))
            return writer[0]
    except psycopg.Error as error:
        raise Unavailable(f"the log's database refuses: {first_line(error)}") from None


def _holder(
    connection: psycopg.Connection[tuple[object, ...]], origin: str, what: str
) -> tuple[int, float] | None:
    """The session that holds a lock, and for how many seconds it has been silent."""
    number = lock_number(origin, what) & ((1 << 64) - 1)
    row = connection.execute(_HOLDERS.encode(), (number >> 32, number & _HALF)).fetchone()
    if row is None or not isinstance(row[0], int) or not isinstance(row[1], float):
        return None
    return row[0], row[1]
