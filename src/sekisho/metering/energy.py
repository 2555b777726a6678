"""Energy as a ceiling and a cross-check; never a count, since work for a joule differs much between workloads."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final, Literal, TypeAlias

from sekisho.metering.activity import active_share
from sekisho.metering.error_model import ENERGY_ERROR, ENERGY_MARGIN
from sekisho.metering.rates import Rates
from sekisho.model.telemetry import Usage

__all__ = ["EnergyCheck", "compare_energy", "energy_ceiling"]

EnergyCheck: TypeAlias = Literal[
    "within", "more work than the energy allows", "more energy than the work explains"
]
# Mean power over power limit, and activity over measured time (O): attention to memory alone draws less than this.
_HOT: Final = Fraction(60, 100)
_IDLE_TENSOR: Final = Fraction(2, 100)
_IDLE_PIPES: Final = Fraction(5, 100)
_PPM = 10**6


def energy_ceiling(usage: Usage, rates: Rates) -> int | None:
    """FLOP that the energy read could pay for at the very most; time without power counts at the peak.

    None where no power was read or the chip's limit is unknown. A plausible maximum (ENERGY_MARGIN) and no proof: it
    narrows no bound.
    """
    if not usage.power_ms or rates.row is None:
        return None
    joules = Fraction(usage.energy_mj, 1000) * (1 + ENERGY_ERROR)
    per_joule = rates.peak_per_ms * 1000 / rates.row.tdp_w * ENERGY_MARGIN
    unread = Fraction(usage.chip_ms - usage.power_ms)
    return math.ceil(joules * per_joule + unread * rates.seen_peak_per_ms)


def compare_energy(usage: Usage, rates: Rates, least_flop: Fraction) -> EnergyCheck | None:
    """Tensor work against energy, beyond both errors; None where either was not read."""
    ceiling = energy_ceiling(usage, rates)
    if ceiling is None or not usage.tensor_ms or rates.row is None:
        return None
    if least_flop > ceiling:
        return "more work than the energy allows"
    power = Fraction(usage.energy_mj, usage.power_ms * rates.row.tdp_w)
    tensor = active_share(usage, rates) * usage.chip_ms / usage.tensor_ms
    if power >= _HOT and tensor <= _IDLE_TENSOR and _pipes(usage, rates) <= _IDLE_PIPES:
        return "more energy than the work explains"
    return "within"


def _pipes(usage: Usage, rates: Rates) -> Fraction:
    """Activity outside the matrix unit; nothing is explained by what was not read."""
    if not usage.pipe_ms or not rates.top_khz:
        return Fraction(0)
    return Fraction(usage.pipe_work, _PPM * rates.top_khz * usage.pipe_ms)
