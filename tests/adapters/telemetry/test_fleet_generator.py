"""The made-up fleet is the same for the same plan, and lies within the rules of the store."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
import pytest

from sekisho.adapters.telemetry.fleet_generator import (
    FleetPlan,
    allocations_of,
    devices_of,
    table_of,
    write_fleet,
)
from sekisho.adapters.telemetry.readings import READINGS
from sekisho.model.instants import Instant
from sekisho.model.telemetry import FIELDS

PLAN = FleetPlan(gpus=210, readings=120, start=Instant(1_800_057_600_000_000), rows_per_file=6_000)


def test_the_same_plan_gives_the_same_files(tmp_path: Path) -> None:
    """Byte for byte, and other bytes for another seed."""
    digests = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        plan = msgspec.structs.replace(PLAN, seed=seed)
        files = list(write_fleet(plan, tmp_path / name))
        digests.append([(one.sha256, rolled and rolled.sha256) for one, rolled in files])
        assert len(files) == 5
    assert digests[0] == digests[1] != digests[2]


def test_readings_keep_the_order_and_bounds_of_the_store() -> None:
    """Sorted by device and time, spans that never overlap, numbers within their fields."""
    table = table_of(PLAN, 0, PLAN.gpus)
    assert table.schema.equals(READINGS)
    codes = table.column("device").combine_chunks().indices.to_numpy()
    at_ms = table.column("at_us").to_numpy() // 1000
    ends = at_ms + table.column("span_ms").to_numpy()
    same = codes[1:] == codes[:-1]
    assert (np.diff(codes) >= 0).all()
    assert (at_ms[1:][same] >= ends[:-1][same]).all()
    assert ends.max() <= PLAN.end.us // 1000
    for name, field in FIELDS.items():
        known = table.column(name).drop_null().to_numpy()
        assert ((known >= field.low) & (known <= field.high)).all(), name


def test_there_are_gaps_nulls_and_slices() -> None:
    """What makes real telemetry hard is in it."""
    table = table_of(PLAN, 0, PLAN.gpus)
    assert table.num_rows < PLAN.gpus * PLAN.readings
    assert table.column("tensor_ppm").null_count > 0
    assert pa.compute.max(table.column("flags")).as_py() == 1
    devices = devices_of(PLAN)
    slices = [device for device in devices if device.parent]
    assert len(devices) == len({device.device for device in devices}) > PLAN.gpus
    assert {(one.slices, one.slices_of) for one in slices} == {(3, 7), (4, 7)}
    assert {one.parent for one in slices} <= {device.device for device in devices}


@pytest.mark.parametrize("gpus", [7, 210])
def test_jobs_follow_each_other_on_their_nodes(gpus: int) -> None:
    """No two have one device at once, and every device that they name is one of the fleet."""
    plan = msgspec.structs.replace(PLAN, gpus=gpus)
    names = {device.device for device in devices_of(plan)}
    free_from: dict[str, int] = {}
    for job in allocations_of(plan):
        assert set(job.devices) <= names
        for device in job.devices:
            assert job.start.us >= free_from.get(device, 0)
            free_from[device] = job.end.us if job.end else plan.end.us
