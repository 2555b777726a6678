"""Checks of usage reports: one for each licensee and period, corrections in one chain, figures that add up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sekisho.auditor.evidence import Evidence
from sekisho.auditor.history import Step
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.metering.accounts.report_book import UsageBook
from sekisho.metering.accounts.roll_up import CONCEALED
from sekisho.model.statements import DisclosureErased, UsageReported
from sekisho.signing import concealed_of, open_fields

__all__ = ["check_usage_evidence", "check_usage_reports"]

_NONE: Final = "the log holds no usage reports"
_ORDERED: Final = (
    ("bound_low", "bound_high"),
    ("estimate_low", "estimate_best"),
    ("estimate_best", "estimate_high"),
    ("unbounded_ms", "chip_ms"),
    ("unestimated_ms", "chip_ms"),
    ("gap_ms", "chip_ms"),
)
_LOWERED: Final = ("bound_high", "estimate_best", "chip_ms")


def check_usage_reports(evidence: Evidence) -> Outcome:
    """No two reports of one licensee overlap, corrections name what stands, figures that are disclosed are ordered."""
    history, tally = evidence.past(), Tally()
    book = UsageBook()
    disclosures = evidence.disclosures()
    erased = {fact.statement for _, fact in history.facts(DisclosureErased)}
    fields: dict[str, Mapping[str, str]] = {}
    lowered = corrections = reports = 0
    for step, fact in history.facts(UsageReported):
        recorded = step.recorded
        if recorded is None:
            continue
        reports += 1
        problem = book.problem_of(fact)
        if problem:
            tally.fault(f"entry {step.index}: {problem}")
        book = book.after(recorded)
        digest = recorded.verified.digest
        if digest not in erased:
            texts = disclosures.get(step.leaf, ())
            fields[digest] = open_fields(texts, concealed_of(fact)).fields
            _check_fields(step, fact, fields[digest], tally)
        corrections += fact.corrects is not None
        lowered += _is_lowered(fields.get(fact.corrects or "", {}), fields.get(digest, {}))
    if not reports:
        return tally.outcome(_NONE)
    said = f"{reports} usage reports, {corrections} of them corrections"
    return tally.outcome(f"{said}, {lowered} of which lower a figure" if lowered else said)


def check_usage_evidence(evidence: Evidence) -> Outcome:
    """The readings that a report names are not in a bundle: whoever has them checks the roll-up against them."""
    history, tally = evidence.past(), Tally()
    named = {fact.evidence for _, fact in history.facts(UsageReported) if fact.evidence}
    reports = sum(1 for _ in history.facts(UsageReported))
    if not reports:
        return tally.outcome(_NONE)
    if named:
        tally.gap(
            f"{len(named)} sets of readings are named by their digests and are not in the evidence:"
            " `meter verify-report` checks a roll-up against them"
        )
    return tally.outcome(f"{reports} usage reports that name no readings")


def _check_fields(step: Step, fact: UsageReported, fields: Mapping[str, str], tally: Tally) -> None:
    """Concealed fields as far as they are disclosed: all that there should be, in order."""
    if fact.rollup is None:
        return
    missing = [name for name in CONCEALED if name not in fields]
    if missing:
        tally.gap(f"entry {step.index}: {', '.join(missing[:3])} of this report not disclosed")
    for low, high in _ORDERED:
        lesser, greater = _whole(fields.get(low)), _whole(fields.get(high))
        if lesser is not None and greater is not None and lesser > greater:
            tally.fault(f"entry {step.index}: {low} {lesser} is above {high} {greater}")


def _is_lowered(before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Whether a correction accounts less than what it corrects, or no longer measures what was measured."""
    pairs = [(_whole(before.get(name)), _whole(after.get(name))) for name in _LOWERED]
    return any(
        old is not None and (new < old if new is not None else bool(after)) for old, new in pairs
    )


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
