"""Segments: what came in, as it came, until a compaction has its rows."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.readings import INCOMING
from sekisho.adapters.telemetry.store.files import StoreFiles
from sekisho.adapters.telemetry.store.names import (
    DAY_US,
    MAX_SPAN_DAYS,
    SegmentName,
    check_site,
    day_of,
    day_start_us,
    parse_segment,
    segments_folder,
)
from sekisho.adapters.telemetry.store.tables import concat, encode_segment, read_file
from sekisho.model.errors import Corrupt
from sekisho.model.wire import sha256_hex

__all__ = ["MAX_SEGMENT_ROWS", "list_segments", "load_segment", "write_segments"]

MAX_SEGMENT_ROWS: Final = 1_000_000


def write_segments(
    files: StoreFiles, site: str, tables: Sequence[pa.Table], *, received_us: int
) -> tuple[SegmentName, ...]:
    """Put rows away, in one file unless they are very many or of days far apart; durable when it returns.

    Several files are not one move: a crash between two leaves whole rows of a delivery that nobody answered for.
    """
    folder, names = segments_folder(check_site(site)), []
    for table in _cut(concat([table.cast(INCOMING) for table in tables])):
        data = encode_segment(table)
        name = _name(table, received_us, sha256_hex(data))
        # Crash here: nothing, or a temporary file that nobody reads. The name says what must be in it.
        files.write_all([(f"{folder}/{name}", data)])
        names.append(name)
    return tuple(names)


def list_segments(files: StoreFiles, site: str) -> tuple[SegmentName, ...]:
    """The segments of a site, oldest first. Raises Corrupt where something else lies among them."""
    folder = segments_folder(check_site(site))
    names = []
    for entry in files.list_files(folder):
        name = parse_segment(entry.name)
        if name is None:
            raise Corrupt(
                f"{folder}/{entry.name} is no segment of this store",
                remedy="move it elsewhere, then try again",
            )
        names.append(name)
    return tuple(names)


def load_segment(files: StoreFiles, site: str, name: SegmentName, day: str) -> pa.Table:
    """The rows of one day. Raises Corrupt where the bytes are not those that the name tells."""
    path = f"{segments_folder(site)}/{name}"
    table = read_file(files, path, name.sha256, INCOMING)
    if table.num_rows != name.rows:
        raise Corrupt(f"{path} has {table.num_rows} rows", remedy="restore it from a copy")
    if name.days == (day,):
        return table
    begin = day_start_us(day)
    at_us = table.column("at_us").to_numpy()
    return table.filter(pa.array((at_us >= begin) & (at_us < begin + DAY_US)))


def _cut(table: pa.Table) -> Iterator[pa.Table]:
    """As few tables as may each be one segment."""
    days = table.column("at_us").to_numpy() // DAY_US
    if len(days) and int(days.max()) - int(days.min()) >= MAX_SPAN_DAYS:
        windows = days // MAX_SPAN_DAYS
        for window in np.unique(windows):
            yield from _cut_rows(table.filter(pa.array(windows == window)))
    else:
        yield from _cut_rows(table)


def _cut_rows(table: pa.Table) -> Iterator[pa.Table]:
    for start in range(0, table.num_rows, MAX_SEGMENT_ROWS):
        yield table.slice(start, MAX_SEGMENT_ROWS)


def _name(table: pa.Table, received_us: int, sha256: str) -> SegmentName:
    days = np.unique(table.column("at_us").to_numpy() // DAY_US)
    mask = sum(1 << int(day - days[0]) for day in days)
    return SegmentName(
        received_us=received_us,
        first=day_of(int(days[0]) * DAY_US),
        mask=mask,
        rows=table.num_rows,
        random=secrets.token_hex(8),
        sha256=sha256,
    )
