"""Of a pack that asks nothing: the rule that comes nearest, and the limb that keeps it off.

A rule is a tree, so what fails is looked for along it: of an `all` every part that fails, of an `any` every part, of a
`not` what holds inside, of a definition its own condition.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

import msgspec

from sekisho.model.chips import known_chips
from sekisho.model.instants import Instant
from sekisho.rules.acting import is_acting
from sekisho.rules.facts import facts_of
from sekisho.rules.impact.numerals import read_threshold
from sekisho.rules.limbs import LimbTrace
from sekisho.rules.logic import World, evaluate
from sekisho.rules.pack import All, Any, Condition, DefinitionLimb, Not, Pack, Rule
from sekisho.rules.requests import Request
from sekisho.rules.stated import stated_facts

__all__ = ["Nearest", "nearest_rule", "same_limb"]

_PLACES: Final = frozenset({"jurisdictions", "origin", "place"})


class Nearest(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that does not hold, the limb that says so best, and whether its law does not reach there at all."""

    rule: Rule
    limb: LimbTrace
    elsewhere: bool


def nearest_rule(pack: Pack, request: Request, at: Instant) -> Nearest | None:
    """The acting rule whose threshold is nearest; where no threshold fails, the first rule's first failing limb."""
    world = _world(pack, request, at)
    rules = [
        rule
        for rule in pack.rules
        if request.kind in rule.kinds and is_acting(rule.status_at(at), "enforced")
    ]
    # What only permits says least: it stands last.
    found = [
        _of_rule(rule, world) for rule in sorted(rules, key=lambda rule: rule.outcome == "permit")
    ]
    known = [one for one in found if one is not None]
    far = [one for one in known if one.limb.unit]
    return max(far, key=lambda one: _reached(one.limb)) if far else next(iter(known), None)


def same_limb(pack: Pack, request: Request, at: Instant, nearest: Nearest) -> LimbTrace:
    """The same limb of the same rule for another request: the run at its estimate."""
    limbs = _failing(nearest.rule.when, _world(pack, request, at))
    asked = (nearest.limb.quantity, nearest.limb.op, nearest.limb.threshold)
    return next(
        (limb for limb in limbs if (limb.quantity, limb.op, limb.threshold) == asked), nearest.limb
    )


def _world(pack: Pack, request: Request, at: Instant) -> World:
    return World(
        facts={**stated_facts(request, pack), **facts_of(request, known_chips())},
        parameters=pack.parameters,
        sets=pack.sets,
        definitions=pack.definitions,
        at=at,
        as_of=None,
    )


def _of_rule(rule: Rule, world: World) -> Nearest | None:
    """FLOP before other amounts, amounts before the rest; of several amounts the nearest."""
    if evaluate(rule.when, world).truth != "false":
        return None
    limbs = list(_failing(rule.when, world))
    amounts = [limb for limb in limbs if limb.op in (">", ">=") and _reached(limb) >= 0]
    flop = [limb for limb in amounts if limb.unit == "FLOP"]
    best = max(flop or amounts, key=_reached, default=limbs[0] if limbs else None)
    if best is None:
        return None
    elsewhere = any(limb.quantity in _PLACES for limb in limbs)
    return Nearest(rule=rule, limb=best, elsewhere=elsewhere)


def _reached(limb: LimbTrace) -> Fraction:
    """The figure over the threshold; below nothing where it is no number."""
    figure, limit = read_threshold(limb.value), read_threshold(limb.threshold)
    return Fraction(-1) if figure is None or not limit else figure / limit


def _failing(condition: Condition, world: World) -> Iterable[LimbTrace]:
    """The limbs because of which a condition is false."""
    if isinstance(condition, All | Any):
        for part in condition.parts:
            if evaluate(part, world).truth == "false":
                yield from _failing(part, world)
    elif isinstance(condition, Not):
        yield from evaluate(condition.part, world).deciding
    elif isinstance(condition, DefinitionLimb) and condition.value:
        dated = world.definitions[condition.definition].at(world.at, world.as_of)
        if dated is not None and dated.when is not None:
            yield from _failing(dated.when, world)
    else:
        yield from evaluate(condition, world).limbs
