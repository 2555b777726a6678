"""How wrong the estimate is, measured by leaving whole systems or scales out; never by a random split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Literal, TypeAlias

import msgspec

from sekisho.metering.calibration import Prediction, leave_out
from sekisho.metering.coverage import Coverage
from sekisho.metering.figure import meter_run
from sekisho.metering.records import RunRecord
from sekisho.metering.reference import ReferenceRun, reference_runs

__all__ = ["CAUTION", "Accuracy", "Split", "measure_accuracy"]

Split: TypeAlias = Literal["system", "scale", "chip"]
CAUTION = (
    "Five systems of two makers, one model and one benchmark prove little: even five of five held leaves room for a "
    "true share below one half. More would be proved by runs of other models, sizes and workloads on other chips, by "
    "more systems of one chip (each system counts, not each run), by counters of one device beside exact operations, "
    "and by a test that is fixed before its runs are seen."
)
"""What the figures do not show, printed beside them."""
_GROUPS: Mapping[Split, Callable[[ReferenceRun], str]] = {
    "system": lambda run: run.system,
    "scale": lambda run: str(run.chips),
    "chip": lambda run: run.chip,
}


class Accuracy(msgspec.Struct, frozen=True, kw_only=True):
    """Errors of the best estimate relative to 6ND, and how many intervals held it, for one split.

    A width is high over low. `coverage` takes runs as independent; runs of one group are not, so `group_coverage`
    counts groups of which every run was held.
    """

    population: str
    split: Split
    runs: int
    groups: int
    median_error: float
    worst_error: float
    held_by_interval: int
    held_by_bound: int
    coverage: Coverage
    groups_held: int
    group_coverage: Coverage
    median_width: float
    widest: float
    caution: str = CAUTION


def measure_accuracy(split: Split, runs: Sequence[ReferenceRun] | None = None) -> Accuracy:
    """Leave each system, scale or chip out in turn, predict its runs, and compare with their declared work."""
    population = reference_runs() if runs is None else tuple(runs)
    group = _GROUPS[split]
    pairs = leave_out(population, group)
    errors = [abs(float(found.best / run.utilisation) - 1) for run, found in pairs]
    widths = [float(found.high / found.low) for _, found in pairs]
    held = sum(_is_held(run, found) for run, found in pairs)
    groups = {group(run) for run in population}
    missed = {group(run) for run, found in pairs if not _is_held(run, found)}
    return Accuracy(
        population="GPT-3 175B, MLPerf Training v4.0",
        split=split,
        runs=len(population),
        groups=len(groups),
        median_error=median(errors),
        worst_error=max(errors),
        held_by_interval=held,
        held_by_bound=sum(_is_bounded(run) for run in population),
        coverage=Coverage.count(held, len(pairs)),
        groups_held=len(groups - missed),
        group_coverage=Coverage.count(len(groups - missed), len(groups)),
        median_width=median(widths),
        widest=max(widths),
    )


def _is_held(run: ReferenceRun, found: Prediction) -> bool:
    return found.low <= run.utilisation <= found.high


def _is_bounded(run: ReferenceRun) -> bool:
    record = RunRecord(run_id=run.run_id, chip=run.chip, chips=run.chips, seconds=run.seconds)
    bound = meter_run(record).bound
    return bound is not None and bound.holds(run.declared_flop)
