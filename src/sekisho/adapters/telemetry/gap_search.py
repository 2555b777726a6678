"""Gaps over days, part by part: memory holds a day of a few devices and the last readings of the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.roll_up import find_gaps
from sekisho.adapters.telemetry.store.manifests import Partition
from sekisho.adapters.telemetry.store.tables import concat, device_codes
from sekisho.model.instants import Instant
from sekisho.ports.telemetry import Gap

__all__ = ["search_gaps"]

_COLUMNS: Final = ["device", "at_us", "span_ms", "energy_mj", "flags"]
_Last = tuple[int, int, int | None, int]
"""A device's last reading: at_us, span_ms, energy_mj, flags."""
_SPANS: Final = 3
"""Spans of silence at the end of the time asked for that are a gap, as the port says."""


def search_gaps(days: Sequence[Partition], start: Instant, end: Instant) -> Iterator[Gap]:
    """Gaps of a site's devices within [start, end), its days in order; a device that fell silent has one to the end.

    The last reading of each device is carried from day to day. Days whose raw rows were dropped say nothing.
    """
    last: dict[str, _Last] = {}
    for day in days:
        for file in day.readings:
            table = _with_last(concat([pq.read_table(file.address, columns=_COLUMNS)]), last)
            yield from _clipped(find_gaps(table, site=day.site), start, end)
    for device, (at_us, span_ms, _, _) in last.items():
        begin = Instant(at_us + span_ms * 1000)
        if end.us - at_us > _SPANS * max(span_ms, 1) * 1000:
            gap = Gap(device=device, site=days[0].site, start=begin, end=end)
            yield from _clipped([gap], start, end)


def _with_last(table: pa.Table, last: dict[str, _Last]) -> pa.Table:
    """A part's rows, behind the last one of each of its devices before; and theirs become the last."""
    codes, names = device_codes(table)
    if not len(codes):
        return table
    before = {name: last[name] for name in names if name in last}
    ends = np.flatnonzero(np.diff(codes, append=-1))
    tails = table.take(pa.array(ends)).to_pydict()
    devices = tails.pop("device")
    last.update(zip(devices, zip(*tails.values(), strict=True), strict=True))
    if not before:
        return table
    columns = [list(before), *map(list, zip(*before.values(), strict=True))]
    fields = [field for field in table.schema if field.name != "device"]
    arrays = [pa.array(columns[0], pa.string()).dictionary_encode()]
    arrays += [pa.array(column, f.type) for column, f in zip(columns[1:], fields, strict=True)]
    return concat([pa.Table.from_arrays(arrays, schema=table.schema), table])


def _clipped(gaps: Iterable[Gap], start: Instant, end: Instant) -> Iterator[Gap]:
    for gap in gaps:
        begin, stop = max(gap.start, start), min(gap.end, end)
        if (begin, stop) == (gap.start, gap.end):
            yield gap
        elif begin < stop:  # of what the counter grew by nobody knows the share of a part
            yield Gap(device=gap.device, site=gap.site, start=begin, end=stop)
