"""Amounts by key and day, asked for over any period; the order in which they came makes no difference."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from datetime import date
from typing import Final

from sekisho.rules.facts.shapes import Amount, AmountFact

__all__ = ["ANYBODY", "UNKEYED", "RunningSums"]

ANYBODY: Final = ""  # what names no owner, no country or no user: it may belong to each
UNKEYED: Final = "the ledger: rows that leave open whose, where or how much"


class _Days:
    """Amounts of one key by day, with their running sums: asked by halving, added to at the end in one step.

    Amounts without bound are counted apart, since infinity cannot be taken away again from a later sum.
    """

    __slots__ = ("_days", "_highs", "_lows", "_unbounded")

    def __init__(self) -> None:
        self._days: list[int] = []
        self._lows: list[Amount] = []
        self._highs: list[Amount] = []
        self._unbounded: list[Amount] = []

    def add(self, day: int, amount: AmountFact) -> None:
        at = bisect_left(self._days, day)
        if at == len(self._days) or self._days[at] != day:
            self._days.insert(at, day)
            for sums in (self._lows, self._highs, self._unbounded):
                sums.insert(at, sums[at - 1] if at else 0)
        is_unbounded = amount.high == math.inf
        for later in range(at, len(self._days)):
            self._lows[later] += amount.low
            self._highs[later] += 0 if is_unbounded else amount.high
            self._unbounded[later] += is_unbounded

    def total(self, start: int, end: int) -> tuple[Amount, Amount]:
        """The sum over the days from `start` to before `end`."""
        first, last = bisect_left(self._days, start), bisect_left(self._days, end)
        if first >= last:
            return 0, 0
        if _between(self._unbounded, first, last):
            return _between(self._lows, first, last), math.inf
        return _between(self._lows, first, last), _between(self._highs, first, last)


def _between(sums: Sequence[Amount], first: int, last: int) -> Amount:
    return sums[last - 1] - (sums[first - 1] if first else 0)


class RunningSums:
    """Days by key; what names no key counts towards the upper bound of every key."""

    __slots__ = ("_by_key",)

    def __init__(self) -> None:
        self._by_key: dict[str, _Days] = {}

    def add(self, key: str, day: date, amount: AmountFact) -> None:
        self._by_key.setdefault(key, _Days()).add(day.toordinal(), amount)

    def total(self, key: str, start: int, end: int) -> AmountFact:
        return self.total_of({key}, start, end)

    def total_of(self, keys: set[str], start: int, end: int) -> AmountFact:
        low: Amount = 0
        high: Amount = 0
        for key in (*sorted(keys - {ANYBODY}), ANYBODY):
            days = self._by_key.get(key)
            if days is None:
                continue
            more = days.total(start, end)
            low += more[0] if key else 0
            high += more[1]
        missing = (UNKEYED,) if low != high else ()
        return AmountFact(low=low, high=high, missing=missing)
