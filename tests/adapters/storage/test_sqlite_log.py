from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from sekisho.adapters.storage import sqlite_claims
from sekisho.adapters.storage.log_schema import SCHEMA_VERSION
from sekisho.adapters.storage.sqlite_log import APPLICATION_ID, SqliteLogStore
from sekisho.ledger.tree import leaf_hash
from sekisho.model.errors import Corrupt, InvalidInput, StateConflict, Unavailable
from sekisho.ports.log_store import Recorded, Taken
from tests.ledger.logs import ORIGIN, submission


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database goes."""
    return tmp_path / "log.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteLogStore]:
    """A new database."""
    with SqliteLogStore(path, origin=ORIGIN) as store:
        yield store


def entry(index: int, name: str | None = None) -> Recorded:
    """A statement with a unique key, as entry `index`."""
    given = submission(name or f"statement {index}", f"serial {name or index}")
    return Recorded(
        index=index,
        leaf_hash=leaf_hash(given.envelope),
        envelope=given.envelope,
        payload_sha256=given.payload_sha256,
        unique=given.unique,
    )


def fill(store: SqliteLogStore, stop: int, group: int = 8) -> None:
    """Sequence numbered statements up to `stop`."""
    while (size := store.load_size()) < stop:
        store.sequence(size, [entry(index) for index in range(size, min(size + group, stop))])


def read(path: Path, query: str) -> list[tuple[object, ...]]:
    """Look into a database from outside."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    rows = connection.execute(query).fetchall()
    connection.close()
    return rows


def change(path: Path, *statements: str) -> None:
    """Do something to a database behind the store's back."""
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_commits_are_synced_in_full(store: SqliteLogStore) -> None:
    """SQLite itself says that it writes ahead and syncs every commit."""
    with store._transaction() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


def test_file_system_that_cannot_sync_as_asked_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the settings do not take, the store does not open."""
    monkeypatch.setattr("sekisho.adapters.storage.sqlite_log._FULL", 3)
    with pytest.raises(Corrupt, match="synchronous"):
        SqliteLogStore(path, origin=ORIGIN)


def test_file_says_whose_it_is(path: Path) -> None:
    """`file` and `sqlite3` can tell the database and its version without us."""
    SqliteLogStore(path, origin=ORIGIN).close()
    assert read(path, "PRAGMA application_id") == [(APPLICATION_ID,)]
    assert read(path, "PRAGMA user_version") == [(SCHEMA_VERSION,)]


def test_memory_is_bounded(store: SqliteLogStore) -> None:
    """The page cache and the journal have a size that does not grow with the log."""
    with store._transaction() as connection:
        assert connection.exec_driver_sql("PRAGMA cache_size").scalar_one() == -32768
        pages = connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar_one()
        size = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    assert pages * size == 64 << 20


def test_claims_move_to_disk_in_a_sweep(
    path: Path, store: SqliteLogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound the newest claims are filed, and no more are held than twice the bound."""
    monkeypatch.setattr(sqlite_claims, "KEEP", 100)
    fill(store, 1000)
    ((filed,),) = read(path, "SELECT count(*) FROM claims")
    ((claimed,),) = read(path, "SELECT claimed FROM head")
    held = len(store._claims._held)
    assert isinstance(filed, int)
    assert filed + held == 2000
    assert held <= 200
    assert isinstance(claimed, int)
    assert 1000 - claimed <= 200
    for index in (0, 499, 999):
        with pytest.raises(Taken):
            store.sequence(1000, [entry(1000, str(index))])


def test_claims_in_memory_are_read_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a stop in the middle of a sweep every claim holds, whether it was filed or not."""
    monkeypatch.setattr(sqlite_claims, "KEEP", 60)
    with SqliteLogStore(path, origin=ORIGIN) as store:
        fill(store, 333)
        assert store._claims._sweep
        held = dict(store._claims._held)
    with SqliteLogStore(path, origin=ORIGIN) as again:
        assert again._claims._held.items() >= held.items()
        assert len(again._claims._held) <= 120
        for index in range(333):
            with pytest.raises(Taken):
                again.sequence(333, [entry(333, f"statement {index}")])
        fill(again, 999)
        kept = dict(again._claims._held)
    filed = {key for (key,) in read(path, "SELECT key FROM claims")}
    assert len(filed | kept.keys()) == 2 * 999


def test_a_claim_that_was_filed_under_another_entry_stops_the_log(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a sweep finds filed already must be the same claim: a changed database is not gone on with."""
    monkeypatch.setattr(sqlite_claims, "KEEP", 60)
    with SqliteLogStore(path, origin=ORIGIN) as store:
        fill(store, 20)
        key = next(iter(store._claims._held))
    with sqlite3.connect(path) as raw:
        raw.execute("INSERT INTO claims VALUES (?, 7777)", (key,))
    raw.close()
    with SqliteLogStore(path, origin=ORIGIN) as store, pytest.raises(Corrupt):
        fill(store, 400)


