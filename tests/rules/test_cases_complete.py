"""The cases of a pack leave no rule untried and no figure without its neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

import pytest

from sekisho.model.chips import known_chips
from sekisho.model.instants import Instant, parse_date_or_instant
from sekisho.rules import load_pack, pack_names
from sekisho.rules.facts import AmountFact, Fact, facts_of
from sekisho.rules.pack import (
    All,
    AmountLimb,
    Any,
    Condition,
    DatedValue,
    Not,
    Pack,
    Rule,
    Threshold,
)
from sekisho.rules.stated import stated_facts
from tests.lawyer_cases import Case, decided, every_case

CASES = every_case()
packs = pytest.mark.parametrize("name", pack_names())


@cache
def _asked(pack: str) -> list[tuple[Case, Mapping[str, Fact]]]:
    """The cases of a pack with all that their requests tell."""
    found: list[tuple[Case, Mapping[str, Fact]]] = []
    for case in CASES:
        if case.pack != pack:
            continue
        request = case.asked
        told = {**facts_of(request, known_chips()), **stated_facts(request, load_pack(pack))}
        found.append((case, told))
    return found


def _own_rules(pack: Pack) -> list[Rule]:
    """The rules of a pack, of an overlay those that it adds or says something about."""
    base = {rule.id: rule for over in pack.over for rule in load_pack(over.name).rules}
    return [rule for rule in pack.rules if rule != base.get(rule.id)]


def _conditions(pack: Pack) -> Iterator[Condition]:
    """Every condition of the pack: of rules, reviews, definitions and licence exceptions."""
    for rule in pack.rules:
        yield rule.when
        yield from (review.when for review in rule.reviews if review.when is not None)
    for definition in pack.definitions.values():
        yield from (entry.when for entry in definition.versions if entry.when is not None)
    for exception in pack.exceptions:
        yield from (part.when for part in exception.eligibility)


def _amount_limbs(condition: Condition) -> Iterator[AmountLimb]:
    if isinstance(condition, AmountLimb):
        yield condition
    elif isinstance(condition, All | Any):
        for part in condition.parts:
            yield from _amount_limbs(part)
    elif isinstance(condition, Not):
        yield from _amount_limbs(condition.part)


def _own_limbs(pack: Pack) -> dict[str, AmountLimb]:
    """The figures that the pack asks about, by quantity and parameter; of an overlay those that it adds values to."""
    base = {name: p for over in pack.over for name, p in load_pack(over.name).parameters.items()}
    found = {}
    for condition in _conditions(pack):
        for limb in _amount_limbs(condition):
            own = pack.parameters.get(limb.parameter)
            if pack.over and (own is None or own == base.get(limb.parameter)):
                continue
            found[f"{limb.quantity} beside {limb.parameter or limb.value}"] = limb
    return found


def _threshold(limb: AmountLimb, pack: Pack, at: Instant) -> Threshold | None:
    if not limb.parameter:
        return limb.value
    dated = pack.parameters[limb.parameter].at(at)
    return dated.value if dated is not None else None


def _side(limb: AmountLimb, pack: Pack, at: Instant, facts: Mapping[str, Fact]) -> str | None:
    """Where the case's amount stands; None where the case does not tell it exactly, or the figure is not in force."""
    if pack.over and at < min(entry.start for entry in _added(limb, pack)):
        return None
    fact, threshold = facts.get(limb.quantity), _threshold(limb, pack, at)
    if not isinstance(fact, AmountFact) or fact.low != fact.high or threshold is None:
        return None
    return "equal" if fact.low == threshold else "below" if fact.low < threshold else "above"


def _added(limb: AmountLimb, pack: Pack) -> list[DatedValue]:
    base = load_pack(pack.over[0].name).parameters.get(limb.parameter)
    known = base.values if base is not None else ()
    return [entry for entry in pack.parameters[limb.parameter].values if entry not in known]


@packs
def test_every_rule_is_met_once_and_not_met_once(name: str) -> None:
    """For each rule of the pack one case says that it holds, and one that it does not."""
    seen = {(trace.rule, trace.truth) for case, _ in _asked(name) for trace in decided(case).trace}
    wanted = {
        (rule.id, truth) for rule in _own_rules(load_pack(name)) for truth in ("true", "false")
    }
    assert sorted(wanted - seen) == []


@packs
def test_every_figure_is_tried_below_at_and_above(name: str) -> None:
    """For each amount that the pack compares one case stands below it, one at it and one above it."""
    pack = load_pack(name)
    lacking = {}
    for words, limb in _own_limbs(pack).items():
        sides = {
            _side(limb, pack, parse_date_or_instant(case.at), facts) for case, facts in _asked(name)
        }
        if not {"below", "equal", "above"} <= sides:
            lacking[words] = sorted({"below", "equal", "above"} - sides)
    assert lacking == {}
