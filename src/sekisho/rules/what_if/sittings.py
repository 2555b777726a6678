"""Both judges at the days of a request, with what is worth measuring on those days; made when first asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec

from sekisho.model.chips import ChipTable
from sekisho.model.instants import Instant
from sekisho.rules.answer import Decision
from sekisho.rules.engine import Judge, judge_of
from sekisho.rules.requests import Request, RequestKind
from sekisho.rules.what_if.measures import Asked, asked_of
from sekisho.rules.what_if.sides import Answers, Side
from sekisho.rules.what_if.thresholds import UpperThreshold, thresholds_of

__all__ = ["JudgeMaker", "Sitting", "Sittings", "make_judge"]

JudgeMaker: TypeAlias = Callable[[Side, Instant, ChipTable], Answers]
"""Who answers for a side at an instant."""


class Sitting(msgspec.Struct, frozen=True):
    """Two judges of one pair of days, or of days with the same law, and the thresholds of both.

    `year` counts for requests without a day.
    """

    number: int
    a: Answers
    b: Answers
    thresholds_a: tuple[UpperThreshold, ...]
    thresholds_b: tuple[UpperThreshold, ...]
    asked: Mapping[RequestKind, Asked]
    year: str


class Sittings:
    """The sittings that a population needs, one for each pair of laws."""

    _MOST = 256
    """Pairs kept; a pack's law changes some dozen times."""

    def __init__(self, a: Side, b: Side, chips: ChipTable, make: JudgeMaker) -> None:
        self.a, self.b = a, b
        self._chips = chips
        self._make = make
        self._count = 0
        self._made: dict[tuple[Instant, Instant], Sitting] = {}
        self._changes = a.law_changes(), b.law_changes()
        # With both dates given there is one sitting for all.
        self._only: Sitting | None = None
        if a.at is not None and b.at is not None:
            self._only = self._at(a.at, b.at)

    def of(self, request: Request) -> Sitting:
        """Who answers for this request."""
        if self._only is not None:
            return self._only
        changes_a, changes_b = self._changes
        day_a = _law_of(self.a.day_of(request), changes_a)
        return self._at(day_a, _law_of(self.b.day_of(request), changes_b))

    def _at(self, day_a: Instant, day_b: Instant) -> Sitting:
        found = self._made.get((day_a, day_b))
        if found is None:
            if len(self._made) >= self._MOST:
                self._made.clear()
            found = self._made[day_a, day_b] = self._sit(day_a, day_b)
        return found

    def _sit(self, day_a: Instant, day_b: Instant) -> Sitting:
        of_a, of_b = thresholds_of(self.a, day_a), thresholds_of(self.b, day_b)
        self._count += 1
        return Sitting(
            number=self._count,
            a=self._make(self.a, day_a, self._chips),
            b=self._make(self.b, day_b, self._chips),
            thresholds_a=of_a,
            thresholds_b=of_b,
            asked=asked_of((*of_a, *of_b)),
            year=str(self.a.at if self.a.at is not None else self.a.now)[:4],
        )


def _law_of(day: Instant, changes: tuple[Instant, ...]) -> Instant:
    """The day from which the law of that day stands, so that all days with one law share their judge."""
    place = bisect_right(changes, day)
    if place:
        return changes[place - 1]
    return Instant(changes[0].us - 1) if changes else day


class _Untraced:
    """A judge whose decisions carry no trace, which no table shows."""

    def __init__(self, judge: Judge) -> None:
        self.grounds = judge.grounds
        self._judge = judge

    def decide(self, request: Request) -> Decision:
        return self._judge.decide(request, trace=False)


def make_judge(side: Side, at: Instant, chips: ChipTable) -> Answers:
    """The judge of a side at an instant."""
    return _Untraced(judge_of(side.pack, at, side.as_of, side.reading, chips))
