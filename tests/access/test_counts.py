"""Counts of an inference server's workers: what was told, by how many, and what silence is taken for."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.access import spool as spool_module
from sekisho.access.picture import AccessDecision
from sekisho.access.spool import CountSpool, load_counts
from sekisho.access.tally import (
    CountRow,
    PeriodCounts,
    Tally,
    WorkerCounts,
    counts_of,
    parse_counts,
    start_of,
)
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, parse_instant
from tests.access.serving import until

START = parse_instant("2026-11-22T09:00:00Z")
SERVED = AccessDecision(serve=True, code="served", model="model-1")


def worker(since: float, written: float, *, ended: bool = False, served: int = 1) -> WorkerCounts:
    """A worker that began and wrote so many seconds after the period's beginning."""
    row = CountRow(model="model-1", start=START, served=served)
    return WorkerCounts(
        since=START.plus(since), written=START.plus(written), ended=ended, rows=(row,)
    )


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([], (0, 0)),
        ([worker(-5, 60)], (1, 0)),
        ([worker(-5, 61), worker(59, 61)], (2, 0)),
        ([worker(-5, 59)], (1, 1)),
        ([worker(-5, 30, ended=True)], (1, 0)),
        ([worker(-90, -1), worker(-90, -2, ended=True), worker(60, 70)], (0, 0)),
    ],
    ids=["nobody", "one", "two", "fell-silent", "ended", "other-periods"],
)
def test_who_told_of_a_period_and_who_fell_silent_in_it(
    files: list[WorkerCounts], told: tuple[int, int]
) -> None:
    """A worker that ends tells it; one that wrote last before the end without ending was broken off."""
    found = counts_of(files, START, 60)
    assert (found.workers, found.silent) == told
    assert dict(found.models) == ({"model-1": (told[0], 0)} if told[0] else {})


def test_a_file_of_another_form_tells_nothing(tmp_path: Path) -> None:
    """Neither does one that is too long; the others are read."""
    for name, raw in (("a.json", b"{"), ("b.json", b"[]"), ("c.json", b" " * (1 << 20) + b"{}")):
        (tmp_path / name).write_bytes(raw)
    assert load_counts(tmp_path) == []
    with pytest.raises(InvalidInput):
        parse_counts(b'{"since":"2026-11-22T09:00:00.000000Z"}')


class Counting:
    """One gate's counts, whose clock a test sets."""

    def __init__(self, folder: Path) -> None:
        self.now = START.plus(1)
        self.folder = folder
        self.tally = Tally(60)
        self.spool = CountSpool(folder, self.tally, lambda: self.now)

    def count(self, times: int = 1) -> None:
        for _ in range(times):
            self.spool.begin()
            self.tally.count(SERVED, self.now)

    def told(self) -> PeriodCounts:
        return counts_of(load_counts(self.folder), start_of(START, 60), 60)


@pytest.fixture
def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counting]:
    monkeypatch.setattr(spool_module, "SAVE_EVERY_S", 0.02)
    made = Counting(tmp_path)
    yield made
    made.spool.end()


def test_a_worker_that_nobody_asks_is_not_silent(counting: Counting) -> None:
    """It begins to tell with its first breath, and goes on by itself."""
    counting.spool.begin()
    assert counting.told().workers == 1
    counting.now = Instant(START.plus(61).us)
    until(lambda: counting.told().silent == 0)
    assert dict(counting.told().models) == {}


def test_the_last_requests_before_a_pause_are_written_too(counting: Counting) -> None:
    """A burst and then nobody: the counts follow by themselves, without another request."""
    counting.count(50)
    until(lambda: dict(counting.told().models) == {"model-1": (50, 0)})


def test_a_worker_that_is_killed_is_told_from_one_that_ended(counting: Counting) -> None:
    """The one leaves a file that says so; after the other its period knows of a silent worker."""
    counting.count()
    until(lambda: dict(counting.told().models) == {"model-1": (1, 0)})
    assert (counting.told().workers, counting.told().silent) == (1, 1)
    counting.spool.end()
    assert (counting.told().workers, counting.told().silent) == (1, 0)
    counting.spool.save()
    assert counting.told().silent == 0


def test_requests_after_the_end_begin_a_file_of_their_own(counting: Counting) -> None:
    """Counted once, whoever asks when."""
    counting.count(3)
    counting.spool.end()
    counting.count(2)
    counting.spool.end()
    assert dict(counting.told().models) == {"model-1": (5, 0)}


def test_a_forked_worker_counts_for_itself(counting: Counting) -> None:
    """A server that loads the application once and forks then: no file is written over, nothing counted twice."""
    counting.count(3)
    with counting.tally._lock:  # as it may be held by the parent's thread at that very moment
        child = os.fork()
        if child == 0:
            counting.count(4)
            counting.spool.end()
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0
    counting.spool.end()
    assert dict(counting.told().models) == {"model-1": (7, 0)}
    assert counting.told().workers == 2


def test_counting_and_writing_at_once_loses_nothing(counting: Counting) -> None:
    """Two threads count while a third writes."""
    threads = [threading.Thread(target=counting.count, args=(2_000,)) for _ in range(2)]
    counting.spool.begin()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counting.spool.end()
    assert dict(counting.told().models) == {"model-1": (4_000, 0)}
