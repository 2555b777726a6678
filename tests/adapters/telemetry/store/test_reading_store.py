"""Rows go in as segments and come out as days: what is kept, what is found, what is said of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from sekisho.adapters.telemetry.readings import LATE, READINGS
from sekisho.adapters.telemetry.store import ReadingStore, evidence_of
from sekisho.adapters.telemetry.store.segments import list_segments
from sekisho.adapters.telemetry.store.tables import read_file
from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.telemetry import DeviceSeen
from tests.adapters.telemetry.store.keeping import (
    DAY,
    NOON,
    US,
    everything,
    incoming,
    local_store,
    rows_of,
)

ALL = (Instant(0), Instant.parse("2100-01-01T00:00:00Z"))
NEXT_NOON = NOON.plus(86_400)
FLEET = [f"GPU-{number}" for number in range(40)]


@pytest.fixture
def store(tmp_path: Path) -> ReadingStore:
    return local_store(tmp_path / "telemetry")


def put(
    store: ReadingStore, rows: Sequence[tuple[str, int, int | None]], site: str = "osaka"
) -> None:
    store.append(site, incoming(rows), received_us=NOON.us)


def flags_of(store: ReadingStore) -> dict[tuple[str, int], int]:
    found: dict[tuple[str, int], int] = {}
    for part in store.partitions(*ALL):
        for file in part.readings:
            table = read_file(store.files, file.path, file.sha256, READINGS)
            columns = (table.column(name).to_pylist() for name in ("device", "at_us", "flags"))
            found |= {(device, at): flags for device, at, flags in zip(*columns, strict=True)}
    return found


def test_rows_are_found_before_and_after_compaction(store: ReadingStore) -> None:
    """What was appended is what a reader finds, first in segments, then in the day's part, and nowhere twice."""
    rows = rows_of(FLEET[:3], NOON, 5)
    put(store, rows[:7])
    put(store, rows[7:])
    assert everything(store) == sorted(rows)
    done = store.compact("osaka", now=NOON)
    assert (done.rows_in, done.removed, len(done.days)) == (15, 2, 1)
    assert list_segments(store.files, "osaka") == ()
    assert everything(store) == sorted(rows)


def test_delivery_over_midnight_lies_in_both_days(store: ReadingStore) -> None:
    """A segment of two days is taken away only when both of them have its rows."""
    midnight = Instant.parse("2026-03-15T00:00:00Z")
    rows = [("GPU-1", midnight.us - US, 1), ("GPU-1", midnight.us + US, 2)]
    put(store, rows)
    assert store.compact("osaka", [DAY], now=NEXT_NOON).removed == 0
    assert everything(store) == rows
    assert store.compact("osaka", now=NEXT_NOON).removed == 1
    assert [part.day for part in store.partitions(*ALL)] == [DAY, "2026-03-15"]
    assert everything(store) == rows


def test_rows_of_a_year_go_into_several_segments(store: ReadingStore) -> None:
    """Days far apart are kept in a file for each month or so, and every day gets its own part."""
    rows = [("GPU-1", NOON.us + day * 86_400 * US, day) for day in range(0, 300, 30)]
    put(store, rows)
    assert 1 < len(list_segments(store.files, "osaka")) <= 10
    store.compact("osaka", now=NOON.plus(400 * 86_400))
    assert len(store.partitions(*ALL)) == 10
    assert everything(store) == rows


def test_many_rows_are_settled_a_bucket_at_a_time(tmp_path: Path) -> None:
    """More rows than are settled at once make several parts, each device whole in one, and lose nothing."""
    store = local_store(tmp_path / "t", bucket_rows=100)
    rows = rows_of(FLEET, NOON, 20)
    random.Random(1).shuffle(rows)
    for start in range(0, len(rows), 90):
        put(store, rows[start : start + 90])
    store.compact("osaka", now=NOON)
    (day,) = store.partitions(*ALL)
    assert day.manifest.buckets == 8
    homes: dict[str, str] = {}
    for file in day.readings:
        table = read_file(store.files, file.path, file.sha256, READINGS)
        for device in set(table.column("device").to_pylist()):
            assert homes.setdefault(device, file.path) == file.path
    assert everything(store) == sorted(rows)
    assert sum(file.rows for file in day.minutes) == len(FLEET) * 4


