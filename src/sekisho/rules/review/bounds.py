"""Tables that leave a value open: below a bound one row, above it another, and exactly at it neither."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from sekisho.rules.pack import All, AmountLimb, Any, Condition, Not, Pack
from sekisho.rules.review.consistency import Law
from sekisho.rules.review.histories import turning_points
from sekisho.rules.review.problem import PackProblem, warning

__all__ = ["check_bounds"]

_NEGATED: Final = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "=": "!=", "!=": "="}
_Key = tuple[str, int | Fraction]


def check_bounds(pack: Pack) -> Iterator[PackProblem]:
    """Each quantity at each threshold of each day: `<` and `>` without anything that speaks of the value itself."""
    told: set[_Key] = set()
    for at in turning_points(pack):
        law = Law(pack, at)
        found: dict[_Key, dict[str, str]] = {}
        for where, condition in _in_force(law):
            for op, limb in _comparisons(condition, positive=True):
                threshold = law.threshold(limb)
                if threshold is not None:
                    found.setdefault((limb.quantity, threshold), {}).setdefault(op, where)
        for key, ops in found.items():
            if set(ops) == {"<", ">"} and key not in told:
                told.add(key)
                what = f"nothing speaks of {key[0]} = {key[1]}: {ops['>']} begins above it"
                yield warning(ops["<"], what, "write <= or >= in one of them")


def _in_force(law: Law) -> Iterator[tuple[str, Condition]]:
    """The conditions of definitions and rules on that day."""
    for definition in law.pack.definitions.values():
        version = definition.at(law.at)
        if version is not None and version.when is not None:
            yield f"definition {definition.name}", version.when
    for rule in law.pack.rules:
        if rule.status_at(law.at) is not None:
            yield f"rule {rule.id}", rule.when


def _comparisons(condition: Condition, *, positive: bool) -> Iterator[tuple[str, AmountLimb]]:
    """Every comparison as it is meant, under an odd number of `not` turned round."""
    if isinstance(condition, All | Any):
        for part in condition.parts:
            yield from _comparisons(part, positive=positive)
    elif isinstance(condition, Not):
        yield from _comparisons(condition.part, positive=not positive)
    elif isinstance(condition, AmountLimb):
        yield (condition.op if positive else _NEGATED[condition.op]), condition
