"""How long a reading stands, and where nothing was measured."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from sekisho.adapters.telemetry.limits import Limits
from sekisho.adapters.telemetry.periods import NO_DISTANCE, usual_periods
from sekisho.adapters.telemetry.series import DAY_US, Bools, Series

__all__ = ["Spans", "span_rows"]


class Spans(msgspec.Struct, frozen=True, kw_only=True):
    """For each row: how long it stands in milliseconds, and whether a gap lies between it and the row before.

    `begins_stretch` also marks the first row of each device's day: what lies before it is another day's business.
    """

    span_ms: npt.NDArray[np.int32]
    follows_gap: Bools
    begins_stretch: Bools


def span_rows(series: Series, *, usual_period_us: int | None, limits: Limits) -> Spans:
    """Spans by the distance to the next reading and the usual period of the hour.

    Instants are cut to their millisecond first, so the spans of a stretch add up to it exactly.
    """
    is_last = np.append(series.is_first[1:], True)
    distance = np.diff(series.at_us, append=series.at_us[-1:])
    distance[is_last] = NO_DISTANCE
    period = usual_periods(series, distance, is_last, usual_period_us, limits)
    goes_on = ~is_last & (distance <= limits.span_periods * period)
    end_ms = np.append(series.at_ms[1:], 0)
    ends = np.flatnonzero(~goes_on)
    midnight = (series.at_us[ends] // DAY_US + 1) * DAY_US
    end_ms[ends] = np.minimum(series.at_us[ends] + period[ends], midnight) // 1000
    follows_gap = np.zeros(len(series), dtype=np.bool_)
    follows_gap[1:] = ~goes_on[:-1] & ~is_last[:-1]
    return Spans(
        span_ms=(end_ms - series.at_ms).astype(np.int32),
        follows_gap=follows_gap,
        begins_stretch=follows_gap | series.is_first,
    )
