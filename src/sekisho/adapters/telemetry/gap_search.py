"""Gaps over days, part by part: memory holds a day of a few devices and the last readings of the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.roll_up import find_gaps
from sekisho.adapters.telemetry.store.manifests import Partition
from sekisho.adapters.telemetry.store.tables import concat, device_codes
from sekisho.model.instants import Instant
from sekisho.ports.telemetry import Gap

__all__ = ["search_gaps"]

_COLUMNS: Final = ["device", "at_us", "span_ms", "flags"]
_SPANS: Final = 3
"""Spans of silence at the end of the time asked for that are a gap, as the port says."""


def search_gaps(days: Sequence[Partition], start: Instant, end: Instant) -> Iterator[Gap]:
    """Gaps of a site's devices within [start, end), its days in order; a device that fell silent has one to the end.

    The last reading of each device is carried from day to day. Days whose raw rows were dropped say nothing.
    """
    last: dict[str, pa.Table] = {}
    for day in days:
        for file in day.readings:
            table = _with_last(concat([pq.read_table(file.address, columns=_COLUMNS)]), last)
            yield from _clipped(find_gaps(table, site=day.site), start, end)
    for site, rows in _by_device(days, last):
        yield from _clipped(_silent(rows, site, end), start, end)


def _with_last(table: pa.Table, last: dict[str, pa.Table]) -> pa.Table:
    """A part's rows, each device's behind its last one before; and those become the last."""
    codes, names = device_codes(table)
    if not len(codes):
        return table
    before = [last[name] for name in names if name in last]
    ends = np.flatnonzero(np.diff(codes, append=-1))
    tails = table.take(pa.array(ends))
    last.update({names[codes[row]]: tails.slice(n, 1) for n, row in enumerate(ends)})
    if not before:
        return table
    joined = concat([*before, table])
    codes, _ = device_codes(joined)
    order = np.lexsort((joined.column("at_us").to_numpy(), codes))
    return joined.take(pa.array(order))


def _by_device(
    days: Sequence[Partition], last: dict[str, pa.Table]
) -> Iterator[tuple[str, pa.Table]]:
    if days and last:
        yield days[0].site, concat(list(last.values()))


def _silent(rows: Any, site: str, end: Instant) -> Iterator[Gap]:
    names = rows.column("device").to_pylist()
    at_us = rows.column("at_us").to_numpy()
    span_us = rows.column("span_ms").to_numpy().astype(np.int64) * 1000
    for name, at, span in zip(names, at_us, span_us, strict=True):
        if end.us - int(at) > _SPANS * max(int(span), 1):
            yield Gap(device=name, site=site, start=Instant(int(at + span)), end=end)


def _clipped(gaps: Iterable[Gap], start: Instant, end: Instant) -> Iterator[Gap]:
    for gap in gaps:
        begin, stop = max(gap.start, start), min(gap.end, end)
        if begin < stop:
            yield Gap(device=gap.device, site=gap.site, start=begin, end=stop)
