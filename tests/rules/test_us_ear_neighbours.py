"""Beside every figure of the US pack stand cases one step below and one step above it, not just somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from sekisho.model.chips import known_chips
from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import load_pack
from sekisho.rules.facts import AmountFact, facts_of
from sekisho.rules.pack import All, AmountLimb, Any, Condition, Not, Threshold
from sekisho.rules.stated import stated_facts
from tests.lawyer_cases import Case, cases_of_pack

PACK = load_pack("us-ear")
STEP = Fraction(1, 100)  # a step is at most one per cent of the figure; of days it is one day


def _limbs(condition: Condition) -> Iterator[AmountLimb]:
    if isinstance(condition, AmountLimb):
        yield condition
    elif isinstance(condition, All | Any):
        for part in condition.parts:
            yield from _limbs(part)
    elif isinstance(condition, Not):
        yield from _limbs(condition.part)


def _every_limb() -> set[AmountLimb]:
    conditions: list[Condition] = [rule.when for rule in PACK.rules]
    conditions += [r.when for rule in PACK.rules for r in rule.reviews if r.when is not None]
    conditions += [
        entry.when
        for definition in PACK.definitions.values()
        for entry in definition.versions
        if entry.when is not None
    ]
    conditions += [part.when for one in PACK.exceptions for part in one.eligibility]
    return {limb for condition in conditions for limb in _limbs(condition)}


def _asked_of(case: Case) -> dict[str, Fraction]:
    """The amounts that the case tells exactly."""
    request = case.asked
    told = {**facts_of(request, known_chips()), **stated_facts(request, PACK)}
    return {
        name: Fraction(fact.low)
        for name, fact in told.items()
        if isinstance(fact, AmountFact) and fact.low == fact.high != float("inf")
    }


def _threshold(limb: AmountLimb, case: Case) -> Threshold | None:
    if not limb.parameter:
        return limb.value
    dated = PACK.parameters[limb.parameter].at(parse_date_or_instant(case.at))
    return dated.value if dated is not None else None


def test_each_figure_has_neighbours_one_step_away() -> None:
    """At the figure, and at most one per cent or one day below and above it."""
    told = [(case, _asked_of(case)) for case in cases_of_pack("us-ear")]
    lacking = {}
    for limb in _every_limb():
        seen = set()
        for case, amounts in told:
            threshold = _threshold(limb, case)
            if limb.quantity in amounts and threshold is not None:
                distance = amounts[limb.quantity] - threshold
                if abs(distance) <= (1 if limb.unit == "days" else threshold * STEP):
                    seen.add((distance > 0) - (distance < 0))
        if seen != {-1, 0, 1}:
            lacking[f"{limb.quantity} {limb.op} {limb.parameter or limb.value}"] = sorted(seen)
    assert lacking == {}
