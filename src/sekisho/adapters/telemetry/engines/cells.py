"""Pieces as a table that readings are joined to on equal keys.

A range join alone compares every reading of a device with every piece of it. So time is divided into cells, pieces are
cut at their edges and stand under the cell's key; a reading looks up the key of the cell in which it begins, and is
then compared with the few pieces there. A reading that reaches into the next cell looks up another key, under which
the pieces of both stand; one that reaches further looks up all pieces of its device.

Cutting at cells bounds numbers, too: no reading overlaps a piece for longer than LONGEST_MS, so that a share in ppm
times a clock in kHz times milliseconds stays below 2**63 at the highest values that a field allows.
"""

from __future__ import annotations

from math import gcd, lcm
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.engines.fleet import Ints
from sekisho.adapters.telemetry.engines.numbering import number_groups, number_rows

__all__ = [
    "LONGEST_MINUTES_MS",
    "LONGEST_MS",
    "LONG_KEY",
    "MINUTE_MS",
    "Grouped",
    "Keys",
    "Lookup",
    "cell_ms",
    "cut_at",
    "minute_lookup",
    "reading_lookup",
]

LONGEST_MS: Final = 1_800_000
MINUTE_MS: Final = 60_000
LONGEST_MINUTES_MS: Final = 21_600_000
"""Minutes are not multiplied: their cells are as long as buckets let them be, up to this."""
LONG_KEY: Final = -1


class Grouped(msgspec.Struct, frozen=True):
    """Pieces cut at the edges of buckets, with their group: bucket and claim in one number."""

    seat: Ints
    start: Ints
    end: Ints
    group: Ints
    bucket_ms: int


class Keys(msgspec.Struct, frozen=True):
    """How readings look pieces up: cells of so many milliseconds; whether some reach beyond the next cell."""

    cell_ms: int
    long: bool


class Lookup(msgspec.Struct, frozen=True):
    """A table for the engine, with columns device, key, start, end, g, and what `g` stands for.

    Times are in the unit of what is joined: milliseconds for readings, microseconds for minutes.

    `groups[g]` is the group. `share_ms[g]` is how many of a minute's 60,000 milliseconds belong to it (of readings,
    which the engine clips itself, always 60,000).
    """

    table: Any
    groups: Ints
    share_ms: Ints


def cell_ms(bucket_ms: int, longest_ms: int = LONGEST_MS) -> int:
    """The longest cell, in whole minutes, whose edges the buckets' edges lie on where that can be."""
    return lcm(gcd(bucket_ms, longest_ms), MINUTE_MS)


def cut_at(start: Ints, end: Ints, step: int) -> tuple[npt.NDArray[np.intp], Ints, Ints]:
    """Stretches cut at the multiples of `step`: for each part the row that it comes from, its start, its end."""
    first = start // step
    counts = np.maximum((end - 1) // step - first + 1, 0)
    row = np.repeat(np.arange(start.size), counts)
    nth = np.arange(row.size) - np.repeat(np.cumsum(counts) - counts, counts)
    cell = first[row] + nth
    return row, np.maximum(start[row], cell * step), np.minimum(end[row], (cell + 1) * step)


def reading_lookup(names: npt.NDArray[np.str_], pieces: Grouped, keys: Keys) -> Lookup:
    """Keys are twice a cell's number; one more for readings that reach into the next cell; -1 for longer ones."""
    row, start, end = cut_at(pieces.start, pieces.end, keys.cell_ms)
    key = start // keys.cell_ms * 2
    under = [key, key + 1, key - 1]
    if keys.long:
        under.append(np.full(row.size, LONG_KEY, dtype=np.int64))
    place = np.tile(np.arange(row.size), len(under))
    groups, number = number_groups(pieces.group[row])
    columns = (pieces.seat[row][place], np.concatenate(under), start[place], end[place])
    table = _table(names, *columns, number[place])
    return Lookup(table, groups, np.full(groups.size, MINUTE_MS, dtype=np.int64))


def minute_lookup(names: npt.NDArray[np.str_], pieces: Grouped, cell: int) -> Lookup:
    """Pieces as runs of whole minutes, and of single minutes that a group has in part; keys are cells' numbers."""
    inner = -(-pieces.start // MINUTE_MS) * MINUTE_MS  # the first whole minute
    outer = pieces.end // MINUTE_MS * MINUTE_MS
    run = (inner < outer).nonzero()[0]
    some = _part_minutes(pieces, inner, outer)
    groups, whole = number_groups(pieces.group[run])
    # Few minutes are cut, so these may be sorted: by group, then by what the group has of them.
    kind, part = number_rows(number_groups(some.group)[1] * MINUTE_MS + some.end - some.start)
    of_kind = np.zeros(kind.size, dtype=np.int64)
    of_kind[part] = some.group
    seat = np.concatenate([pieces.seat[run], some.seat])
    start = np.concatenate([inner[run], some.start])
    end = np.concatenate([outer[run], some.start + MINUTE_MS])
    number = np.concatenate([whole, part + groups.size])
    if cell != pieces.bucket_ms:
        row, start, end = cut_at(start, end, cell)
        seat, number = seat[row], number[row]
    table = _table(names, seat, start // cell, start * 1000, end * 1000, number)
    share = np.zeros(kind.size, dtype=np.int64)
    share[part] = some.end - some.start
    all_shares = np.concatenate([np.full(groups.size, MINUTE_MS, dtype=np.int64), share])
    return Lookup(table, np.concatenate([groups, of_kind]), all_shares)


def _part_minutes(pieces: Grouped, inner: Ints, outer: Ints) -> Grouped:
    """What a group has of a minute of a device without having all of it, from the minute's start for so long."""
    head = (pieces.start < inner).nonzero()[0]
    tail = ((outer < pieces.end) & (inner <= outer)).nonzero()[0]
    index = np.concatenate([head, tail])
    minute = np.concatenate([inner[head] - MINUTE_MS, outer[tail]])
    ms = np.concatenate(
        [np.minimum(pieces.end[head], inner[head]) - pieces.start[head], (pieces.end - outer)[tail]]
    )
    seat, group = pieces.seat[index], pieces.group[index]
    order = np.lexsort((group, minute, seat))
    seat, minute, group, ms = seat[order], minute[order], group[order], ms[order]
    first = np.ones(seat.size, dtype=np.bool_)
    first[1:] = (seat[1:] != seat[:-1]) | (minute[1:] != minute[:-1]) | (group[1:] != group[:-1])
    begins = first.nonzero()[0]
    total = np.add.reduceat(ms, begins) if begins.size else ms
    return Grouped(
        seat[begins], minute[begins], minute[begins] + total, group[begins], pieces.bucket_ms
    )


def _table(
    names: npt.NDArray[np.str_],
    seat: Ints,
    key: Ints,
    start: Ints,
    end: Ints,
    number: Ints,
) -> Any:
    used, codes = number_rows(seat)
    device = pa.DictionaryArray.from_arrays(
        pa.array(codes.astype(np.int32)), pa.array(names[used].tolist(), pa.string())
    )
    return pa.table(
        {
            "device": device,
            "key": key,
            "start": start,
            "end": end,
            "g": number.astype(np.int32),
        }
    )
