"""What an energy counter says from one reading to the next, where it can say anything."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from sekisho.adapters.telemetry.limits import Limits
from sekisho.adapters.telemetry.series import Bools, Ints, Series
from sekisho.adapters.telemetry.spans import Spans

__all__ = ["EnergySteps", "step_energy"]


class EnergySteps(msgspec.Struct, frozen=True, kw_only=True):
    """For each row the energy since the reading before in millijoules, where `known`; and where the counter fell.

    `over_ms` is how long the counter took for the step: since it last changed. Over a gap a step is `plausible` and
    not known: it tells the mean power in between, and no period's energy.
    """

    step_mj: Ints
    over_ms: Ints
    known: Bools
    plausible: Bools
    fell: Bools


def step_energy(series: Series, spans: Spans, limits: Limits) -> EnergySteps | None:
    """Steps of the counter within a stretch; None where no row has it.

    Not known, and so absent from sums: the first reading of a stretch, a fall (a new epoch, whatever made it fall), a
    step of nothing over a second or more, and a step that would need more power than any device draws.
    """
    column = series.column("energy_mj")
    if column is None:
        return None
    rows = np.arange(len(series)) if column.known is None else np.flatnonzero(column.known)
    energy = column.numbers[rows].astype(np.int64, copy=False)
    at_ms = series.at_ms[rows]
    is_same_day = _same(series.is_first, rows)
    step = np.diff(energy, prepend=0)
    fell = is_same_day & (step < 0)
    since_ms = at_ms - _last_change(at_ms, step, is_same_day)
    # mJ over ms is W.
    plausible = is_same_day & (step >= 0) & (step <= limits.highest_power_w * since_ms)
    plausible &= (step > 0) | (np.diff(at_ms, prepend=0) < limits.stuck_after_ms)
    found = EnergySteps(
        step_mj=step,
        over_ms=since_ms,
        known=plausible & _same(spans.begins_stretch, rows),
        plausible=plausible,
        fell=fell,
    )
    return found if len(rows) == len(series) else _whole(len(series), rows, found)


def _same(begins: npt.NDArray[np.bool_], rows: npt.NDArray[np.intp]) -> Bools:
    """Whether a row and the one before it in `rows` lie in one part, where `begins` marks the parts' first rows."""
    if len(rows) == len(begins):
        return ~begins
    part = np.cumsum(begins)[rows]
    same = np.zeros(len(rows), dtype=np.bool_)
    same[1:] = part[1:] == part[:-1]
    return same


def _last_change(at_ms: Ints, step: Ints, is_same_day: Bools) -> Ints:
    """When the counter took the value that it had before this row: some exporters repeat one for several readings."""
    changed = ~is_same_day | (step != 0)
    if changed.all():
        return np.append(at_ms[:1], at_ms[:-1])
    since = np.maximum.accumulate(np.where(changed, np.arange(len(step)), 0))
    before = np.append(since[:1], since[:-1])
    found: Ints = at_ms[before]
    return found


def _whole(length: int, rows: npt.NDArray[np.intp], some: EnergySteps) -> EnergySteps:
    """The same for all rows, those without the counter included."""
    step, over = np.zeros((2, length), dtype=np.int64)
    known, plausible, fell = np.zeros((3, length), dtype=np.bool_)
    step[rows], over[rows] = some.step_mj, some.over_ms
    known[rows], plausible[rows], fell[rows] = some.known, some.plausible, some.fell
    return EnergySteps(step_mj=step, over_ms=over, known=known, plausible=plausible, fell=fell)