def test_refused_group_leaves_the_claims_in_memory_alone(
    store: SqliteLogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a rolled back transaction claimed or filed is as it was before."""
    monkeypatch.setattr(sqlite_claims, "KEEP", 10)
    fill(store, 40)
    held = dict(store._claims._held)
    with pytest.raises(Taken):
        store.sequence(40, [entry(40), entry(41, "7")])
    with pytest.raises(StateConflict):
        store.sequence(39, [entry(39)])

    def take_and_stop(connection: Connection, taken: list[tuple[bytes, int]]) -> None:
        store._claims.take(connection, taken)
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(store, "_insert_claims", take_and_stop)
        with pytest.raises(KeyboardInterrupt):
            store.sequence(40, [entry(40)])
    assert store._claims._held == held
    fill(store, 80)
    assert set(store.find_recorded([submission("statement 40", "serial 40")]).unique) == {
        "serial 40"
    }


def test_commit_that_nobody_noted_still_counts(
    store: SqliteLogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that is stopped right after its commit leaves no gap in what is known to be taken."""

    def stop(_size: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(store._claims, "keep", stop)
        with pytest.raises(KeyboardInterrupt):
            store.sequence(0, [entry(0)])
    with pytest.raises(Taken):
        store.sequence(1, [entry(1, "statement 0")])
    store.sequence(1, [entry(1)])


def test_two_entries_with_one_key_are_corrupt(path: Path) -> None:
    """A database in which uniqueness does not hold is not opened."""
    with SqliteLogStore(path, origin=ORIGIN) as store:
        fill(store, 3)
    change(path, "UPDATE entries SET payload_sha256 = (SELECT payload_sha256 FROM entries LIMIT 1)")
    with pytest.raises(Corrupt, match="repeats"):
        SqliteLogStore(path, origin=ORIGIN)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM entries WHERE idx = 2",
        "UPDATE head SET entries = 2",
        "UPDATE head SET size = 4",
        "UPDATE head SET claimed = 4",
    ],
)
def test_counts_that_disagree_are_corrupt(path: Path, statement: str) -> None:
    """A head that tells of other entries than are there is not believed."""
    with SqliteLogStore(path, origin=ORIGIN) as store:
        fill(store, 3)
    change(path, statement)
    with pytest.raises(Corrupt, match="holds"):
        SqliteLogStore(path, origin=ORIGIN)


def test_one_process_holds_the_log(path: Path) -> None:
    """A second opening is refused while the first lives, and granted after."""
    with SqliteLogStore(path, origin=ORIGIN), pytest.raises(StateConflict):
        SqliteLogStore(path, origin=ORIGIN)
    SqliteLogStore(path, origin=ORIGIN).close()


def test_lock_goes_with_the_process(path: Path) -> None:
    """A process that died holds nothing."""
    script = (
        "import os, pathlib, sys\n"
        "from sekisho.adapters.storage.sqlite_log import SqliteLogStore\n"
        f"SqliteLogStore(pathlib.Path(sys.argv[1]), origin={ORIGIN!r})\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", script, os.fspath(path)], check=True)
    SqliteLogStore(path, origin=ORIGIN).close()


def test_newer_schema_is_refused(path: Path) -> None:
    """A database of a later version is not touched, and the message says which version wrote it."""
    SqliteLogStore(path, origin=ORIGIN).close()
    change(path, f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    with pytest.raises(InvalidInput, match=f"schema version {SCHEMA_VERSION + 1}"):
        SqliteLogStore(path, origin=ORIGIN)
    assert read(path, "PRAGMA user_version") == [(SCHEMA_VERSION + 1,)]


def test_database_of_another_program_is_refused(path: Path) -> None:
    """A database that is not ours is left as it is."""
    change(path, "CREATE TABLE t (x)", "PRAGMA application_id=7")
    with pytest.raises(InvalidInput, match="another program"):
        SqliteLogStore(path, origin=ORIGIN)
    assert read(path, "SELECT name FROM sqlite_schema") == [("t",)]


def test_database_of_another_log_is_refused(path: Path) -> None:
    """One database belongs to one origin for ever."""
    SqliteLogStore(path, origin=ORIGIN).close()
    with pytest.raises(InvalidInput, match="not of"):
        SqliteLogStore(path, origin="example.org/other")


def test_text_file_is_not_a_database(path: Path) -> None:
    """Anything else under the database's name is named as unreadable."""
    path.write_text("hello " * 1000)
    with pytest.raises(Corrupt, match="cannot be read"):
        SqliteLogStore(path, origin=ORIGIN)


def test_folder_in_the_way_is_unavailable(path: Path) -> None:
    """A name that cannot be opened as a file says so, with the name."""
    path.mkdir()
    with pytest.raises(Unavailable, match=r"log\.db"):
        SqliteLogStore(path, origin=ORIGIN)


def test_damaged_page_is_corrupt(path: Path) -> None:
    """What the disk gives back wrong stops the reading; nothing is guessed."""
    with SqliteLogStore(path, origin=ORIGIN) as store:
        fill(store, 200)
    with path.open("r+b") as file:
        file.seek(8192 * 3)
        file.write(b"\xff" * (path.stat().st_size - 8192 * 3))
    with pytest.raises(Corrupt), SqliteLogStore(path, origin=ORIGIN) as damaged:
        damaged.load_entries(0, 200)


def test_ten_thousand_entries_open_in_no_time(path: Path) -> None:
    """Opening reads the newest claims and not the log: the entries below `claimed` are not touched."""
    with SqliteLogStore(path, origin=ORIGIN) as store:
        fill(store, 10_000, 1000)
    change(path, "UPDATE head SET claimed = 10000", "UPDATE entries SET unique_keys = 'unread'")
    with SqliteLogStore(path, origin=ORIGIN) as again:
        assert again.load_size() == 10_000
