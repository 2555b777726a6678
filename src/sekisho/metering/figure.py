"""The figure of one run: a bound that is sound against the operator, and an estimate that is calibrated.

bound = [0, chips x peak of the chip's fastest dense format x seconds] (protocol section 11, tier 0): nothing the
operator says narrows it. The estimate serves reports and findings, never caps. What cannot be told is None,
"not measured", and never zero.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal

import msgspec

from sekisho.metering.allocation import estimate_from_allocation, workload_kind
from sekisho.metering.calibration import Calibration, reference_calibration
from sekisho.metering.counting import CountingRule
from sekisho.metering.estimate import (
    DeclaredCheck,
    Estimate,
    compare_declared,
    require_digits,
    wire_flop,
)
from sekisho.metering.records import RunRecord
from sekisho.model.chips import Chip, ChipTable, known_chips
from sekisho.model.flop import FlopInterval, HostPeak, cpu_time_bound, declared_6nd

__all__ = ["DeclaredCheck", "Estimate", "RunFigure", "meter_cpu_time", "meter_run"]

# Stated utilisation is the operator's word and not calibrated here (O).
_STATED_ERROR = Fraction(15, 100)
_SIXTEEN_BIT = {"": "fp16", "bf16": "fp16", "fp16": "fp16"}


class RunFigure(msgspec.Struct, frozen=True, kw_only=True):
    """What a run has computed, as far as its record shows; `tier` "0" allocation x peak, "D" declared only."""

    run_id: str
    bound: FlopInterval | None
    estimate: Estimate | None
    tier: Literal["0", "D"] | None
    method: str
    declared: int | None

    @property
    def is_measured(self) -> bool:
        return self.bound is not None

    @property
    def declared_check(self) -> DeclaredCheck | None:
        """The declaration against the figure, beyond both errors; None where either is missing."""
        convicts = self.estimate is not None and self.estimate.calibrated
        return compare_declared(self.declared, self.bound, self.estimate, convicts=convicts)

    @property
    def is_finding(self) -> bool:
        return self.declared_check not in (None, "within")

    def to_row(self) -> dict[str, str | None]:
        """The wire form: FLOP as decimal strings, None where not measured."""
        bound, estimate = self.bound, self.estimate
        return {
            "run_id": self.run_id,
            "bound_low": wire_flop(bound.low if bound else None),
            "bound_high": wire_flop(bound.high if bound else None),
            "estimate_low": wire_flop(estimate.low if estimate else None),
            "estimate_best": wire_flop(estimate.best if estimate else None),
            "estimate_high": wire_flop(estimate.high if estimate else None),
            "tier": self.tier,
            "method": self.method,
            "declared": wire_flop(self.declared),
            "declared_check": self.declared_check,
        }


def meter_run(
    record: RunRecord, chips: ChipTable | None = None, calibration: Calibration | None = None
) -> RunFigure:
    """Bound and estimate one run. Raises InvalidInput where a figure would pass 38 digits."""
    declared = _declared(record)
    chip = (known_chips() if chips is None else chips).find(record.chip)
    if chip is None or record.chips is None or record.seconds is None:
        return _not_measured(record, _lacking(record, chip), declared)
    chip_seconds = record.chips * record.seconds
    high = math.ceil(chip_seconds * chip.fastest_peak_flop_per_s)
    bound = FlopInterval(0, require_digits(high, record.run_id))
    estimate, how = _estimate(record, chip, chip_seconds, calibration or reference_calibration())
    return RunFigure(
        run_id=record.run_id,
        bound=bound,
        estimate=estimate.clip(bound.high) if estimate else None,
        tier="0",
        method=f"bound: {chip.name} allocation x dense {chip.fastest_format} peak"
        f"{_unverified(chip)}; estimate: {how}",
        declared=declared,
    )


def meter_cpu_time(
    run_id: str, cpu_seconds: Fraction | float, peak: HostPeak, declared: int | None = None
) -> RunFigure:
    """The figure of a run on a CPU host whose peak is declared: CPU time x peak of a core, no estimate."""
    return RunFigure(
        run_id=run_id,
        bound=cpu_time_bound(cpu_seconds, peak.per_core_flop_per_s),
        estimate=None,
        tier="0",
        method="bound: CPU time x declared peak of a core; estimate: not measured",
        declared=declared,
    )


def _declared(record: RunRecord) -> int | None:
    if record.declared is not None:
        return record.declared
    if record.params is None or record.tokens is None:
        return None
    return require_digits(declared_6nd(record.params, record.tokens), record.run_id)


def _not_measured(record: RunRecord, why: str, declared: int | None) -> RunFigure:
    return RunFigure(
        run_id=record.run_id,
        bound=None,
        estimate=None,
        tier="D" if declared is not None else None,
        method=f"not measured: {why}",
        declared=declared,
    )


def _lacking(record: RunRecord, chip: Chip | None) -> str:
    lacks = []
    if chip is None:
        lacks.append(f"unknown chip {record.chip[:80]!r}" if record.chip else "no chip stated")
    if record.chips is None:
        lacks.append("no count of chips")
    if record.seconds is None:
        lacks.append("no seconds")
    return ", ".join(lacks)


def _estimate(
    record: RunRecord, chip: Chip, chip_seconds: Fraction, calibration: Calibration
) -> tuple[Estimate | None, str]:
    """The best source first: stated utilisation, reference runs of the same kind of work, nothing."""
    if record.utilisation is not None:
        return _from_stated(record, chip, chip_seconds)
    is_declared = bool(record.params and record.tokens)
    kind = workload_kind(record.benchmark, is_declared=is_declared)
    if kind == "other":
        return None, f"not measured, no reference runs of {record.benchmark[:60]!r}"
    return estimate_from_allocation(
        chip, record.chips or 1, chip_seconds, kind, calibration, CountingRule()
    )


def _from_stated(
    record: RunRecord, chip: Chip, chip_seconds: Fraction
) -> tuple[Estimate | None, str]:
    """Stated utilisation x clock ratio x peak; without a precision anything up to the fastest format."""
    busy = chip_seconds * (record.utilisation or 0) * (record.sm_clock_ratio or 1)
    name = _SIXTEEN_BIT.get(record.precision, record.precision)
    if name not in chip.peaks:
        return None, f"not measured, the chip's {record.precision or '16-bit'} peak is unknown"
    peak = chip.peaks[name]
    top = peak if record.precision else chip.fastest_peak_flop_per_s
    estimate = Estimate(
        low=math.floor(busy * peak * (1 - _STATED_ERROR)),
        best=round(busy * peak),
        high=math.ceil(busy * top * (1 + _STATED_ERROR)),
    )
    clock = " x clock ratio" if record.sm_clock_ratio is not None else ", clock ratio not stated"
    return estimate, f"utilisation as stated{clock} x {name} peak, not calibrated"


def _unverified(chip: Chip) -> str:
    return " (recalled, to be verified)" if chip.mark(chip.fastest_format) == "R" else ""
