"""The numbers of every rule on telemetry, in one place. docs/guide/telemetry.md says each with its reason."""

from __future__ import annotations

from typing import Final

import msgspec

__all__ = ["LIMITS", "Limits"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of cleaning and settling. Ours (O) unless the guide names a source; whoever knows better passes others."""

    # Cleaning: one delivery.
    first_year: int = 1971
    oldest_days: int = 3_660
    ahead_s: int = 300
    ahead_noted_s: int = 1
    behind_noted_s: int = 600
    share_over_ppm: int = 10_000
    # Settling: one device, one day.
    span_periods: int = 3
    period_distances: int = 5
    longest_period_s: int = 300
    load_power_percent: int = 40
    load_util_percent: int = 50
    power_swing: int = 2
    busy_power_w: int = 250
    highest_power_w: int = 5_000
    stuck_after_ms: int = 1_000


LIMITS: Final = Limits()
