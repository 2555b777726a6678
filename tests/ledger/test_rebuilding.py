"""After the loss of the database: no fork, and the way back from the published files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from sekisho.adapters.storage.postgres_log import PostgresLogStore
from sekisho.adapters.storage.sqlite_log import SqliteLogStore
from sekisho.ledger import LogReader
from sekisho.ledger.policy import Cosigned
from sekisho.ledger.rebuilding import STEP, rebuild_store
from sekisho.ledger.sequencer import Appended, Conflicted, RolledBack
from sekisho.ledger.tiles import DamagedTile
from sekisho.model.errors import Corrupt, StateConflict
from sekisho.ports.log_store import LogStore, TreeHead
from sekisho.ports.tile_store import NotStored
from tests.ledger.logs import (
    LOG,
    ORIGIN,
    W1,
    W2,
    MemoryTiles,
    RunningLog,
    is_mark,
    policy,
    signed,
    submission,
    tiled,
)
from tests.ledger.memory_store import MemoryLogStore

COUNT = 2 * STEP + 300
MakeStore = Callable[[], LogStore]


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeStore]:
    """Makes an empty database; made again, the one before is lost."""
    opened: list[SqliteLogStore | PostgresLogStore] = []

    def make() -> LogStore:
        if request.param == "memory":
            return MemoryLogStore()
        if request.param == "sqlite":
            opened.append(SqliteLogStore(tmp_path / f"{len(opened)}.db", origin=ORIGIN))
        else:
            server = request.getfixturevalue("postgres_server")
            server.drop(f"rebuilt_{len(opened)}")
            url = server.create(f"rebuilt_{len(opened)}")
            opened.append(PostgresLogStore(url, origin=ORIGIN))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


def keys_of(entry: bytes) -> tuple[bytes | None, Sequence[str]]:
    """What the tests' entries claim, as operations read it from real ones."""
    if is_mark(entry):
        return None, ()
    name = entry.removeprefix(b"envelope of ").decode()
    return submission(name).payload_sha256, (f"serial {name}",)


def named(*names: object) -> list[bytes]:
    """Entries as the log holds them."""
    return [submission(str(name)).envelope for name in names]


def published(tiles: MemoryTiles) -> Cosigned:
    """The published checkpoint, verified."""
    return LogReader(tiles).load_checkpoint(policy())


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """A published log of numbered statements."""
    return tiled(named(*range(COUNT)), (LOG, W1, W2)).files


@pytest.fixture
def tiles(files: dict[str, bytes]) -> MemoryTiles:
    return MemoryTiles(dict(files))


def test_database_comes_back_from_the_published_files(
    make_store: MakeStore, tiles: MemoryTiles
) -> None:
    """Entries, claims, head and checkpoint are those of the published log, and appending goes on behind them."""
    store, told = make_store(), list[tuple[int, int]]()
    cosigned = published(tiles)
    head = rebuild_store(store, tiles, cosigned, keys_of, lambda *step: told.append(step))
    assert head == store.load_head() == TreeHead(size=COUNT, root=cosigned.checkpoint.root)
    assert [e.envelope for e in store.load_entries(0, COUNT + 1)] == named(*range(COUNT))
    assert store.load_cosigned() == (COUNT, cosigned.note.to_bytes())
    assert told == [(STEP, COUNT), (2 * STEP, COUNT), (COUNT, COUNT)]
    log = RunningLog(store, tiles)
    log.sequencer.recover()
    known, taken, new = log.sequencer.append(
        [submission("7", "serial 7"), submission("x", "serial 9"), submission("new")]
    )
    assert known == Appended(index=7, leaf_hash=store.load_entries(7, 8)[0].leaf_hash, fresh=False)
    assert taken == Conflicted(unique="serial 9", index=9)
    assert isinstance(new, Appended)
    assert new.index == COUNT + 1  # behind a time mark
    assert log.entries()[:COUNT] == named(*range(COUNT))


def test_lost_database_refuses_to_fork_and_comes_back(make_store: MakeStore) -> None:
    """An empty database beside published tiles stops the start before anything is written; rebuilt, it goes on."""
    tiles = MemoryTiles()
    log = RunningLog(make_store(), tiles)
    log.sequencer.recover()
    log.sequencer.append([submission(name, f"serial {name}") for name in "abc"])
    log.publisher(log.witnesses()).publish()
    before = dict(tiles.files)
    lost = make_store()
    with pytest.raises(RolledBack, match="rebuild"):
        RunningLog(lost, tiles).sequencer.recover()
    assert (tiles.files, lost.load_size()) == (before, 0)
    rebuild_store(lost, tiles, published(tiles), keys_of)
    again = RunningLog(lost, tiles)
    again.memories = log.memories
    again.sequencer.recover()
    assert again.sequencer.append_one(submission("a", "serial a")).index == 1
    again.sequencer.append_one(submission("d"))
    again.publisher(again.witnesses()).publish()  # the witnesses find it to be the same log


