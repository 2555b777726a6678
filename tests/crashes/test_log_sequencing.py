"""The write side of the log is stopped before and after each of its durable steps, and started again.

On the real database and folder; what a power cut does to bytes not yet synced is test_log_power_cut's matter.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.sqlite_log import SqliteLogStore
from sekisho.ledger import LogReader, check_log, check_tree
from sekisho.ledger.checkpoint import Checkpoint
from sekisho.ledger.sequencer import Appended
from sekisho.model.errors import Corrupt, Unavailable
from sekisho.ports.log_store import Taken
from sekisho.ports.tile_store import TileWriter
from tests.crashes.discarding_disk import Fuse, PowerCut
from tests.crashes.fused_store import FusedStore
from tests.ledger.logs import ORIGIN, LogOnDisk, open_log, policy, submission

T = TypeVar("T")
BEFORE = 253
"""Entries that stand before the scenario, so that it fills a tile."""


class FusedTiles:
    """The real folder behind the same fuse, each file a step of its own."""

    def __init__(self, inner: TileWriter, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    def read(self, path: str, limit: int) -> bytes:
        return self._inner.read(path, limit)

    def exists(self, path: str) -> bool:
        return self._inner.exists(path)

    def write(self, path: str, data: bytes) -> None:
        self._fuse.guard(path, lambda: self._inner.write(path, data))

    def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
        for path, data in files:
            self.write(path, data)

    def drop_folder(self, path: str) -> None:
        self._fuse.guard(f"drop {path}", lambda: self._inner.drop_folder(path))


def fused(folder: Path, fuse: Fuse) -> LogOnDisk:
    """The log of a folder with everything durable behind the fuse."""
    return LogOnDisk(
        folder, wrap=lambda store, tiles: (FusedStore(store, fuse), FusedTiles(tiles, fuse))
    )


def names(first: int, count: int) -> list[str]:
    """The statements of the scenario by number."""
    return [f"statement {number}" for number in range(first, first + count)]


def live(log: LogOnDisk, answered: dict[str, int]) -> None:
    """A start, which writes the published checkpoint anew, and the scenario."""
    log.sequencer.recover()
    play(log, answered)


def play(log: LogOnDisk, answered: dict[str, int]) -> None:
    """The scenario: a batch over a tile's end, a publication, a repetition, another batch, a publication."""
    publisher = log.publisher(log.witnesses())
    for batch in (names(0, 5), names(0, 1), names(5, 2)):
        outcomes = log.sequencer.append([submission(name, f"serial {name}") for name in batch])
        for name, outcome in zip(batch, outcomes, strict=True):
            assert isinstance(outcome, Appended)
            answered[name] = outcome.index
        publisher.publish()


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published log just short of a full tile, to be copied."""
    folder = tmp_path_factory.mktemp("standing")
    with open_log(folder) as log:
        log.sequencer.append([submission(f"old {number}") for number in range(BEFORE - 1)])
        log.publisher(log.witnesses()).publish()
    return folder


@pytest.fixture(scope="session")
def steps(standing: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Every durable step of the scenario, in order."""
    scratch = tmp_path_factory.mktemp("steps") / "log"
    shutil.copytree(standing, scratch)
    fuse = Fuse()
    log = fused(scratch, fuse)
    log.sequencer.recover()
    play(log, {})
    log.close()
    return fuse.names


STEPS = 19
"""How many durable steps the scenario has; a test below holds this figure."""


def test_scenario_has_the_steps_that_are_cut(steps: list[str]) -> None:
    """The cuts below cover every durable step: a new step must be counted in."""
    assert len(steps) == STEPS, steps
    assert {"sequence", "swap", "cosigned", "checkpoint", "tile/entries/000"} <= set(steps)
    assert {"drop tile/0/000.p", "drop tile/entries/000.p"} <= set(steps)


def assert_whole(folder: Path, answered: dict[str, int]) -> None:
    """After a restart: nothing answered is lost or doubled, the tree derives, witnesses go along."""
    with open_log(folder) as log:
        publisher = log.publisher(log.witnesses())
        again = log.sequencer.append([submission(name, f"serial {name}") for name in names(0, 7)])
        for name, done in zip(names(0, 7), again, strict=True):
            assert isinstance(done, Appended)
            assert answered.get(name, done.index) == done.index
        cosigned = publisher.publish()
        checkpoint = cosigned.checkpoint
        found = list(LogReader(log.tiles).entries(0, checkpoint.size, checkpoint))
        for name in [*names(0, 7), *(f"old {number}" for number in range(BEFORE - 1))]:
            assert found.count(submission(name).envelope) == 1
        assert log.database.load_head().size == log.database.load_size() == checkpoint.size
        assert check_log(log.tiles, policy()).faults == ()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(STEPS))
def test_power_cut_at_each_step(standing: Path, tmp_path: Path, step: int, after: bool) -> None:
    """Cut before or after any durable step, the log comes back whole and goes on with its witnesses."""
    folder = tmp_path / "log"
    shutil.copytree(standing, folder)
    answered: dict[str, int] = {}
    log = fused(folder, Fuse(step, after=after))
    with pytest.raises(PowerCut):
        live(log, answered)
    log.close()
    with open_log(folder) as again:
        head = again.sequencer.integrate()
        assert check_tree(
            again.tiles, Checkpoint(origin=ORIGIN, size=head.size, root=head.root)
        ).holds
    assert_whole(folder, answered)


