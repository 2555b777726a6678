"""Databases as release 0.1 left them, written without any of today's code."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sekisho.ledger.tree import EMPTY_ROOT, Frontier, leaf_hash
from tests.ledger.logs import ORIGIN, submission

__all__ = ["COUNT", "ROOT", "entries_of_old_log", "make_old_log"]

COUNT = 1100
"""More than one step of the migration."""

_SCHEMA = """
CREATE TABLE log (id INTEGER NOT NULL, origin VARCHAR NOT NULL, PRIMARY KEY (id));
CREATE TABLE queue (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, envelope BLOB NOT NULL,
    payload_sha256 BLOB NOT NULL, unique_keys VARCHAR NOT NULL
);
CREATE TABLE entries (
    idx INTEGER NOT NULL, leaf_hash BLOB NOT NULL, envelope BLOB NOT NULL, payload_sha256 BLOB,
    PRIMARY KEY (idx), UNIQUE (payload_sha256)
);
CREATE TABLE unique_keys (name VARCHAR NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (name));
CREATE TABLE head (id INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, PRIMARY KEY (id));
CREATE TABLE cosigned (
    id INTEGER NOT NULL, size INTEGER NOT NULL, note BLOB NOT NULL, PRIMARY KEY (id)
);
PRAGMA application_id = 1397050161;
PRAGMA user_version = 1;
"""


def entries_of_old_log(count: int = COUNT) -> list[tuple[int, bytes, bytes, bytes | None]]:
    """Its rows: every tenth is a time mark, every other has unique keys."""
    rows: list[tuple[int, bytes, bytes, bytes | None]] = []
    for index in range(count):
        given = submission(f"old {index}")
        payload = None if index % 10 == 0 else given.payload_sha256
        rows.append((index, leaf_hash(given.envelope), given.envelope, payload))
    return rows


def _root() -> bytes:
    frontier = Frontier()
    frontier.extend(row[1] for row in entries_of_old_log())
    return frontier.root()


ROOT = _root()


def make_old_log(path: Path, *, waiting: int = 0, count: int = COUNT) -> None:
    """A database of release 0.1 with `count` entries and `waiting` rows in its queue."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.executescript(_SCHEMA)
    rows = entries_of_old_log(count)
    connection.execute("INSERT INTO log VALUES (1, ?)", (ORIGIN,))
    connection.execute("INSERT INTO head VALUES (1, ?, ?)", (count, ROOT if count else EMPTY_ROOT))
    connection.execute("INSERT INTO cosigned VALUES (1, ?, ?)", (count, b"note"))
    connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?)", rows)
    keys = [(f"{kind} {i}", i) for i in range(count) if i % 2 for kind in ("serial", "größe")]
    connection.executemany("INSERT INTO unique_keys VALUES (?, ?)", keys)
    queued = [(b"envelope", bytes([n]) * 32, "[]") for n in range(waiting)]
    connection.executemany(
        "INSERT INTO queue (envelope, payload_sha256, unique_keys) VALUES (?, ?, ?)", queued
    )
    connection.commit()
    connection.close()
