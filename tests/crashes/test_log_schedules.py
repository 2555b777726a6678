"""Random lives of a log: appends, publications, kills and power cuts in any order, and nothing lost or doubled."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from sekisho.adapters.storage import FileTileStore
from sekisho.ledger import LogReader, check_log
from sekisho.ledger.checkpoint import Checkpoint
from sekisho.ledger.places import Appended, Conflicted
from sekisho.model.errors import Unavailable
from sekisho.ports.witness import Witness
from sekisho.signing.notes import Note
from tests.crashes.discarding_disk import DiscardingDisk, Fuse, PowerCut
from tests.crashes.fused_store import FusedStore
from tests.ledger.logs import (
    LOG,
    W1,
    W2,
    LocalWitness,
    MemoryTiles,
    RunningLog,
    names_in,
    submission,
)
from tests.ledger.memory_store import MemoryLogStore

Name = tuple[int, int]
"""A statement by its number, and the number of the key that it wants for itself alone."""

names = st.tuples(st.integers(0, 40), st.integers(0, 25))


class LogLife(RuleBasedStateMachine):
    """One log with its witnesses, and what was ever told to somebody outside."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.disk = DiscardingDisk(self.folder)
        self.database = MemoryLogStore()
        self.witnesses: dict[str, Witness] = {
            "w1": LocalWitness(W1, MemoryTiles()),
            "w2": LocalWitness(W2, MemoryTiles()),
        }
        self.places: dict[int, int] = {}
        self.holders: dict[int, int] = {}
        self.announced = 0
        self.bulk = 0
        self.is_kill = False
        self.start()

    def start(self, fuse: Fuse | None = None) -> None:
        """A new process on what is there; where its recovery is cut short, another."""
        self.disk.fuse = fuse or Fuse()
        self.store = FusedStore(self.database, self.disk.fuse)
        self.log = RunningLog(self.store, FileTileStore(self.folder / "public", disk=self.disk))
        try:
            self.log.sequencer.recover()
        except PowerCut:
            self.disk.cut_power()
            self.look_at_folder()
            self.start()
        except Unavailable:  # whoever looks after the process starts it again
            self.start()
        else:
            self.disk.fuse = self.store.fuse = Fuse()
            self.publisher = self.log.publisher(self.witnesses)

    def stop(self) -> None:
        """The end of a process, however it ends."""
        self.publisher.stop()

    def survive(self, act: Callable[[], object]) -> None:
        """Do something; where it is stopped meanwhile, look at what is left and start again."""
        try:
            act()
        except PowerCut:
            self.stop()
            if not self.is_kill:
                self.disk.cut_power()
            self.look_at_folder()
            self.start()

    @rule(batch=st.lists(names, min_size=1, max_size=5))
    def append(self, batch: list[Name]) -> None:
        self.survive(lambda: self._append(batch))

    def _append(self, batch: list[Name]) -> None:
        rows = [submission(f"statement {name}", f"key {key}") for name, key in batch]
        for (name, key), outcome in zip(batch, self.log.sequencer.append(rows), strict=True):
            if isinstance(outcome, Appended):
                assert self.places.setdefault(name, outcome.index) == outcome.index
                if outcome.fresh:
                    assert self.holders.setdefault(key, outcome.index) == outcome.index
            else:
                assert isinstance(outcome, Conflicted)
                assert self.holders.setdefault(key, outcome.index) == outcome.index

    @rule(count=st.sampled_from([100, 255, 300]))
    def append_many(self, count: int) -> None:
        """So that tiles fill up."""
        rows = [submission(f"bulk {self.bulk} {number}") for number in range(count)]
        self.bulk += 1
        self.survive(lambda: self.log.sequencer.append(rows))

    @rule()
    def mark_time(self) -> None:
        self.survive(self.log.sequencer.mark_time)

    @rule()
    def integrate(self) -> None:
        self.survive(self.log.sequencer.integrate)

    @rule()
    def publish(self) -> None:
        self.survive(self._publish)

    def _publish(self) -> None:
        self.announced = self.publisher.publish().checkpoint.size

    @rule(steps=st.integers(0, 25), after=st.booleans(), is_kill=st.booleans())
    def let_it_be_stopped_soon(self, steps: int, after: bool, is_kill: bool) -> None:
        """Some step of what comes next is the last of this process, or of the machine before its power returns."""
        self.is_kill = is_kill
        self.disk.fuse = self.store.fuse = Fuse(steps, after=after)

    @rule(steps=st.integers(0, 12))
    def let_a_step_fail_soon(self, steps: int) -> None:
        """Some durable step of the database fails and was done, or not; whoever asked asks again."""

        def fail(name: str, applied: bool) -> None:
            nonlocal steps
            steps -= 1
            if steps < 0:
                self.database.on_step = lambda *_: None
                raise Unavailable(f"{name} {'after' if applied else 'before'}")

        self.database.on_step = fail
        for act in (lambda: self._append([(0, 0)]), self._publish):
            try:
                self.survive(act)
            except Unavailable:
                self.survive(act)
        self.database.on_step = lambda *_: None

    @rule()
    def kill(self) -> None:
        """The process ends and the machine goes on: what is in the page cache stays."""
        self.stop()
        self.start()

    @rule(steps=st.integers(0, 30), after=st.booleans())
    def cut_the_power(self, steps: int, after: bool) -> None:
        """Between two operations, and perhaps once more while recovering from it."""
        self.stop()
        self.disk.cut_power()
        self.look_at_folder()
        self.start(Fuse(steps, after=after))

    @invariant()
    def nothing_announced_is_taken_back(self) -> None:
        cosigned = self.publisher.latest
        assert cosigned is None or cosigned.checkpoint.size >= self.announced

    def look_at_folder(self) -> None:
        """Any web server may be serving it now: a whole log, as large as was announced."""
        tiles = FileTileStore(self.folder / "public")
        if tiles.exists("checkpoint") or self.announced:
            check = check_log(tiles, LOG.verifier)
            assert check.holds, check
            assert (check.size or 0) >= self.announced

    def teardown(self) -> None:
        """At the end one last start: every acknowledged statement is published once, at its place."""
        try:
            self.kill()
            self.publish()
            self.look_at_folder()
            tiles = FileTileStore(self.folder / "public")
            text = Note.from_bytes(tiles.read("checkpoint", 10**5)).text
            checkpoint = Checkpoint.from_text(text)
            found = names_in(LogReader(tiles).entries(0, checkpoint.size, checkpoint))
            for name, index in self.places.items():
                assert found[index] == f"statement {name}"
            stated = [each for each in found if each != "mark"]
            assert len(stated) == len(set(stated))
        finally:
            self.stop()
            shutil.rmtree(self.folder)


def test_any_schedule_of_appends_publications_and_crashes_keeps_the_log_whole() -> None:
    """Whatever happens in whatever order, no acknowledged entry is lost, none doubled, and the folder is a log."""
    run_state_machine_as_test(
        LogLife, settings=settings(max_examples=80, stateful_step_count=25, deadline=None)
    )


@pytest.mark.soak
def test_many_long_schedules_keep_the_log_whole() -> None:
    """The same over thousands of longer lives (`make soak SEED=...`)."""
    run_state_machine_as_test(
        LogLife, settings=settings(max_examples=1000, stateful_step_count=60, deadline=None)
    )
