"""The power goes at every durable step of the log's write side; what was not synced is gone; then it starts again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.adapters.storage import FileTileStore
from sekisho.ledger import LogReader, check_log
from sekisho.ledger.checkpoint import Checkpoint
from sekisho.ledger.publisher import Publisher
from sekisho.ledger.sequencer import Appended, Sequencer
from sekisho.model.errors import SekishoError
from sekisho.ports.witness import Witness
from sekisho.signing.notes import Note
from tests.crashes.discarding_disk import DiscardingDisk, Fuse, PowerCut, Sync
from tests.crashes.fused_store import FusedStore
from tests.ledger.logs import (
    LOG,
    W1,
    W2,
    LocalWitness,
    MemoryTiles,
    policy,
    submission,
    time_mark,
)
from tests.ledger.memory_store import MemoryLogStore

BEFORE = 254
"""Entries that stand before the scenario, so that it fills a tile and opens the next."""


class Machine:
    """A log on a disk that forgets what was not synced; witnesses elsewhere, which never lose power."""

    def __init__(self, folder: Path, fuse: Fuse, *, without: Sync | None = None) -> None:
        self.root = folder / "public"
        self.disk = DiscardingDisk(folder, without=without)
        self.database = MemoryLogStore()
        self.witnesses: dict[str, Witness] = {
            "w1": LocalWitness(W1, MemoryTiles()),
            "w2": LocalWitness(W2, MemoryTiles()),
        }
        self.answered: dict[str, int] = {}
        self.announced = 0
        self.boot(fuse)

    def boot(self, fuse: Fuse) -> None:
        """Start the log's process on what is there."""
        self.disk.fuse = fuse
        self.store = FusedStore(self.database, fuse)
        self.sequencer = Sequencer(
            signer=LOG,
            store=self.store,
            tiles=FileTileStore(self.root, disk=self.disk),
            mark=time_mark,
        )

    def play(self) -> None:
        """Recover; a batch over a tile's end, published; a repetition and a fresh one, published."""
        self.sequencer.recover()
        publisher = self.publisher()
        for batch in (["a", "b", "c"], ["a", "d"], ["e"]):
            outcomes = self.sequencer.append([submission(n, f"serial {n}") for n in batch])
            for name, outcome in zip(batch, outcomes, strict=True):
                assert isinstance(outcome, Appended)
                self.answered[name] = outcome.index
            self.announced = publisher.publish().checkpoint.size

    def publisher(self) -> Publisher:
        return Publisher(
            sequencer=self.sequencer,
            store=self.store,
            tiles=FileTileStore(self.root, disk=self.disk),
            policy=policy(),
            witnesses=self.witnesses,
        )

    def faults(self) -> list[str]:
        """What is wrong after the power came back: first of the folder alone, then of the log that goes on."""
        self.disk.cut_power()
        found = list(self._folder_faults())
        if found:
            return found
        self.boot(Fuse())
        try:
            self.sequencer.recover()
            self.announced = self.publisher().publish().checkpoint.size
        except SekishoError as error:
            return [f"does not start: {error}"]
        return [*self._folder_faults(), *self._entry_faults()]

    def _folder_faults(self) -> Iterator[str]:
        """The folder must be a whole log at least as large as was announced: any web server may be serving it."""
        tiles = FileTileStore(self.root)
        if not tiles.exists("checkpoint"):
            if self.announced:
                yield "the checkpoint is gone"
            return
        check = check_log(tiles, LOG.verifier)
        if not check.holds:
            yield f"fsck: {check}"
        elif (check.size or 0) < self.announced:
            yield f"size {check.size} was announced as {self.announced}"

    def _entry_faults(self) -> Iterator[str]:
        tiles = FileTileStore(self.root)
        checkpoint = Checkpoint.from_text(
            Note.from_bytes(tiles.read("checkpoint", 10**5), path="checkpoint").text
        )
        entries = list(LogReader(tiles).entries(0, checkpoint.size, checkpoint))
        for name, index in self.answered.items():
            envelope = submission(name).envelope
            if entries[index : index + 1] != [envelope]:
                yield f"{name} was acknowledged at {index} and is not there"
            if entries.count(envelope) != 1:
                yield f"{name} stands {entries.count(envelope)} times"


def standing(folder: Path, fuse: Fuse, *, without: Sync | None = None) -> Machine:
    """A machine whose log is published just short of a full tile; nothing of that can blow the fuse."""
    machine = Machine(folder, Fuse(), without=without)
    machine.sequencer.recover()
    machine.sequencer.append([submission(f"old {n}") for n in range(BEFORE - 1)])
    machine.announced = machine.publisher().publish().checkpoint.size
    machine.disk.fuse = machine.store.fuse = fuse
    return machine


def cut_at(folder: Path, step: int, *, after: bool, without: Sync | None = None) -> list[str]:
    """The faults that a power cut at one step leaves."""
    machine = standing(folder, Fuse(step, after=after), without=without)
    with pytest.raises(PowerCut):
        machine.play()
    return machine.faults()


def all_steps(folder: Path) -> list[str]:
    """Every durable step of the scenario by name, in order."""
    machine = standing(folder, fuse := Fuse())
    machine.play()
    return fuse.names


def explore(folder: Path, *, without: Sync | None = None) -> Iterator[str]:
    """The faults of a cut before every step of the scenario, and after the last.

    After a step the disk is as before the next one, and less was announced: that would ask for less.
    """
    scratch = folder / "count"
    scratch.mkdir()
    steps = all_steps(scratch)
    cuts = [*((step, False) for step in range(len(steps))), (len(steps) - 1, True)]
    for step, after in cuts:
        place = folder / f"{step}-{after}"
        place.mkdir()
        for fault in cut_at(place, step, after=after, without=without):
            yield f"{'after' if after else 'before'} step {step} ({steps[step]}): {fault}"


def test_a_power_cut_at_any_step_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Whatever step the power goes at, the folder is a whole log and every acknowledged entry is in it once."""
    assert list(explore(tmp_path)) == []


def test_a_folder_made_before_a_kill_outlives_a_later_power_cut(tmp_path: Path) -> None:
    """A process killed between making a folder and syncing its name leaves it to the next, which must not trust it."""
    scratch = tmp_path / "count"
    scratch.mkdir()
    made = [n for n, name in enumerate(all_steps(scratch)) if name.startswith("folder ")]
    assert len(made) > 3
    for step in made:
        place = tmp_path / str(step)
        place.mkdir()
        machine = standing(place, Fuse(step, after=True))
        with pytest.raises(PowerCut):
            machine.play()
        machine.boot(Fuse())
        machine.play()
        assert machine.faults() == [], step


@pytest.mark.parametrize("sync", ["bytes of a file", "names of a folder", "name of a new folder"])
def test_every_sync_is_needed(tmp_path: Path, sync: Sync) -> None:
    """Leave any one kind of sync out, and some power cut loses what was published."""
    assert next(explore(tmp_path, without=sync), None) is not None


def test_the_database_must_keep_what_it_committed(tmp_path: Path) -> None:
    """A database that forgets its last commit at a power cut loses acknowledged entries, and this is seen."""
    machine = standing(tmp_path, Fuse())
    machine.sequencer.recover()
    before = machine.database.after_restart()
    machine.answered["a"] = machine.sequencer.append_one(submission("a")).index
    machine.database = before
    assert any("acknowledged" in fault for fault in machine.faults())
