"""Metering a sum of telemetry: a bound that is sound against the operator, an estimate, and the tier of both.

Protocol section 11. Tiers D, 0, 1 and 2: the bound is [0, allocated time x peak of the fastest format], whatever the
readings say, and more where a clock above the table's was seen. Tier 3 (attested) narrows it. The estimate takes the
best evidence there is: tensor activity x clock (2, 3), utilisation x clock (1), allocation with the reference runs (0).
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final

import msgspec

from sekisho.metering.activity import (
    Interval,
    bound_attested,
    estimate_from_tensor,
    estimate_from_utilisation,
    narrow_by,
)
from sekisho.metering.allocation import estimate_from_allocation, workload_kind
from sekisho.metering.calibration import Calibration, reference_calibration
from sekisho.metering.counting import CountingRule
from sekisho.metering.energy import compare_energy, energy_ceiling
from sekisho.metering.error_model import FITTED, ActivityFit
from sekisho.metering.estimate import Estimate, compare_declared, require_digits
from sekisho.metering.rates import Claims, Rates, possible_khz, rates_of
from sekisho.metering.tensor_clocks import TensorClocks, tensor_clocks
from sekisho.metering.tier_record import record_of
from sekisho.metering.tiers import Tier, UsageFigure
from sekisho.model.chips import Chip, ChipTable, known_chips
from sekisho.model.errors import InvalidInput
from sekisho.model.flop import FlopInterval
from sekisho.model.telemetry import Usage

__all__ = ["DEFAULT_RULE", "Claims", "References", "UsageFigure", "meter_usage"]

DEFAULT_RULE: Final = CountingRule()
_BOUNDARY_MS: Final = 120_000


class References(msgspec.Struct, frozen=True, kw_only=True):
    """The tables that a figure rests on; those that ship with Sekisho unless given."""

    chips: ChipTable | None = None
    clocks: TensorClocks | None = None
    calibration: Calibration | None = None
    fit: ActivityFit = FITTED


class _Case(msgspec.Struct, frozen=True, kw_only=True):
    """One sum with everything that its figure is read from."""

    usage: Usage
    rule: CountingRule
    said: Claims
    chip: Chip
    rates: Rates
    tables: References


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate with its tier and how it came about."""

    tier: Tier
    estimate: Estimate | None
    how: str
    interval: Interval | None = None
    contradicts: bool = False


def meter_usage(
    usage: Usage,
    rule: CountingRule = DEFAULT_RULE,
    claims: Claims | None = None,
    references: References | None = None,
) -> UsageFigure:
    """Bound and estimate one sum of telemetry. Raises InvalidInput for sums that contradict themselves.

    An unknown chip, or no allocated time, is not measured, and never zero.
    """
    said, tables = claims or Claims(), references or References()
    _require_sums(usage)
    chip = (tables.chips or known_chips()).find(usage.chip)
    if chip is None or not usage.chip_ms:
        return _not_measured(usage, rule, said, chip)
    clocks = tensor_clocks() if tables.clocks is None else tables.clocks
    rates = rates_of(chip, usage, rule, said, clocks.get(chip.name))
    case = _Case(usage=usage, rule=rule, said=said, chip=chip, rates=rates, tables=tables)
    return _figure(case, _bound(case), _estimate(case))


# --- the bound ------------------------------------------------------------------------------------


def _bound(case: _Case) -> FlopInterval:
    """[0, all allocated time at the peak]; attested readings may lower it, and nothing else does."""
    high = case.usage.chip_ms * case.rates.seen_peak_per_ms
    if case.usage.attested and case.rates.top_khz:
        high = min(high, bound_attested(case.usage, case.rates))
    return FlopInterval(0, require_digits(math.ceil(high), case.usage.job))


def _bound_method(case: _Case) -> str:
    rates, usage = case.rates, case.usage
    recalled = " (recalled, to be verified)" if case.chip.mark(rates.fastest_format) == "R" else ""
    peak = f"{case.chip.name} allocation x dense {rates.fastest_format} peak{recalled}"
    if usage.attested and usage.tensor_ms:
        return f"bound: attested activity in the fastest format, the rest {peak}"
    return f"bound: {peak}"


# --- the estimate ---------------------------------------------------------------------------------


def _estimate(case: _Case) -> _Found:
    """The best evidence first."""
    usage, rates, fit = case.usage, case.rates, case.tables.fit
    by_utilisation = None
    if usage.util_ms and rates.clock_khz:
        by_utilisation = estimate_from_utilisation(
            usage, rates, fit, is_averaged=case.said.averaged
        )
    if usage.tensor_ms and rates.clock_khz:
        found = estimate_from_tensor(usage, rates, fit, is_averaged=case.said.averaged)
        agrees = True
        if by_utilisation is not None:
            found, agrees = narrow_by(found, by_utilisation)
        return _measured_by(case, "3" if usage.attested else "2", found, contradicts=not agrees)
    if by_utilisation is not None:
        return _measured_by(case, "1", by_utilisation)
    return _from_allocation(case)


def _measured_by(case: _Case, tier: Tier, found: Interval, *, contradicts: bool = False) -> _Found:
    name = "utilisation" if tier == "1" else "tensor activity"
    claimed = " as claimed" if case.rates.is_claimed else " taken"
    wide = ", utilisation is not activity" if tier == "1" else ""
    return _Found(
        tier=tier,
        estimate=_rounded(found),
        how=f"{name} x clock over {float(found.measured):.1%} of the time, {case.rates.best_format}"
        f"{claimed} for the best figure{wide}",
        interval=found,
        contradicts=contradicts,
    )