@pytest.mark.parametrize("second", range(4))
@pytest.mark.parametrize("first", ["sequence", "tile/0/000", "swap", "cosigned"])
def test_power_cut_during_recovery(
    standing: Path, tmp_path: Path, steps: list[str], first: str, second: int
) -> None:
    """Cut again while recovering from a cut, the log still comes back whole."""
    folder = tmp_path / "log"
    shutil.copytree(standing, folder)
    answered: dict[str, int] = {}
    log = fused(folder, Fuse(steps.index(first), after=True))
    log.sequencer.recover()
    with pytest.raises(PowerCut):
        play(log, answered)
    log.close()
    log = fused(folder, Fuse(second, after=second % 2 == 0))
    try:
        log.sequencer.recover()
    except PowerCut:
        pass
    finally:
        log.close()
    assert_whole(folder, answered)


class Hiccup(Fuse):
    """Fails one step, before or after it was done, and then works again: what a full disk or a lost connection does."""

    def guard(self, name: str, act: Callable[[], T]) -> T:
        here = len(self.names) == self._step
        self.names.append(name)
        if here and not self._after:
            raise Unavailable(f"{name}: no space left")
        if here:
            with contextlib.suppress(Taken):  # whatever the answer was, it did not arrive
                act()
            raise Unavailable(f"{name}: the connection is gone")
        return act()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(STEPS))
def test_a_step_that_fails_once_is_overcome_without_a_restart(
    standing: Path, tmp_path: Path, step: int, after: bool
) -> None:
    """Whatever fails for a moment, asking again gives one place to each statement, in the same process."""
    folder = tmp_path / "log"
    shutil.copytree(standing, folder)
    answered: dict[str, int] = {}
    hiccup = Hiccup(step, after=after)
    log = fused(folder, hiccup)
    with pytest.raises(Unavailable):
        live(log, answered)
    before = dict(answered)
    if step == 0:  # the start itself: whoever looks after the process asks it again
        log.sequencer.recover()
    play(log, answered)
    assert before.items() <= answered.items()
    found = log.entries()
    assert all(found[index] == submission(name).envelope for name, index in answered.items())
    log.close()
    assert_whole(folder, answered)


@pytest.mark.parametrize("nth", [0, 1], ids=["first", "second"])
def test_cut_before_publishing_is_published_at_the_next_start(
    standing: Path, tmp_path: Path, steps: list[str], nth: int
) -> None:
    """A cosigned checkpoint that did not reach its file is there after a start, with no witness asked."""
    folder = tmp_path / "log"
    shutil.copytree(standing, folder)
    found = [number for number, name in enumerate(steps) if name == "cosigned"]
    log = fused(folder, Fuse(found[nth], after=True))
    log.sequencer.recover()
    with pytest.raises(PowerCut):
        play(log, {})
    log.close()
    with open_log(folder) as again:
        kept = again.database.load_cosigned()
        assert kept is not None
        assert (folder / "public/checkpoint").read_bytes() == kept[1]
        assert LogReader(again.tiles).load_checkpoint(policy()).checkpoint.size == kept[0]


def test_checkpoint_with_fewer_cosignatures_is_brought_up_to_date(
    standing: Path, tmp_path: Path
) -> None:
    """A file of the right size that lacks a cosignature the database holds gets it at the next start."""
    folder = tmp_path / "log"
    shutil.copytree(standing, folder)
    whole = (folder / "public/checkpoint").read_bytes()
    (folder / "public/checkpoint").write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    with open_log(folder):
        pass
    assert (folder / "public/checkpoint").read_bytes() == whole


def test_lost_tiles_are_written_again_from_the_database(standing: Path, tmp_path: Path) -> None:
    """Where tiles are gone or damaged the database gives them back, byte for byte."""
    folder = tmp_path / "log"
    shutil.copytree(standing, folder)
    before = {p: p.read_bytes() for p in (folder / "public").rglob("*") if p.is_file()}
    (folder / "public/tile/0/000.p" / str(BEFORE)).write_bytes(b"not a tile")
    shutil.rmtree(folder / "public/tile/entries")
    with open_log(folder):
        pass
    assert {p: p.read_bytes() for p in before} == before


def test_leftover_temporary_files_mean_nothing(standing: Path, tmp_path: Path) -> None:
    """A half-written temporary file of a crash is not read as anything."""
    folder = tmp_path / "log"
    shutil.copytree(standing, folder)
    (folder / "public/.checkpoint.0123.tmp").write_bytes(b"half")
    (folder / "public/tile/0/000.p/.254.0123.tmp").write_bytes(b"half")
    assert_whole(folder, {})


def test_damaged_database_stops_the_log(standing: Path, tmp_path: Path) -> None:
    """A database that can no longer be read is named as corrupt, and the log does not start."""
    folder = tmp_path / "log"
    shutil.copytree(standing, folder)
    (folder / "log.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    (folder / "log.db-wal").unlink(missing_ok=True)
    with pytest.raises(Corrupt, match="database"):
        SqliteLogStore(folder / "log.db", origin=ORIGIN)


def test_store_is_a_file_store(tmp_path: Path) -> None:
    """The scenario runs on the real folder store, not on a fake."""
    with open_log(tmp_path) as log:
        assert isinstance(log.tiles, FileTileStore)
