"""What says that a device works: utilisation, power, and the energy counter between two readings."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sekisho.adapters.telemetry.energy_steps import EnergySteps
from sekisho.adapters.telemetry.limits import Limits
from sekisho.adapters.telemetry.series import Bools, Column, Ints, Series
from sekisho.adapters.telemetry.spans import Spans

__all__ = ["has_load"]

_UNKNOWN: Final = -1
_MOST: Final = 2**62


def has_load(series: Series, spans: Spans, steps: EnergySteps | None, limits: Limits) -> Bools:
    """Where utilisation, power or energy says that the device works.

    A reading without utilisation or power of its own has that of the reading before it: exporters that report apart
    report at different moments. The energy of the steps before and after a reading counts for it too, so that work
    between two readings is seen where the counter is reported.
    """
    found = np.zeros(len(series), dtype=np.bool_)
    if (busy := series.column("util_ppm")) is not None:
        carried = _carried(series, spans, busy, limits)
        found |= carried >= limits.load_util_percent * 10_000
    drawn: list[Ints] = []
    if steps is not None:
        drawn.append(_mean_power(steps))
    if (power := series.column("power_mw")) is not None:
        drawn.append(_carried(series, spans, power, limits))
    if drawn:
        limit = _limit(series, drawn, limits)
        if steps is not None:
            drawn.append(_following(drawn[0], series, steps))
        for values in drawn:
            found |= values * 100 > limit
    return found


def _carried(series: Series, spans: Spans, column: Column, limits: Limits) -> Ints:
    """The last known number of the stretch, where it is not too old; -1 where there is none."""
    if column.known is None:
        return column.numbers.astype(np.int64)
    rows = np.arange(len(series))
    begin = np.maximum.accumulate(np.where(spans.begins_stretch, rows, 0))
    last = np.maximum.accumulate(np.where(column.known, rows, _UNKNOWN))
    age_ms = series.at_ms - series.at_ms[last]
    is_fresh = (last >= begin) & (age_ms <= limits.longest_period_s * 1000)
    return np.where(is_fresh, column.numbers[last], np.int64(_UNKNOWN))


def _mean_power(steps: EnergySteps) -> Ints:
    """Milliwatts by the step that ends at each row, cut to whole ones; -1 where there is none."""
    # Exact: a quotient below 2**23 of whole numbers below 2**53 is never rounded up to the next whole number.
    mean = (steps.step_mj * 1000 / np.maximum(steps.over_ms, 1)).astype(np.int64)
    mean[~steps.plausible] = _UNKNOWN
    return mean


def _following(mean: Ints, series: Series, steps: EnergySteps) -> Ints:
    """For each row the mean power of the next step of its day; -1 where there is none."""
    nothing = np.int64(_UNKNOWN)
    if (steps.plausible | series.is_first).all():
        return np.append(mean[1:], nothing)
    ends = np.where(steps.plausible, np.arange(len(mean)), len(mean))
    place = np.append(np.minimum.accumulate(ends[::-1])[::-1][1:], len(mean))
    day_ends = series.spread(np.append(series.begins[1:], len(mean)))
    return np.where(place < day_ends, mean[np.minimum(place, len(mean) - 1)], nothing)


def _limit(series: Series, drawn: list[Ints], limits: Limits) -> npt.NDArray[Any]:
    """Milliwatts x 100 above which a device works: a share of the day's highest power, on a day on which it swings.

    A device that draws the same all day says nothing about load by that, unless it is more than idling can be.
    """
    highest = np.max([np.maximum.reduceat(values, series.begins) for values in drawn], axis=0)
    known = [np.where(values < 0, _MOST, values) for values in drawn]
    lowest = np.min([np.minimum.reduceat(values, series.begins) for values in known], axis=0)
    limit = np.full(len(highest), limits.busy_power_w * 1000 * 100, dtype=np.int64)
    swings = highest >= limits.power_swing * lowest
    limit[swings] = np.minimum(limit, highest * limits.load_power_percent)[swings]
    return series.spread(limit)