def _from_allocation(case: _Case) -> _Found:
    usage = case.usage
    estimate, how = estimate_from_allocation(
        case.chip,
        max(usage.devices, 1),
        Fraction(usage.chip_ms, 1000),
        workload_kind(case.said.workload, is_declared=case.said.declared is not None),
        case.tables.calibration or reference_calibration(),
        case.rule,
    )
    return _Found(tier="0", estimate=estimate, how=how)


def _rounded(found: Interval) -> Estimate:
    """Outwards at the ends; the best figure stays between them."""
    low, high = math.floor(found.low), math.ceil(found.high)
    return Estimate(low=low, best=min(max(round(found.best), low), high), high=high)


# --- the figure -----------------------------------------------------------------------------------


def _figure(case: _Case, bound: FlopInterval, found: _Found) -> UsageFigure:
    usage, rates = case.usage, case.rates
    estimate = found.estimate.clip(bound.high) if found.estimate else None
    is_grounded = found.interval is not None or bool(estimate and estimate.calibrated)
    kept = record_of(found.tier, is_calibrated=bool(estimate and estimate.calibrated))
    return UsageFigure(
        job=usage.job,
        site=usage.site,
        chip=case.chip.name,
        start=usage.start,
        end=usage.end,
        bound=bound,
        estimate=estimate,
        tier=found.tier,
        method=f"{_bound_method(case)}; estimate: {found.how}",
        rule=case.rule.name,
        notes=tuple(_notes(case)),
        population=kept.population,
        n=kept.coverage.of,
        coverage=kept.coverage,
        measured=found.interval.measured if found.interval else Fraction(0),
        errors=found.interval.errors if found.interval else (),
        energy_ceiling=energy_ceiling(usage, rates),
        energy_check=compare_energy(usage, rates, usage.tensor_work * rates.slow),
        declared=case.said.declared,
        declared_check=compare_declared(case.said.declared, bound, estimate, convicts=is_grounded),
        contradicts=found.contradicts,
        doubtful_clock=rates.is_doubtful,
        source=usage.evidence,
    )


def _notes(case: _Case) -> list[str]:
    """What a reader of the figure may want to know beside its method."""
    usage, rates = case.usage, case.rates
    notes = []
    if rates.is_doubtful and rates.row:
        most, why = possible_khz(rates.row) / 10**6, "1.1 x its highest clock"
        if rates.row.max_clock_khz is None:
            why = "1.25 x the clock of the table's peak, since its highest is not known"
        notes.append(
            f"a clock of {usage.clock_max_khz / 10**6:.2f} GHz was seen and set aside as doubtful: the bound goes with "
            f"{most:.2f} GHz, {why}: {float(rates.clock_scale):.3f} x the peak"
        )
    elif rates.clock_scale > 1:
        notes.append(
            f"a clock of {usage.clock_max_khz / 10**6:.2f} GHz was seen, above the {rates.clock_khz / 10**6:.2f} GHz "
            f"of the table's peak: the bound is {float(rates.clock_scale):.3f} x the peak"
        )
    elif rates.row and rates.row.max_clock_khz and rates.row.max_clock_khz > rates.clock_khz:
        more = rates.row.max_clock_khz / rates.clock_khz - 1
        notes.append(f"a clock above the table's, unseen here, could add up to {more:.1%}")
    if case.said.number_format and not rates.is_claimed:
        notes.append(
            f"the claimed format {case.said.number_format[:20]!r} is not one of this chip's"
        )
    if rates.row is None:
        notes.append("the clock of this chip's peak is not known; the highest clock seen stands in")
    if usage.doubtful_ms:
        share = usage.doubtful_ms / usage.chip_ms
        notes.append(
            f"{share:.1%} of the time was measured and set aside as doubtful: not measured"
        )
    if usage.overlapped_ms:
        share = usage.overlapped_ms / usage.chip_ms
        notes.append(f"{share:.1%} of the time is claimed by another allocation too")
    return notes


def _not_measured(usage: Usage, rule: CountingRule, said: Claims, chip: Chip | None) -> UsageFigure:
    why = f"unknown chip {usage.chip[:80]!r}" if usage.chip else "no chip stated"
    return UsageFigure(
        job=usage.job,
        site=usage.site,
        chip=usage.chip,
        start=usage.start,
        end=usage.end,
        bound=None,
        estimate=None,
        tier="D" if said.declared is not None else None,
        method=f"not measured: {why if chip is None else 'no allocated time'}",
        rule=rule.name,
        declared=said.declared,
        source=usage.evidence,
    )


def _require_sums(usage: Usage) -> None:
    """Sums of shares cannot pass the time that they are shares of. Raises InvalidInput naming the sum.

    Sums of minutes may pass it by a minute at each end of each device, where minutes were cut at a boundary.
    """
    slack = _BOUNDARY_MS * max(usage.devices, 1)
    top = usage.clock_max_khz * 10**6
    for name in ("tensor_ms", "util_ms", "power_ms", "pipe_ms", "clock_ms"):
        if not 0 <= getattr(usage, name) <= usage.chip_ms + slack:
            raise InvalidInput(
                f"{getattr(usage, name)} ms measured of {usage.chip_ms} ms allocated",
                path=f"{usage.job or 'unattributed'}: {name}",
                remedy="sum readings within the allocation only",
            )
    for name in ("tensor", "util"):
        spent, work = getattr(usage, f"{name}_ms"), getattr(usage, f"{name}_work")
        if not 0 <= work <= (spent + slack) * top:
            raise InvalidInput(
                "more than the measured time at the highest clock",
                path=f"{usage.job or 'unattributed'}: {name}_work",
                remedy="sum share x clock x milliseconds of one set of readings",
            )
