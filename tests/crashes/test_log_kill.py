"""A real writer process is killed without warning, again and again, and its log read by somebody else."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.postgres_log import PostgresLogStore
from sekisho.adapters.storage.sqlite_log import SqliteLogStore
from sekisho.ledger import LogReader, check_log
from sekisho.ledger.sequencer import Appended, Conflicted
from tests.crashes.nursery import Nursery, open_nursery
from tests.ledger.logs import ORIGIN, W1, W2, LocalWitness, RunningLog, policy, submission

WRITERS = 3
ROUNDS_OF_A_LOG = 50


@contextmanager
def open_killed_log(
    folder: str, database: str
) -> Iterator[tuple[RunningLog, dict[str, LocalWitness]]]:
    """The log of a folder, recovered, with its witnesses; `database` is a file's path or an address."""
    root = Path(folder)
    store = (
        PostgresLogStore(database, origin=ORIGIN)
        if database.startswith("postgresql:")
        else SqliteLogStore(Path(database), origin=ORIGIN)
    )
    try:
        log = RunningLog(store, FileTileStore(root / "public"))
        log.sequencer.recover()
        yield (
            log,
            {
                "w1": LocalWitness(W1, FileTileStore(root / "w1")),
                "w2": LocalWitness(W2, FileTileStore(root / "w2")),
            },
        )
    finally:
        store.close()


def write_forever(folder: str, database: str, life: str) -> None:
    """The child: writers side by side, each statement told on standard output once it is answered for."""
    with open_killed_log(folder, database) as (log, witnesses), log.publisher(witnesses):
        threads = [
            threading.Thread(target=_write, args=(log, f"{life}-{writer}"), daemon=True)
            for writer in range(WRITERS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _write(log: RunningLog, prefix: str) -> None:
    for number in count():
        names = [f"{prefix}-{number}-{part}" for part in range(1 + number % 3)]
        outcomes = log.sequencer.append([submission(name, f"serial {name}") for name in names])
        told = "".join(
            f"{name} {getattr(outcome, 'index', -1)}\n"
            for name, outcome in zip(names, outcomes, strict=True)
        )
        sys.stdout.write(told)
        sys.stdout.flush()


class KilledLog:
    """One log that is written by children which die, and what they answered for."""

    def __init__(self, folder: Path, database: str, dice: random.Random) -> None:
        self.folder = str(folder)
        self.database = database
        self.places: dict[str, int] = {}
        self._dice = dice

    def live_and_die(self, nursery: Nursery, life: int) -> None:
        """A child writes until it is killed, anywhere: what it said before counts as said."""
        lines = self._dice.randrange(0, 30)
        with nursery.child("write_forever", self.folder, self.database, str(life)) as child:
            told = [child.lines.readline() for _ in range(lines)]
            time.sleep(self._dice.random() * 0.01)
            child.kill()
            told += child.lines.readlines()
        for line in told:
            if line.endswith("\n"):
                name, place = line.split()
                self.places[name] = int(place)

    def check(self) -> None:
        """No acknowledged entry is lost, none stands twice, what was claimed stays claimed, fsck passes."""
        with open_killed_log(self.folder, self.database) as (log, witnesses):
            checkpoint = log.publisher(witnesses).publish().checkpoint
            entries = list(LogReader(log.tiles).entries(0, checkpoint.size, checkpoint))
            for name, place in self.places.items():
                assert entries[place] == submission(name).envelope
            twice = [entry for entry, times in Counter(entries).items() if times > 1]
            assert not [entry for entry in twice if entry.startswith(b"envelope")]
            assert check_log(log.tiles, policy()).faults == ()
            self._claim_again(log)

    def _claim_again(self, log: RunningLog) -> None:
        names = self._dice.sample(sorted(self.places), min(5, len(self.places)))
        again = log.sequencer.append([submission(name, f"serial {name}") for name in names])
        other = log.sequencer.append([submission("other", f"serial {name}") for name in names])
        for name, repeated, conflicted in zip(names, again, other, strict=True):
            assert isinstance(repeated, Appended)
            assert (repeated.index, repeated.fresh) == (self.places[name], False)
            assert isinstance(conflicted, Conflicted)
            assert conflicted.index == self.places[name]


def kill_rounds(folder: Path, database: str, dice: random.Random, rounds: int) -> int:
    """Kill and check, again and again, one log; how many entries were answered for."""
    killed = KilledLog(folder, database, dice)
    with open_nursery("tests.crashes.test_log_kill") as nursery:
        for life in range(rounds):
            killed.live_and_die(nursery, life)
            killed.check()
    return len(killed.places)


@pytest.mark.slow
def test_killed_writer_loses_and_doubles_nothing_in_sqlite(
    tmp_path: Path, dice: random.Random
) -> None:
    """After each of 50 kills every answered statement stands once, at the place that was answered."""
    assert kill_rounds(tmp_path, str(tmp_path / "log.db"), dice, ROUNDS_OF_A_LOG) > 100


@pytest.mark.slow
@pytest.mark.postgres
def test_killed_writer_loses_and_doubles_nothing_in_postgres(
    tmp_path: Path, postgres_url: str, dice: random.Random
) -> None:
    """The same over PostgreSQL, whose server lives on with what the killed writer left under way."""
    assert kill_rounds(tmp_path, postgres_url, dice, ROUNDS_OF_A_LOG) > 100


@pytest.mark.soak
@pytest.mark.parametrize("log", range(20))
def test_thousand_kills_in_sqlite(tmp_path: Path, dice: random.Random, log: int) -> None:
    """20 logs, 50 kills each."""
    assert kill_rounds(tmp_path, str(tmp_path / "log.db"), dice, ROUNDS_OF_A_LOG) > 100


@pytest.mark.soak
@pytest.mark.postgres
@pytest.mark.parametrize("log", range(20))
def test_thousand_kills_in_postgres(
    tmp_path: Path, postgres_url: str, dice: random.Random, log: int
) -> None:
    """20 logs, 50 kills each."""
    assert kill_rounds(tmp_path, postgres_url, dice, ROUNDS_OF_A_LOG) > 100
