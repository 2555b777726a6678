"""The store of telemetry loses nothing that it answered for, wherever the power goes or the process is killed."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import get_args

import pytest

from sekisho.adapters.telemetry.store import ReadingStore
from sekisho.model.errors import SekishoError, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Allocation
from tests.adapters.telemetry.store.keeping import (
    NOON,
    Row,
    everything,
    incoming,
    local_store,
    rows_of,
)
from tests.crashes.discarding_disk import DiscardingDisk, Fuse, PowerCut, Sync
from tests.crashes.nursery import Nursery, open_nursery

SITE = "osaka"
BUCKET = 16  # rows settled at once: one bucket, and two when the late ones have come
MIDNIGHT = Instant.parse("2026-03-15T00:00:00Z")
LATER = NOON.plus(3 * 86_400)
MUCH_LATER = NOON.plus(30 * 86_400)
EARLY = rows_of(["GPU-1", "GPU-2", "GPU-3"], NOON, 4)
ACROSS = rows_of(["GPU-1", "GPU-2"], MIDNIGHT.plus(-20), 4)
LATE = rows_of(["GPU-2", "GPU-4"], NOON.plus(5_000), 3)
JOB = Allocation(job="7", site=SITE, start=NOON, end=None, chips=2)


def put(store: ReadingStore, rows: list[Row]) -> None:
    store.append(SITE, incoming(rows), received_us=NOON.us)


class Life:
    """What a process does to a store, and what it answered for before it ended."""

    def __init__(self, disk: DiscardingDisk, root: Path) -> None:
        self.rows: list[Row] = []
        self.jobs = 0
        self._store = local_store(root, disk=disk, bucket_rows=BUCKET)

    def live(self) -> None:
        for rows in (EARLY[:5], EARLY[5:], ACROSS):
            put(self._store, rows)
            self.rows += rows
        self._store.allocations.save(SITE, [JOB], recorded_us=NOON.us)
        self.jobs = 1
        self._store.compact(SITE, now=NOON)
        put(self._store, LATE)
        self.rows += LATE
        self._store.compact(SITE, now=LATER)
        self._store.compact(SITE, now=MUCH_LATER)


def die_at(root: Path, step: int, *, after: bool, without: Sync | None = None) -> Life:
    """A life that ends at a durable step, before or after it; and then the power goes."""
    root.mkdir()
    disk = DiscardingDisk(root, Fuse(step, after=after), without=without)
    life = Life(disk, root)
    with suppress(PowerCut):
        life.live()
    disk.cut_power()
    return life


def steps_of(root: Path) -> list[str]:
    root.mkdir()
    disk = DiscardingDisk(root)
    Life(disk, root).live()
    return disk.fuse.names


def check_after(root: Path, life: Life) -> None:
    """What was answered for is there once, nothing is half there, and a compaction clears up what was left."""
    store = local_store(root, bucket_rows=BUCKET)
    found = everything(store)
    assert len(set(found)) == len(found), "a row is counted twice"
    assert set(life.rows) <= set(found), "a row is lost"
    assert set(found) <= {*EARLY, *ACROSS, *LATE}
    assert store.check().faults == ()
    assert len(store.allocations.load(SITE, NOON, LATER)) >= life.jobs
    store.compact(SITE, now=LATER)
    store.compact(SITE, now=MUCH_LATER)
    assert everything(store) == found
    checked = store.check()
    assert (checked.faults, checked.left) == ((), ())


@pytest.mark.slow
def test_power_goes_at_every_durable_step(tmp_path: Path) -> None:
    """Whichever step of appending, compacting and taking away is the last to take effect, or none does."""
    names = steps_of(tmp_path / "whole")
    kinds = {name.partition(" ")[0] for name in names}
    assert kinds == {"create", "write", "sync", "rename", "folder"}
    check_after(tmp_path / "none", die_at(tmp_path / "none", 0, after=False))
    for step in range(
        len(names)
    ):  # to die after a step is to die before the next: nothing lies between
        root = tmp_path / str(step)
        check_after(root, die_at(root, step, after=True))


@pytest.mark.parametrize("without", get_args(Sync))
def test_every_kind_of_sync_is_needed(tmp_path: Path, without: Sync) -> None:
    """On a disk that leaves one kind of sync out, some power cut loses what was answered for."""
    steps = len(steps_of(tmp_path / "whole"))

    def die_everywhere() -> None:
        for step in range(steps):
            root = tmp_path / str(step)
            check_after(root, die_at(root, step, after=True, without=without))

    with pytest.raises((AssertionError, SekishoError)):  # lost, torn or missing
        die_everywhere()


@pytest.mark.parametrize(
    "act", ["drop", "undo", "empty"], ids=["dropping", "undoing", "emptying the trash"]
)
def test_power_goes_while_raw_rows_are_dropped(tmp_path: Path, act: str) -> None:
    """The minute sums stay whole, and until the trash is emptied on purpose the raw rows can be brought back."""
    step = 0
    for step in count():
        root = tmp_path / str(step)
        root.mkdir()
        disk = DiscardingDisk(root)
        store = local_store(root, disk=disk, bucket_rows=BUCKET)
        put(store, EARLY)
        store.compact(SITE, now=LATER)
        minutes = store.partitions(NOON, LATER)[0].minutes
        acts: dict[str, Callable[[ReadingStore], object]] = {
            "drop": lambda s: s.drop(s.plan_drops("2026-03-15"), now=LATER),
            "undo": lambda s: s.undo_drop(s.trash()[0], now=LATER),
            "empty": lambda s: s.empty(s.trash()[0], now=LATER),
        }
        if act != "drop":
            acts["drop"](store)
        disk.fuse = Fuse(step, after=step % 2 == 1)
        try:
            acts[act](store)
        except PowerCut:
            pass
        else:
            break
        disk.cut_power()
        again = local_store(root, bucket_rows=BUCKET)
        assert again.partitions(NOON, LATER)[0].minutes == minutes
        assert again.check().faults == ()
        if act == "empty":
            for trash in again.trash():
                again.empty(trash, now=LATER)
            assert again.check().left == ()
        else:
            for trash in again.trash():
                again.undo_drop(trash, now=LATER)
            again.compact(SITE, now=LATER)
            assert everything(again) == sorted(EARLY)
    assert step > 5


# --- a real process, killed without warning --------------------------------------------------


def write_and_compact(folder: str, life: str) -> None:
    """The child: three writers and a compactor; each delivery is told on standard output once it is answered for."""
    store = local_store(Path(folder), bucket_rows=200)
    threads = [
        threading.Thread(target=_write, args=(store, f"GPU-{life}-{writer}"), daemon=True)
        for writer in range(3)
    ]
    for thread in threads:
        thread.start()
    while True:
        with suppress(StateConflict):
            store.compact(SITE, now=LATER)


def _write(store: ReadingStore, device: str) -> None:
    for number in count():
        rows = rows_of([device], NOON.plus(number * 30), 1 + number % 3)
        put(store, rows)
        sys.stdout.write(f"{device} {number}\n")
        sys.stdout.flush()


def _told(line: str) -> list[Row]:
    device, number = line.split()
    return rows_of([device], NOON.plus(int(number) * 30), 1 + int(number) % 3)


def live_and_die(nursery: Nursery, root: Path, life: int, dice: random.Random) -> list[Row]:
    """The rows that a child answered for before it was killed, anywhere."""
    with nursery.child("write_and_compact", str(root), str(life)) as child:
        told = [child.lines.readline() for _ in range(dice.randrange(1, 40))]
        time.sleep(dice.random() * 0.02)
        child.kill()
        told += child.lines.readlines()
    return [row for line in told if line.endswith("\n") for row in _told(line)]


def kill_often(root: Path, rounds: int, dice: random.Random) -> int:
    """Kill a writer again and again over one store; how many rows were answered for."""
    answered: list[Row] = []
    with open_nursery(__name__) as nursery:
        for life in range(rounds):
            answered += live_and_die(nursery, root, life, dice)
            if life % 10 == 9 or life == rounds - 1:
                store = local_store(root, bucket_rows=200)
                found = everything(store)
                assert len(set(found)) == len(found), "a row is counted twice"
                assert set(answered) <= set(found), "a row is lost"
                assert store.check().faults == ()
    store = local_store(root, bucket_rows=200)
    found = everything(store)
    store.compact(SITE, now=LATER)
    store.compact(SITE, now=MUCH_LATER)
    assert everything(store) == found
    assert store.check().left == ()
    return len(answered)


@pytest.mark.slow
def test_killed_writer_loses_nothing_it_answered_for(tmp_path: Path, dice: random.Random) -> None:
    """Six real processes die by SIGKILL while three threads write and one compacts."""
    assert kill_often(tmp_path / "t", 6, dice) > 30


@pytest.mark.soak
def test_killed_writers_for_long(tmp_path: Path, dice: random.Random) -> None:
    """Five hundred deaths, in stores of fifty each."""
    assert sum(kill_often(tmp_path / str(n), 50, dice) for n in range(10)) > 2_500
