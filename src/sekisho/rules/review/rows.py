"""Rows that decide nothing: conditions that never or always hold, rules and reviews behind others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sekisho.model.instants import Instant
from sekisho.rules.pack import Any, Condition, LicenceException, Pack, Review, Rule
from sekisho.rules.pack_reader.reach import conditions_of
from sekisho.rules.review.acting import acts_at
from sekisho.rules.review.consistency import Law, Patience, can_hold
from sekisho.rules.review.histories import turning_points
from sekisho.rules.review.problem import PackProblem, error, warning

__all__ = ["check_rows"]

_STRICTNESS: Final = {"permit": 0, "report": 1, "licence": 2, "deny": 3}


def check_rows(pack: Pack) -> Iterator[PackProblem]:
    """Definitions, then rules, then exceptions, each on every day on which it stands in law."""
    patience = Patience()
    laws = [Law(pack, at, patience) for at in turning_points(pack)]
    for definition in pack.definitions.values():
        for version in definition.versions:
            days = [law for law in laws if definition.at(law.at) is version]
            if version.when is not None:
                yield from _one(f"definition {definition.name}", version.when, days)
    for rule in pack.rules:
        days = [law for law in laws if rule.status_at(law.at) is not None]
        yield from _one(f"rule {rule.id}", rule.when, days)
        yield from _reviews(rule, days)
        yield from _behind(pack, rule, laws)
    for exception in pack.exceptions:
        days = [law for law in laws if exception.status_at(law.at) is not None]
        yield from _exception(pack, exception, days)


def _one(where: str, condition: Condition, days: list[Law]) -> Iterator[PackProblem]:
    """A condition by itself, and the alternatives in it."""
    if not days:
        return
    if not any(can_hold(law, (condition, True)) for law in days):
        yield error(where, "can never hold", "look for bounds or words that exclude each other")
        return
    if not any(can_hold(law, (condition, False)) for law in days):
        yield warning(where, "holds for every request", "leave out what is always true")
    for alternatives in conditions_of(condition):
        for part in alternatives.parts if isinstance(alternatives, Any) else ():
            if not any(can_hold(law, (part, True)) for law in days):
                what = "has an alternative that can never hold"
                yield warning(where, what, "look for bounds or words that exclude each other")


def _reviews(rule: Rule, days: list[Law]) -> Iterator[PackProblem]:
    """A review counts only where no review above it does."""
    for index, review in enumerate(rule.reviews):
        mine = [law for law in days if review.counts(law.at, None)]
        if not mine:
            continue
        where = f"rule {rule.id}, review {index + 1} ({review.policy})"
        above = rule.reviews[:index]
        if not any(_reached(law, rule, review, above) for law in mine):
            yield warning(where, "is never reached", "put it above those that cover it")


def _reached(law: Law, rule: Rule, review: Review, above: tuple[Review, ...]) -> bool:
    """Whether some request meets the rule and this review and none of those above."""
    others = [other for other in above if other.counts(law.at, None)]
    if any(other.when is None for other in others):
        return False
    own = [(review.when, True)] if review.when is not None else []
    rest = [(other.when, False) for other in others if other.when is not None]
    return can_hold(law, (rule.when, True), *own, *rest)


def _behind(pack: Pack, rule: Rule, laws: list[Law]) -> Iterator[PackProblem]:
    """A stricter rule that no exception lifts, and that holds wherever this one holds."""
    days = [law for law in laws if acts_at(rule, law.at)]
    lifted = {name for exception in pack.exceptions for name in exception.lifts}
    strictness = _STRICTNESS.get(rule.outcome)
    if not days or not strictness:
        return
    for other in pack.rules:
        is_stricter = _STRICTNESS.get(other.outcome, 0) > strictness
        if not is_stricter or other.id in lifted or not set(rule.kinds) <= set(other.kinds):
            continue
        if all(_covers(law, other, rule, law.at) for law in days):
            what = f"never decides: {other.id} ({other.outcome}) holds wherever it holds"
            yield warning(f"rule {rule.id}", what, "leave it out, or narrow the stricter rule")
            return


def _covers(law: Law, other: Rule, rule: Rule, at: Instant) -> bool:
    return acts_at(other, at) and not can_hold(law, (rule.when, True), (other.when, False))


def _exception(pack: Pack, exception: LicenceException, days: list[Law]) -> Iterator[PackProblem]:
    """Its conditions together, then with each of the rules that it lifts."""
    wanted = [(entry.when, True) for entry in exception.eligibility]
    where = f"exception {exception.id}"
    if not days:
        return
    if not any(can_hold(law, *wanted) for law in days):
        what = "can never be used: its conditions exclude each other"
        yield error(where, what, "look for bounds or words that exclude each other")
        return
    for rule in pack.rules:
        if rule.id in exception.lifts and not any(
            can_hold(law, (rule.when, True), *wanted) for law in days
        ):
            what = f"never lifts {rule.id}: no request meets both"
            yield warning(where, what, "leave the rule out of `lifts`")
