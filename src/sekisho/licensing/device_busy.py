"""Whether a device is at work while nothing licenses it, by a rule that one noisy reading does not satisfy. Pure.

A reading is busy where utilisation is at least 5 % (NVML gives whole per cent, averaged over up to a second: a console
or a monitor shows 0 to 2); where utilisation shows less than that but power is above 60 % of the device's limit (the
metering room's rule for counters that stand still: a finding, never idle); and, where neither was readable, where any
process computes on it. A device counts as busy after three busy readings in a row, and as quiet again after three quiet
ones; a reading that could not be taken leaves the count as it stands, and is told apart from quiet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from sekisho.ports.device_census import SeenDevice

__all__ = ["IN_A_ROW", "BusyBook", "Busyness", "judge_busy"]

IN_A_ROW: Final = 3
BUSY_PPM: Final = 50_000
BUSY_POWER_PERCENT: Final = 60
Busyness = Literal["busy", "stuck", "quiet", "not-read"]


def judge_busy(seen: SeenDevice) -> Busyness:
    """What one reading says: `stuck` is busy by its power alone, with activity that shows nothing."""
    if seen.lost:
        return "not-read"
    if seen.util_ppm is not None and seen.util_ppm >= BUSY_PPM:
        return "busy"
    if _is_hot(seen):
        return "stuck" if seen.util_ppm is not None else "busy"
    if seen.util_ppm is not None:
        return "quiet"
    if seen.processes is None:
        return "not-read"
    return "busy" if seen.processes else "not-read" if seen.power_mw is None else "quiet"


def _is_hot(seen: SeenDevice) -> bool:
    if seen.power_mw is None or not seen.power_limit_mw:
        return False
    return seen.power_mw * 100 > seen.power_limit_mw * BUSY_POWER_PERCENT


class _Run(msgspec.Struct, frozen=True):
    """Readings in a row that contradict what the device counts as."""

    is_busy: bool = False
    against: int = 0
    is_stuck: bool = False

    def after(self, reading: Busyness) -> _Run:
        if reading == "not-read":
            return self
        says_busy = reading != "quiet"
        stuck = reading == "stuck" if says_busy else self.is_stuck
        if says_busy == self.is_busy:
            return _Run(self.is_busy, 0, stuck)
        if self.against + 1 < IN_A_ROW:
            return _Run(self.is_busy, self.against + 1, stuck)
        return _Run(says_busy, 0, says_busy and stuck)


class BusyBook(msgspec.Struct, frozen=True, kw_only=True):
    """What each device counts as, over the readings so far. One that is not seen any more is forgotten."""

    runs: Mapping[str, _Run] = {}

    def after(self, seen: tuple[SeenDevice, ...]) -> BusyBook:
        known = self.runs
        return BusyBook(
            runs={d.device: known.get(d.device, _Run()).after(judge_busy(d)) for d in seen}
        )

    def busy(self) -> tuple[str, ...]:
        """Devices that count as busy, by name."""
        return tuple(sorted(name for name, run in self.runs.items() if run.is_busy))

    def stuck(self) -> tuple[str, ...]:
        """Of these, those whose counters show nothing while they draw power."""
        return tuple(n for n in self.busy() if self.runs[n].is_stuck)
