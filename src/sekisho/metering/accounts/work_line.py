"""The work of one key along the time: how much any window held, where its sum was highest, when it met a threshold.

The work of an entry is spread evenly over its time, since nobody knows better. So the sum of a window that slides is
piecewise linear, bends only where an entry begins or ends at one of the window's two edges, and meets a threshold at
an instant that can be computed exactly. One sorting of the bends, then one walk: n log n.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple, TypeAlias

from sekisho.metering.accounts.exact_sums import PLACES, ExactSum

__all__ = ["Direction", "Passing", "Peak", "Stretch", "WorkLine"]

Direction: TypeAlias = Literal["up", "down"]


class Stretch(NamedTuple):
    """`amount` spread evenly over `over` microseconds, of which [start, end) are here; epoch microseconds."""

    start: int
    end: int
    amount: int
    over: int


class Passing(NamedTuple):
    """The first microsecond `at` at which the window holds at least the threshold (up), or no longer does (down)."""

    threshold: int
    direction: Direction
    at: int


class Peak(NamedTuple):
    """The window that held most: it ends at `at`, and held `work`, rounded up to a whole number."""

    at: int
    work: int


class _Bend(NamedTuple):
    """A time at which the slope changes: the sum there and the slope behind it, in units of the line's fineness."""

    at: int
    sum: int
    slope: int


