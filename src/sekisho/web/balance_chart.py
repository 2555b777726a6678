"""The geometry of a chart of differences: each period's as a bar, their sum as a line in a band of three sigma. Pure.

Positions are whole thousandths of the drawing, as attributes of an SVG. A loss points up, since positive is a loss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

import msgspec

from sekisho.registry.balance import Balance, BulkResult

__all__ = ["HEIGHT", "WIDTH", "Chart", "Mark", "Point", "draw_chart", "points_of"]

Height: TypeAlias = Callable[[float], int]
WIDTH: Final = 1000
HEIGHT: Final = 320
_MARGIN: Final = 10
_WIDEST: Final = 60


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One period's figures; None is not measured. Sigmas are one standard deviation, 0 for items."""

    label: str
    difference: int | None
    sigma: float | None
    cumulated: int | None
    cumulated_sigma: float | None
    is_alarm: bool


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """One period drawn: its bar, or a gap where it was not measured; how far three sigma of it reach."""

    x: int
    width: int
    top: int | None
    height: int
    low: int | None
    high: int | None
    is_alarm: bool
    label: str


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """Lines and bands are SVG point lists, one for each stretch over which the sum is known; `zero` is nought's height.

    `limit` is what the upper edge stands for, in the figures' unit.
    """

    zero: int
    limit: int
    marks: tuple[Mark, ...]
    lines: tuple[str, ...]
    bands: tuple[str, ...]


def points_of(found: Sequence[Balance] | Sequence[BulkResult]) -> tuple[Point, ...]:
    """Item balances are exact: their sigma is nought. Bulk results bring their own."""
    return tuple(_point(one) for one in found)


def _point(one: Balance | BulkResult) -> Point:
    label = str(one.period.end)[:10]
    if isinstance(one, Balance):
        measured = one.unaccounted is not None
        return Point(
            label=label,
            difference=one.unaccounted,
            sigma=0.0 if measured else None,
            cumulated=one.cumulative,
            cumulated_sigma=None if one.cumulative is None else 0.0,
            is_alarm=one.verdict == "fails",
        )
    return Point(
        label=label,
        difference=one.unaccounted,
        sigma=one.sigma,
        cumulated=one.cumulated,
        cumulated_sigma=one.cumulated_sigma,
        is_alarm=bool(one.alarms),
    )


def draw_chart(points: Sequence[Point]) -> Chart:
    """The chart of a row of periods, oldest on the left, all to one scale."""
    limit = max([1, *(round(_reach(point)) for point in points)])
    step = WIDTH / max(1, len(points))

    def height(value: float) -> int:
        half = HEIGHT / 2 - _MARGIN
        return round(HEIGHT / 2 - value / limit * half)

    bar = max(1, min(_WIDEST, round(step * 0.5)))

    def centre(place: int) -> int:
        return round((place + 0.5) * step)

    marks = [_mark(p, centre(n) - bar // 2, bar, height) for n, p in enumerate(points)]
    lines, bands = [], []
    for run in _runs(points):
        centres = [(centre(n), point) for n, point in run]
        lines.append(_list((x, height(p.cumulated or 0)) for x, p in centres))
        upper = [(x, height(3 * (p.cumulated_sigma or 0))) for x, p in centres]
        lower = [(x, height(-3 * (p.cumulated_sigma or 0))) for x, p in reversed(centres)]
        bands.append(_list([*upper, *lower]))
    return Chart(
        zero=height(0), limit=limit, marks=tuple(marks), lines=tuple(lines), bands=tuple(bands)
    )


def _reach(point: Point) -> float:
    figures = (
        abs(point.difference or 0) + 3 * (point.sigma or 0),
        abs(point.cumulated or 0),
        3 * (point.cumulated_sigma or 0),
    )
    return max(figures)


def _mark(point: Point, x: int, width: int, height: Height) -> Mark:
    label, alarm = point.label, point.is_alarm
    if point.difference is None or point.sigma is None:
        return Mark(
            x=x, width=width, top=None, height=0, low=None, high=None, is_alarm=alarm, label=label
        )
    top, zero = height(point.difference), height(0)
    spread = 3 * point.sigma
    return Mark(
        x=x,
        width=width,
        top=min(top, zero),
        height=max(2, abs(top - zero)),
        low=height(point.difference - spread) if spread else None,
        high=height(point.difference + spread) if spread else None,
        is_alarm=alarm,
        label=label,
    )


def _runs(points: Sequence[Point]) -> list[list[tuple[int, Point]]]:
    """The stretches over which the sum is known, each with its places."""
    runs: list[list[tuple[int, Point]]] = []
    is_open = False
    for place, point in enumerate(points):
        known = point.cumulated is not None
        if known and not is_open:
            runs.append([])
        if known:
            runs[-1].append((place, point))
        is_open = known
    return runs


def _list(points: Iterable[tuple[int, int]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
