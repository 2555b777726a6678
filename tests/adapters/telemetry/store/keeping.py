"""Rows, rules and stores for the tests of the store. The rules stand in for those of the house: they only sort."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.durable_files import Disk
from sekisho.adapters.telemetry.readings import INCOMING, MINUTES, READINGS
from sekisho.adapters.telemetry.store import ReadingStore, StoreSettings
from sekisho.adapters.telemetry.store.files import LocalFiles
from sekisho.adapters.telemetry.store.segments import list_segments, load_segment
from sekisho.adapters.telemetry.store.settling import Rules
from sekisho.adapters.telemetry.store.tables import read_file
from sekisho.model.instants import Instant
from sekisho.model.telemetry import FIELDS

__all__ = [
    "DAY",
    "NOON",
    "RULES",
    "US",
    "everything",
    "incoming",
    "local_store",
    "rows_of",
    "seen_of",
]

US = 1_000_000
DAY = "2026-03-14"
NOON = Instant.parse("2026-03-14T12:00:00Z")
Row = tuple[str, int, int | None]
"""A device, an instant in microseconds, milliwatts."""


def incoming(rows: Iterable[Row]) -> pa.Table:
    """INCOMING rows with power only."""
    listed = list(rows)
    columns: dict[str, Any] = {
        "device": pa.array([row[0] for row in listed], pa.string()).dictionary_encode(),
        "at_us": pa.array([row[1] for row in listed], pa.int64()),
    }
    for name in FIELDS:
        values = [row[2] if name == "power_mw" else None for row in listed]
        columns[name] = pa.array(values, INCOMING.field(name).type)
    return pa.table(columns, schema=INCOMING)


def rows_of(
    devices: Sequence[str], start: Instant, count: int, *, step_s: int = 10, power: int = 400_000
) -> list[Row]:
    """As many readings of each device, one every `step_s` seconds."""
    return [
        (device, start.us + number * step_s * US, power + number)
        for number in range(count)
        for device in devices
    ]


def settle(rows: pa.Table) -> pa.Table:
    """Sorted by device and time, the largest power of one instant; each stands for ten seconds."""
    grouped = (
        rows.set_column(0, "device", rows.column("device").cast(pa.string()))
        .group_by(["device", "at_us"])
        .aggregate([(name, "max") for name in FIELDS])
        .sort_by([("device", "ascending"), ("at_us", "ascending")])
    )
    count = grouped.num_rows
    columns: dict[str, Any] = {
        "device": pc.dictionary_encode(grouped.column("device")),
        "at_us": grouped.column("at_us"),
        "span_ms": pa.array(np.full(count, 10_000, np.int32)),
        **{name: grouped.column(f"{name}_max") for name in FIELDS},
        "energy_step_mj": pa.nulls(count, pa.int64()),
        "flags": pa.array(np.zeros(count, np.int32)),
    }
    return pa.table(columns).cast(READINGS)


def minutes_of(readings: pa.Table) -> pa.Table:
    """How many readings each minute has; all other sums are their number too."""
    at_us = readings.column("at_us").to_numpy()
    table = pa.table(
        {
            "device": readings.column("device").cast(pa.string()),
            "minute_us": pa.array(at_us // (60 * US) * (60 * US)),
        }
    )
    counted = table.group_by(["device", "minute_us"]).aggregate([([], "count_all")])
    counted = counted.sort_by([("device", "ascending"), ("minute_us", "ascending")])
    columns = {
        name: counted.column(name if name in ("device", "minute_us") else "count_all")
        for name in MINUTES.names
    }
    columns["device"] = pc.dictionary_encode(columns["device"])
    return pa.table(columns).cast(MINUTES)


RULES = Rules(settle=settle, minutes_of=minutes_of)


def local_store(root: Path, *, disk: Disk | None = None, bucket_rows: int = 1_000) -> ReadingStore:
    """A store that waits for nobody."""
    settings = StoreSettings(gather_s=0.0, bucket_rows=bucket_rows, wait_s=0.2)
    return ReadingStore(LocalFiles(root, disk), settings=settings, rules=RULES)


def everything(store: ReadingStore, site: str = "osaka") -> list[Row]:
    """Every row that a reader finds: in the parts, and in the segments that no manifest has yet. Doubled rows show."""
    found = []
    merged: dict[str, set[str]] = {}
    start, end = Instant(0), Instant.parse("2100-01-01T00:00:00Z")
    for part in store.partitions(start, end, site):
        merged[part.day] = set(part.manifest.merged)
        for file in part.readings:
            found += _plain(read_file(store.files, file.path, file.sha256, READINGS))
    for name in list_segments(store.files, site):
        for day in name.days:
            if name.id not in merged.get(day, set()):
                found += _plain(load_segment(store.files, site, name, day))
    return sorted(found, key=lambda row: (row[0], row[1], row[2] or 0))


def seen_of(table: pa.Table) -> list[Row]:
    """A table's rows, sorted, as `everything` gives them."""
    return sorted(_plain(table), key=lambda row: (row[0], row[1], row[2] or 0))


def _plain(table: pa.Table) -> list[Row]:
    columns = (table.column(name).to_pylist() for name in ("device", "at_us", "power_mw"))
    return list(zip(*columns, strict=True))
