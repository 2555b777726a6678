"""Tiers 0, 1 and 2 held against generated workloads of known truth, each family left out of what is fitted to the rest.

The truth counts operations; the readings come from a performance model with faults of its own. No device was recorded:
what this shows is that the arithmetic and its error model hold where their assumptions do, and where they do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from statistics import median
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.metering.counting import CountingRule
from sekisho.metering.coverage import Coverage
from sekisho.metering.error_model import ActivityFit
from sekisho.metering.rates import Claims, rates_of
from sekisho.metering.tensor_clocks import tensor_clocks
from sekisho.metering.usage_figure import References, UsageFigure, meter_usage
from sekisho.metering.workloads import Trace, families, generate, usage_of
from sekisho.model.chips import known_chips
from sekisho.model.telemetry import Usage

__all__ = [
    "CAUTION",
    "READINGS",
    "FamilyAccuracy",
    "Reading",
    "TierAccuracy",
    "fit_activity",
    "generate_corpus",
    "measure_tiers",
]

TierName: TypeAlias = Literal["0", "1", "2"]
_RULE: Final = CountingRule()


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How a device is read: means over the period or moments of it, and whether its format is claimed (honestly)."""

    period_s: int
    is_spot: bool
    is_claimed: bool = True

    @property
    def name(self) -> str:
        kind = "spot" if self.is_spot else "averaged"
        return f"{kind}, {self.period_s} s" + ("" if self.is_claimed else ", format not stated")


CAUTION: Final = (
    "No device was recorded: readings come from a performance model and truth from counted operations. The numbers "
    "of the error model were chosen with these families in view; only the two fitted shares never saw the family left "
    "out. Figures fail where work is not dense products in 16 bits or the claimed format: double precision counts as "
    "16-bit, thin products of decoding are mostly padding, FFT and rendering run outside the matrix unit, and spot "
    "readings far apart miss bursts."
)
"""What the figures do not show, printed beside them."""

READINGS: Final = (
    Reading(period_s=10, is_spot=False),
    Reading(period_s=10, is_spot=False, is_claimed=False),
    Reading(period_s=1, is_spot=True),
    Reading(period_s=10, is_spot=True),
    Reading(period_s=30, is_spot=True),
)
"""The first is what the record of the tiers rests on."""


class FamilyAccuracy(msgspec.Struct, frozen=True, kw_only=True):
    """One family's traces, fitted without them. Errors are of the best figure, relative to the truth, signed."""

    family: str
    kind: str
    n: int
    median_error: float
    worst_error: float
    held: int
    energy_findings: int


class TierAccuracy(msgspec.Struct, frozen=True, kw_only=True):
    """One tier under one reading, over all families; `median_error` over traces, unsigned."""

    tier: TierName
    reading: str
    population: str
    families: int
    n: int
    median_error: float
    within_tenth: int
    coverage: Coverage
    family_coverage: Coverage
    bound_held: int
    median_width: float | None  # high over low; None where half of the intervals begin at nothing
    by_family: tuple[FamilyAccuracy, ...]
    caution: str = CAUTION


class _Case(msgspec.Struct, frozen=True, kw_only=True):
    trace: Trace
    usage: Usage
    truth: Fraction


def generate_corpus(
    *,
    seeds: Sequence[int] = (1, 2),
    seconds: int = 120,
    watch: Callable[[Iterable[str]], Iterable[str]] = iter,
) -> tuple[Trace, ...]:
    """Traces of every family; `watch` may show progress over their names."""
    names = [family.name for family in families()]
    return tuple(
        generate(name, seed=seed, seconds=seconds) for name in watch(names) for seed in seeds
    )


def fit_activity(traces: Iterable[Trace], *, period_s: int = 10) -> ActivityFit:
    """The two shares that no counter tells, as medians over these traces, averaged readings and formats known."""
    cases = [_case(trace, Reading(period_s=period_s, is_spot=False)) for trace in traces]
    useful, busy = [], []
    for case in cases:
        by_tensor, by_utilisation = _counted(case)
        if case.trace.number_format and by_tensor:
            useful.append(case.truth / by_tensor)
        if by_utilisation:
            busy.append(case.truth / by_utilisation)
    return ActivityFit(
        useful=_two_digits(useful),
        busy=_two_digits(busy),
        population="generated workloads",
        families=len({case.trace.family for case in cases}),
    )


