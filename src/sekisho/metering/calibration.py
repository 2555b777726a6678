"""How busy chips are in large language-model training, fitted to runs of known work.

Utilisation against the dense 16-bit peak = level of the chip + slope x log2(chips), one slope for all chips,
least squares. It can exceed what 16-bit arithmetic alone would give, since FP8 and INT8 are used in part.
The interval's width is what leaving one system out has cost, computed here and not chosen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from statistics import fmean

import msgspec

from sekisho.metering.reference import ReferenceRun, reference_runs

__all__ = ["Calibration", "Prediction", "calibrate", "leave_out", "reference_calibration"]

# Our own choices (O): the width is the worst error of m left-out systems times Student's t of m - 1 degrees over the
# normal quantile (both at 95 %: few systems say little, so their worst error counts for more), at least 5 %, a quarter
# where no two systems share a chip; it grows by three points for each doubling beyond the scales seen; a chip without
# reference runs may be half or a fifth more.
_STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
_NORMAL = 1.960
_NARROWEST = 0.05
_UNKNOWN_WIDTH = 0.25
_PER_DOUBLING = 0.03
_OTHER_CHIP = (Fraction(1, 2), Fraction(6, 5))
_LEAST_UTILISATION = Fraction(1, 100)


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """Utilisation against the 16-bit peak; `calibrated` where chip and scale are those of reference runs."""

    low: Fraction
    best: Fraction
    high: Fraction
    calibrated: bool
    basis: str


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """A fitted line. `levels` by chip; `scales` the smallest and largest chip count seen; `width` relative."""

    slope: float
    levels: Mapping[str, float]
    scales: Mapping[str, tuple[int, int]]
    width: float
    runs: int
    systems: int
    worst_error: float

    def predict(self, chip: str, chips: int) -> Prediction:
        """Utilisation of `chips` chips named `chip` (a name of the chip table)."""
        known = chip in self.levels
        smallest, largest = self.scales[chip] if known else self._all_scales()
        best = self._line(chip, max(chips, smallest))
        if not known:
            low, high = (best * factor for factor in _OTHER_CHIP)
            basis = f"no reference run on this chip, {self._population()}"
            return Prediction(low=low, best=best, high=high, calibrated=False, basis=basis)
        doublings = max(math.log2(smallest / chips), math.log2(chips / largest), 0.0)
        width = _exact(self.width + _PER_DOUBLING * doublings)
        inside = doublings == 0
        scale = "scale within" if inside else "scale outside"
        return Prediction(
            low=max(best * (1 - width), Fraction(0)),
            best=best,
            high=best * (1 + width),
            calibrated=inside,
            basis=f"same chip, {scale} the reference runs, {self._population()}",
        )

    def _line(self, chip: str, chips: int) -> Fraction:
        """Below the smallest scale seen the utilisation is held; above the largest the line goes on."""
        level = self.levels.get(chip, fmean(self.levels.values()))
        return max(_exact(level + self.slope * math.log2(chips)), _LEAST_UTILISATION)

    def _all_scales(self) -> tuple[int, int]:
        return min(low for low, _ in self.scales.values()), max(
            high for _, high in self.scales.values()
        )

    def _population(self) -> str:
        error = f"leave-one-system-out error at most {self.worst_error:.1%}"
        return f"{self.runs} GPT-3 175B runs of {self.systems} systems, {error}"


def calibrate(runs: Sequence[ReferenceRun]) -> Calibration:
    """Fit the line, and take its width from leaving out each system in turn."""
    errors = _inner_errors(runs)
    if not errors:
        return msgspec.structs.replace(_fit(runs), width=_UNKNOWN_WIDTH)
    worst = max(abs(error) for found in errors.values() for error in found)
    width = max(_NARROWEST, worst * _few(len(errors)))
    return msgspec.structs.replace(_fit(runs), width=width, worst_error=worst)


def _few(systems: int) -> float:
    """By how much an error seen on so many left-out systems is widened; 1 where there are very many."""
    return _STUDENT[min(max(systems - 1, 1), len(_STUDENT)) - 1] / _NORMAL


def leave_out(
    runs: Sequence[ReferenceRun], group: Callable[[ReferenceRun], str]
) -> list[tuple[ReferenceRun, Prediction]]:
    """Predict each run from a calibration that never saw its group; widths are recomputed without it too."""
    found = []
    for name in dict.fromkeys(group(run) for run in runs):
        seen = calibrate([run for run in runs if group(run) != name])
        left = [run for run in runs if group(run) == name]
        found += [(run, seen.predict(run.chip, run.chips)) for run in left]
    return found


@lru_cache(maxsize=1)
def reference_calibration() -> Calibration:
    """The calibration on the runs that ship with Sekisho."""
    return calibrate(reference_runs())


def _inner_errors(runs: Sequence[ReferenceRun]) -> dict[str, list[float]]:
    """Relative errors by system left out, where another system has the same chip."""
    errors: dict[str, list[float]] = {}
    for system in dict.fromkeys(run.system for run in runs):
        seen = _fit([run for run in runs if run.system != system])
        left = [run for run in runs if run.system == system and run.chip in seen.levels]
        found = [
            float(seen.predict(run.chip, run.chips).best / run.utilisation) - 1 for run in left
        ]
        if found:
            errors[system] = found
    return errors


def _fit(runs: Sequence[ReferenceRun]) -> Calibration:
    by_chip: dict[str, list[tuple[float, float]]] = {}
    for run in runs:
        by_chip.setdefault(run.chip, []).append((math.log2(run.chips), float(run.utilisation)))
    slope = _shared_slope(list(by_chip.values()))
    return Calibration(
        slope=slope,
        levels={chip: fmean(y - slope * x for x, y in points) for chip, points in by_chip.items()},
        scales={
            chip: (
                min(r.chips for r in runs if r.chip == chip),
                max(r.chips for r in runs if r.chip == chip),
            )
            for chip in by_chip
        },
        width=_NARROWEST,
        runs=len(runs),
        systems=len({run.system for run in runs}),
        worst_error=0.0,
    )


def _shared_slope(groups: list[list[tuple[float, float]]]) -> float:
    """Least squares within chips; never upwards: more chips do not make a chip busier."""
    products = squares = 0.0
    for points in groups:
        middle_x, middle_y = fmean(x for x, _ in points), fmean(y for _, y in points)
        products += sum((x - middle_x) * (y - middle_y) for x, y in points)
        squares += sum((x - middle_x) ** 2 for x, _ in points)
    return min(products / squares, 0.0) if squares else 0.0


def _exact(value: float) -> Fraction:
    """Six decimals, so that the last bit of a logarithm does not differ between machines in a figure."""
    return Fraction(round(value * 10**6), 10**6)
