"""Usage summed by engines equals usage counted the slow way, to the last unit."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from sekisho.adapters.telemetry.engines import Engine, sum_usage
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Usage
from sekisho.ports.telemetry import UsageQuery
from tests.adapters.telemetry.engines.counting import count_usage
from tests.adapters.telemetry.engines.worlds import HOUR, World, make_world, write_world

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
