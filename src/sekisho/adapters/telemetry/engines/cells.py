"""Pieces as a table that readings can be joined to on equal keys.

A range join alone compares every reading of a device with every piece of it. So time is divided into cells, pieces are
cut at their edges and stand under the cell's key; a reading looks up the key of the cell in which it begins, and is
then compared with the few pieces there. A reading that reaches into the next cell looks up another key, under which
the pieces of both stand; one that stands longer than a cell looks up all pieces of its device.

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

__all__ = ["LONGEST_MS", "Grouped", "Keys", "cell_ms", "cut_at", "pieces_table"]

LONGEST_MS: Final = 1_800_000
_MINUTE_MS: Final = 60_000


class Grouped(msgspec.Struct, frozen=True):
    """Pieces cut at the edges of buckets, with their group: bucket and claim in one number."""

    seat: Ints
    start: Ints
    end: Ints
    group: Ints
    cell_ms: int

    def where(self, chosen: npt.NDArray[np.bool_]) -> Grouped:
        columns = (self.seat, self.start, self.end, self.group)
        return Grouped(*(column[chosen] for column in columns), self.cell_ms)


class Keys(msgspec.Struct, frozen=True):
    """Which keys readings may look up: cells of so many milliseconds; of their neighbours; of whole devices."""

    cell_ms: int
    crossing: bool
    long: bool


def cell_ms(bucket_ms: int) -> int:
    """The longest cell, in whole minutes, whose edges the buckets' edges lie on where that can be."""
    return lcm(gcd(bucket_ms, LONGEST_MS), _MINUTE_MS)


def cut_at(start: Ints, end: Ints, step: int) -> tuple[npt.NDArray[np.intp], Ints, Ints]:
    """Stretches cut at the multiples of `step`: for each part the row that it comes from, its start, its end."""
    first = start // step
    counts = np.maximum((end - 1) // step - first + 1, 0)
    row = np.repeat(np.arange(start.size), counts)
    nth = np.arange(row.size) - np.repeat(np.cumsum(counts) - counts, counts)
    cell = first[row] + nth
    return row, np.maximum(start[row], cell * step), np.minimum(end[row], (cell + 1) * step)


def pieces_table(names: npt.NDArray[np.str_], pieces: Grouped, keys: Keys) -> Any:
    """Columns device, key, start_us, end_us, g; rows of devices that readings can be to the name of."""
    pieces = pieces.where(pieces.seat >= 0)
    row, start, end = cut_at(pieces.start, pieces.end, keys.cell_ms)
    cell = start // keys.cell_ms * keys.cell_ms
    at = [(np.arange(row.size), cell * 1000)]
    if keys.crossing:
        at.append((np.arange(row.size), cell * 1000 + 1))
        at.append((np.arange(row.size), (cell - keys.cell_ms) * 1000 + 1))
    if keys.long:
        at.append((np.arange(row.size), np.full(row.size, -1, dtype=np.int64)))
    place = np.concatenate([one for one, _ in at])
    seat = pieces.seat[row][place]
    used, codes = np.unique(seat, return_inverse=True)
    device = pa.DictionaryArray.from_arrays(
        pa.array(codes.astype(np.int32)), pa.array(names[used].tolist(), pa.string())
    )
    return pa.table(
        {
            "device": device.cast(pa.string()),
            "key": np.concatenate([key for _, key in at]),
            "start_us": start[place] * 1000,
            "end_us": end[place] * 1000,
            "g": pieces.group[row][place],
        }
    )
