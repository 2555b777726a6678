"""When readings show each device, over days, part by part: what lies between its gaps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.readings import CATCH_UP
from sekisho.adapters.telemetry.roll_up import find_gaps
from sekisho.adapters.telemetry.store.manifests import Partition
from sekisho.adapters.telemetry.store.tables import concat, device_codes
from sekisho.model.instants import Instant
from sekisho.model.telemetry import SeenSpan
from sekisho.ports.telemetry import Gap

__all__ = ["search_seen"]

_COLUMNS: Final = ["device", "at_us", "span_ms", "flags"]
_SPANS: Final = 3
"""Spans of silence at the end of the time asked for that are a gap, as for `search_gaps`."""


class _Open(msgspec.Struct):
    """A device's stretch that has not ended yet: from when, and its last reading."""

    start: int
    at_us: int
    span_ms: int


def search_seen(days: Sequence[Partition], start: Instant, end: Instant) -> Iterator[SeenSpan]:
    """Stretches of a site's devices within [start, end), its days in order. Together with the gaps they are all time.

    Before a device's first reading of these days nothing shows it, and behind its last no more than that reading.
    """
    opened: dict[str, _Open] = {}
    for day in days:
        for table in _tables(day):
            gaps = _gaps_by_device(_with_open(table, opened), day.site)
            for device, state in _follow(table, opened):
                for gap in gaps.get(device, ()):
                    yield from _clipped(device, state.start, gap.start.us, start, end)
                    state.start = gap.end.us
    for device, state in opened.items():
        goes_on = end.us - state.at_us <= _SPANS * max(state.span_ms, 1) * 1000
        stop = state.at_us // 1000 * 1000 + state.span_ms * 1000
        yield from _clipped(device, state.start, max(stop, end.us) if goes_on else stop, start, end)


def _tables(day: Partition) -> Iterator[pa.Table]:
    """A day's readings; where they were dropped, its minutes as if each were one."""
    if day.manifest.dropped is None:
        for file in day.readings:
            yield concat([pq.read_table(file.address, columns=_COLUMNS)])
        return
    for file in day.minutes:
        columns = ["device", "minute_us", "span_ms"]
        yield _as_readings(concat([pq.read_table(file.address, columns=columns)]))


def _as_readings(minutes: pa.Table) -> pa.Table:
    """Each minute's time, one behind the other, none before its minute: its sum stands, its place is to the minute."""
    codes, _ = device_codes(minutes)
    at_us = minutes.column("minute_us").to_numpy().copy()
    span_ms = minutes.column("span_ms").to_numpy()
    flags = np.zeros(len(at_us), dtype=np.int32)
    begins = np.flatnonzero(np.diff(codes, prepend=-1))
    for begin, stop in zip(begins, np.append(begins[1:], len(codes)), strict=True):
        span_us = span_ms[begin:stop] * 1000
        before = np.cumsum(span_us) - span_us
        at_us[begin:stop] = np.maximum.accumulate(at_us[begin:stop] - before) + before
        ends = at_us[begin : stop - 1] + span_us[:-1]
        flags[begin + 1 : stop][at_us[begin + 1 : stop] > ends] = CATCH_UP
    arrays = [minutes.column("device"), pa.array(at_us), pa.array(span_ms.astype(np.int32))]
    return pa.table([*arrays, pa.array(flags)], names=_COLUMNS)


def _with_open(table: pa.Table, opened: dict[str, _Open]) -> pa.Table:
    """A part's rows, behind the last one of each of its devices before."""
    _, names = device_codes(table)
    known = [(name, opened[name]) for name in names if name in opened]
    if not known:
        return table
    arrays = [
        pa.array([name for name, _ in known], pa.string()).dictionary_encode(),
        pa.array([last.at_us for _, last in known], pa.int64()),
        pa.array([last.span_ms for _, last in known], pa.int32()),
        pa.array([0] * len(known), pa.int32()),
    ]
    return concat([pa.table(arrays, schema=table.schema), table])


def _gaps_by_device(table: pa.Table, site: str) -> dict[str, list[Gap]]:
    gaps: dict[str, list[Gap]] = defaultdict(list)
    for gap in find_gaps(table, site=site):
        gaps[gap.device].append(gap)
    return gaps


def _follow(table: pa.Table, opened: dict[str, _Open]) -> Iterator[tuple[str, _Open]]:
    """Each device of a part, its stretch as it was before; its last reading is that of the part from here on."""
    codes, names = device_codes(table)
    begins = np.flatnonzero(np.diff(codes, prepend=-1))
    ends = np.append(begins[1:], len(codes)) - 1
    at_us = table.column("at_us").to_numpy()
    span_ms = table.column("span_ms").to_numpy()
    for begin, last in zip(begins, ends, strict=True):
        device = names[codes[begin]]
        state = opened.setdefault(device, _Open(int(at_us[begin]), 0, 0))
        state.at_us, state.span_ms = int(at_us[last]), int(span_ms[last])
        yield device, state


def _clipped(
    device: str, begin: int, stop: int, start: Instant, end: Instant
) -> Iterator[SeenSpan]:
    begin, stop = max(begin, start.us), min(stop, end.us)
    if begin < stop:
        yield SeenSpan(device=device, start=Instant(begin), end=Instant(stop))
