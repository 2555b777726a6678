"""What the log says of usage: which periods of whom are reported, and what was corrected by what.

A pure fold. One report for each licensee and period; a correction names the statement that it corrects, of the same
licensee and period, and each statement is corrected once: so corrections form one chain, whose last link counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import UsageReported
from sekisho.model.statements.shapes import Span
from sekisho.signing import Recorded

__all__ = ["Reported", "UsageBook", "usage_key"]


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """One usage report by its payload digest; `corrected_by` is the digest of the statement that took its place."""

    digest: str
    index: int
    fact: UsageReported
    leaf: str = ""
    corrected_by: str | None = None


_NOTHING: Final[PersistentMap[str, Reported]] = PersistentMap()
_NOBODY: Final[PersistentMap[str, tuple[str, ...]]] = PersistentMap()


class UsageBook(msgspec.Struct, frozen=True, kw_only=True):
    """All reports by digest, and the first reports of each licensee by name."""

    reports: PersistentMap[str, Reported] = _NOTHING
    firsts: PersistentMap[str, tuple[str, ...]] = _NOBODY

    def after(self, recorded: Recorded) -> UsageBook:
        """The book with one more entry of the log; a report that does not fit is passed over (see `problem_of`)."""
        fact, digest = recorded.verified.predicate, recorded.verified.digest
        if not isinstance(fact, UsageReported) or self.problem_of(fact) or digest in self.reports:
            return self
        made = Reported(digest=digest, index=recorded.index, fact=fact, leaf=recorded.leaf)
        reports, firsts = self.reports.plus(digest, made), self.firsts
        if fact.corrects is None:
            mine = (*firsts.get(fact.licensee, ()), digest)
            firsts = firsts.plus(fact.licensee, mine)
        else:
            before = reports[fact.corrects]
            reports = reports.plus(
                fact.corrects, msgspec.structs.replace(before, corrected_by=digest)
            )
        return UsageBook(reports=reports, firsts=firsts)

    def problem_of(self, fact: UsageReported) -> str:
        """Why this report does not fit to what the book holds; "" where it does."""
        if fact.period.end <= fact.period.start:
            return "its period ends before it begins"
        if fact.corrects is None:
            return self._overlapped(fact)
        before = self.reports.get(fact.corrects)
        if before is None:
            return f"corrects {fact.corrects[:16]}, which is no usage report of this log"
        if before.fact.licensee != fact.licensee or before.fact.period != fact.period:
            return f"corrects {fact.corrects[:16]}, which is of another licensee or period"
        if before.corrected_by is not None:
            return (
                f"corrects {fact.corrects[:16]}, which {before.corrected_by[:16]} corrects already"
            )
        return ""

    def find(self, licensee: str, period: Span) -> Reported | None:
        """The report of exactly this period that counts: the last of its corrections, or the first report."""
        chain = self.chain(licensee, period)
        return chain[-1] if chain else None

    def chain(self, licensee: str, period: Span) -> Sequence[Reported]:
        """The first report of a period and its corrections, in order."""
        firsts = (self.reports[digest] for digest in self.firsts.get(licensee, ()))
        found = [report for report in firsts if report.fact.period == period]
        while found and (following := found[-1].corrected_by) is not None:
            found.append(self.reports[following])
        return found

    def _overlapped(self, fact: UsageReported) -> str:
        for digest in self.firsts.get(fact.licensee, ()):
            other = self.reports[digest].fact.period
            if other.start < fact.period.end and fact.period.start < other.end:
                return (
                    f"{fact.licensee} is reported from {other.start} to {other.end} already"
                    f" ({digest[:16]}); a correction names it"
                )
        return ""


def usage_key(fact: UsageReported) -> str:
    """The identifier that no second statement may bear: one report for each licensee, period and what it corrects."""
    period = f"{fact.period.start}/{fact.period.end}"
    return f"usage:{fact.licensee}:{period}:{fact.corrects or 'first'}"