def measure_tiers(
    traces: Sequence[Trace], readings: Sequence[Reading] = READINGS
) -> tuple[TierAccuracy, ...]:
    """Every tier under every reading, each family left out of the fit in turn."""
    names = tuple(dict.fromkeys(trace.family for trace in traces))
    fits = {name: fit_activity(t for t in traces if t.family != name) for name in names}
    found = []
    for reading in readings:
        cases = [_case(trace, reading) for trace in traces]
        found += [_tier(tier, reading, cases, fits) for tier in _TIERS]
    return tuple(found)


# --- one tier -------------------------------------------------------------------------------------

_UNTENSOR: Final = {"tensor_ms": 0, "tensor_work": 0, "pipe_ms": 0, "pipe_work": 0}
_LACKS: Final = {
    "0": {**_UNTENSOR, "util_ms": 0, "util_work": 0},
    "1": _UNTENSOR,
    "2": {},
}
_TIERS: Final[tuple[TierName, ...]] = ("0", "1", "2")


def _tier(
    tier: TierName, reading: Reading, cases: Sequence[_Case], fits: dict[str, ActivityFit]
) -> TierAccuracy:
    pairs = [(case, _figure(tier, reading, case, fits[case.trace.family])) for case in cases]
    errors = [abs(_error(case, figure)) for case, figure in pairs]
    widths = sorted(_width(figure) for _, figure in pairs)
    middle = widths[len(widths) // 2]
    by_family = tuple(
        _family(name, [pair for pair in pairs if pair[0].trace.family == name]) for name in fits
    )
    return TierAccuracy(
        tier=tier,
        reading=reading.name,
        population="generated workloads, no recorded device",
        families=len(fits),
        n=len(pairs),
        median_error=median(errors),
        within_tenth=sum(error <= 0.1 for error in errors),
        coverage=Coverage.count(sum(_is_held(*pair) for pair in pairs), len(pairs)),
        family_coverage=Coverage.count(sum(f.held == f.n for f in by_family), len(by_family)),
        bound_held=sum(_is_bounded(*pair) for pair in pairs),
        median_width=None if middle == float("inf") else middle,
        by_family=by_family,
    )


def _family(name: str, pairs: Sequence[tuple[_Case, UsageFigure]]) -> FamilyAccuracy:
    errors = [_error(*pair) for pair in pairs]
    return FamilyAccuracy(
        family=name,
        kind=pairs[0][0].trace.kind,
        n=len(pairs),
        median_error=median(errors),
        worst_error=max(errors, key=abs),
        held=sum(_is_held(*pair) for pair in pairs),
        energy_findings=sum(figure.energy_check not in (None, "within") for _, figure in pairs),
    )


def _figure(tier: TierName, reading: Reading, case: _Case, fit: ActivityFit) -> UsageFigure:
    usage = msgspec.structs.replace(case.usage, **_LACKS[tier])
    claims = Claims(
        number_format=case.trace.number_format if reading.is_claimed else "",
        averaged=not reading.is_spot,
    )
    return meter_usage(usage, _RULE, claims, References(fit=fit))


def _case(trace: Trace, reading: Reading) -> _Case:
    usage = usage_of(trace, period_s=reading.period_s, is_spot=reading.is_spot)
    return _Case(trace=trace, usage=usage, truth=trace.flop(_RULE))


def _counted(case: _Case) -> tuple[Fraction, Fraction]:
    """Work of the matrix unit at the claimed format's rate, and of busy time at the 16-bit rate, before any fit."""
    usage, chip = case.usage, known_chips().find(case.usage.chip)
    if chip is None:
        return Fraction(0), Fraction(0)
    row = tensor_clocks().get(chip.name)
    claimed = rates_of(chip, usage, _RULE, Claims(number_format=case.trace.number_format), row)
    sixteen = rates_of(chip, usage, _RULE, Claims(), row)
    return usage.tensor_work * claimed.best, usage.util_work * sixteen.best


def _two_digits(shares: Sequence[Fraction]) -> Fraction:
    return Fraction(round(median(shares) * 100), 100) if shares else Fraction(1)


def _error(case: _Case, figure: UsageFigure) -> float:
    best = figure.estimate.best if figure.estimate else 0
    return float(best / case.truth) - 1 if case.truth else 0.0


def _width(figure: UsageFigure) -> float:
    estimate = figure.estimate
    return estimate.high / estimate.low if estimate and estimate.low else float("inf")


def _is_held(case: _Case, figure: UsageFigure) -> bool:
    estimate = figure.estimate
    return estimate is not None and estimate.low <= case.truth <= estimate.high


def _is_bounded(case: _Case, figure: UsageFigure) -> bool:
    return figure.bound is not None and case.truth <= figure.bound.high
