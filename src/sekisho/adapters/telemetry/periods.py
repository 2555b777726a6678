"""How far apart a device's readings usually are: the median distance of each hour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from sekisho.adapters.telemetry.limits import Limits
from sekisho.adapters.telemetry.series import Bools, Ints, Series

__all__ = ["NO_DISTANCE", "usual_periods"]

NO_DISTANCE: Final = 2**31 - 1
"""Microseconds, more than half an hour: what is as far apart has no period. Also: no reading follows."""
_HOUR_US: Final = 3_600_000_000
_CELLS: Final = 1 << 22  # of one sorting at once


def usual_periods(
    series: Series,
    distance: Ints,
    is_last: Bools,
    usual_period_us: int | None,
    limits: Limits,
) -> Ints:
    """For each row the median distance of its hour; of its day where the hour has too few; else what is known."""
    short = np.minimum(distance, NO_DISTANCE).astype(np.int32)
    hours = series.at_us // _HOUR_US
    is_first = series.is_first.copy()
    is_first[1:] |= hours[1:] != hours[:-1]
    begins = np.flatnonzero(is_first)
    sizes = np.diff(np.append(begins, len(series)))
    counts = sizes - is_last[begins + sizes - 1]
    found = _medians(short, begins, sizes, counts)
    lacking = np.flatnonzero(counts < limits.period_distances)
    if len(lacking):
        found[lacking] = _of_days(series, short, begins[lacking], usual_period_us)
    np.minimum(found, limits.longest_period_s * 1_000_000, out=found)
    return np.repeat(found, sizes)


def _of_days(
    series: Series, distance: npt.NDArray[np.int32], rows: Ints, usual_period_us: int | None
) -> Ints:
    """The median distance of the days in which these rows lie."""
    days, which = np.unique(
        np.searchsorted(series.begins, rows, side="right") - 1, return_inverse=True
    )
    sizes = np.diff(np.append(series.begins, len(series)))[days]
    medians = _medians(distance, series.begins[days], sizes, sizes - 1)
    medians[sizes < 2] = usual_period_us or 0
    return medians[which]


def _medians(distance: npt.NDArray[np.int32], begins: Ints, sizes: Ints, counts: Ints) -> Ints:
    """The lower median of the first `counts` distances of each group of rows (of no meaning where there are none)."""
    found = np.zeros(len(begins), dtype=np.int64)
    for block in _blocks(sizes):
        width = int(sizes[block].max())
        places = np.arange(width)
        cells = distance[np.minimum(begins[block, None] + places, len(distance) - 1)]
        cells[places >= sizes[block, None]] = NO_DISTANCE
        # Whatever is no distance sorts last.
        cells.sort(axis=1)
        middle = np.maximum(counts[block] - 1, 0) // 2
        found[block] = cells[np.arange(len(block)), middle]
    return found


def _blocks(sizes: Ints) -> Iterator[npt.NDArray[np.intp]]:
    """Groups of like size, so many at once that a rectangle holds them without much waste."""
    order = np.argsort(sizes)
    ascending = sizes[order]
    start = 0
    while start < len(order):
        alike = int(np.searchsorted(ascending, 2 * ascending[start] + 8, side="right"))
        most = start + max(1, _CELLS // int(ascending[alike - 1]))
        end = min(alike, most)
        yield order[start:end]
        start = end
