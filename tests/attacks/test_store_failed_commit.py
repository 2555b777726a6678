"""A disk that refuses a commit must not make the log forget what is taken, nor remember what was not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.adapters.storage import sqlite_claims
from sekisho.adapters.storage.sqlite_log import SqliteLogStore
from sekisho.ledger.tree import leaf_hash
from sekisho.model.errors import Unavailable
from sekisho.ports.log_store import Recorded, Taken
from tests.ledger.logs import ORIGIN, submission


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database lies."""
    return tmp_path / "log.db"


@pytest.fixture
def store(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteLogStore]:
    """A database of 40 statements that files its claims early."""
    monkeypatch.setattr(sqlite_claims, "KEEP", 10)
    with SqliteLogStore(path, origin=ORIGIN) as store:
        for first in range(0, 40, 8):
            store.sequence(first, [statement(index) for index in range(first, first + 8)])
        yield store


def statement(index: int, name: str | None = None) -> Recorded:
    """A statement with a unique key, as entry `index`."""
    given = submission(name or f"statement {index}", f"serial {name or index}")
    return Recorded(
        index=index,
        leaf_hash=leaf_hash(given.envelope),
        envelope=given.envelope,
        payload_sha256=given.payload_sha256,
        unique=given.unique,
    )


def mark(index: int) -> Recorded:
    """A time mark: it takes nothing."""
    return Recorded(index=index, leaf_hash=leaf_hash(b"mark"), envelope=b"mark")


def refuse_next_commit(store: SqliteLogStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What SQLite does at a full disk: it rolls the whole transaction back, and says so."""
    dialect = store._engine.dialect
    sound = dialect.do_commit

    def refuse(connection: sqlite3.Connection) -> None:
        monkeypatch.setattr(dialect, "do_commit", sound)
        connection.rollback()
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(dialect, "do_commit", refuse)


def lose_a_group(store: SqliteLogStore, first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group whose commit fails, and then a time mark in its place, which is small enough for the disk."""
    refuse_next_commit(store, monkeypatch)
    with pytest.raises(Unavailable):
        store.sequence(first, [statement(first, "lost"), statement(first + 1, "lost too")])
    assert store.load_size() == first
    store.sequence(first, [mark(first)])


def test_statement_whose_commit_failed_is_taken_when_it_comes_again(
    store: SqliteLogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What never came into the log is not said to stand there, under the index of another entry."""
    lose_a_group(store, 40, monkeypatch)
    found = store.find_recorded([submission("lost", "serial lost")])
    assert (found.payloads, found.unique) == ({}, {})
    store.sequence(41, [statement(41, "lost")])


def test_no_key_is_taken_twice_after_a_failed_commit(
    path: Path, store: SqliteLogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claims that the failed transaction was to file still hold, now and after the next start."""
    lose_a_group(store, 40, monkeypatch)
    for index in range(40):
        with pytest.raises(Taken):
            store.sequence(41, [statement(41, str(index))])
    for first in range(41, 121, 8):
        store.sequence(first, [statement(index) for index in range(first, first + 8)])
    store.close()
    with SqliteLogStore(path, origin=ORIGIN) as again:
        for index in [*range(40), *range(41, 121)]:
            with pytest.raises(Taken):
                again.sequence(121, [statement(121, str(index))])


def test_a_commit_that_leaves_its_transaction_open_stops_nothing(
    store: SqliteLogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a refused commit did not roll back, the next call begins with none open, and nothing of it stands."""
    dialect = store._engine.dialect
    sound = dialect.do_commit

    def refuse(_: sqlite3.Connection) -> None:
        monkeypatch.setattr(dialect, "do_commit", sound)
        error = sqlite3.OperationalError("database is busy")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error

    monkeypatch.setattr(dialect, "do_commit", refuse)
    with pytest.raises(Unavailable):
        store.sequence(40, [statement(40, "lost")])
    assert store.load_size() == 40
    store.sequence(40, [statement(40, "lost")])
    assert store.load_size() == 41
