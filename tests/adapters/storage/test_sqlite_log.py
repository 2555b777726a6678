from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.adapters.storage.sqlite_log import SCHEMA_VERSION, SqliteLogStore
from sekisho.ledger.tree import EMPTY_ROOT, leaf_hash
from sekisho.model.errors import Corrupt, InvalidInput, StateConflict
from sekisho.ports.log_store import Batch, Recorded, TreeHead
from tests.ledger.logs import ORIGIN, submission

EMPTY = TreeHead(size=0, root=EMPTY_ROOT)
ONE = TreeHead(size=1, root=bytes(32))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteLogStore]:
    """A new database."""
    with SqliteLogStore(tmp_path / "log.db", origin=ORIGIN) as store:
        yield store


def batch(*names: str, old: TreeHead = EMPTY, numbers: tuple[int, ...] = ()) -> Batch:
    """A batch that records the named statements after `old`."""
    entries = []
    for offset, name in enumerate(names):
        given = submission(name, f"serial {name}")
        entries.append(
            Recorded(
                index=old.size + offset,
                leaf_hash=leaf_hash(given.envelope),
                envelope=given.envelope,
                payload_sha256=given.payload_sha256,
                unique=given.unique,
            )
        )
    new = TreeHead(size=old.size + len(names), root=len(names).to_bytes(32, "big"))
    return Batch(old=old, new=new, entries=tuple(entries), numbers=numbers)


def test_commits_are_synced_in_full(store: SqliteLogStore) -> None:
    """SQLite itself says that it writes ahead and syncs every commit."""
    with store._transaction() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


def test_file_system_that_cannot_sync_as_asked_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the settings do not take, the store does not open."""
    monkeypatch.setattr("sekisho.adapters.storage.sqlite_log._FULL", 3)
    with pytest.raises(Corrupt, match="synchronous"):
        SqliteLogStore(tmp_path / "log.db", origin=ORIGIN)


def test_queue_keeps_order_and_content(store: SqliteLogStore) -> None:
    """What was accepted waits in order, with its unique keys, up to the limit asked for."""
    given = [submission(name, f"serial {name}", "schlüssel") for name in "abc"]
    numbers = store.accept(given)
    queued = store.load_queued(10)
    assert [(row.number, row.submission) for row in queued] == list(
        zip(numbers, given, strict=True)
    )
    assert len(store.load_queued(2)) == 2
    store.settle(numbers[:1])
    assert [row.number for row in store.load_queued(10)] == numbers[1:]


def test_queue_numbers_are_never_used_again(store: SqliteLogStore) -> None:
    """A settled row's number does not come back, even when the queue was empty."""
    first = store.accept([submission("a")])
    store.settle(first)
    assert store.accept([submission("b")])[0] > first[0]


def test_batch_is_found_by_payload_and_key(store: SqliteLogStore) -> None:
    """Committed entries are found again, and settle their queue rows."""
    numbers = store.accept([submission("a")])
    store.commit_batch(batch("a", "b", numbers=tuple(numbers)))
    found = store.find_recorded([submission("a"), submission("x", "serial b")])
    place = (0, leaf_hash(submission("a").envelope))
    assert found.payloads == {submission("a").payload_sha256: place}
    assert found.unique == {"serial b": (1, leaf_hash(submission("b").envelope))}
    assert store.load_queued(10) == []
    assert [entry.index for entry in store.load_entries(1, 9)] == [1]
    assert store.load_head().size == 2


def test_many_rows_are_looked_up_at_once(store: SqliteLogStore) -> None:
    """A look-up of more rows than SQLite binds in one statement gives them all."""
    names = [str(number) for number in range(1200)]
    store.commit_batch(batch(*names))
    found = store.find_recorded([submission(name, f"serial {name}") for name in names])
    assert (len(found.payloads), len(found.unique)) == (1200, 1200)


def test_swap_from_another_head_changes_nothing(store: SqliteLogStore) -> None:
    """The compare-and-swap takes the size and the root into account."""
    store.commit_batch(batch("a"))
    for wrong in (EMPTY, ONE):
        with pytest.raises(StateConflict):
            store.commit_batch(batch("b", old=wrong))
    assert [entry.index for entry in store.load_entries(0, 9)] == [0]


