"""Zeros of tensor activity that are not believed: under load, and after a device error.

After an Xid error the profiling part of DCGM can go on saying zero while the device works, until it is started again
(P: DCGM issues 303 and 202). Such a reading is set aside: neither measured nor idle.
"""

from __future__ import annotations

import numpy as np

from sekisho.adapters.telemetry.energy_steps import EnergySteps
from sekisho.adapters.telemetry.limits import Limits
from sekisho.adapters.telemetry.load_signs import has_load
from sekisho.adapters.telemetry.series import Bools, Column, Numbers, Series
from sekisho.adapters.telemetry.spans import Spans

__all__ = ["doubt_zeros"]

_NEVER = -1


def doubt_zeros(
    series: Series, spans: Spans, steps: EnergySteps | None, limits: Limits
) -> Bools | None:
    """Which rows have a tensor activity of zero that is not believed; None where none has a zero at all."""
    tensor = series.column("tensor_ppm")
    if tensor is None:
        return None
    active = tensor.or_else(_NEVER)
    is_zero = active == 0
    if not is_zero.any():
        return None
    doubted = has_load(series, spans, steps, limits)
    # A counter that falls is how a restart of the driver shows.
    is_cleared = active > 0 if steps is None else (active > 0) | steps.fell
    if (after_error := _after_error(series, is_cleared)) is not None:
        doubted |= after_error
    found: Bools = is_zero & doubted
    return found


def _after_error(series: Series, is_cleared: Bools) -> Bools | None:
    """From a new Xid code until activity is seen or the driver starts again; a code at a day's beginning is new."""
    xid = series.column("xid")
    if xid is None or not (codes := xid.or_else(0)).any():
        return None
    is_error = codes != 0
    is_error[1:] &= (_carried(series, xid)[:-1] != codes[1:]) | series.is_first[1:]
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