def test_growing_day_is_divided_further_without_loss(tmp_path: Path) -> None:
    """When a day outgrows its buckets what was settled is divided too; later, untouched buckets keep their file."""
    store = local_store(tmp_path / "t", bucket_rows=100)
    rows = rows_of(FLEET, NOON, 20)
    for start, end in ((0, 80), (80, 400), (400, 780)):
        put(store, rows[start:end])
        store.compact("osaka", now=NOON)
        assert everything(store) == sorted(rows[:end])
    (before,) = store.partitions(*ALL)
    put(store, [("GPU-1", NOON.us + 999 * US, 7)])
    store.compact("osaka", now=NOON)
    (after,) = store.partitions(*ALL)
    assert before.manifest.buckets == after.manifest.buckets
    assert len({f.path for f in before.readings} ^ {f.path for f in after.readings}) == 2
    assert len(everything(store)) == 781


def test_order_of_arrival_does_not_change_the_settled_rows(tmp_path: Path) -> None:
    """The same rows in any order, in any deliveries, with any compactions between, end in the same part bytes."""
    digests = set()
    for seed in range(4):
        dice = random.Random(seed)
        store = local_store(tmp_path / str(seed))
        rows = rows_of(FLEET[:5], NOON, 30)
        dice.shuffle(rows)
        while rows:
            some, rows = rows[: (cut := dice.randrange(1, 40))], rows[cut:]
            put(store, some)
            if dice.random() < 0.3:
                store.compact("osaka", now=NOON)
        store.compact("osaka", now=NOON)
        (day,) = store.partitions(*ALL)
        digests.add(tuple(file.sha256 for file in (*day.readings, *day.minutes)))
    assert len(digests) == 1


def test_rows_for_a_closed_day_are_late_and_counted(store: ReadingStore) -> None:
    """After a day's end and its grace, new rows and rows that say more are flagged; repeated ones are not."""
    put(store, [("GPU-1", NOON.us, 100), ("GPU-1", NOON.us + US, None)])
    store.compact("osaka", now=NOON)
    put(store, [("GPU-1", NOON.us + 2 * US, 102)])
    assert store.compact("osaka", now=NEXT_NOON).days[0].late == 0, "it closes only now"
    put(
        store,
        [
            ("GPU-1", NOON.us, 100),  # again
            ("GPU-1", NOON.us + US, 101),  # now measured
            ("GPU-1", NOON.us + 3 * US, 103),  # new
            ("GPU-2", NOON.us, 200),  # a new device
        ],
    )
    done = store.compact("osaka", now=NEXT_NOON)
    assert done.days[0].late == 3
    late = {key for key, flags in flags_of(store).items() if flags & LATE}
    expected = {("GPU-1", NOON.us + US), ("GPU-1", NOON.us + 3 * US), ("GPU-2", NOON.us)}
    assert late == expected
    put(store, [("GPU-3", NOON.us, 300)])
    assert store.compact("osaka", now=NEXT_NOON).days[0].late == 1
    kept = {key for key, flags in flags_of(store).items() if flags & LATE}
    assert kept == expected | {("GPU-3", NOON.us)}
    assert store.partitions(*ALL)[0].manifest.late == 4


def test_day_is_closed_when_it_is_over_even_if_nothing_came(store: ReadingStore) -> None:
    """Compaction after the grace closes the day; before it the day stays open."""
    put(store, [("GPU-1", NOON.us, 1)])
    store.compact("osaka", now=NOON)
    over = Instant.parse("2026-03-15T01:59:59Z")
    assert store.compact("osaka", now=over).days == ()
    assert not store.partitions(*ALL)[0].manifest.closed
    store.compact("osaka", now=over.plus(1))
    assert store.partitions(*ALL)[0].manifest.closed


def test_query_gets_its_days_and_the_one_before_of_its_site(store: ReadingStore) -> None:
    """A reading before midnight may stand past it, so the day before comes along; other sites do not."""
    for day in range(5):
        put(store, [("GPU-1", NOON.us + day * 86_400 * US, 1)])
        put(store, [("GPU-9", NOON.us + day * 86_400 * US, 1)], site="kobe")
    for site in ("osaka", "kobe"):
        store.compact(site, now=NOON.plus(10 * 86_400))
    start = Instant.parse("2026-03-16T00:00:00Z")
    found = store.partitions(start, start.plus(86_400), "osaka")
    assert [(part.site, part.day) for part in found] == [
        ("osaka", "2026-03-15"),
        ("osaka", "2026-03-16"),
    ]
    assert len(store.partitions(*ALL)) == 10
    assert store.sites() == ("kobe", "osaka")


