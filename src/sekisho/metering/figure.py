"""The figure of one run: a bound that is sound against the operator, and an estimate that is calibrated.

bound = [0, chips x peak of the chip's fastest dense format x seconds] (protocol section 11, tier 0): nothing the
operator says narrows it. The estimate serves reports and findings, never caps. What cannot be told is None,
"not measured", and never zero.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal, TypeAlias

import msgspec

from sekisho.metering.calibration import Calibration, reference_calibration
from sekisho.metering.records import RunRecord
from sekisho.model.amounts import MAX_FLOP, format_flop
from sekisho.model.chips import Chip, ChipTable, known_chips
from sekisho.model.errors import InvalidInput
from sekisho.model.flop import FlopInterval, HostPeak, cpu_time_bound, declared_6nd

__all__ = ["DeclaredCheck", "Estimate", "RunFigure", "meter_cpu_time", "meter_run"]

DeclaredCheck: TypeAlias = Literal[
    "within", "below the estimate", "above the estimate", "above the bound"
]
# A declaration has an error of its own (O): 6ND leaves out attention and recomputation.
_DECLARED_ERROR = Fraction(1, 10)
# Stated utilisation is the operator's word and not calibrated here (O).
_STATED_ERROR = Fraction(15, 100)
_SIXTEEN_BIT = {"": "fp16", "bf16": "fp16", "fp16": "fp16"}


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """FLOP, whole numbers, low <= best <= high; `calibrated` where chip, scale and workload have references."""

    low: int
    best: int
    high: int
    calibrated: bool = False


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
        if self.declared is None or self.bound is None:
            return None
        if self.declared > self.bound.high:
            return "above the bound"
        if self.estimate is None or not self.estimate.calibrated:
            return None
        if self.declared * (1 + _DECLARED_ERROR) < self.estimate.low:
            return "below the estimate"
        if self.declared * (1 - _DECLARED_ERROR) > self.estimate.high:
            return "above the estimate"
        return "within"

    @property
    def is_finding(self) -> bool:
        return self.declared_check not in (None, "within")

    def to_row(self) -> dict[str, str | None]:
        """The wire form: FLOP as decimal strings, None where not measured."""
        bound, estimate = self.bound, self.estimate
        return {
            "run_id": self.run_id,
            "bound_low": _wire(bound.low if bound else None),
            "bound_high": _wire(bound.high if bound else None),
            "estimate_low": _wire(estimate.low if estimate else None),
            "estimate_best": _wire(estimate.best if estimate else None),
            "estimate_high": _wire(estimate.high if estimate else None),
            "tier": self.tier,
            "method": self.method,
            "declared": _wire(self.declared),
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
    bound = FlopInterval(
        0, _within_limits(math.ceil(chip_seconds * chip.fastest_peak_flop_per_s), record)
    )
    estimate, how = _estimate(record, chip, chip_seconds, calibration or reference_calibration())
    return RunFigure(
        run_id=record.run_id,
        bound=bound,
        estimate=_clipped(estimate, bound.high),
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
    return _within_limits(declared_6nd(record.params, record.tokens), record)


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
    workload = _workload(record)
    if workload == "other":
        return None, f"not measured, no reference runs of {record.benchmark[:60]!r}"
    if "fp16" not in chip.peaks:
        return None, "not measured, the chip's 16-bit peak is unknown"
    found = calibration.predict(chip.name, record.chips or 1)
    work = chip_seconds * chip.peaks["fp16"]
    estimate = Estimate(
        # Where nobody says what ran, it may have been anything down to idling.
        low=0 if workload == "unstated" else math.floor(work * found.low),
        best=round(work * found.best),
        high=math.ceil(work * found.high),
        calibrated=found.calibrated and workload == "language model",
    )
    stated = (
        "workload not stated, taken as large-model training; " if workload == "unstated" else ""
    )
    return estimate, f"{stated}utilisation {float(found.best):.3f} of 16-bit peak, {found.basis}"


def _workload(record: RunRecord) -> Literal["language model", "unstated", "other"]:
    """GPT-style pre-training is what the reference runs did; 6ND inputs without a name say the same."""
    name = record.benchmark.casefold()
    if name.startswith("gpt"):
        return "language model"
    if not name:
        return "language model" if record.params and record.tokens else "unstated"
    return "other"


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


def _clipped(estimate: Estimate | None, ceiling: int) -> Estimate | None:
    """No estimate lies above the bound."""
    if estimate is None:
        return None
    low, best, high = (min(x, ceiling) for x in (estimate.low, estimate.best, estimate.high))
    return msgspec.structs.replace(estimate, low=low, best=best, high=high)


def _unverified(chip: Chip) -> str:
    return " (recalled, to be verified)" if chip.mark(chip.fastest_format) == "R" else ""


def _within_limits(flop: int, record: RunRecord) -> int:
    if flop > MAX_FLOP:
        raise InvalidInput(
            "a figure of more than 38 digits", path=record.run_id, remedy="check the row"
        )
    return flop


def _wire(flop: int | None) -> str | None:
    return None if flop is None else format_flop(flop)
