"""The rows of an answer and of its trace, kept by what they rest on: most of them have been written before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Generic, TypeAlias, TypeVar

from sekisho.rules.answer import AppliedException, AppliedRule
from sekisho.rules.engine.parts import Told
from sekisho.rules.engine.plans import BearingRule, Plan, UsedException
from sekisho.rules.reliance import recalled_facts
from sekisho.rules.rows import applied_review, applied_rule, exception_row

__all__ = ["Kept", "Writer"]

_KEPT: Final = 4096
_Row = TypeVar("_Row")
# A rule's row, and the recalled facts that it rests on.
RuleRow: TypeAlias = tuple[AppliedRule, tuple[str, ...]]


class Kept(Generic[_Row]):
    """Rows by serial numbers; when there are too many, all are forgotten."""

    __slots__ = ("rows",)

    def __init__(self) -> None:
        self.rows: dict[tuple[int, ...], _Row] = {}

    def put(self, key: tuple[int, ...], row: _Row) -> _Row:
        if len(self.rows) >= _KEPT:
            self.rows.clear()
        self.rows[key] = row
        return row


class Writer:
    """Writes the rules and the exceptions of an answer."""

    def __init__(self) -> None:
        self._parts: dict[int, tuple[int, ...]] = {}
        self._rules: Kept[RuleRow] = Kept()
        self._exceptions: Kept[AppliedException] = Kept()

    def rules(self, plan: Plan, tolds: Sequence[Told]) -> list[RuleRow]:
        """The rules that bear on the answer."""
        rows = self._rules.rows
        found = []
        for one in plan.bearing:
            key = (one.serial, *[tolds[part].serial for part in one.parts])
            found.append(rows.get(key) or self._rules.put(key, _rule(one, tolds)))
        return found

    def exceptions(self, plan: Plan, tolds: Sequence[Told]) -> list[AppliedException]:
        """The exceptions that could lift them."""
        rows = self._exceptions.rows
        found = []
        for one in plan.exceptions:
            key = (one.serial, *[tolds[part].serial for part in one.parts])
            found.append(rows.get(key) or self._exceptions.put(key, _exception(one, tolds)))
        return found


def _rule(one: BearingRule, tolds: Sequence[Told]) -> RuleRow:
    standing = one.planted.standing
    if standing.status is None:
        raise ValueError(f"{standing.rule.id} bears without a status")
    (limb,) = one.limb.limbs(tolds)
    review = None
    if one.review is not None:
        rows = [(row, recipe.missing(tolds)) for row, recipe in one.open_reviews]
        review = applied_review(one.review, rows, holds=one.review_holds)
    row = applied_rule(
        standing.rule,
        standing.status,
        limb,
        truth=one.truth,
        review=review,
        lifted_by=one.lifted_by,
    )
    return row, recalled_facts(limb)


def _exception(used: UsedException, tolds: Sequence[Told]) -> AppliedException:
    conditions = [(truth, recipe.missing(tolds)) for truth, recipe in used.conditions]
    return exception_row(used.planted.exception, used.planted.status, used.lifts, conditions)
