"""Kleene's three-valued logic over typed limbs: true, false, or unknown with the facts that are missing.

This is the plain way: every part is looked at, every definition once. The compiled engine must agree with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from sekisho.model.instants import Instant
from sekisho.rules.facts import Fact
from sekisho.rules.limbs import Entry, FactLimb, LimbTrace, Truth, trace_limb
from sekisho.rules.pack import (
    All,
    AmountLimb,
    Any,
    Condition,
    Definition,
    DefinitionLimb,
    Not,
    Parameter,
    PlaceLimb,
    PlaceSet,
)

__all__ = ["LimbTrace", "Truth", "Verdict", "World", "entry_of", "evaluate"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A condition's truth; `missing` is empty unless it is unknown; `limbs` in the order of the pack.

    `deciding` are the limbs that made it so, in the definitions that they name too: of an `all` that fails the first
    part that fails, of an `any` that holds the first that holds, else every part of the same truth.
    """

    truth: Truth
    missing: tuple[str, ...] = ()
    limbs: tuple[LimbTrace, ...] = ()
    deciding: tuple[LimbTrace, ...] = ()


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What a condition is evaluated against; `settled` keeps the definitions that were evaluated already."""

    facts: Mapping[str, Fact]
    parameters: Mapping[str, Parameter]
    sets: Mapping[str, PlaceSet] = {}
    definitions: Mapping[str, Definition] = {}
    at: Instant
    as_of: Instant | None
    settled: dict[str, Verdict] = msgspec.field(default_factory=dict)


def evaluate(condition: Condition, world: World) -> Verdict:
    """The truth of a condition, with every limb looked at, so that the trace is whole."""
    if isinstance(condition, All):
        return _join([evaluate(part, world) for part in condition.parts], decisive="false")
    if isinstance(condition, Any):
        return _join([evaluate(part, world) for part in condition.parts], decisive="true")
    if isinstance(condition, Not):
        inner = evaluate(condition.part, world)
        return msgspec.structs.replace(inner, truth=_NEGATED[inner.truth])
    if isinstance(condition, DefinitionLimb):
        return _definition_limb(condition, world)
    limb = trace_limb(condition, world.facts.get(condition.quantity), entry_of(condition, world))
    return Verdict(truth=limb.truth, missing=limb.missing, limbs=(limb,), deciding=(limb,))


def entry_of(limb: FactLimb, world: World) -> Entry:
    """The parameter's value or the set in force that a limb names."""
    if isinstance(limb, AmountLimb) and limb.parameter:
        return world.parameters[limb.parameter].at(world.at, world.as_of)
    if isinstance(limb, PlaceLimb) and limb.place_set:
        return world.sets[limb.place_set].at(world.at, world.as_of)
    return None


_NEGATED: Final[Mapping[Truth, Truth]] = {"true": "false", "false": "true", "unknown": "unknown"}


def _join(parts: list[Verdict], decisive: Truth) -> Verdict:
    """`all` is decided by one false part, `any` by one true part; else an unknown part leaves it open."""
    limbs = tuple(limb for part in parts for limb in part.limbs)
    for part in parts:
        if part.truth == decisive:
            return Verdict(truth=decisive, limbs=limbs, deciding=part.deciding)
    truth: Truth = "unknown" if any(p.truth == "unknown" for p in parts) else _NEGATED[decisive]
    same = [part for part in parts if part.truth == truth]
    return Verdict(
        truth=truth,
        missing=_union(part.missing for part in same),
        limbs=limbs,
        deciding=tuple(limb for part in same for limb in part.deciding),
    )


def _union(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in groups for name in group))


# --- definitions ----------------------------------------------------------------------------------


def _definition_limb(limb: DefinitionLimb, world: World) -> Verdict:
    """A definition is evaluated once; outside its periods it is false, since nothing of that name exists then."""
    dated = world.definitions[limb.definition].at(world.at, world.as_of)
    inner = _settle(limb.definition, world)
    truth = inner.truth if limb.value else _NEGATED[inner.truth]
    recalled = dated is not None and dated.mark == "R"
    gone = dated is None or dated.when is None
    trace = LimbTrace(
        quantity=limb.definition,
        value=inner.truth,
        op="is",
        threshold="true" if limb.value else "false",
        definition=limb.definition,
        source=f"{dated.source}, {dated.cite}" if dated is not None else "",
        mark=dated.mark if dated is not None else "",
        since=dated.start if dated is not None else None,
        until=dated.end if dated is not None else None,
        truth=truth,
        missing=inner.missing,
        notes=(("no such definition on that date",) if gone else ())
        + ((f"{limb.definition}: to be verified",) if recalled else ()),
    )
    return Verdict(
        truth=truth, missing=inner.missing, limbs=(trace,), deciding=(trace, *inner.deciding)
    )


def _settle(name: str, world: World) -> Verdict:
    if name not in world.settled:
        dated = world.definitions[name].at(world.at, world.as_of)
        when = dated.when if dated is not None else None
        world.settled[name] = Verdict(truth="false") if when is None else evaluate(when, world)
    return world.settled[name]
