"""What a check says: one of three verdicts with the reason, and the report over all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal, TypeAlias

import msgspec

__all__ = ["CheckResult", "Outcome", "Report", "Tally", "Verdict", "worst_verdict"]

Verdict: TypeAlias = Literal["holds", "fails", "unverifiable"]

_WORST_FIRST: tuple[Verdict, ...] = ("fails", "unverifiable", "holds")
_NAMED = 3  # problems spelled out in a detail; the rest are counted


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict of one check and why, in one sentence."""

    verdict: Verdict
    detail: str


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a report; the field names are part of the command's contract."""

    name: str
    verdict: Verdict
    detail: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer: the worst of the checks, each check, and what they do not cover."""

    verdict: Verdict
    checks: tuple[CheckResult, ...]
    limits: tuple[str, ...]


class Tally:
    """What one check finds on its way: faults (it fails), gaps (it cannot be told), and how much it looked at."""

    def __init__(self) -> None:
        self._faults: dict[str, None] = {}
        self._gaps: dict[str, None] = {}

    def fault(self, problem: str) -> None:
        """Something is wrong."""
        self._faults[problem] = None

    def gap(self, missing: str) -> None:
        """Something that would decide is not there."""
        self._gaps[missing] = None

    def extend(self, problems: Iterable[str]) -> None:
        for problem in problems:
            self.fault(problem)

    def outcome(self, looked_at: str) -> Outcome:
        """Fails with any fault, else unverifiable with any gap, else holds; `looked_at` is said where it holds."""
        if self._faults:
            return Outcome(verdict="fails", detail=_in_words(list(self._faults)))
        if self._gaps:
            return Outcome(verdict="unverifiable", detail=_in_words(list(self._gaps)))
        return Outcome(verdict="holds", detail=looked_at)


def worst_verdict(checks: Iterable[CheckResult], accepted: Collection[str] = ()) -> Verdict:
    """Fails before unverifiable before holds; an unverifiable check taken on trust is passed over."""
    present = {
        check.verdict
        for check in checks
        if not (check.verdict == "unverifiable" and check.name in accepted)
    }
    return next((verdict for verdict in _WORST_FIRST if verdict in present), "unverifiable")


def _in_words(problems: list[str]) -> str:
    more = len(problems) - _NAMED
    named = "; ".join(problems[:_NAMED])
    return f"{named}; and {more} more" if more > 0 else named
