"""Readings as they lie in the store: one row for a device at an instant, whole numbers, null for not measured."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types

from sekisho.model.telemetry import FIELDS

__all__ = [
    "CATCH_UP",
    "COUNTER_RESET",
    "DOUBTFUL",
    "INCOMING",
    "LATE",
    "MINUTES",
    "READINGS",
    "WIDE_FIELDS",
]

WIDE_FIELDS: Final = frozenset(
    {"energy_mj", "mem_used_kib", "pcie_tx", "pcie_rx", "nvlink_tx", "nvlink_rx"}
)
"""Fields that do not fit 32 bits."""

# Bits of `flags`: what a rule said of a row.
DOUBTFUL: Final = 1  # tensor activity set aside: zero under load, or after an Xid error
CATCH_UP: Final = 2  # the first reading after a gap: a counter in it may carry the whole gap
LATE: Final = 4  # came after its partition was closed
COUNTER_RESET: Final = (
    8  # the energy counter stands lower than before: the driver started again, or somebody set it
)

_KEYS: Final = [
    pa.field("device", pa.dictionary(pa.int32(), pa.string()), nullable=False),
    pa.field("at_us", pa.int64(), nullable=False),
]
_VALUES: Final = [
    pa.field(name, pa.int64() if name in WIDE_FIELDS else pa.int32()) for name in FIELDS
]

INCOMING: Final[Any] = pa.schema([*_KEYS, *_VALUES])
"""What cleaning yields and a segment holds: rows in any order, several for one instant allowed."""

READINGS: Final[Any] = pa.schema(
    [
        *_KEYS,
        # How long this reading stands: to the next one; one usual period where a gap or the day's end follows.
        pa.field("span_ms", pa.int32(), nullable=False),
        *_VALUES,
        # Energy since the reading before, where the counter did not start again and no gap lies between.
        pa.field("energy_step_mj", pa.int64()),
        pa.field("flags", pa.int32(), nullable=False),
    ]
)
"""What compaction yields: sorted by device and time, one row for each."""

_SUMS: Final = (
    *("readings", "span_ms", "tensor_ms", "tensor_work", "util_ms", "util_work"),
    *("clock_ms", "clock_work", "clock_max_khz", "power_ms", "energy_mj"),
    *("pipe_ms", "pipe_work", "doubtful_ms"),
)
MINUTES: Final[Any] = pa.schema(
    [
        pa.field("device", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("minute_us", pa.int64(), nullable=False),
        *(pa.field(name, pa.int64(), nullable=False) for name in _SUMS),
    ]
)
"""Minute roll-ups: sums over a device's readings that began in the minute, as `Usage` defines them."""
