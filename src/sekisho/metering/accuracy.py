"""How wrong the estimate is, measured by leaving whole systems or scales out; never by a random split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Literal, TypeAlias

import msgspec

from sekisho.metering.calibration import leave_out
from sekisho.metering.figure import meter_run
from sekisho.metering.records import RunRecord
from sekisho.metering.reference import ReferenceRun, reference_runs

__all__ = ["Accuracy", "Split", "measure_accuracy"]

Split: TypeAlias = Literal["system", "scale", "chip"]
_GROUPS: Mapping[Split, Callable[[ReferenceRun], str]] = {
    "system": lambda run: run.system,
    "scale": lambda run: str(run.chips),
    "chip": lambda run: run.chip,
}


class Accuracy(msgspec.Struct, frozen=True, kw_only=True):
    """Errors of the best estimate relative to 6ND, and how many intervals held it, for one split."""

    population: str
    split: Split
    runs: int
    groups: int
    median_error: float
    worst_error: float
    held_by_interval: int
    held_by_bound: int


def measure_accuracy(split: Split, runs: Sequence[ReferenceRun] | None = None) -> Accuracy:
    """Leave each system, scale or chip out in turn, predict its runs, and compare with their declared work."""
    population = reference_runs() if runs is None else tuple(runs)
    group = _GROUPS[split]
    pairs = leave_out(population, group)
    errors = [abs(float(found.best / run.utilisation) - 1) for run, found in pairs]
    return Accuracy(
        population="GPT-3 175B, MLPerf Training v4.0",
        split=split,
        runs=len(population),
        groups=len({group(run) for run in population}),
        median_error=median(errors),
        worst_error=max(errors),
        held_by_interval=sum(found.low <= run.utilisation <= found.high for run, found in pairs),
        held_by_bound=sum(_is_bounded(run) for run in population),
    )


def _is_bounded(run: ReferenceRun) -> bool:
    record = RunRecord(run_id=run.run_id, chip=run.chip, chips=run.chips, seconds=run.seconds)
    bound = meter_run(record).bound
    return bound is not None and bound.holds(run.declared_flop)
