"""A made-up fleet: devices, jobs and settled readings from one seed, as large as wanted, for tests and benchmarks.

Nothing in it was measured. Levels are drawn so that columns take about as many bytes as real ones would: activity and
power noisy, clocks in steps of 15 MHz, utilisation in whole percent, instants off their beat by up to 0.2 s.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.engines import SourceFile
from sekisho.adapters.telemetry.readings import DOUBTFUL, READINGS
from sekisho.adapters.telemetry.roll_up import minutes_of
from sekisho.adapters.telemetry.store.tables import encode_part
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Allocation, DeviceSeen
from sekisho.model.wire import sha256_hex

__all__ = ["FleetPlan", "allocations_of", "devices_of", "table_of", "write_fleet"]

_NODE: Final = 8
_HOUR_US: Final = 3_600_000_000
_JITTER_MS: Final = 200
_SLICES: Final = (3, 4)  # of 7
Ints = npt.NDArray[np.int64]


class FleetPlan(msgspec.Struct, frozen=True, kw_only=True):
    """`gpus` reporting `readings` times, every `period_s` from `start`; the same plan gives the same bytes.

    Of every `cut_every` GPUs two report as the two MIG slices of one. Of a hundred devices `gaps` lose a tenth of
    their readings in one stretch; of a thousand readings five lack tensor activity, five the clock, one is doubtful.
    """

    gpus: int
    readings: int
    start: Instant
    period_s: int = 10
    seed: int = 1
    site: str = "made-up"
    chip: str = "NVIDIA H100 80GB HBM3"
    cut_every: int = 100
    gaps: int = 2
    rows_per_file: int = 10_000_000

    @property
    def end(self) -> Instant:
        return Instant(self.start.us + self.readings * self.period_s * 1_000_000)


def devices_of(plan: FleetPlan) -> tuple[DeviceSeen, ...]:
    """All devices in the order of their names, and the whole ones that slices are cut from."""
    found = []
    for number in range(plan.gpus):
        parent, slices = _cut(plan, number)
        device = DeviceSeen(
            device=_name(plan, number),
            site=plan.site,
            chip=plan.chip,
            host=f"node{number // _NODE}",
            parent=parent,
            slices=slices,
            slices_of=7 if parent else 1,
            first=plan.start,
            last=Instant(plan.end.us - plan.period_s * 1_000_000),
            period_us=plan.period_s * 1_000_000,
        )
        if parent and slices == _SLICES[0]:
            whole = msgspec.structs.replace(device, device=parent, parent="", slices=1, slices_of=1)
            found.append(whole)
        found.append(device)
    return tuple(found)


def allocations_of(plan: FleetPlan) -> tuple[Allocation, ...]:
    """Jobs of 8 to 512 devices, one after the other on the same nodes, half an hour to twelve hours long.

    Between them up to forty minutes belong to nobody; one job in fifty is exempt; the last ones have not ended.
    """
    dice = random.Random(f"{plan.seed} jobs")  # noqa: S311 - made-up, and the same again
    found: list[Allocation] = []
    first = 0
    while first < plan.gpus:
        size = dice.choice((1, 1, 2, 4, 8, 16, 64)) * _NODE
        names = tuple(_name(plan, n) for n in range(first, min(first + size, plan.gpus)))
        first += size
        at = plan.start.us - dice.randrange(6 * _HOUR_US)
        while at < plan.end.us:
            length = dice.randrange(_HOUR_US // 2, 12 * _HOUR_US)
            end = at + length
            found.append(
                Allocation(
                    job=f"job{len(found)}",
                    site=plan.site,
                    start=Instant(at),
                    end=Instant(end) if end < plan.end.us + 6 * _HOUR_US else None,
                    chips=len(names),
                    chip=plan.chip,
                    devices=names,
                    customer=f"customer{dice.randrange(40)}",
                    exempt=dice.random() < 0.02,
                )
            )
            at = end + dice.choice((0, dice.randrange(40 * 60_000_000)))
    return tuple(found)


def write_fleet(
    plan: FleetPlan, folder: Path, *, minutes: bool = True
) -> Iterator[tuple[SourceFile, SourceFile | None]]:
    """Write file by file, in memory that one file needs: readings and, unless told otherwise, their minutes."""
    per_file = max(1, plan.rows_per_file // plan.readings)
    for number, first in enumerate(range(0, plan.gpus, per_file)):
        table = table_of(plan, first, min(first + per_file, plan.gpus))
        readings = _write(plan, folder / f"readings-{number}.parquet", table)
        if minutes:
            rolled = minutes_of(table)
            yield readings, _write(plan, folder / f"minutes-{number}.parquet", rolled)
        else:
            yield readings, None


def table_of(plan: FleetPlan, first: int, end: int) -> Any:
    """READINGS of the devices from number `first` to before `end`."""
    dice = np.random.default_rng([plan.seed, first])
    devices, count = end - first, plan.readings
    at_ms = plan.start.us // 1000 + np.tile(np.arange(count) * plan.period_s * 1000, devices)
    at_ms += dice.integers(0, _JITTER_MS, at_ms.size)
    span_ms = np.diff(at_ms, append=0)
    span_ms[count - 1 :: count] = plan.period_s * 1000 - _JITTER_MS
    columns = _levels(dice, devices, count, span_ms)
    kept = _without_gaps(plan, dice, devices)
    # The reading before a gap stands for one period.
    span_ms[:-1][~kept[1:]] = plan.period_s * 1000
    code = np.repeat(np.arange(devices, dtype=np.int32), count)[kept]
    names = pa.array([_name(plan, n) for n in range(first, end)], pa.string())
    arrays = {
        "device": pa.DictionaryArray.from_arrays(pa.array(code), names),
        "at_us": pa.array(at_ms[kept] * 1000),
        "span_ms": pa.array(span_ms[kept].astype(np.int32)),
    }
    rows = code.size
    for field in READINGS:
        if field.name in columns:
            values, lacking = columns[field.name]
            mask = None if lacking is None else lacking[kept]
            arrays[field.name] = pa.array(values[kept], mask=mask).cast(field.type)
        elif field.name not in arrays:
            arrays[field.name] = pa.nulls(rows, field.type)
    return pa.Table.from_arrays([arrays[field.name] for field in READINGS], schema=READINGS)


def _levels(
    dice: np.random.Generator, devices: int, count: int, span_ms: Ints
) -> dict[str, tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]]:
    """Columns of numbers and where they are null; a third of the devices is busier than the rest."""
    size = devices * count
    busy = np.repeat(dice.choice((0.25, 0.45, 0.6), devices), count)
    noise = dice.standard_normal(size, dtype=np.float32)
    tensor = np.clip((busy + 0.1 * noise) * 1e6, 0, 1e6).astype(np.int32)
    power = (250_000 + 700_000 * busy + 20_000 * dice.standard_normal(size)).astype(np.int32)
    step = power.astype(np.int64) * span_ms // 1000
    counter = np.cumsum(step.reshape(devices, count), axis=1).reshape(-1) + 10**9
    memory = np.repeat(dice.integers(10**6, 8 * 10**7, devices), count)
    return {
        "tensor_ppm": (tensor, dice.random(size, np.float32) < 0.005),
        "sm_active_ppm": (np.minimum(tensor + 200_000, 1_000_000), None),
        "dram_ppm": (np.clip((0.3 + 0.08 * noise) * 1e6, 0, 1e6).astype(np.int32), None),
        "util_ppm": (dice.integers(80, 101, size, dtype=np.int32) * 10_000, None),
        "sm_clock_khz": (
            1_980_000 - 15_000 * dice.integers(0, 20, size, dtype=np.int32),
            dice.random(size, np.float32) < 0.005,
        ),
        "power_mw": (power, None),
        "energy_mj": (counter, None),
        "energy_step_mj": (step, None),
        "mem_used_kib": (memory, None),
        "xid": (np.zeros(size, np.int32), None),
        "flags": ((dice.random(size, np.float32) < 0.001).astype(np.int32) * DOUBTFUL, None),
    }


def _without_gaps(
    plan: FleetPlan, dice: np.random.Generator, devices: int
) -> npt.NDArray[np.bool_]:
    kept = np.ones((devices, plan.readings), dtype=np.bool_)
    length = plan.readings // 10
    for device in np.flatnonzero(dice.integers(0, 100, devices) < plan.gaps):
        begin = int(dice.integers(1, plan.readings - length))
        kept[device, begin : begin + length] = False
    return kept.reshape(-1)


def _name(plan: FleetPlan, number: int) -> str:
    parent, slices = _cut(plan, number)
    return f"{parent}/{_SLICES.index(slices) + 1}" if parent else _uuid(plan, number)


def _cut(plan: FleetPlan, number: int) -> tuple[str, int]:
    """The whole device that this one is a slice of and its size; "" and 1 for a whole one."""
    place = number % plan.cut_every
    if place >= len(_SLICES) or number - place + len(_SLICES) > plan.gpus:
        return "", 1
    return _uuid(plan, number - place), _SLICES[place]


def _uuid(plan: FleetPlan, number: int) -> str:
    """Names rise with their number."""
    tail = sha256_hex(f"{plan.seed} {number}".encode())
    return f"GPU-{number:08x}-{tail[:4]}-{tail[4:8]}-{tail[8:12]}-{tail[12:24]}"


def _write(plan: FleetPlan, path: Path, table: Any) -> SourceFile:
    data = encode_part(table)
    path.write_bytes(data)
    return SourceFile(
        path=str(path), site=plan.site, name=path.name, rows=len(table), sha256=sha256_hex(data)
    )
