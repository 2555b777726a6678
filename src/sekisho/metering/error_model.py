"""Where a figure from counters goes wrong, and by how much: one table, each number with its source and mark.

A part says: the truth lies between counted x (1 - low) and counted x (1 + high). Random parts are two standard
deviations and add in quadrature; systematic ones may all point one way and add up. So
low = sum of systematic lows + root of the sum of squared random lows, at most 1; high likewise, without a ceiling.
Two causes are no shares and stand apart: an unknown number format is an interval of rates ([16-bit rate, rate of the
fastest format]), and what is not measured lies between nothing and the peak.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import isqrt
from typing import Final, Literal, TypeAlias

import msgspec

__all__ = [
    "ENERGY_ERROR",
    "ENERGY_MARGIN",
    "ERROR_MODEL",
    "FITTED",
    "ActivityFit",
    "ErrorPart",
    "combine_errors",
    "error_part",
    "sampling_error",
    "tile_error",
]

Mark: TypeAlias = Literal["P", "S", "R", "D", "O"]


class ErrorPart(msgspec.Struct, frozen=True, kw_only=True):
    """One cause. `low` and `high` relative, None where computed for each figure as `why` says."""

    name: str
    tiers: str
    low: Fraction | None
    high: Fraction | None
    is_random: bool
    mark: Mark
    source: str
    why: str


class ActivityFit(msgspec.Struct, frozen=True, kw_only=True):
    """What the generated workloads say of the two shares that no counter tells; refitted without a left-out family.

    `useful` of tensor work is not padding; `busy` of the time with a kernel running is tensor work at the 16-bit
    rate. `population` and `families` say what they are medians of.
    """

    useful: Fraction
    busy: Fraction
    population: str
    families: int


def _percent(value: str) -> Fraction:
    return Fraction(value) / 100


ERROR_MODEL: Final[tuple[ErrorPart, ...]] = (
    ErrorPart(
        name="sampling",
        tiers="1 2 3",
        low=None,
        high=None,
        is_random=True,
        mark="O",
        source="variance of a share of mean p is at most p (1 - p) (Bhatia and Davis)",
        why="spot readings of the worst burstiness, devices in step, times of one device; low: 2 x root(period x "
        "(1 / active - 1 / allocated)), high: 2 x root(period / (active + gap)), active + gap at least one period (the "
        "rule of three); nothing where counters are said to average over their period",
    ),
    ErrorPart(
        name="counter",
        tiers="2 3",
        low=_percent("2"),
        high=_percent("2"),
        is_random=False,
        mark="S",
        source="OFU, arXiv 2605.20799: within 2 points of application figures after tile correction",
        why="the counter's own accuracy",
    ),
    ErrorPart(
        name="clock",
        tiers="1 2 3",
        low=_percent("2"),
        high=_percent("2"),
        is_random=False,
        mark="O",
        source="OFU names clock sampling and the tensor clock domain, without a number",
        why="the clock is read at an instant in steps of 15 MHz, activity is an average",
    ),
    ErrorPart(
        name="recalled clock",
        tiers="1 2 3",
        low=_percent("5"),
        high=_percent("5"),
        is_random=False,
        mark="O",
        source="tensor_clocks.csv, rows without a mark",
        why="only where the clock of the table's peak is recalled and not confirmed by the peak",
    ),
    ErrorPart(
        name="unknown clock",
        tiers="1 2 3",
        low=_percent("25"),
        high=_percent("25"),
        is_random=False,
        mark="O",
        source="no row in tensor_clocks.csv",
        why="the highest clock seen stands in for the clock of the table's peak",
    ),
    ErrorPart(
        name="tile quantisation",
        tiers="2 3",
        low=None,
        high=_percent("0"),
        is_random=False,
        mark="D",
        source="generated workloads; OFU names the cause",
        why="padding counts as work: 8 % where a quarter of the allocated time is active, 35 % from a tenth, "
        "97 % below, where products are small",
    ),
    ErrorPart(
        name="rounding",
        tiers="1 2 3",
        low=None,
        high=None,
        is_random=False,
        mark="R",
        source="NVML gives whole per cent, profiling counters six decimals",
        why="half a step for the allocated time, as an amount of work and not a share of it: small, but not nothing, "
        "where all readings are zero",
    ),
    ErrorPart(
        name="busy, not active",
        tiers="1",
        low=_percent("100"),
        high=None,
        is_random=False,
        mark="S",
        source="DCGM issue 164: utilisation cannot be turned into operations",
        why="a kernel that runs may compute nothing, or at the peak of the fastest format",
    ),
    ErrorPart(
        name="non-tensor work",
        tiers="2 3",
        low=_percent("0"),
        high=None,
        is_random=False,
        mark="R",
        source="tensor_clocks.csv, operations outside the matrix unit",
        why="measured pipes: their activity x clock x operations, all of it fused multiply-adds; where they are not "
        "measured, their peak for that time",
    ),
)

FITTED: Final = ActivityFit(
    useful=Fraction(99, 100), busy=Fraction(34, 100), population="generated workloads", families=28
)

ENERGY_MARGIN: Final = Fraction(3)
"""A chip may do this many times the operations for a joule that peak over power limit says (O): products of zeros draw
about two thirds, a lower clock with its lower voltage about half again less."""
ENERGY_ERROR: Final = Fraction(65, 100)
"""Power read by sampling a quarter of the time is off by up to this much (S, measuring facts: up to 65 %)."""

_TILE_STEPS: Final = (
    (Fraction(25, 100), _percent("8")),
    (Fraction(10, 100), _percent("35")),
    (Fraction(0), _percent("97")),
)


def error_part(name: str) -> ErrorPart:
    """One row of the table. Raises KeyError for a name that it does not hold."""
    return {part.name: part for part in ERROR_MODEL}[name]


def tile_error(active_share: Fraction) -> Fraction:
    """How much of counted tensor work may be padding, by the share of the allocated time that was active."""
    return next(error for least, error in _TILE_STEPS if active_share >= least)


def sampling_error(
    period_ms: Fraction, active_ms: Fraction, allocated_ms: Fraction | None = None
) -> Fraction:
    """Two standard deviations of spot readings, relative; times are of one device. 1 where nothing was active.

    Without `allocated_ms` the activity is taken as rare, which is wider and never falls as activity rises.
    """
    if active_ms <= 0:
        return Fraction(1)
    rest = 0 if allocated_ms is None else 1 / max(allocated_ms, active_ms)
    return 2 * _root(period_ms * (1 / active_ms - rest))


def combine_errors(
    parts: Iterable[tuple[Fraction, Fraction, bool]],
) -> tuple[Fraction, Fraction]:
    """(low, high) of parts given as (low, high, is_random): sums, and roots of sums of squares."""
    found = list(parts)
    low = sum((low for low, _, is_random in found if not is_random), Fraction(0))
    high = sum((high for _, high, is_random in found if not is_random), Fraction(0))
    low += _root(sum((low * low for low, _, is_random in found if is_random), Fraction(0)))
    high += _root(sum((high * high for _, high, is_random in found if is_random), Fraction(0)))
    return min(low, Fraction(1)), high


def _root(value: Fraction) -> Fraction:
    """Square root, rounded up to one in a million, the same on every machine."""
    scaled = -(-value.numerator * 10**12 // value.denominator)
    root = isqrt(scaled)
    return Fraction(root if root * root == scaled else root + 1, 10**6)