def test_batch_that_repeats_a_key_is_corrupt_and_changes_nothing(store: SqliteLogStore) -> None:
    """The database itself holds uniqueness, whatever the sequencer believes."""
    store.commit_batch(batch("a"))
    with pytest.raises(Corrupt):
        store.commit_batch(batch("a", old=store.load_head()))
    assert store.load_head().size == 1


def test_cosigned_checkpoint_never_steps_back(store: SqliteLogStore) -> None:
    """The newest cosigned checkpoint is kept; a smaller one is refused."""
    assert store.load_cosigned() is None
    for size, note in ((3, b"three"), (3, b"three again"), (5, b"five")):
        store.save_cosigned(size, note)
        assert store.load_cosigned() == (size, note)
    with pytest.raises(StateConflict):
        store.save_cosigned(4, b"four")


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    """Queue, entries, head and checkpoint are there again when the file is opened anew."""
    with SqliteLogStore(tmp_path / "log.db", origin=ORIGIN) as store:
        store.commit_batch(batch("a"))
        store.save_cosigned(1, b"note")
        store.accept([submission("b")])
        head = store.load_head()
    with SqliteLogStore(tmp_path / "log.db", origin=ORIGIN) as store:
        assert (store.load_head(), store.load_cosigned()) == (head, (1, b"note"))
        assert [row.submission for row in store.load_queued(9)] == [submission("b")]


def test_one_process_holds_the_log(tmp_path: Path) -> None:
    """A second opening is refused while the first lives, and granted after."""
    with SqliteLogStore(tmp_path / "log.db", origin=ORIGIN), pytest.raises(StateConflict):
        SqliteLogStore(tmp_path / "log.db", origin=ORIGIN)
    SqliteLogStore(tmp_path / "log.db", origin=ORIGIN).close()


def test_lock_goes_with_the_process(tmp_path: Path) -> None:
    """A process that died holds nothing."""
    script = (
        "import os, pathlib, sys\n"
        "from sekisho.adapters.storage.sqlite_log import SqliteLogStore\n"
        f"SqliteLogStore(pathlib.Path(sys.argv[1]), origin={ORIGIN!r})\n"
        "os._exit(0)\n"
    )
    path = tmp_path / "log.db"
    subprocess.run([sys.executable, "-c", script, os.fspath(path)], check=True)
    SqliteLogStore(path, origin=ORIGIN).close()


def change(path: Path, *statements: str) -> None:
    """Do something to a database behind the store's back."""
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_newer_schema_is_refused(tmp_path: Path) -> None:
    """A database of a later version is not touched, and the message says which version wrote it."""
    path = tmp_path / "log.db"
    SqliteLogStore(path, origin=ORIGIN).close()
    change(path, f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    with pytest.raises(InvalidInput, match=f"schema version {SCHEMA_VERSION + 1}"):
        SqliteLogStore(path, origin=ORIGIN)


def test_database_of_another_program_is_refused(tmp_path: Path) -> None:
    """A database that is not ours is left as it is."""
    path = tmp_path / "log.db"
    change(path, "CREATE TABLE t (x)", "PRAGMA application_id=7")
    with pytest.raises(InvalidInput, match="another program"):
        SqliteLogStore(path, origin=ORIGIN)


def test_database_of_another_log_is_refused(tmp_path: Path) -> None:
    """One database belongs to one origin for ever."""
    path = tmp_path / "log.db"
    SqliteLogStore(path, origin=ORIGIN).close()
    with pytest.raises(InvalidInput, match="not of"):
        SqliteLogStore(path, origin="example.org/other")


def test_text_file_is_not_a_database(tmp_path: Path) -> None:
    """Anything else under the database's name is named as unreadable."""
    (tmp_path / "log.db").write_text("hello " * 1000)
    with pytest.raises(Corrupt, match="cannot be read"):
        SqliteLogStore(tmp_path / "log.db", origin=ORIGIN)


def test_threads_share_the_store(store: SqliteLogStore) -> None:
    """Rows accepted from many threads are all there, each once."""

    def accept(name: str) -> None:
        store.accept([submission(name)])

    threads = [threading.Thread(target=accept, args=(str(number),)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    digests = {row.submission.payload_sha256 for row in store.load_queued(100)}
    assert digests == {submission(str(number)).payload_sha256 for number in range(16)}
