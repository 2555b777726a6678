"""The geometry of a burn-down over time: what is consumed, forfeited and leased, stacked, in steps. Pure.

Positions are whole thousandths of the drawing, as attributes of an SVG. Time runs to the right from the issue to now,
or as far as the forecast reaches within the licence's period.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import msgspec

from sekisho.licensing import BurnDown, BurnPoint
from sekisho.model.instants import Instant

__all__ = ["HEIGHT", "WIDTH", "BurnChart", "Level", "draw_burn_down"]

Across: TypeAlias = Callable[[Instant], int]
WIDTH: Final = 1000
HEIGHT: Final = 320
_MARGIN: Final = 10
_ACCOUNTS: Final = ("consumed", "forfeited", "leased")


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """A mark's line: so many percent of the budget, at this height; `x` is where it was crossed."""

    percent: int
    y: int
    x: int | None


class BurnChart(msgspec.Struct, frozen=True, kw_only=True):
    """Areas are SVG point lists, lowest first; `now` is where today stands, `forecast` from where to where it reaches.

    `budget` is the line of the budget as it was over time.
    """

    areas: tuple[tuple[str, str], ...]
    budget: str
    levels: tuple[Level, ...]
    now: int
    forecast: tuple[int, int] | None
    start: Instant
    end: Instant


def draw_burn_down(found: BurnDown, now: Instant, period_end: Instant) -> BurnChart | None:
    """The chart of a burn-down; None where nothing is known of it."""
    if not found.points or found.undisclosed:
        return None
    start, end = found.points[0].at, _end_of(found, now, period_end)
    top = max(1, *(max(p.budget_flop, p.spent_flop + p.leased_flop) for p in found.points))
    span = max(1e-6, end.since(start))

    def across(at: Instant) -> int:
        return min(WIDTH, max(0, round(at.since(start) / span * WIDTH)))

    def up(flop: int) -> int:
        return HEIGHT - _MARGIN - flop * (HEIGHT - 2 * _MARGIN) // top

    last = min(WIDTH, across(now))
    stacked = [_stack(point) for point in found.points]
    areas = []
    for n, account in enumerate(_ACCOUNTS):
        upper = _steps([(across(p.at), up(s[n + 1])) for p, s in _pairs(found, stacked)], last)
        lower = _steps([(across(p.at), up(s[n])) for p, s in _pairs(found, stacked)], last)
        areas.append((account, _list([*upper, *reversed(lower)])))
    budget = _steps([(across(p.at), up(p.budget_flop)) for p in found.points], WIDTH)
    return BurnChart(
        areas=tuple(areas),
        budget=_list(budget),
        levels=tuple(
            Level(
                percent=mark.percent,
                y=up(found.budget_flop * mark.percent // 100),
                x=across(mark.crossed) if mark.crossed is not None else None,
            )
            for mark in found.marks
        ),
        now=last,
        forecast=_reach(found, across),
        start=start,
        end=end,
    )


def _pairs(
    found: BurnDown, stacked: Sequence[tuple[int, ...]]
) -> list[tuple[BurnPoint, tuple[int, ...]]]:
    return list(zip(found.points, stacked, strict=True))


def _stack(point: BurnPoint) -> tuple[int, ...]:
    spent = point.consumed_flop + point.forfeited_flop
    return 0, point.consumed_flop, spent, spent + point.leased_flop


def _end_of(found: BurnDown, now: Instant, period_end: Instant) -> Instant:
    last = max(now, found.points[-1].at)
    if found.forecast.basis != "observed":
        return last
    return max(last, found.forecast.latest or period_end)


def _reach(found: BurnDown, across: Across) -> tuple[int, int] | None:
    """From the earliest to the latest; to the right edge where the slowest rate does not get there."""
    forecast = found.forecast
    if forecast.basis != "observed" or forecast.earliest is None:
        return None
    return across(forecast.earliest), WIDTH if forecast.latest is None else across(forecast.latest)


def _steps(corners: Sequence[tuple[int, int]], last: int) -> list[tuple[int, int]]:
    """Each figure holds until the next one: a stair, not a slope."""
    points: list[tuple[int, int]] = []
    for n, (x, y) in enumerate(corners):
        after = corners[n + 1][0] if n + 1 < len(corners) else max(last, x)
        points += [(x, y), (after, y)]
    return points


def _list(points: Sequence[tuple[int, int]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
