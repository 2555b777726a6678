"""Usage summed by engines equals usage counted the slow way, to the last unit."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from sekisho.adapters.telemetry.engines import Engine, sum_usage, summing
from sekisho.adapters.telemetry.store import StoredFile, evidence_of
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Allocation, DeviceSeen, Usage
from sekisho.ports.telemetry import UsageQuery
from tests.adapters.telemetry.engines.counting import count_usage
from tests.adapters.telemetry.engines.worlds import (
    HOUR,
    NOON,
    World,
    make_world,
    write_world,
)

Kind = Literal["readings", "minutes"]


def answer_of(
    engine: Engine, world: World, query: UsageQuery, kind: Kind, folder: Path
) -> list[Usage]:
    files = write_world(world, folder, kind)
    found = sum_usage(engine, files, world.allocations, world.devices, query, source=kind)
    return [msgspec.structs.replace(usage, evidence="") for usage in found]


@pytest.mark.parametrize("kind", ["readings", "minutes"])
@pytest.mark.parametrize("bucket_s", [0, 3600, 90, 7001])
@pytest.mark.parametrize("seed", range(2))
def test_sums_equal_the_slow_count(
    duck: Engine, tmp_path: Path, seed: int, bucket_s: int, kind: Kind
) -> None:
    """Overlaps, slices, hosts, open ends, nulls, extremes, boundaries, two sites, two days."""
    longest_ms = 500_000 if kind == "minutes" else 90_000_000  # 2**63 bounds what a minute can hold
    hours = 2 if bucket_s == 90 else 30
    world = make_world(random.Random(seed), hours=hours, longest_ms=longest_ms)
    start, end = Instant(world.start + HOUR // 3), Instant(world.end - 1)
    query = UsageQuery(start=start, end=end, bucket_s=bucket_s)
    assert answer_of(duck, world, query, kind, tmp_path) == count_usage(world, query, kind)


@pytest.mark.parametrize("kind", ["readings", "minutes"])
def test_windows_shorter_than_a_day_change_nothing(
    duck: Engine, tmp_path: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many buckets over many devices are taken in turns; the sums are those of one turn."""
    world = make_world(random.Random(11), hours=3, longest_ms=500_000)
    query = UsageQuery(start=Instant(world.start), end=Instant(world.end), bucket_s=600)
    whole = answer_of(duck, world, query, kind, tmp_path)
    monkeypatch.setattr(summing, "_PIECES_AT_ONCE", 40)
    assert answer_of(duck, world, query, kind, tmp_path) == whole


def test_minutes_and_readings_agree_but_for_what_is_cut(duck: Engine, tmp_path: Path) -> None:
    """Time is the same from both; where no boundary cuts a minute or a reading, so is everything."""
    dice = random.Random(12)
    world = make_world(dice, hours=5, longest_ms=10_000)
    day = msgspec.structs.replace(world, allocations=())
    query = UsageQuery(start=Instant(world.start), end=Instant(world.end), bucket_s=0)
    exact = answer_of(duck, day, query, "readings", tmp_path)
    rolled = answer_of(duck, day, query, "minutes", tmp_path)
    for one, other in zip(exact, rolled, strict=True):
        assert (one.chip_ms, one.devices) == (other.chip_ms, other.devices)
        assert abs(one.clock_ms - other.clock_ms) <= 60_000 * 2 * one.devices


def test_sites_are_told_apart_and_may_be_asked_alone(duck: Engine, tmp_path: Path) -> None:
    """One device name at two sites is two devices."""
    world = make_world(random.Random(13), hours=3)
    query = UsageQuery(start=Instant(world.start), end=Instant(world.end), bucket_s=0)
    both = answer_of(duck, world, query, "readings", tmp_path)
    alone = msgspec.structs.replace(query, site="s2")
    assert answer_of(duck, world, alone, "readings", tmp_path) == [
        u for u in both if u.site == "s2"
    ]
    assert {usage.site for usage in both} == {"s1", "s2"}


def test_every_device_is_accounted_whole(duck: Engine, tmp_path: Path) -> None:
    """Leased, exempt and unclaimed time, less what was claimed twice, is the time of the devices: nothing is lost."""
    devices = tuple(DeviceSeen(device=f"GPU-{n}", site="s1", chip="H100") for n in range(3))
    records = [
        allocation("a", ("GPU-0", "GPU-1"), 0, 40),
        allocation("b", ("GPU-1", "GPU-2"), 30, 50, exempt=True),
        allocation("a", ("GPU-0",), 20, 45),  # the same job again: its own, not twice
    ]
    world = World(
        devices=devices, allocations=tuple(records), rows={"s1": (), "s2": ()}, start=0, end=1
    )
    query = UsageQuery(start=Instant(NOON), end=Instant(NOON + HOUR), bucket_s=0)
    found = answer_of(duck, world, query, "readings", tmp_path)
    minute = 60_000
    times = {usage.job: (usage.chip_ms, usage.overlapped_ms, usage.exempt) for usage in found}
    assert times == {
        "": (65 * minute, 0, False),
        "a": (85 * minute, 10 * minute, False),
        "b": (40 * minute, 10 * minute, True),
    }
    claimed_twice = sum(usage.overlapped_ms for usage in found) // 2
    assert sum(usage.chip_ms for usage in found) - claimed_twice == 3 * 60 * minute


def test_the_evidence_is_the_digest_of_the_files_that_were_read(
    duck: Engine, tmp_path: Path
) -> None:
    """As the store makes it of the same files."""
    world = make_world(random.Random(14), hours=2)
    files = [
        msgspec.structs.replace(file, name=f"readings/{n}", sha256=f"{n}" * 64)
        for n, file in enumerate(write_world(world, tmp_path, "readings"))
    ]
    stored = [StoredFile(path=f.name, rows=f.rows, sha256=f.sha256, size=0) for f in files]
    query = UsageQuery(start=Instant(world.start), end=Instant(world.end))
    found = sum_usage(duck, files, world.allocations, world.devices, query, source="readings")
    assert {usage.evidence for usage in found} == {evidence_of(stored)}


@pytest.mark.parametrize(("end", "bucket_s"), [(0, 3600), (HOUR, 59), (HOUR, -1)])
def test_a_query_over_nothing_or_in_splinters_is_refused(
    duck: Engine, end: int, bucket_s: int
) -> None:
    """It ends before it starts, or its buckets are shorter than what they are made of."""
    query = UsageQuery(start=Instant(NOON), end=Instant(NOON + end), bucket_s=bucket_s)
    with pytest.raises(InvalidInput):
        list(sum_usage(duck, (), (), (), query))


def allocation(
    job: str, devices: tuple[str, ...], start_min: int, end_min: int, *, exempt: bool = False
) -> Allocation:
    start, end = (Instant(NOON + minute * 60_000_000) for minute in (start_min, end_min))
    return Allocation(
        job=job, site="s1", start=start, end=end, chips=len(devices), devices=devices, exempt=exempt
    )
