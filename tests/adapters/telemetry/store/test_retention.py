"""Raw rows of old days go and come back; what something rests on stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.adapters.telemetry.store import ReadingStore
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from tests.adapters.telemetry.store.keeping import (
    DAY,
    NOON,
    US,
    Row,
    everything,
    incoming,
    local_store,
    rows_of,
)

ALL = (Instant(0), Instant.parse("2100-01-01T00:00:00Z"))
LATER = NOON.plus(30 * 86_400)
ROWS: list[Row] = [
    row for day in range(4) for row in rows_of(["GPU-1", "GPU-2"], NOON.plus(day * 86_400), 3)
]


@pytest.fixture
def store(tmp_path: Path) -> ReadingStore:
    """Four days of two devices, settled."""
    made = local_store(tmp_path / "t")
    made.append("osaka", incoming(ROWS), received_us=NOON.us)
    made.compact("osaka", now=LATER)
    return made


def test_plan_says_what_would_go_and_takes_nothing(store: ReadingStore) -> None:
    """A dry run names days, rows and bytes; the day itself is not before it."""
    planned = store.plan_drops("2026-03-16")
    assert [(day.day, day.rows, day.files) for day in planned] == [
        (DAY, 6, 1),
        ("2026-03-15", 6, 1),
    ]
    assert all(day.size > 100 for day in planned)
    assert everything(store) == sorted(ROWS)
    with pytest.raises(InvalidInput):
        store.plan_drops("last year")


def test_raw_rows_go_and_minutes_stay(store: ReadingStore) -> None:
    """The days before keep their minute sums, the others everything; undoing brings all back byte for byte."""
    before = store.partitions(*ALL)
    trash = store.drop(store.plan_drops("2026-03-16"), now=LATER)
    assert store.trash() == (trash,)
    after = store.partitions(*ALL)
    assert [part.minutes for part in after] == [part.minutes for part in before]
    assert [len(part.readings) for part in after] == [0, 0, 1, 1]
    assert store.check().verdict == "holds"
    assert store.undo_drop(trash, now=LATER) == (("osaka", DAY), ("osaka", "2026-03-15"))
    assert [part.readings for part in store.partitions(*ALL)] == [p.readings for p in before]
    assert everything(store) == sorted(ROWS)
    assert (store.plan_drops("2026-03-16"), store.trash()) != ((), (trash,))


def test_emptied_trash_is_gone_for_good(store: ReadingStore) -> None:
    """After emptying there is nothing to undo, the store still holds, and the files' digests are still known."""
    named = store.partitions(*ALL)[0].readings[0]
    trash = store.drop(store.plan_drops("2026-03-15"), now=LATER)
    assert store.empty(trash, now=LATER) == 1
    assert store.trash() == ()
    assert store.undo_drop(trash, now=LATER) == ()
    assert store.check().verdict == "holds"
    manifest = store.partitions(*ALL)[0].manifest
    assert manifest.dropped
    assert manifest.dropped.files[0].sha256 == named.sha256
    assert store.plan_drops("2026-03-15") == ()


def test_held_day_is_left_unless_told(store: ReadingStore) -> None:
    """What a roll-up in the log rests on stays, with the evidence named; told so, it goes all the same."""
    evidence = store.hold(store.partitions(*ALL)[0].readings, why="entry 17", at=NOON)
    planned = store.plan_drops("2026-03-16")
    assert [day.held_by for day in planned] == [(evidence,), ()]
    store.drop(planned, now=LATER)
    assert [len(part.readings) for part in store.partitions(*ALL)] == [1, 0, 1, 1]
    store.drop(planned, now=LATER, even_held=True)
    assert [len(part.readings) for part in store.partitions(*ALL)] == [0, 0, 1, 1]


def test_rows_for_a_dropped_day_are_counted_and_change_nothing(store: ReadingStore) -> None:
    """Its minute sums cannot be made again, so what comes too late is told and not mixed in."""
    store.drop(store.plan_drops("2026-03-15"), now=LATER)
    minutes = store.partitions(*ALL)[0].minutes
    store.append("osaka", incoming([("GPU-1", NOON.us + 7 * US, 1)]), received_us=LATER.us)
    done = store.compact("osaka", now=LATER)
    assert [(day.rows_in, day.too_late) for day in done.days] == [(1, 1)]
    day = store.partitions(*ALL)[0]
    assert (day.minutes, day.manifest.too_late) == (minutes, 1)
    assert store.files.list_files("segments/site=osaka") == []


def test_unknown_name_in_the_trash_is_refused(store: ReadingStore) -> None:
    """A name that could lead elsewhere is no name; one that nobody gave brings nothing back."""
    for name in ("../readings", "", "20260101"):
        with pytest.raises(InvalidInput):
            store.undo_drop(name, now=LATER)
        with pytest.raises(InvalidInput):
            store.empty(name, now=LATER)
    assert store.undo_drop("20260101T000000.000000Z-00000000", now=LATER) == ()
