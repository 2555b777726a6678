"""The geometry of a pack's years: each rule's statuses as bands, each parameter's values as steps. Pure.

Positions are whole thousandths of the drawing. What a band means is told by its height and its pattern as well as by
its colour; the words stand in the table beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final, TypeVar

import msgspec

from sekisho.model.instants import Instant
from sekisho.rules import Pack
from sekisho.rules.pack import Dated, DatedValue, Status

__all__ = [
    "WIDTH",
    "Axis",
    "Band",
    "Step",
    "Steps",
    "Tick",
    "axis_of",
    "bands_of",
    "form_of",
    "steps_of",
]

WIDTH: Final = 1000
HEIGHT: Final = 40
_MARGIN: Final = 4
_MOST_TICKS: Final = 8
_YEAR_S: Final = 365 * 86_400
Found = TypeVar("Found", bound=Dated)


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """The first of January of a year, in thousandths and in per cent for its label."""

    x: int
    percent: str
    label: str


class Axis(msgspec.Struct, frozen=True, kw_only=True):
    """The years that are drawn; `here` is the asked date, None where it lies outside."""

    start: Instant
    end: Instant
    ticks: tuple[Tick, ...]
    here: int | None

    def x(self, at: Instant) -> int:
        """Where an instant stands, at an edge where it lies outside."""
        share = at.since(self.start) / self.end.since(self.start)
        return round(min(1.0, max(0.0, share)) * WIDTH)


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch over which one status counts. `form` is how it is drawn: acts, stands, comes, rests, gone."""

    x: int
    width: int
    form: str
    entry: Status


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch over which one value counts, at a height that grows with it; None where the parameter is ended."""

    x: int
    width: int
    y: int | None
    entry: DatedValue


class Steps(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of a parameter, and the same as SVG point lists, one for each stretch without a gap."""

    steps: tuple[Step, ...]
    lines: tuple[str, ...]


_FORMS: Final = {
    "codified": "stands",
    "enforced": "stands",
    "in force": "stands",
    "announced": "comes",
    "proposed": "comes",
    "draft": "comes",
    "suspended": "rests",
    "revoked": "gone",
    "ended": "gone",
}


def axis_of(pack: Pack, at: Instant, now: Instant) -> Axis:
    """From the first entry of the pack to a year behind the last, today and its coverage."""
    days = [entry.start for entry in _entries(pack)]
    ends = [entry.end for entry in _entries(pack) if entry.end is not None]
    until = pack.coverage.until if pack.coverage is not None else None
    start = min([*days, now])
    latest = max([*days, *ends, now, *([until] if until is not None else [])])
    end = latest.plus(_YEAR_S / 2)
    axis = Axis(start=start, end=end, ticks=(), here=None)
    here = axis.x(at) if start <= at <= end else None
    return msgspec.structs.replace(axis, ticks=_ticks(axis), here=here)


def bands_of(statuses: Sequence[Status], axis: Axis, as_of: Instant | None) -> tuple[Band, ...]:
    """The status that counts at each time of the axis, as the rules read it."""
    return tuple(
        Band(x=x, width=width, form=form_of(entry), entry=entry)
        for x, width, entry in _stretches(statuses, axis, as_of)
    )


def form_of(status: Status) -> str:
    """How a status is drawn: it acts, it stands in the books, it may come, it rests, it is gone."""
    return "acts" if status.acts else _FORMS[status.word]


def steps_of(values: Sequence[DatedValue], axis: Axis, as_of: Instant | None) -> Steps:
    """The value that counts at each time of the axis; heights by the logarithm, equal where there is but one value."""
    found = list(_stretches(values, axis, as_of))
    height = _heights([entry.value for _, _, entry in found if entry.value is not None])
    steps = tuple(
        Step(x=x, width=width, y=None if entry.value is None else height(entry.value), entry=entry)
        for x, width, entry in found
    )
    return Steps(steps=steps, lines=tuple(_lines(steps)))


def _entries(pack: Pack) -> Iterable[Dated]:
    for parameter in pack.parameters.values():
        yield from parameter.values
    for rule in pack.rules:
        yield from rule.statuses
    for exception in pack.exceptions:
        yield from exception.statuses


def _ticks(axis: Axis) -> tuple[Tick, ...]:
    first = axis.start.to_datetime().year + 1
    last = axis.end.to_datetime().year
    every = max(1, math.ceil((last - first + 1) / _MOST_TICKS))
    return tuple(_tick(axis, year) for year in range(first, last + 1, every))


def _tick(axis: Axis, year: int) -> Tick:
    x = axis.x(Instant.from_seconds(datetime(year, 1, 1, tzinfo=UTC).timestamp()))
    return Tick(x=x, percent=f"{x / 10:g}%", label=str(year))


def _stretches(
    entries: Sequence[Found], axis: Axis, as_of: Instant | None
) -> Iterable[tuple[int, int, Found]]:
    """Between any two days on which something begins or ends one entry counts, or none."""
    days = {axis.start, axis.end}
    for entry in entries:
        days |= {
            day
            for day in (entry.start, entry.end)
            if day is not None and axis.start <= day < axis.end
        }
    marks = sorted(days)
    open_from, before = marks[0], _counting(entries, marks[0], as_of)
    for day in marks[1:]:
        after = _counting(entries, day, as_of) if day < axis.end else None
        if after is before and day < axis.end:
            continue
        if before is not None:
            x = axis.x(open_from)
            yield x, max(1, axis.x(day) - x), before
        open_from, before = day, after


def _counting(entries: Sequence[Found], at: Instant, as_of: Instant | None) -> Found | None:
    counting = [entry for entry in entries if entry.counts(at, as_of)]
    return max(counting, key=lambda entry: (entry.start, entry.recorded)) if counting else None


def _heights(values: Sequence[int | Fraction]) -> Callable[[int | Fraction], int]:
    """Larger stands higher; values may be far apart, so by their logarithm where none is nought or less."""
    scaled = [_scaled(value) for value in values]
    low, high = min(scaled, default=0.0), max(scaled, default=0.0)
    room = HEIGHT - 2 * _MARGIN

    def height(value: int | Fraction) -> int:
        if high == low:
            return HEIGHT // 2
        return round(_MARGIN + (high - _scaled(value)) / (high - low) * room)

    return height


def _scaled(value: int | Fraction) -> float:
    """A height that keeps the order of values: drawing only, so floating point will do."""
    return math.log10(value.numerator) - math.log10(value.denominator) if value > 0 else 0.0


def _lines(steps: Sequence[Step]) -> Iterable[str]:
    points: list[str] = []
    end = -1
    for step in steps:
        if points and (step.y is None or step.x != end):
            yield " ".join(points)
            points = []
        if step.y is not None:
            points += [f"{step.x},{step.y}", f"{step.x + step.width},{step.y}"]
        end = step.x + step.width
    if points:
        yield " ".join(points)