def test_waiting_days_are_those_with_rows_that_no_part_has(store: ReadingStore) -> None:
    """A compacted day waits no longer, until something comes for it."""
    put(store, [("GPU-1", NOON.us, 1), ("GPU-1", NEXT_NOON.us, 1)])
    assert store.waiting("osaka", DAY, "2026-03-20") == (DAY, "2026-03-15")
    store.compact("osaka", [DAY], now=NEXT_NOON)
    assert store.waiting("osaka", DAY, "2026-03-20") == ("2026-03-15",)
    assert store.waiting("osaka", "2026-03-16", "2026-03-20") == ()


def test_replaced_part_stays_for_readers_under_way_and_then_goes(store: ReadingStore) -> None:
    """A file that a query opened is there for an hour after its replacement; a held one until it is released."""
    put(store, [("GPU-1", NOON.us, 1)])
    store.compact("osaka", now=NOON)
    (old,) = store.partitions(*ALL)
    put(store, [("GPU-1", NOON.us + US, 1)])
    store.compact("osaka", now=NOON.plus(60))
    (middle,) = store.partitions(*ALL)
    evidence = store.hold(middle.readings, why="entry 17", at=NOON)
    assert evidence == evidence_of(middle.readings)
    put(store, [("GPU-1", NOON.us + 2 * US, 1)])
    store.compact("osaka", now=NOON.plus(120))
    assert Path(old.readings[0].address).exists()
    store.compact("osaka", now=NOON.plus(8_000))
    assert not Path(old.readings[0].address).exists()
    assert Path(middle.readings[0].address).exists()
    assert not Path(middle.minutes[0].address).exists()
    assert store.check().verdict == "holds"
    store.release(evidence)
    store.compact("osaka", now=NOON.plus(16_000))
    assert not Path(middle.readings[0].address).exists()


def test_evidence_is_the_digest_of_path_digest_and_rows(store: ReadingStore) -> None:
    """It does not depend on the order of files or on where the store lies, and changes with every row."""
    put(store, [("GPU-1", NOON.us, 1)])
    put(store, [("GPU-1", NEXT_NOON.us, 1)])
    store.compact("osaka", now=NEXT_NOON)
    files = [file for part in store.partitions(*ALL) for file in part.readings]
    assert evidence_of(files) == evidence_of(reversed(files))
    assert evidence_of(files) != evidence_of(files[:1])
    assert evidence_of([]) == ""
    with pytest.raises(InvalidInput):
        store.release("sha256:nothing")


def test_devices_carry_what_compaction_saw_of_them(store: ReadingStore) -> None:
    """First and last reading widen over days, the period is the median distance, the chip's name stays."""
    store.devices.save(
        "osaka", [DeviceSeen(device="GPU-1", site="osaka", chip="H100")], recorded_us=1
    )
    put(store, rows_of(["GPU-1"], NOON, 9))
    put(store, rows_of(["GPU-1"], NEXT_NOON, 9, step_s=20))
    store.compact("osaka", now=NEXT_NOON)
    known = store.devices.load("osaka")["GPU-1"]
    assert known == DeviceSeen(
        device="GPU-1",
        site="osaka",
        chip="H100",
        first=NOON,
        last=NEXT_NOON.plus(160),
        period_us=20 * US,
    )


def test_second_compactor_is_told_that_one_is_at_work(store: ReadingStore, tmp_path: Path) -> None:
    """One process holds a site; another may append meanwhile and compact other sites."""
    put(store, [("GPU-1", NOON.us, 1)])
    other = local_store(tmp_path / "telemetry")
    with store.files.hold("site=osaka", wait_s=0.0):
        with pytest.raises(StateConflict):
            other.compact("osaka", now=NOON)
        put(other, [("GPU-1", NOON.us + US, 1)])
        other.compact("kobe", now=NOON)
    other.compact("osaka", now=NOON)
    assert len(everything(store)) == 2


def test_crowd_of_device_files_is_folded_into_one(store: ReadingStore) -> None:
    """Forty records say the same as one after a compaction has folded them."""
    for number in range(40):
        one = DeviceSeen(device=f"GPU-{number}", site="osaka", chip="H100")
        store.devices.save("osaka", [one], recorded_us=number)
    before = store.devices.load("osaka")
    put(store, [("GPU-1", NOON.us, 1)])
    store.compact("osaka", now=NOON)
    after = local_store(Path(store.files.scratch).parent).devices.load("osaka")
    assert set(after) == set(before)
    assert len(store.files.list_files("devices/site=osaka")) <= 2
