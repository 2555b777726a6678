"""The picture of a metered fleet: what was measured, what was not, and what nobody claims, by site and day.

Three stretches of device time, never two: *measured* (a job had the device and something was read of it), *gap* (a job
had it and nothing was read) and *unattributed* (it reported and no record says who had it). What is not known is its
own figure and never a nought of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.telemetry import DeviceSeen, Usage
from sekisho.model.telemetry.usage import UNATTRIBUTED

__all__ = [
    "STALE_PERIODS",
    "DeviceState",
    "FleetPicture",
    "SiteDay",
    "Staleness",
    "draw_site_days",
    "judge_device",
]

Staleness: TypeAlias = Literal["reporting", "stale", "never"]

STALE_PERIODS: Final = 3
"""A device is stale after so many of its usual periods: what a gap is, too."""
STALE_AT_LEAST_S: Final = 300
"""Senders batch and compaction takes its time: nothing is called stale earlier."""
DAY_S: Final = 86_400


class SiteDay(msgspec.Struct, frozen=True, kw_only=True):
    """Device-milliseconds of one site on one day (UTC)."""

    site: str
    day: str
    measured_ms: int
    gap_ms: int
    unattributed_ms: int

    @property
    def total_ms(self) -> int:
        return self.measured_ms + self.gap_ms + self.unattributed_ms


class DeviceState(msgspec.Struct, frozen=True, kw_only=True):
    """A device and how fresh its newest reading is; `silent_s` None where there is none."""

    device: DeviceSeen
    state: Staleness
    silent_s: float | None


class FleetPicture(msgspec.Struct, frozen=True, kw_only=True):
    """One look at the telemetry, as of `at`. `gaps` are those that ended or went on in the day before."""

    at: Instant
    devices: tuple[DeviceSeen, ...]
    days: tuple[SiteDay, ...]
    gaps: int
    gap_s: float


def draw_site_days(usages: Iterable[Usage]) -> tuple[SiteDay, ...]:
    """Sums of a day's buckets by site, newest day first. Of a figure's kinds the widest counts as measured."""
    sums: dict[tuple[str, str], list[int]] = {}
    for usage in usages:
        found = sums.setdefault((usage.site, str(usage.start)[:10]), [0, 0, 0])
        if usage.job == UNATTRIBUTED:
            found[2] += usage.chip_ms
            continue
        measured = min(usage.chip_ms, _measured_ms(usage))
        found[0] += measured
        found[1] += usage.chip_ms - measured
    rows = [
        SiteDay(site=site, day=day, measured_ms=m, gap_ms=g, unattributed_ms=u)
        for (site, day), (m, g, u) in sums.items()
    ]
    rows.sort(key=lambda row: row.site)
    rows.sort(key=lambda row: row.day, reverse=True)
    return tuple(rows)


def judge_device(device: DeviceSeen, now: Instant) -> DeviceState:
    """Whether a device still reports, by its own usual period."""
    if device.last is None:
        return DeviceState(device=device, state="never", silent_s=None)
    silent_s = max(0.0, now.since(device.last))
    allowed_s = max(STALE_AT_LEAST_S, STALE_PERIODS * device.period_us / 1_000_000)
    return DeviceState(
        device=device, state="stale" if silent_s > allowed_s else "reporting", silent_s=silent_s
    )


def _measured_ms(usage: Usage) -> int:
    kinds: Sequence[int] = (
        usage.tensor_ms,
        usage.util_ms,
        usage.clock_ms,
        usage.power_ms,
        usage.pipe_ms,
    )
    return max(kinds)
