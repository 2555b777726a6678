"""Sums of figures over pieces of entries: exact, rounded once at the end, outwards where that keeps them sound."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sekisho.metering.accounts.exact_sums import ExactSum
from sekisho.metering.accounts.keys import Piece

__all__ = ["Figures", "add_up"]


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Work of a key in a stretch of time. Figures are in units of the account.

    `bound_high` holds only what could be bounded: with `unbounded` entries above 0 it is no bound of the whole, and
    of `chip_ms` the part `unbounded_ms` is not in it. What has no estimate is in `estimate_high` at its bound, and
    in `estimate_low` and `estimate_best` not at all: it is `unestimated_ms` of the time. `declared` is None unless
    every entry has a declaration. `gap_ms` of the time carries no reading of activity; `open_ms` of it lie behind the
    last reading of devices whose record has no end.
    """

    entries: int
    bound_low: int
    bound_high: int
    estimate_low: int
    estimate_best: int
    estimate_high: int
    declared: int | None
    chip_ms: int
    gap_ms: int
    unbounded: int
    unbounded_ms: int
    unestimated: int
    unestimated_ms: int
    tiers: tuple[str, ...]
    exempt_ms: int = 0
    open_ms: int = 0

    @property
    def is_measured(self) -> bool:
        """Whether anything at all was bounded."""
        return self.unbounded < self.entries

    @property
    def is_whole(self) -> bool:
        """Whether the bound is a bound of everything."""
        return not self.unbounded

    @property
    def is_estimated(self) -> bool:
        return self.unestimated < self.entries


def add_up(pieces: Iterable[Piece], start: int, end: int) -> Figures:
    """The figures of what lies in [start, end), epoch microseconds."""
    sums = _Sums()
    for entry, begins, ends in pieces:
        here = min(ends, end) - max(begins, start)
        if here > 0:
            sums.add(Piece(entry, begins, ends), here)
    return sums.figures()


class _Sums:
    """The sums of one stretch while they grow."""

    def __init__(self) -> None:
        names = ("bound_low", "bound_high", "low", "best", "high", "declared")
        times = ("chip", "gap", "unbounded", "unestimated", "exempt", "open")
        self._flop = {name: ExactSum() for name in names}
        self._time = {name: ExactSum() for name in times}
        self._counts = {"entries": 0, "unbounded": 0, "unestimated": 0, "undeclared": 0}
        self._tiers: set[str] = set()

    def add(self, piece: Piece, here: int) -> None:
        """Add the share `here` / duration of an entry: `here` microseconds of it."""
        entry, over = piece.entry, piece.entry.end.us - piece.entry.start.us
        if here == over:
            here = over = 1  # all of it, which most entries are
        flop, bound, estimate = self._flop, entry.bound, entry.estimate
        self._counts["entries"] += 1
        self._counts["unbounded"] += bound is None
        self._counts["unestimated"] += estimate is None
        self._counts["undeclared"] += entry.declared is None
        if bound is not None:
            flop["bound_low"].add(bound.low * here, over)
            flop["bound_high"].add(bound.high * here, over)
        if estimate is not None:
            flop["low"].add(estimate.low * here, over)
            flop["best"].add(estimate.best * here, over)
            flop["high"].add(estimate.high * here, over)
        elif bound is not None:
            flop["high"].add(bound.high * here, over)
        if entry.declared is not None:
            flop["declared"].add(entry.declared * here, over)
        if entry.tier:
            self._tiers.add(entry.tier)
        self._add_time(piece, here, over)

    def _add_time(self, piece: Piece, here: int, over: int) -> None:
        entry, time = piece.entry, self._time
        share = entry.chip_ms * here
        time["chip"].add(share, over)
        if entry.gap_ms:
            time["gap"].add(entry.gap_ms * here, over)
        if entry.open_ms:
            time["open"].add(entry.open_ms * here, over)
        if entry.bound is None:
            time["unbounded"].add(share, over)
        if entry.estimate is None:
            time["unestimated"].add(share, over)
        if entry.exempt:
            time["exempt"].add(share, over)

    def figures(self) -> Figures:
        flop, time, counts = self._flop, self._time, self._counts
        low, high = flop["low"].floor(), flop["high"].ceil()
        return Figures(
            entries=counts["entries"],
            bound_low=flop["bound_low"].floor(),
            bound_high=flop["bound_high"].ceil(),
            estimate_low=low,
            estimate_best=min(max(_nearest(flop["best"]), low), high),
            estimate_high=high,
            declared=None if counts["undeclared"] else _nearest(flop["declared"]),
            chip_ms=_nearest(time["chip"]),
            gap_ms=_nearest(time["gap"]),
            unbounded=counts["unbounded"],
            unbounded_ms=_nearest(time["unbounded"]),
            unestimated=counts["unestimated"],
            unestimated_ms=_nearest(time["unestimated"]),
            tiers=tuple(sorted(self._tiers)),
            exempt_ms=_nearest(time["exempt"]),
            open_ms=_nearest(time["open"]),
        )


def _nearest(total: ExactSum) -> int:
    """The nearest whole number, halves upwards; the sum is not used again."""
    if total.is_whole:
        return total.floor()
    total.add(1, 2)
    return total.floor()
