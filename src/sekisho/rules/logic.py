"""Kleene's three-valued logic over typed limbs: true, false, or unknown with the facts that are missing."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.rules.facts import Amount, AmountFact, Fact, FlagFact, PlacesFact
from sekisho.rules.pack import (
    All,
    AmountLimb,
    Any,
    Condition,
    DatedValue,
    DefinitionLimb,
    FlagLimb,
    Not,
    Parameter,
    PlaceLimb,
    Threshold,
    WordLimb,
)

__all__ = ["LimbTrace", "Truth", "Verdict", "World", "evaluate"]

Truth: TypeAlias = Literal["true", "false", "unknown"]


class LimbTrace(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One limb as it was evaluated: what was asked, what was found, what is missing."""

    quantity: str
    value: str
    op: str
    threshold: str
    unit: str = ""
    parameter: str = ""
    source: str = ""
    mark: str = ""
    truth: Truth
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A condition's truth; `missing` is empty unless it is unknown; `limbs` in the order of the pack."""

    truth: Truth
    missing: tuple[str, ...] = ()
    limbs: tuple[LimbTrace, ...] = ()


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What a condition is evaluated against."""

    facts: Mapping[str, Fact]
    parameters: Mapping[str, Parameter]
    at: Instant
    as_of: Instant | None


def evaluate(condition: Condition, world: World) -> Verdict:
    """The truth of a condition, with every limb looked at, so that the trace is whole."""
    if isinstance(condition, All):
        return _join([evaluate(part, world) for part in condition.parts], decisive="false")
    if isinstance(condition, Any):
        return _join([evaluate(part, world) for part in condition.parts], decisive="true")
    if isinstance(condition, Not):
        inner = evaluate(condition.part, world)
        return Verdict(truth=_NEGATED[inner.truth], missing=inner.missing, limbs=inner.limbs)
    if isinstance(condition, WordLimb | DefinitionLimb):
        raise NotImplementedError
    limb = _limb(condition, world)
    return Verdict(truth=limb.truth, missing=limb.missing, limbs=(limb,))


_NEGATED: Final[Mapping[Truth, Truth]] = {"true": "false", "false": "true", "unknown": "unknown"}


def _join(parts: list[Verdict], decisive: Truth) -> Verdict:
    """`all` is decided by one false part, `any` by one true part; else an unknown part leaves it open."""
    limbs = tuple(limb for part in parts for limb in part.limbs)
    truths = {part.truth for part in parts}
    if decisive in truths:
        return Verdict(truth=decisive, limbs=limbs)
    if "unknown" in truths:
        return Verdict(truth="unknown", missing=_union(part.missing for part in parts), limbs=limbs)
    return Verdict(truth=_NEGATED[decisive], limbs=limbs)


def _union(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in groups for name in group))


def _limb(limb: AmountLimb | FlagLimb | PlaceLimb, world: World) -> LimbTrace:
    fact = world.facts[limb.quantity]
    if isinstance(limb, AmountLimb) and isinstance(fact, AmountFact):
        return _amount_limb(limb, fact, world)
    if isinstance(limb, FlagLimb) and isinstance(fact, FlagFact):
        return _flag_limb(limb, fact)
    if isinstance(limb, PlaceLimb) and isinstance(fact, PlacesFact):
        return _place_limb(limb, fact)
    raise TypeError(f"{limb.quantity} is no {type(limb).__name__}")  # the pack reader has typed it


# --- amounts: intervals against an exact threshold ------------------------------------------------

# (true where it holds of the whole interval, false where it holds of none of it)
_TESTS: Final[
    Mapping[
        str, tuple[Callable[[AmountFact, Threshold], bool], Callable[[AmountFact, Threshold], bool]]
    ]
] = {
    ">": (lambda f, t: f.low > t, lambda f, t: f.high <= t),
    ">=": (lambda f, t: f.low >= t, lambda f, t: f.high < t),
    "<": (lambda f, t: f.high < t, lambda f, t: f.low >= t),
    "<=": (lambda f, t: f.high <= t, lambda f, t: f.low > t),
    "=": (lambda f, t: f.low == t == f.high, lambda f, t: not f.low <= t <= f.high),
    "!=": (lambda f, t: not f.low <= t <= f.high, lambda f, t: f.low == t == f.high),
}


def _amount_limb(limb: AmountLimb, fact: AmountFact, world: World) -> LimbTrace:
    dated = world.parameters[limb.parameter].at(world.at, world.as_of) if limb.parameter else None
    threshold = dated.value if dated is not None else None if limb.parameter else limb.value
    if threshold is None:
        missing: tuple[str, ...] = (f"parameter {limb.parameter} on that date",)
        return _amount_trace(limb, fact, "", dated, ("unknown", missing))
    holds, fails = _TESTS[limb.op]
    truth: Truth = (
        "true" if holds(fact, threshold) else "false" if fails(fact, threshold) else "unknown"
    )
    missing = fact.missing if truth == "unknown" else ()
    return _amount_trace(limb, fact, str(threshold), dated, (truth, missing))


def _amount_trace(
    limb: AmountLimb,
    fact: AmountFact,
    threshold: str,
    dated: DatedValue | None,
    found: tuple[Truth, tuple[str, ...]],
) -> LimbTrace:
    recalled = dated is not None and dated.mark == "R"
    return LimbTrace(
        quantity=limb.quantity,
        value=_interval_text(fact),
        op=limb.op,
        threshold=threshold,
        unit=limb.unit,
        parameter=limb.parameter,
        source=f"{dated.source}, {dated.cite}" if dated is not None else "",
        mark=dated.mark if dated is not None else "",
        truth=found[0],
        missing=found[1],
        notes=fact.notes + ((f"{limb.parameter}: to be verified",) if recalled else ()),
    )


def _interval_text(fact: AmountFact) -> str:
    if fact.low == fact.high:
        return _text(fact.low)
    return (
        f"at least {_text(fact.low)}"
        if fact.high == _INFINITE
        else f"{_text(fact.low)} to {_text(fact.high)}"
    )


_INFINITE: Final = float("inf")


def _text(amount: Amount) -> str:
    """An amount exactly where it has a finite decimal form of reasonable length, a fraction otherwise."""
    if amount == _INFINITE:
        return "without bound"
    exact = Fraction(amount)
    if exact.denominator == 1:
        return str(exact.numerator)
    scaled = exact * 10**6
    if scaled.denominator == 1:
        whole, part = divmod(scaled.numerator, 10**6)
        return f"{whole}.{part:06d}".rstrip("0")
    return f"{exact.numerator}/{exact.denominator}"


# --- flags and places -----------------------------------------------------------------------------


def _flag_limb(limb: FlagLimb, fact: FlagFact) -> LimbTrace:
    words = {True: "true", False: "false", None: "unknown"}
    truth: Truth = "unknown"
    if fact.value is not None:
        truth = "true" if operator.is_(fact.value, limb.value) else "false"
    return LimbTrace(
        quantity=limb.quantity,
        value=words[fact.value],
        op="is",
        threshold=words[limb.value],
        truth=truth,
        missing=fact.missing if truth == "unknown" else (),
        notes=fact.notes,
    )


def _place_limb(limb: PlaceLimb, fact: PlacesFact) -> LimbTrace:
    """A country that is named without its part leaves open whether the part is meant (US, US-CA)."""
    truth: Truth = "unknown"
    missing = fact.missing
    if fact.values is not None:
        open_parts = [place for place in limb.places if _may_hold(place, fact.values)]
        truth = (
            "true" if set(limb.places) & set(fact.values) else "unknown" if open_parts else "false"
        )
        missing = tuple(f"jurisdictions: whether {place} is meant" for place in open_parts)
    return LimbTrace(
        quantity=limb.quantity,
        value=", ".join(fact.values) if fact.values is not None else "unknown",
        op="any-of",
        threshold=", ".join(limb.places),
        truth=truth,
        missing=missing if truth == "unknown" else (),
        notes=fact.notes,
    )


def _may_hold(place: str, values: tuple[str, ...]) -> bool:
    country, _, part = place.partition("-")
    named_parts = any(value.startswith(f"{country}-") for value in values)
    return bool(part) and country in values and not named_parts
