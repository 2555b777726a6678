"""Zeros of tensor activity that are not believed: under load, and after a device error.

After an Xid error the profiling part of DCGM can go on saying zero while the device works, until it is started again
(P: DCGM issues 303 and 202). Such a reading is set aside: neither measured nor idle.
"""

from __future__ import annotations

import numpy as np

from sekisho.adapters.telemetry.limits import Limits
from sekisho.adapters.telemetry.series import Bools, Column, Numbers, Series

__all__ = ["doubt_zeros"]

_NEVER = -1


def doubt_zeros(series: Series, fell: Bools | None, limits: Limits) -> Bools | None:
    """Which rows have a tensor activity of zero that is not believed; None where none has a zero at all.

    `fell` says where the energy counter began again, which is how a restart of the driver shows.
    """
    tensor = series.column("tensor_ppm")
    if tensor is None:
        return None
    active = tensor.or_else(_NEVER)
    is_zero = active == 0
    if not is_zero.any():
        return None
    under_load = _has_load(series, limits)
    if (after_error := _after_error(series, active > 0, fell)) is not None:
        under_load |= after_error
    found: Bools = is_zero & under_load
    return found


def _has_load(series: Series, limits: Limits) -> Bools:
    """Where utilisation or power says that the device works."""
    found = np.zeros(len(series), dtype=np.bool_)
    if (busy := series.column("util_ppm")) is not None:
        found |= busy.or_else(_NEVER) >= limits.load_util_percent * 10_000
    if (power := series.column("power_mw")) is not None:
        found |= _draws_much(series, power, limits)
    return found


def _draws_much(series: Series, power: Column, limits: Limits) -> Bools:
    """Above a share of the day's highest power, on a day on which power swings; or above what any device idles at."""
    drawn = power.or_else(_NEVER).astype(np.int64)
    highest = np.maximum.reduceat(drawn, series.begins)
    lowest = np.minimum.reduceat(power.or_else(2**31 - 1).astype(np.int64), series.begins)
    threshold = highest * limits.load_power_percent
    # A device that draws the same all day says nothing about load by that, unless it is more than idling can be.
    threshold[highest < limits.power_swing * lowest] = limits.highest_power_w * 1000 * 100
    np.minimum(threshold, limits.busy_power_w * 1000 * 100, out=threshold)
    found: Bools = drawn * 100 > series.spread(threshold)
    return found


def _after_error(series: Series, is_active: Bools, fell: Bools | None) -> Bools | None:
    """From a new Xid code until activity is seen or the driver starts again; a code at a day's beginning is new."""
    xid = series.column("xid")
    if xid is None or not (codes := xid.or_else(0)).any():
        return None
    is_error = codes != 0
    is_error[1:] &= (_carried(series, xid)[:-1] != codes[1:]) | series.is_first[1:]
    is_cleared = is_active if fell is None else is_active | fell
    rows = np.arange(len(series))
    begin = series.spread(series.begins)
    last_error = np.maximum.accumulate(np.where(is_error, rows, _NEVER))
    last_clear = np.maximum.accumulate(np.where(is_cleared, rows, _NEVER))
    found: Bools = (last_error >= begin) & (last_error >= last_clear)
    return found


def _carried(series: Series, xid: Column) -> Numbers:
    """The last code known at each row of its device's day, 0 where none was."""
    if xid.known is None:
        return xid.numbers
    rows = np.where(xid.known, np.arange(len(series)), _NEVER)
    last = np.maximum.accumulate(rows)
    return np.where(last >= series.spread(series.begins), xid.numbers[last], 0)
