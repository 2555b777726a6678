"""Small random fleets, written as the store writes them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.engines import SourceFile
from sekisho.adapters.telemetry.readings import READINGS
from sekisho.adapters.telemetry.roll_up import minutes_of
from sekisho.model.instants import Instant
from sekisho.model.telemetry import FIELDS, Allocation, DeviceSeen

NOON = 1_800_014_400_000_000  # 2027-01-15T12:00:00Z
HOUR = 3_600_000_000
Row = Mapping[str, Any]


class World(msgspec.Struct, frozen=True, kw_only=True):
    devices: tuple[DeviceSeen, ...]
    allocations: tuple[Allocation, ...]
    rows: Mapping[str, tuple[Row, ...]]  # readings by site
    start: int  # microseconds
    end: int


def make_world(
    dice: random.Random, *, hours: int = 30, readings: int = 40, longest_ms: int = 90_000_000
) -> World:
    """Two sites: whole devices, one cut in slices, a host whose jobs name no device, one that no telemetry has."""
    start = NOON + dice.randrange(HOUR)
    span = start, start + hours * HOUR
    devices = _make_devices(dice, span)
    allocations = tuple(_make_allocation(dice, number, span) for number in range(16))
    rows: dict[str, list[Row]] = {"s1": [], "s2": []}
    for device in devices:
        edges = [record.start.us for record in allocations]
        edges += [record.end.us for record in allocations if record.end]
        edges += range(span[0] // HOUR * HOUR, span[1], HOUR)
        rows[device.site] += _make_readings(dice, device, (*span, readings, longest_ms), edges)
    return World(
        devices=devices,
        allocations=allocations,
        rows={site: tuple(found) for site, found in rows.items()},
        start=span[0],
        end=span[1],
    )


def write_world(
    world: World, folder: Path, kind: Literal["readings", "minutes"], **options: Any
) -> list[SourceFile]:
    """Two files for each site, each with half of its devices."""
    files = []
    for site, rows in world.rows.items():
        for half in range(2):
            some = [row for row in rows if sum(row["device"].encode()) % 2 == half]
            path = folder / f"{kind}-{site}-{half}.parquet"
            table = readings_table(some)
            table = minutes_of(table) if kind == "minutes" else table
            pq.write_table(table, path, row_group_size=50, **options)
            files.append(SourceFile(path=str(path), site=site, rows=len(table), sha256="ab"))
    return files


def readings_table(rows: Sequence[Row]) -> Any:
    ordered = sorted(rows, key=lambda row: (row["device"], row["at_us"]))
    return pa.Table.from_pylist(ordered, schema=READINGS).combine_chunks()


def _make_devices(dice: random.Random, span: tuple[int, int]) -> tuple[DeviceSeen, ...]:
    def device(name: str, site: str = "s1", **more: Any) -> DeviceSeen:
        first = dice.choice([None, Instant(span[0] + dice.randrange(10 * HOUR))])
        last = dice.choice([None, Instant(span[1] - dice.randrange(10 * HOUR))])
        period = dice.choice([0, 10_000_000, 10_000_001])
        return DeviceSeen(
            **{
                "device": name,
                "site": site,
                "first": first,
                "last": last,
                "period_us": period,
                **more,
            }
        )

    return (
        *(device(f"GPU-{n}", chip="H100") for n in range(3)),
        device("GPU-cut", chip="A100"),
        device("GPU-cut/1", chip="A100", parent="GPU-cut", slices=1, slices_of=7),
        device("GPU-cut/2", chip="A100", parent="GPU-cut", slices=3, slices_of=7),
        *(device(f"GPU-host-{n}", chip="H100", host="node1") for n in range(3)),
        device("GPU-0", "s2"),  # the same name at another site, of a make that nobody tells
    )


def _make_allocation(dice: random.Random, number: int, span: tuple[int, int]) -> Allocation:
    names = [*(f"GPU-{n}" for n in range(3)), "GPU-cut", "GPU-cut/1", "GPU-cut/2", "GPU-unseen"]
    start = dice.randrange(span[0] - 5 * HOUR, span[1])
    start = start // HOUR * HOUR if dice.random() < 0.2 else start
    end = Instant(start + dice.randrange(1, 12 * HOUR)) if dice.random() < 0.9 else None
    site = "s1" if dice.random() < 0.8 else "s2"
    how = dice.random()
    where: dict[str, Any] = {"devices": tuple(dice.sample(names, dice.randrange(1, 4)))}
    if how < 0.35:
        hosts = dice.choice([("node1",), ("node1", "node9"), ("node9",)])
        where = {"hosts": hosts}
    return Allocation(
        job=f"job{number % 12}",
        site=site,
        start=Instant(start),
        end=end,
        chips=dice.randrange(1, 6),
        chip=dice.choice(["", "H100"]),
        exempt=dice.random() < 0.2,
        **where,
    )


def _make_readings(
    dice: random.Random, device: DeviceSeen, span: tuple[int, int, int, int], edges: Sequence[int]
) -> list[Row]:
    """At random moments and exactly at boundaries; up to the next at most, to midnight at the latest."""
    moments = {dice.randrange(span[0], span[1]) for _ in range(span[2])}
    moments |= {dice.choice(edges) + dice.choice([-1000, 0, 1000]) for _ in range(span[2] // 2)}
    ordered = sorted(at for at in moments if span[0] - 12 * HOUR <= at < span[1])
    rows = []
    for at, following in zip(ordered, [*ordered[1:], ordered[-1]], strict=True):
        longest = following // 1000 - at // 1000
        wanted = dice.choice([0, 1, 10_000, 59_999, 60_000, 900_000, 4_000_000, 90_000_000])
        rows.append(_make_row(dice, device.device, at, max(0, min(longest, wanted, span[3]))))
    return rows


def _make_row(dice: random.Random, device: str, at_us: int, span_ms: int) -> Row:
    row: dict[str, Any] = dict.fromkeys(FIELDS)
    row |= {"device": device, "at_us": at_us, "span_ms": span_ms, "energy_step_mj": None}
    row["flags"] = dice.choice([0, 0, 0, 1, 2, 5, 8])
    for name in ("tensor_ppm", "util_ppm", "fp16_ppm", "fp32_ppm", "fp64_ppm"):
        row[name] = dice.choice([None, 0, 10**6, dice.randrange(10**6), dice.randrange(10**6)])
    for name in ("sm_clock_khz", "power_mw"):
        row[name] = dice.choice([None, 1, 5 * 10**6, dice.randrange(1, 2 * 10**6)])
    return row
