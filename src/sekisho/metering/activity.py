"""Intervals of work from what devices report: each kind of reading speaks for the whole allocated time.

Measured time is counted at its rates, with the errors of error_model; the gap lies between nothing and the peak. Two
kinds of reading give two intervals that both hold, so the narrower end of each side is taken. More gap never narrows.
"""

from __future__ import annotations

from collections.abc import Iterable
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
    read = _read(usage, rates, usage.tensor_ms, usage.tensor_work, is_averaged=is_averaged)
    errors = _tensor_errors(usage, rates, read)
    low, high = _combined(errors)
    half = _half_step(usage, rates, _TENSOR_STEP)
    best = usage.tensor_work * rates.best * fit.useful * _fill(usage.chip_ms, usage.tensor_ms)
    beside = usage.pipe_work * rates.fp32 * _FUSED * _fill(usage.chip_ms, usage.pipe_ms)
    return Interval(
        low=max(usage.tensor_work - half, Fraction(0)) * rates.slow * (1 - low),
        best=best + beside,
        high=(read.most_work * (1 + high) + half) * rates.fast + _outside(usage, rates),
        measured=read.measured,
        errors=errors,
    )


def estimate_from_utilisation(
    usage: Usage, rates: Rates, fit: ActivityFit, *, is_averaged: bool
) -> Interval:
    """NVML utilisation x clock x rate: wide, since a kernel that runs may compute nothing or run at the peak."""
    read = _read(usage, rates, usage.util_ms, usage.util_work, is_averaged=is_averaged)
    errors = (_sampling(read), *_clock_errors(rates), _fixed("busy, not active"))
    _, high = _combined(errors)
    half = _half_step(usage, rates, _NVML_STEP)
    return Interval(
        low=Fraction(0),
        best=usage.util_work * rates.best * fit.busy * _fill(usage.chip_ms, usage.util_ms),
        high=(read.most_work * (1 + high) + half) * rates.fast + _outside(usage, rates),
        measured=read.measured,
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
    read = _read(usage, rates, usage.tensor_ms, usage.tensor_work, is_averaged=False)
    wide = (
        msgspec.structs.replace(part, high=part.high * _SIX_SIGMA) if part.is_random else part
        for part in _tensor_errors(usage, rates, read)
    )
    _, high = _combined(wide)
    half = _half_step(usage, rates, _TENSOR_STEP)
    return (read.most_work * (1 + high) + half) * rates.fast + _outside(usage, rates)


# --- what was read, and the parts of its error -----------------------------------------------------


class _Read(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of reading over the allocated time, in milliseconds of one device at the highest clock.

    `most_ms` is what was active and all the gap; of spot readings it is at least one period, so that none active of n
    still leaves three periods (the rule of three). `most_work` is the same of all devices, in the store's unit.
    """

    active_ms: Fraction
    allocated_ms: Fraction
    period_ms: Fraction
    most_ms: Fraction
    most_work: Fraction
    measured: Fraction
    is_averaged: bool


def _read(usage: Usage, rates: Rates, spent_ms: int, work: int, *, is_averaged: bool) -> _Read:
    devices = max(usage.devices, 1)
    spent = max(usage.tensor_ms, usage.util_ms, usage.clock_ms, usage.power_ms)
    period = Fraction(spent, max(usage.readings, 1))
    active = Fraction(work, _PPM * rates.top_khz * devices)
    gap = Fraction(max(usage.chip_ms - spent_ms, 0), devices)
    most = active + gap if is_averaged else max(active + gap, period)
    return _Read(
        active_ms=active,
        allocated_ms=Fraction(usage.chip_ms, devices),
        period_ms=period,
        most_ms=most,
        most_work=most * devices * _PPM * rates.top_khz,
        measured=min(Fraction(spent_ms, usage.chip_ms), Fraction(1)),
        is_averaged=is_averaged,
    )


def _tensor_errors(usage: Usage, rates: Rates, read: _Read) -> tuple[ErrorShare, ...]:
    tile = tile_error(active_share(usage, rates))
    return (
        _sampling(read),
        _fixed("counter"),
        *_clock_errors(rates),
        ErrorShare(name="tile quantisation", low=tile, high=Fraction(0), is_random=False),
    )


def _sampling(read: _Read) -> ErrorShare:
    low = high = Fraction(0)
    if not read.is_averaged:
        low = sampling_error(read.period_ms, read.active_ms, read.allocated_ms)
        high = sampling_error(read.period_ms, read.most_ms)
    return ErrorShare(name="sampling", low=low, high=high, is_random=True)


def _clock_errors(rates: Rates) -> tuple[ErrorShare, ...]:
    if rates.row is None:
        return _fixed("clock"), _fixed("unknown clock")
    if rates.row.is_recalled:
        return _fixed("clock"), _fixed("recalled clock")
    return (_fixed("clock"),)


def _fixed(name: str) -> ErrorShare:
    part = error_part(name)
    return ErrorShare(
        name=name,
        low=part.low or Fraction(0),
        high=part.high or Fraction(0),
        is_random=part.is_random,
    )


def _combined(errors: Iterable[ErrorShare]) -> tuple[Fraction, Fraction]:
    return combine_errors((part.low, part.high, part.is_random) for part in errors)


def _outside(usage: Usage, rates: Rates) -> Fraction:
    """The most that ran outside the matrix unit: pipes by their activity, unmeasured time at their peak."""
    half = 3 * _half_step(usage, rates, _TENSOR_STEP)  # of each of three pipes
    unseen_ms = max(usage.chip_ms - usage.pipe_ms, 0)
    return (usage.pipe_work + half + Fraction(unseen_ms) * _PPM * rates.top_khz) * rates.vector


def _half_step(usage: Usage, rates: Rates, step: int) -> Fraction:
    """Work that rounding can hide. It is taken for all allocated time, so that a gap does not lessen it."""
    return Fraction(usage.chip_ms * rates.top_khz * step, 2)


def _fill(allocated_ms: int, measured_ms: int) -> Fraction:
    """A best figure takes the gap to have been as busy as the measured time."""
    return Fraction(allocated_ms, measured_ms) if measured_ms else Fraction(0)
