"""The limbs and thresholds of a pack on a date as Cedar policies, so that both decide by the same figures.

Each rule that acts becomes one policy, with the definitions that it asks about written out. Cedar's numbers have 64
bits and no fraction: operations are divided by 10^12, other amounts multiplied by 10^6. Cedar knows no unknown: a fact
that nobody told is written as no, nothing or zero, which our packs never do.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from sekisho.model.chips import known_chips
from sekisho.rules import Pack, Request
from sekisho.rules.acting import is_acting
from sekisho.rules.facts import AmountFact, Fact, FlagFact, facts_of
from sekisho.rules.logic import World, entry_of
from sekisho.rules.pack import (
    All,
    AmountLimb,
    Condition,
    DatedSet,
    DatedValue,
    DefinitionLimb,
    FlagLimb,
    Not,
    PlaceLimb,
    WordLimb,
)
from sekisho.rules.stated import stated_facts

__all__ = ["cedar_policies", "cedar_request"]

_LARGEST = 2**63 - 1
_LARGE_UNITS = ("FLOP", "FLOP/s")


def cedar_policies(pack: Pack, world: World, kind: str) -> tuple[str, int]:
    """The policies of the rules about such requests, and how many there are."""
    written = ["permit(principal, action, resource);"]
    for rule in pack.rules:
        if kind in rule.kinds and is_acting(rule.status_at(world.at), "enforced"):
            effect = "forbid" if rule.outcome in ("licence", "deny") else "permit"
            when = _text(rule.when, world)
            written.append(
                f'@id("{rule.id}")\n{effect}(principal, action, resource) when {{ {when} }};'
            )
    return "\n".join(written), len(written) - 1


def cedar_request(request: Request, pack: Pack) -> dict[str, Any]:
    """The request with every fact in its context."""
    facts: Mapping[str, Fact] = {
        **stated_facts(request, pack),
        **facts_of(request, known_chips()),
    }
    units = {limb.quantity: limb.unit for limb in _limbs(pack) if isinstance(limb, AmountLimb)}
    context = {name: _value(fact, units.get(name, "")) for name, fact in facts.items()}
    return {
        "principal": 'Party::"exporter"',
        "action": 'Action::"transfer"',
        "resource": 'Item::"item"',
        "context": context,
    }


def _value(fact: Fact, unit: str) -> object:
    if isinstance(fact, AmountFact):
        return _number(fact.low, unit)
    if isinstance(fact, FlagFact):
        return bool(fact.value)
    return list(fact.values or ())


def _number(amount: float | Fraction, unit: str) -> int:
    if amount == float("inf"):
        return _LARGEST
    exact = Fraction(amount)
    scaled = exact / 10**12 if unit in _LARGE_UNITS else exact * 10**6
    return min(int(scaled), _LARGEST)


def _text(condition: Condition, world: World) -> str:
    if isinstance(condition, Not):
        return f"!({_text(condition.part, world)})"
    if isinstance(condition, DefinitionLimb):
        dated = world.definitions[condition.definition].at(world.at, world.as_of)
        inner = "false" if dated is None or dated.when is None else _text(dated.when, world)
        return f"({inner})" if condition.value else f"!({inner})"
    if isinstance(condition, AmountLimb):
        entry = entry_of(condition, world)
        value = entry.value if isinstance(entry, DatedValue) else condition.value
        number = _number(value if value is not None else 0, condition.unit)
        op = "==" if condition.op == "=" else condition.op
        return f'context["{condition.quantity}"] {op} {number}'
    if isinstance(condition, FlagLimb):
        return f'context["{condition.quantity}"] == {str(condition.value).lower()}'
    if isinstance(condition, PlaceLimb | WordLimb):
        return _among(condition, world)
    joined = " && " if isinstance(condition, All) else " || "
    return f"({joined.join(_text(part, world) for part in condition.parts)})"


def _among(limb: PlaceLimb | WordLimb, world: World) -> str:
    members = list(limb.words) if isinstance(limb, WordLimb) else list(limb.places)
    if isinstance(limb, PlaceLimb) and limb.place_set:
        entry = entry_of(limb, world)
        members = sorted(entry.members or ()) if isinstance(entry, DatedSet) else []
    listed = ", ".join(f'"{member}"' for member in members)
    if isinstance(limb, PlaceLimb) and limb.op == "all-of":
        return f'[{listed}].containsAll(context["{limb.quantity}"])'
    return f'context["{limb.quantity}"].containsAny([{listed}])'


def _limbs(pack: Pack) -> list[Condition]:
    waiting: list[Condition] = [rule.when for rule in pack.rules]
    waiting += [
        entry.when
        for definition in pack.definitions.values()
        for entry in definition.versions
        if entry.when is not None
    ]
    found: list[Condition] = []
    while waiting:
        one = waiting.pop()
        if isinstance(one, Not):
            waiting.append(one.part)
        elif hasattr(one, "parts"):
            waiting += one.parts
        else:
            found.append(one)
    return found
