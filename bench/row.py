"""One row of the table: what was measured, what it should be, and how far it is from that."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Literal

import msgspec

__all__ = ["Row", "Target", "Unit", "missing", "row_of", "spread"]

Unit = Literal["ms", "s", "% of a core", "MB", "/s"]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds in the row's unit; None where nobody asked for one.

    `median` and `p99` are upper bounds, exclusive; `least` is what a rate must reach.
    """

    median: float | None = None
    p99: float | None = None
    least: float | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with its population; `median` is None where it was not measured, and `note` says why."""

    what: str
    unit: Unit
    median: float | None = None
    p99: float | None = None
    n: int = 0
    target: Target = Target()
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Measured over target, of a rate target over measured: at most 1 is met, whichever it is.

        The worst of several; None where there is nothing to divide.
        """
        pairs = (
            (self.median, self.target.median),
            (self.p99, self.target.p99),
            (self.target.least, self.median),
        )
        ratios = [over / under for over, under in pairs if over is not None and under]
        return max(ratios, default=None)

    @property
    def verdict(self) -> Literal["met", "MISSED", "no target", "not measured"]:
        if self.median is None:
            return "not measured"
        if self.ratio is None:
            return "no target"
        is_rate = self.target.least is not None
        return "met" if self.ratio < 1 or (is_rate and self.ratio == 1) else "MISSED"


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Median and 99th percentile (nearest rank: of fewer than 100 values it is the largest)."""
    ordered = sorted(values)
    rank = -(-99 * len(ordered) // 100)
    return statistics.median(ordered), ordered[rank - 1]


def row_of(what: str, unit: Unit, values: Sequence[float], target: Target | None = None) -> Row:
    """The row of repeated measurements, already in `unit`."""
    median, p99 = spread(values)
    return Row(
        what=what,
        unit=unit,
        median=median,
        p99=p99 if len(values) > 1 else None,
        n=len(values),
        target=target or Target(),
    )


def missing(what: str, unit: Unit, target: Target, why: str) -> Row:
    """A row that says that, and why, there is no figure: never a zero."""
    return Row(what=what, unit=unit, target=target, note=why)
