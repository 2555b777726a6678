"""The rows of an answer: a rule that bears on it, a rule's trace, an exception with what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

from sekisho.rules.acting import KIND_WORDS
from sekisho.rules.answer import AppliedException, AppliedReview, AppliedRule, RuleTrace
from sekisho.rules.limbs import LimbTrace, Truth
from sekisho.rules.pack import LicenceException, Review, Rule, Status
from sekisho.rules.reliance import in_order

__all__ = [
    "Unread",
    "applied_review",
    "applied_rule",
    "deciding_limb",
    "evaluated_trace",
    "exception_row",
    "unread_trace",
]

Unread: TypeAlias = Literal["not in force", "not asked"]
_MARKS: Final = "PDSRO"  # from read to our own
_WOULD: dict[Truth, str] = {"true": "would say", "unknown": "could say", "false": "would not say"}


def _weakness(mark: str) -> int:
    return _MARKS.find(mark)


def deciding_limb(deciding: Sequence[LimbTrace]) -> LimbTrace:
    """The first amount among the limbs that decided, else the first of them."""
    return next((limb for limb in deciding if limb.unit), deciding[0])


def applied_rule(
    rule: Rule,
    status: Status,
    limb: LimbTrace,
    *,
    truth: Truth,
    review: AppliedReview | None,
    lifted_by: tuple[str, ...],
) -> AppliedRule:
    """A rule that bears on the decision; source and mark are the deciding limb's, or the status's if it is weaker.

    A figure that was read does not make a rule that we suppose look like one that was read.
    """
    has_source = bool(limb.source) and _weakness(limb.mark) >= _weakness(status.mark)
    return AppliedRule(
        id=rule.id,
        cite=rule.cite,
        quantity=limb.quantity,
        threshold=limb.threshold,
        unit=limb.unit,
        op=limb.op,
        value=limb.value,
        outcome=rule.outcome,
        truth=truth,
        status=status.word,
        binding=rule.binding,
        duty=rule.duty,
        duty_ja=rule.duty_ja,
        duties=rule.duties,
        review=review,
        source=limb.source if has_source else f"{status.source}, {status.cite}",
        mark=limb.mark if has_source else status.mark,
        since=status.start,
        lifted_by=lifted_by,
    )


def applied_review(
    row: Review, open_rows: Sequence[tuple[Review, tuple[str, ...]]], *, holds: bool
) -> AppliedReview:
    """The row that counts; open rows with what they miss leave it unknown where they name another policy."""
    other = [missing for one, missing in open_rows if not holds or one.policy != row.policy]
    return AppliedReview(
        policy=row.policy,
        cite=row.cite,
        mark=row.mark,
        truth="unknown" if other else "true",
        missing=in_order(other),
        since=row.start,
    )


def exception_row(
    exception: LicenceException,
    status: Status,
    lifts: tuple[str, ...],
    conditions: Sequence[tuple[Truth, tuple[str, ...]]],
) -> AppliedException:
    """An exception with each condition's truth and what is missing; it lifts where all are true."""
    truths = [truth for truth, _ in conditions]
    truth: Truth = "true" if truths and set(truths) == {"true"} else "unknown"
    truth = "false" if "false" in truths else truth
    says = [condition.says for condition in exception.eligibility]
    is_open = truth == "unknown"
    return AppliedException(
        id=exception.id,
        cite=exception.cite,
        title=exception.title,
        title_ja=exception.title_ja,
        lifts=lifts,
        truth=truth,
        status=status.word,
        open=tuple(text for text, found in zip(says, truths, strict=True) if found == "unknown"),
        failed=tuple(text for text, found in zip(says, truths, strict=True) if found == "false"),
        missing=in_order(missing for _, missing in conditions) if is_open else (),
        notices=exception.notices,
        since=status.start,
        until=status.end,
    )


def unread_trace(rule: Rule, status: Status | None, truth: Unread) -> RuleTrace:
    """A rule that was not evaluated: it speaks of other requests, or does not act on that date."""
    note = "no status on that date" if status is None else "does not act on that date"
    if truth == "not asked":
        note = f"speaks about {', '.join(KIND_WORDS[kind] for kind in rule.kinds)}"
    return RuleTrace(
        rule=rule.id,
        outcome=rule.outcome,
        status=status.word if status is not None else "unknown",
        truth=truth,
        note=note,
        cite=rule.cite,
        since=status.start if status is not None else None,
        until=status.end if status is not None else None,
    )


def evaluated_trace(
    rule: Rule,
    status: Status,
    found: tuple[Truth, tuple[str, ...]],
    limbs: tuple[LimbTrace, ...],
    *,
    acts: bool,
) -> RuleTrace:
    """A rule with every limb; where it is codified and not enforced, a note of what it would say."""
    truth, missing = found
    note = status.note
    if not acts:
        note = f"{status.word}, not enforced: {_WOULD[truth]} {rule.outcome}"
    return RuleTrace(
        rule=rule.id,
        outcome=rule.outcome,
        status=status.word,
        truth=truth if acts else "not in force",
        limbs=limbs,
        missing=missing,
        note=note,
        cite=rule.cite,
        since=status.start,
        until=status.end,
    )