def test_older_backup_refuses_to_fork_and_is_caught_up(
    tmp_path: Path,
) -> None:
    """A database from before the newest checkpoint does not append; it is filled with what is published since."""
    tiles, path = MemoryTiles(), tmp_path / "log.db"
    with SqliteLogStore(path, origin=ORIGIN) as store:
        log = RunningLog(store, tiles)
        log.sequencer.recover()
        log.sequencer.append([submission("a", "serial a")])
        log.sequencer.integrate()
        log.sequencer.append([submission("b", "serial b")])
    shutil.copy(path, tmp_path / "backup.db")
    with SqliteLogStore(path, origin=ORIGIN) as store:
        log = RunningLog(store, tiles)
        log.sequencer.recover()
        log.sequencer.append([submission("c", "serial c")])
        log.publisher(log.witnesses()).publish()
        entries = log.entries()
    with SqliteLogStore(tmp_path / "backup.db", origin=ORIGIN) as old:
        with pytest.raises(RolledBack, match="rebuild"):
            RunningLog(old, tiles).sequencer.recover()
        rebuild_store(old, tiles, published(tiles), keys_of)
        again = RunningLog(old, tiles)
        again.sequencer.recover()
        assert again.entries() == entries
        assert again.sequencer.append_one(submission("c", "serial c")).fresh is False


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("nth", range(5))
def test_rebuilding_that_was_broken_off_goes_on(
    tiles: MemoryTiles, nth: int, applied: bool
) -> None:
    """Stopped before or after any of its steps, it is called again and ends at the same database."""
    steps: list[str] = []

    def stop(name: str, is_applied: bool) -> None:
        if is_applied is applied:
            steps.append(name)
            if len(steps) == nth + 1:
                raise KeyboardInterrupt

    store, cosigned = MemoryLogStore(stop), published(tiles)
    with pytest.raises(KeyboardInterrupt):
        rebuild_store(store, tiles, cosigned, keys_of)
    again = store.after_restart()
    rebuild_store(again, tiles, cosigned, keys_of)
    whole = MemoryLogStore()
    rebuild_store(whole, tiles, cosigned, keys_of)
    assert again._rows == whole._rows
    assert steps == ["sequence", "sequence", "sequence", "swap_head", "save_cosigned"][: nth + 1]


def test_rebuilding_twice_changes_nothing(make_store: MakeStore, tiles: MemoryTiles) -> None:
    """Over a database that has it all the second call finds nothing to do."""
    store = make_store()
    first = rebuild_store(store, tiles, published(tiles), keys_of)
    assert rebuild_store(store, tiles, published(tiles), keys_of) == first
    assert store.load_size() == COUNT


def test_damaged_entry_is_not_taken(make_store: MakeStore, tiles: MemoryTiles) -> None:
    """A bundle that was changed stops the rebuilding at it; nothing of it is stored, and a good copy goes on."""
    cosigned, path = published(tiles), "tile/entries/005"
    good = tiles.files[path]
    tiles.files[path] = good.replace(b"1300", b"1301", 1)
    store = make_store()
    with pytest.raises(DamagedTile, match="entries/005"):
        rebuild_store(store, tiles, cosigned, keys_of)
    assert store.load_size() == STEP
    assert store.load_head().size == 0
    tiles.files[path] = good
    assert rebuild_store(store, tiles, cosigned, keys_of).size == COUNT


def test_missing_file_is_named(tiles: MemoryTiles) -> None:
    """What is not there cannot be rebuilt; the error says which file to fetch."""
    del tiles.files["tile/entries/003"]
    with pytest.raises(NotStored, match="entries/003"):
        rebuild_store(MemoryLogStore(), tiles, published(tiles), keys_of)


def test_checkpoint_of_another_tree_is_refused(tiles: MemoryTiles) -> None:
    """A checkpoint whose root the files do not give is refused before anything is stored."""
    note = signed(COUNT, bytes(32), (LOG, W1, W2))
    store = MemoryLogStore()
    with pytest.raises(DamagedTile):
        rebuild_store(store, tiles, policy().verify_cosigned(note), keys_of)
    assert store.load_size() == 0


def test_database_of_another_history_is_refused(make_store: MakeStore, tiles: MemoryTiles) -> None:
    """Entries that are not the first of the published log are left alone."""
    store = make_store()
    log = RunningLog(store, MemoryTiles())
    log.sequencer.append([submission("of another history")])
    before = store.load_entries(0, 9)
    with pytest.raises(StateConflict, match="empty database"):
        rebuild_store(store, tiles, published(tiles), keys_of)
    assert store.load_entries(0, 9) == before


def test_database_that_is_ahead_needs_no_rebuilding(make_store: MakeStore) -> None:
    """A database with more than was published has nothing to gain."""
    small = tiled(named("a"), (LOG, W1, W2))
    store = make_store()
    rebuild_store(store, small, published(small), keys_of)
    log = RunningLog(store, small)
    log.sequencer.recover()
    log.sequencer.append_one(submission("b"))
    with pytest.raises(StateConflict, match="nothing to rebuild"):
        rebuild_store(store, small, published(small), keys_of)


def test_published_log_that_breaks_its_own_rules_is_refused(make_store: MakeStore) -> None:
    """Two published entries with one payload cannot both be claimed."""
    tiles = tiled(named("a", "b", "a"), (LOG, W1, W2))
    with pytest.raises(Corrupt, match="two have one payload"):
        rebuild_store(make_store(), tiles, published(tiles), keys_of)


def test_empty_log_is_rebuilt_to_an_empty_log(make_store: MakeStore) -> None:
    """A checkpoint of size 0 is a log too."""
    tiles = tiled([], (LOG, W1, W2))
    store = make_store()
    assert rebuild_store(store, tiles, published(tiles), keys_of) == store.load_head()
    assert store.load_size() == 0