class WorkLine:
    """Stretches of work of one key. Amounts are whole numbers of any one unit; nothing is rounded before the end."""

    def __init__(self, stretches: Iterable[Stretch]) -> None:
        self._stretches = sorted(s for s in stretches if s.end > s.start and s.amount)
        self._starts = [s.start for s in self._stretches]
        self._longest = max((s.end - s.start for s in self._stretches), default=0)
        is_whole = all(not s.amount % s.over for s in self._stretches)
        self._places: Final = 0 if is_whole else PLACES
        # No window holds more than everything: a threshold above it is never met.
        self._most = sum(-(-s.amount * (s.end - s.start) // s.over) for s in self._stretches)
        self._sweeps: dict[int | None, _Sweep] = {}

    @property
    def stretches(self) -> Sequence[Stretch]:
        return self._stretches

    def sum_between(self, start: int, end: int) -> ExactSum:
        """The work in [start, end), exactly."""
        total = ExactSum()
        first = bisect_left(self._starts, start - self._longest)
        for stretch in self._stretches[first : bisect_left(self._starts, end)]:
            overlap = min(stretch.end, end) - max(stretch.start, start)
            if overlap > 0:
                total.add(stretch.amount * overlap, stretch.over)
        return total

    def clip(self, start: int, end: int) -> WorkLine:
        """What of it lies in [start, end)."""
        first = bisect_left(self._starts, start - self._longest)
        return WorkLine(
            s._replace(start=max(s.start, start), end=min(s.end, end))
            for s in self._stretches[first : bisect_left(self._starts, end)]
            if s.end > start
        )

    def find_passings(
        self, thresholds: Iterable[int], window_us: int | None, until: int | None = None
    ) -> list[Passing]:
        """Every crossing of each threshold (1 or more), upwards and downwards, ordered by time, up to `until`.

        The sum at a time t is that of [t - window_us, t), or of all before t where `window_us` is None.
        """
        levels = sorted(t for t in set(thresholds) if 0 < t <= self._most)
        if not levels:
            return []
        sweep = self._sweep(window_us)
        found = list(sweep.passings(levels))
        return [passing for passing in found if until is None or passing.at <= until]

    def find_peak(self, window_us: int | None, start: int, until: int) -> Peak | None:
        """The earliest time in [start, until] at which the window held most; None where it never held anything."""
        if until < start:
            return None
        sweep = self._sweep(window_us)
        best = max((*sweep.sums_within(start, until),), key=lambda pair: (pair[1], -pair[0]))
        work = sweep.exact_at(best[0]).ceil()
        return Peak(best[0], work) if work else None

    def _sweep(self, window_us: int | None) -> _Sweep:
        if window_us not in self._sweeps:
            self._sweeps[window_us] = _Sweep(self, window_us)
        return self._sweeps[window_us]


class _Sweep:
    """One walk over the bends of a line for one length of window."""

    def __init__(self, line: WorkLine, window_us: int | None) -> None:
        self._line = line
        self._window = window_us
        self._places = PLACES if line._places else 0  # noqa: SLF001  # the two make one thing
        self._error = 0
        self._bends = self._bend()

    def _bend(self) -> list[_Bend]:
        changes: defaultdict[int, int] = defaultdict(int)
        window = self._window
        for start, end, amount, over in self._line.stretches:
            rate, rest = divmod(amount << self._places, over)
            if rest:
                # Rates are rounded down: each stretch lacks less than one unit for each of its microseconds.
                self._error += end - start if window is None else min(end - start, window)
            changes[start] += rate
            changes[end] -= rate
            if window is not None:
                changes[start + window] -= rate
                changes[end + window] += rate
        bends, total, slope, before = list[_Bend](), 0, 0, 0
        for at in sorted(changes):
            total += slope * (at - before)
            slope += changes[at]
            bends.append(_Bend(at, total, slope))
            before = at
        return bends

    def sums_within(self, start: int, until: int) -> Iterator[tuple[int, int]]:
        """Times at which the highest sum can lie, with the sum there: both ends and all bends between them."""
        yield start, self._rough_at(start)
        for bend in self._bends:
            if start < bend.at < until:
                yield bend.at, bend.sum
        yield until, self._rough_at(until)

    def exact_at(self, at: int) -> ExactSum:
        """The sum of the window that ends at a time."""
        first = self._line.stretches[0].start if self._line.stretches else 0
        return self._line.sum_between(first if self._window is None else at - self._window, at)

    def passings(self, levels: Sequence[int]) -> Iterator[Passing]:
        """Crossings of ascending levels, in time; within one microsecond the lower level first going up."""
        met = 0  # so many of the levels are met now
        for here, after in pairwise(self._bends):
            while met < len(levels) and self._holds(levels[met], after.at, after.sum):
                yield Passing(levels[met], "up", self._first(levels[met], here, after, up=True))
                met += 1
            while met and not self._holds(levels[met - 1], after.at, after.sum):
                met -= 1
                yield Passing(levels[met], "down", self._first(levels[met], here, after, up=False))

    def _rough_at(self, at: int) -> int:
        place = bisect_left(self._bends, at + 1, key=lambda bend: bend.at)
        if not place:
            return 0
        bend = self._bends[place - 1]
        return bend.sum + bend.slope * (at - bend.at)

    def _holds(self, level: int, at: int, rough: int) -> bool:
        """Whether the window that ends at `at` holds the level; exactly, where the rough sum cannot tell."""
        asked = level << self._places
        if rough >= asked:
            return True
        return rough + self._error >= asked and self.exact_at(at).is_at_least(level)

    def _first(self, level: int, here: _Bend, after: _Bend, *, up: bool) -> int:
        """The first whole microsecond behind `here` at which the level is held (or no more), by straight line."""

        def is_there(at: int) -> bool:
            return self._holds(level, at, here.sum + here.slope * (at - here.at)) == up

        guess = here.at + _steps(level << self._places, here, up=up)
        guess = min(max(guess, here.at + 1), after.at)
        if is_there(guess) and (guess == here.at + 1 or not is_there(guess - 1)):
            return guess
        return _bisected(here.at, after.at, is_there)


def _steps(asked: int, here: _Bend, *, up: bool) -> int:
    """So many microseconds until the rough sum is there."""
    if up:
        return -((here.sum - asked) // here.slope) if here.slope > 0 else 0
    return (here.sum - asked) // -here.slope + 1 if here.slope < 0 else 0


def _bisected(low: int, high: int, is_there: Callable[[int], bool]) -> int:
    """The first time in (low, high] of which it is so; it is so of `high`, and once so it stays so."""
    while high - low > 1:
        middle = (low + high) // 2
        if is_there(middle):
            high = middle
        else:
            low = middle
    return high
