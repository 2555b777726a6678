"""Settling: from incoming rows of whole devices to readings, by rules on series.

The rules stand in docs/guide/telemetry.md with their numbers, and their numbers in `limits.py`:

1. order: sorted by device and instant, partial rows of one instant joined, of two values the higher (`series.py`);
2. spans: how long each reading stands, what is a gap (`spans.py`);
3. energy: steps of the counter, falls, catch-up after a gap (`energy_steps.py`);
4. doubt: zeros of tensor activity under load (`load_signs.py`) and after an error (`doubtful_zeros.py`).

A device's UTC day is settled from its own rows alone, so that days can be settled in any order and by many workers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.doubtful_zeros import doubt_zeros
from sekisho.adapters.telemetry.energy_steps import step_energy
from sekisho.adapters.telemetry.limits import LIMITS, Limits
from sekisho.adapters.telemetry.readings import (
    CATCH_UP,
    COUNTER_RESET,
    DOUBTFUL,
    INCOMING,
    READINGS,
)
from sekisho.adapters.telemetry.series import order_rows
from sekisho.adapters.telemetry.spans import span_rows
from sekisho.model.telemetry import FIELDS

__all__ = ["settle"]


def settle(
    rows: Any,
    *,
    usual_period_us: int | None = None,
    already: Any | None = None,
    limits: Limits = LIMITS,
) -> Any:
    """INCOMING rows of whole devices, in any order, to READINGS.

    `already` are READINGS settled before, which are settled again together with the new rows: the answer is the same
    as if all had come at once. `usual_period_us` is how far apart a device's readings usually are; it is asked only
    where a day has a single one. The flag LATE is the store's to set.
    """
    if already is not None and len(already):
        rows = pa.concat_tables([already.select(INCOMING.names), rows.select(INCOMING.names)])
    if not len(rows):
        return READINGS.empty_table()
    series = order_rows(rows)
    spans = span_rows(series, usual_period_us=usual_period_us, limits=limits)
    flags = np.where(spans.follows_gap, np.int32(CATCH_UP), np.int32(0))
    steps = step_energy(series, spans, limits)
    if steps is not None:
        flags |= np.where(steps.fell, np.int32(COUNTER_RESET), np.int32(0))
    doubtful = doubt_zeros(series, spans, steps, limits)
    if doubtful is not None:
        flags |= np.where(doubtful, np.int32(DOUBTFUL), np.int32(0))
    device, at_us, *values = (series.table.column(name) for name in ("device", "at_us", *FIELDS))
    energy = (
        pa.nulls(len(series), pa.int64())
        if steps is None
        else pa.array(steps.step_mj, mask=~steps.known)
    )
    return pa.Table.from_arrays(
        [device, at_us, pa.array(spans.span_ms), *values, energy, pa.array(flags)],
        schema=READINGS,
    )
