"""Intervals of work from what devices report: each kind of reading speaks for the whole allocated time.

Measured time is counted at its rates, with the errors of error_model; the gap lies between nothing and the peak. Two
kinds of reading give two intervals that both hold, so the narrower end of each side is taken. More gap never narrows.
"""

from __future__ import annotations

from fractions import Fraction

import msgspec

from sekisho.metering.error_model import (
    ActivityFit,
    combine_errors,
    error_part,
    sampling_error,
    tile_error,
)
from sekisho.metering.rates import Rates
from sekisho.model.telemetry import Usage

__all__ = [
    "ErrorShare",
    "Interval",
    "active_share",
    "bound_attested",
    "estimate_from_tensor",
    "estimate_from_utilisation",
    "narrow_by",
]

_SIX_SIGMA = 3  # a bound takes three times the two standard deviations of an estimate (O)
_FUSED = Fraction(3, 4)  # of pipe cycles in FP32: between all adds (a half) and all fused (one) (O)
_PPM = 10**6
# Steps of the readings in the store's unit: a counter's six decimals, NVML's whole per cent.
_TENSOR_STEP = 1
_NVML_STEP = 10_000


class ErrorShare(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the error of one figure, by its name in the error model."""

    name: str
    low: Fraction
    high: Fraction
    is_random: bool


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """FLOP, not yet rounded. `errors` are the parts that the two ends rest on, `measured` a share of allocated time."""

    low: Fraction
    best: Fraction
    high: Fraction
    measured: Fraction
    errors: tuple[ErrorShare, ...]


def active_share(usage: Usage, rates: Rates) -> Fraction:
    """Share of the allocated time in which the matrix unit was active, as far as measured."""
    if not usage.chip_ms or not rates.top_khz:
        return Fraction(0)
    return min(Fraction(usage.tensor_work, _PPM * rates.top_khz * usage.chip_ms), Fraction(1))


def estimate_from_tensor(
    usage: Usage, rates: Rates, fit: ActivityFit, *, is_averaged: bool
) -> Interval:
    """Tensor activity x clock x rate, with work outside the matrix unit beside it."""
    errors = _tensor_errors(usage, rates, is_averaged=is_averaged)
    low, high = _combined(errors)
    gap, half = _gap(usage, usage.tensor_ms), _half_step(usage, rates, _TENSOR_STEP)
    best = usage.tensor_work * rates.best * fit.useful * _fill(usage.chip_ms, usage.tensor_ms)
    beside = usage.pipe_work * rates.fp32 * _FUSED * _fill(usage.chip_ms, usage.pipe_ms)
    return Interval(
        low=max(usage.tensor_work - half, Fraction(0)) * rates.slow * (1 - low),
        best=best + beside,
        high=((usage.tensor_work + half) * rates.fast + gap * rates.seen_peak_per_ms) * (1 + high)
        + _outside(usage, rates),
        measured=min(Fraction(usage.tensor_ms, usage.chip_ms), Fraction(1)),
        errors=errors,
    )


def estimate_from_utilisation(
    usage: Usage, rates: Rates, fit: ActivityFit, *, is_averaged: bool
) -> Interval:
    """NVML utilisation x clock x rate: wide, since a kernel that runs may compute nothing or run at the peak."""
    errors = _utilisation_errors(usage, rates, is_averaged=is_averaged)
    _, high = _combined(errors)
    gap, half = _gap(usage, usage.util_ms), _half_step(usage, rates, _NVML_STEP)
    best = usage.util_work * rates.best * fit.busy * _fill(usage.chip_ms, usage.util_ms)
    return Interval(
        low=Fraction(0),
        best=best,
        high=((usage.util_work + half) * rates.fast + gap * rates.seen_peak_per_ms) * (1 + high)
        + _outside(usage, rates),
        measured=min(Fraction(usage.util_ms, usage.chip_ms), Fraction(1)),
        errors=errors,
    )


def narrow_by(first: Interval, second: Interval) -> tuple[Interval, bool]:
    """`first` with its high end lowered to the second's; False where the two contradict each other."""
    if second.high < first.low:
        return first, False
    high = min(first.high, second.high)
    return msgspec.structs.replace(first, high=high, best=min(first.best, high)), True


def bound_attested(usage: Usage, rates: Rates) -> Fraction:
    """The most that attested readings allow: measured activity in the fastest format, the rest at the peak.

    Sampling counts with six standard deviations, and nothing that the operator says about averaging helps.
    """
    errors = _tensor_errors(usage, rates, is_averaged=False)
    wide = tuple(
        msgspec.structs.replace(part, high=part.high * _SIX_SIGMA)
        if part.name == "sampling"
        else part
        for part in errors
    )
    _, high = _combined(wide)
    gap = _gap(usage, usage.tensor_ms)
    half = _half_step(usage, rates, _TENSOR_STEP)
    measured = (usage.tensor_work + half) * rates.fast * (1 + high)
    return measured + gap * rates.seen_peak_per_ms + _outside(usage, rates)


# --- the parts of the error ------------------------------------------------------------------------


def _tensor_errors(usage: Usage, rates: Rates, *, is_averaged: bool) -> tuple[ErrorShare, ...]:
    active = Fraction(usage.tensor_work, _PPM * rates.top_khz) if rates.top_khz else Fraction(0)
    tile = tile_error(active_share(usage, rates))
    return (
        _sampling(usage, active, is_averaged=is_averaged),
        _fixed("counter"),
        *_clock_errors(rates),
        ErrorShare(name="tile quantisation", low=tile, high=Fraction(0), is_random=False),
    )


def _utilisation_errors(usage: Usage, rates: Rates, *, is_averaged: bool) -> tuple[ErrorShare, ...]:
    active = Fraction(usage.util_work, _PPM * rates.top_khz) if rates.top_khz else Fraction(0)
    return (
        _sampling(usage, active, is_averaged=is_averaged),
        *_clock_errors(rates),
        ErrorShare(name="busy, not active", low=Fraction(1), high=Fraction(0), is_random=False),
    )


def _sampling(usage: Usage, active_ms: Fraction, *, is_averaged: bool) -> ErrorShare:
    measured = max(usage.tensor_ms, usage.util_ms, usage.clock_ms, usage.power_ms)
    devices = max(usage.devices, 1)
    share = (
        Fraction(0)
        if is_averaged
        else sampling_error(
            Fraction(measured, max(usage.readings, 1)),
            active_ms / devices,
            Fraction(usage.chip_ms, devices),
        )
    )
    return ErrorShare(name="sampling", low=share, high=share, is_random=True)


def _clock_errors(rates: Rates) -> tuple[ErrorShare, ...]:
    if rates.row is None:
        return _fixed("clock"), _fixed("unknown clock")
    return (
        (_fixed("clock"), _fixed("recalled clock")) if rates.row.is_recalled else (_fixed("clock"),)
    )


def _fixed(name: str) -> ErrorShare:
    part = error_part(name)
    return ErrorShare(
        name=name,
        low=part.low or Fraction(0),
        high=part.high or Fraction(0),
        is_random=part.is_random,
    )


def _combined(errors: tuple[ErrorShare, ...]) -> tuple[Fraction, Fraction]:
    return combine_errors((part.low, part.high, part.is_random) for part in errors)


def _outside(usage: Usage, rates: Rates) -> Fraction:
    """The most that ran outside the matrix unit: pipes by their activity, unmeasured time at their peak."""
    half = 3 * _half_step(usage, rates, _TENSOR_STEP)  # of each of three pipes
    return (
        usage.pipe_work + half + _gap(usage, usage.pipe_ms) * _PPM * rates.top_khz
    ) * rates.vector


def _half_step(usage: Usage, rates: Rates, step: int) -> Fraction:
    """Work that rounding can hide. It is taken for all allocated time, so that a gap does not lessen it."""
    return Fraction(usage.chip_ms * rates.top_khz * step, 2)


def _gap(usage: Usage, measured_ms: int) -> Fraction:
    """Allocated time without this reading, in milliseconds."""
    return Fraction(max(usage.chip_ms - measured_ms, 0))


def _fill(allocated_ms: int, measured_ms: int) -> Fraction:
    """A best figure takes the gap to have been as busy as the measured time."""
    return Fraction(allocated_ms, measured_ms) if measured_ms else Fraction(0)
