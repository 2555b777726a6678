"""Both judges at the days of a request, with what is worth measuring on those days; made when first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec

from sekisho.model.chips import ChipTable
from sekisho.model.instants import Instant
from sekisho.rules.answer import Decision, DecisionWord
from sekisho.rules.engine import Judge, judge_of
from sekisho.rules.requests import Request, RequestKind
from sekisho.rules.what_if.measures import Asked, asked_of
from sekisho.rules.what_if.sides import Answers, Side
from sekisho.rules.what_if.thresholds import UpperThreshold, thresholds_of

__all__ = ["JudgeMaker", "Sitting", "Sittings", "make_judge"]

JudgeMaker: TypeAlias = Callable[[Side, Instant, ChipTable], Answers]
"""Who answers for a side at an instant."""


class Sitting(msgspec.Struct, frozen=True):
    """Two judges of one pair of days and the thresholds of both; `year` counts for requests without a day."""

    number: int
    a: Answers
    b: Answers
    thresholds_a: tuple[UpperThreshold, ...]
    thresholds_b: tuple[UpperThreshold, ...]
    asked: Mapping[RequestKind, Asked]
    year: str


class Sittings:
    """The sittings that a population needs, one for each pair of days."""

    _MOST = 4096
    """Pairs kept; law changes by days, so ten years of them stay at hand."""

    def __init__(self, a: Side, b: Side, chips: ChipTable, make: JudgeMaker) -> None:
        self.a, self.b = a, b
        self._chips = chips
        self._make = make
        self._count = 0
        self._made: dict[tuple[Instant, Instant], Sitting] = {}
        # With both dates given there is one sitting for all.
        self._only: Sitting | None = None
        if a.at is not None and b.at is not None:
            self._only = self._at(a.at, b.at)

    def of(self, request: Request) -> Sitting:
        """Who answers for this request. Raises InvalidInput for a day that does not exist."""
        if self._only is not None:
            return self._only
        return self._at(self.a.day_of(request), self.b.day_of(request))

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
            year=str(day_a)[:4],
        )


class _NamingExceptions:
    """A judge whose answers also name the exceptions that lifted a licence, after the rules."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._licensing = {rule.id for rule in judge.pack.rules if rule.outcome == "licence"}
        self._is_lifted: dict[tuple[DecisionWord, tuple[str, ...]], bool] = {}

    def word(self, request: Request) -> tuple[DecisionWord, tuple[str, ...]]:
        answer = self._judge.word(request)
        is_lifted = self._is_lifted.get(answer)
        if is_lifted is None:
            free = answer[0] in ("permit", "report")
            is_lifted = free and not self._licensing.isdisjoint(answer[1])
            self._is_lifted[answer] = is_lifted
        return self._with_exceptions(request) if is_lifted else answer

    def decide(self, request: Request) -> Decision:
        return self._judge.decide(request, trace=False)

    def _with_exceptions(self, request: Request) -> tuple[DecisionWord, tuple[str, ...]]:
        decision = self.decide(request)
        lifting = [one.id for one in decision.exceptions if one.truth == "true"]
        return decision.decision, (*(rule.id for rule in decision.rules), *lifting)


def make_judge(side: Side, at: Instant, chips: ChipTable) -> Answers:
    """The judge of a side at an instant."""
    return _NamingExceptions(judge_of(side.pack, at, side.as_of, side.reading, chips))
