"""What compaction does with a few devices' rows of one day: settle, mark what is late, roll up, say who was seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.readings import MINUTES, READINGS
from sekisho.adapters.telemetry.store.lateness import keep_late
from sekisho.adapters.telemetry.store.tables import concat, device_codes, to_incoming
from sekisho.model.instants import Instant
from sekisho.model.telemetry import DeviceSeen

__all__ = ["Rules", "Settled", "own_rules", "settle_rows"]

_OFFSET_BITS: Final = 38  # more than a day's microseconds


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules on series: INCOMING to READINGS, READINGS to MINUTES."""

    settle: Callable[[Any], Any]
    minutes_of: Callable[[Any], Any]


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one bucket as they go into their two parts."""

    readings: Any
    minutes: Any
    late: int
    seen: tuple[DeviceSeen, ...]


def own_rules() -> Rules:
    """Those of this house, docs/guide/telemetry.md."""
    from sekisho.adapters.telemetry.roll_up import minutes_of  # noqa: PLC0415 - only for compaction
    from sekisho.adapters.telemetry.series_rules import settle  # noqa: PLC0415 - as above

    return Rules(settle=settle, minutes_of=minutes_of)


def settle_rows(
    rules: Rules, new: pa.Table, before: pa.Table | None, *, site: str, day: str, is_closed: bool
) -> Settled:
    """The readings of some devices on one day, as if all their rows had come at once.

    Rows settled before are taken back to what they came as and settled anew together with the new ones, so the result
    depends on which rows came and not on when. Only the flag LATE remembers that.
    """
    rows = new if before is None else concat([to_incoming(before), new])
    readings = concat([rules.settle(rows).cast(READINGS)])
    readings, late = keep_late(readings, before, day, is_closed=is_closed)
    minutes = concat([rules.minutes_of(readings).cast(MINUTES)])
    return Settled(readings=readings, minutes=minutes, late=late, seen=_seen(readings, site))


def _seen(readings: pa.Table, site: str) -> tuple[DeviceSeen, ...]:
    """First and last reading of each device, and the median distance between two; they stand in order."""
    codes, names = device_codes(readings)
    if not len(codes):
        return ()
    at_us = readings.column("at_us").to_numpy()
    begins = np.flatnonzero(np.diff(codes, prepend=-1))
    ends = np.append(begins[1:], len(codes))
    steps = np.diff(at_us, append=at_us[-1:])
    steps[ends - 1] = 0  # before all others of its device
    ranked = np.sort((codes << _OFFSET_BITS) + steps) & ((1 << _OFFSET_BITS) - 1)
    periods = ranked[begins + (ends - begins) // 2]
    return tuple(
        DeviceSeen(
            device=names[codes[begin]],
            site=site,
            first=Instant(int(at_us[begin])),
            last=Instant(int(at_us[end - 1])),
            period_us=int(period),
        )
        for begin, end, period in zip(begins, ends, periods, strict=True)
    )
