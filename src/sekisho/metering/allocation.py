"""What allocation alone tells: chips, time and the kind of work, read with the reference runs (tier 0)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal, TypeAlias

from sekisho.metering.calibration import Calibration
from sekisho.metering.counting import CountingRule
from sekisho.metering.estimate import Estimate
from sekisho.model.chips import Chip

__all__ = ["WorkloadKind", "estimate_from_allocation", "workload_kind"]

WorkloadKind: TypeAlias = Literal["language model", "unstated", "other"]


def workload_kind(name: str, *, is_declared: bool) -> WorkloadKind:
    """GPT-style pre-training is what the reference runs did; a 6ND declaration without a name says the same."""
    if name.casefold().startswith("gpt"):
        return "language model"
    if not name:
        return "language model" if is_declared else "unstated"
    return "other"


def estimate_from_allocation(
    chip: Chip,
    chips: int,
    chip_seconds: Fraction,
    kind: WorkloadKind,
    calibration: Calibration,
    rule: CountingRule,
) -> tuple[Estimate | None, str]:
    """Calibrated utilisation x 16-bit peak x time, with how it came about; None where no reference run says anything.

    Unstated work may have been anything from idling to the peak of the fastest format.
    """
    if kind == "other":
        return None, "not measured, no reference runs of this kind of work"
    sixteen = chip.peaks.get("fp16")
    if sixteen is None:
        return None, "not measured, the chip's 16-bit peak is unknown"
    found = calibration.predict(chip.name, chips)
    work = chip_seconds * sixteen
    # The reference runs count operations in the formats used, which the other rules may weigh less.
    least = min(Fraction(1), *(rule.weight(name) for name in chip.peaks))
    is_known = kind == "language model"
    high = work * found.high if is_known else chip_seconds * rule.peak(chip)
    estimate = Estimate(
        low=math.floor(work * found.low * least) if is_known else 0,
        best=round(work * found.best),
        high=max(math.ceil(high), round(work * found.best)),
        calibrated=found.calibrated and is_known and least == 1,
    )
    stated = "" if is_known else "workload not stated, taken as large-model training; "
    return estimate, f"{stated}utilisation {float(found.best):.3f} of 16-bit peak, {found.basis}"
