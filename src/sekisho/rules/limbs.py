"""One limb against one fact: what was asked, what was found, where the threshold comes from, what is missing.

Amounts are intervals against exact thresholds (whole numbers and fractions); places and words are sets. A limb whose
threshold or set has no value on the date is unknown, and so is one whose quantity nobody told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any as Anything
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.rules.facts import Amount, AmountFact, Fact, FlagFact, PlacesFact, WordFact
from sekisho.rules.pack import (
    AmountLimb,
    DatedSet,
    DatedValue,
    FlagLimb,
    PlaceLimb,
    Threshold,
    WordLimb,
)

__all__ = [
    "Entry",
    "FactLimb",
    "LimbTrace",
    "Truth",
    "fact_text",
    "judge_limb",
    "told_of",
    "trace_limb",
]

Truth: TypeAlias = Literal["true", "false", "unknown"]
FactLimb: TypeAlias = AmountLimb | FlagLimb | PlaceLimb | WordLimb
# The parameter's value or the set in force that a limb names; None where it names none, or none is in force.
Entry: TypeAlias = DatedValue | DatedSet | None
_Judged: TypeAlias = tuple[Truth, tuple[str, ...]]

_INFINITE: Final = float("inf")
_FLAGS: Final[Mapping[bool | None, str]] = {True: "true", False: "false", None: "unknown"}


class LimbTrace(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One limb as it was evaluated: what was asked, what was found, what is missing.

    `parameter`, `place_set` or `definition` names what it read from the pack; `source`, `mark`, `since` and `until`
    are those of the entry in force.
    """

    quantity: str
    value: str
    op: str
    threshold: str
    unit: str = ""
    parameter: str = ""
    place_set: str = ""
    definition: str = ""
    source: str = ""
    mark: str = ""
    since: Instant | None = None
    until: Instant | None = None
    truth: Truth
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def judge_limb(limb: FactLimb, fact: Fact | None, entry: Entry) -> tuple[Truth, tuple[str, ...]]:
    """The limb's truth, and what is missing where it is unknown.

    `fact` is None where the request's kind does not tell the quantity. Raises TypeError where the fact is of another
    kind than the limb, which the pack reader rules out.
    """
    absent = _absent(limb, entry)
    if absent:
        return "unknown", (absent,)
    if fact is None:
        return "unknown", (limb.quantity,)
    if isinstance(limb, AmountLimb) and isinstance(fact, AmountFact):
        return _amount(limb, fact, entry)
    if isinstance(limb, FlagLimb) and isinstance(fact, FlagFact):
        return _known(fact.value, fact.value is limb.value, fact.missing)
    if isinstance(limb, PlaceLimb) and isinstance(fact, PlacesFact):
        return _places(limb, fact, entry)
    if isinstance(limb, WordLimb) and isinstance(fact, WordFact):
        said = fact.values
        return _known(said, not set(limb.words).isdisjoint(said or ()), fact.missing)
    raise TypeError(f"{limb.quantity} is no {type(limb).__name__}")


def trace_limb(limb: FactLimb, fact: Fact | None, entry: Entry) -> LimbTrace:
    """The limb's truth with its reasons. Raises TypeError as `judge_limb`."""
    truth, missing = judge_limb(limb, fact, entry)
    notes = fact.notes if fact is not None else ()
    return LimbTrace(
        value=fact_text(fact), truth=truth, missing=missing, **told_of(limb, entry, notes)
    )


def told_of(limb: FactLimb, entry: Entry, notes: tuple[str, ...]) -> dict[str, Anything]:
    """The fields of a limb's trace that are the same whatever the amount, the flag or the place is."""
    name = getattr(limb, "parameter", "") or getattr(limb, "place_set", "")
    recalled = (f"{name}: to be verified",) if entry is not None and entry.mark == "R" else ()
    told = {"quantity": limb.quantity, "notes": notes + recalled, **_asked(limb, entry)}
    if entry is None:
        return told
    source = f"{entry.source}, {entry.cite}"
    return {**told, "source": source, "mark": entry.mark, "since": entry.start, "until": entry.end}


def _asked(limb: FactLimb, entry: Entry) -> dict[str, str]:
    if isinstance(limb, AmountLimb):
        threshold = _threshold(limb, entry)
        text = "" if threshold is None else _text(threshold)
        told = {"op": limb.op, "threshold": text, "unit": limb.unit}
        return {**told, "parameter": limb.parameter}
    if isinstance(limb, PlaceLimb):
        text = limb.place_set or ", ".join(limb.places)
        return {"op": limb.op, "threshold": text, "place_set": limb.place_set}
    if isinstance(limb, WordLimb):
        return {"op": "one-of", "threshold": ", ".join(limb.words)}
    return {"op": "is", "threshold": _FLAGS[limb.value]}


def _absent(limb: FactLimb, entry: Entry) -> str:
    """What the pack itself lacks on the date: the value of a parameter, the members of a set."""
    if isinstance(limb, AmountLimb) and _threshold(limb, entry) is None:
        return f"parameter {limb.parameter} on that date"
    if isinstance(limb, PlaceLimb) and _members(limb, entry) is None:
        return f"set {limb.place_set} on that date"
    return ""


def _known(said: object, holds: bool, missing: tuple[str, ...]) -> _Judged:
    """What nobody said is unknown."""
    if said is None:
        return "unknown", missing
    return ("true" if holds else "false"), ()


# --- amounts: intervals against an exact threshold ------------------------------------------------

_Test: TypeAlias = Callable[[AmountFact, Threshold], bool]
# (true where it holds of the whole interval, false where it holds of none of it)
_TESTS: Final[Mapping[str, tuple[_Test, _Test]]] = {
    ">": (lambda f, t: f.low > t, lambda f, t: f.high <= t),
    ">=": (lambda f, t: f.low >= t, lambda f, t: f.high < t),
    "<": (lambda f, t: f.high < t, lambda f, t: f.low >= t),
    "<=": (lambda f, t: f.high <= t, lambda f, t: f.low > t),
    "=": (lambda f, t: f.low == t == f.high, lambda f, t: not f.low <= t <= f.high),
    "!=": (lambda f, t: not f.low <= t <= f.high, lambda f, t: f.low == t == f.high),
}


def _amount(limb: AmountLimb, fact: AmountFact, entry: Entry) -> _Judged:
    threshold = _threshold(limb, entry)
    if threshold is None:
        raise TypeError(limb.parameter)
    holds, fails = _TESTS[limb.op]
    if holds(fact, threshold):
        return "true", ()
    if fails(fact, threshold):
        return "false", ()
    return "unknown", fact.missing


def _threshold(limb: AmountLimb, entry: Entry) -> Threshold | None:
    if not limb.parameter:
        return limb.value
    return entry.value if isinstance(entry, DatedValue) else None


# --- places: a part (US-CA) lies in its country (US) ----------------------------------------------


def _places(limb: PlaceLimb, fact: PlacesFact, entry: Entry) -> _Judged:
    """`any-of`: one of the places is inside; `all-of`: every one is, and there is one.

    A country that is named without its part leaves open whether the part is meant; so do places that may be more.
    """
    members = _members(limb, entry) or frozenset()
    if fact.values is None:
        return "unknown", fact.missing
    if limb.op == "any-of":
        return _any_of(limb, fact, fact.values, members)
    return _all_of(limb, fact, fact.values, members)


def _any_of(
    limb: PlaceLimb, fact: PlacesFact, values: tuple[str, ...], members: frozenset[str]
) -> _Judged:
    if any(_is_inside(value, members) for value in values):
        return "true", ()
    meant = _whether(limb, _open_parts(limb, values, members))
    if meant or not fact.complete:
        return "unknown", meant + (() if fact.complete else _more(limb, fact))
    return "false", ()


def _all_of(
    limb: PlaceLimb, fact: PlacesFact, values: tuple[str, ...], members: frozenset[str]
) -> _Judged:
    outside = tuple(value for value in values if not _is_inside(value, members))
    parts = _open_parts(limb, outside, members)
    countries = {part.partition("-")[0] for part in parts}
    if any(value not in countries for value in outside):
        return "false", ()
    meant = _whether(limb, parts)
    if meant or not fact.complete or not values:
        return "unknown", meant + (() if fact.complete and values else _more(limb, fact))
    return "true", ()


def _members(limb: PlaceLimb, entry: Entry) -> frozenset[str] | None:
    if not limb.place_set:
        return frozenset(limb.places)
    return entry.members if isinstance(entry, DatedSet) else None


def _is_inside(place: str, members: frozenset[str]) -> bool:
    return place in members or place.partition("-")[0] in members


def _open_parts(
    limb: PlaceLimb, values: tuple[str, ...], members: frozenset[str]
) -> tuple[str, ...]:
    """The parts of countries that are named without any part of theirs, in the order of the pack."""
    candidates = limb.places or tuple(sorted(members))
    return tuple(part for part in candidates if "-" in part and _may_hold(part, values))


def _may_hold(part: str, values: tuple[str, ...]) -> bool:
    country = part.partition("-")[0]
    return country in values and not any(value.startswith(f"{country}-") for value in values)


def _whether(limb: PlaceLimb, parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{limb.quantity}: whether {part} is meant" for part in parts)


def _more(limb: PlaceLimb, fact: PlacesFact) -> tuple[str, ...]:
    return fact.missing or (limb.quantity,)


# --- words for what was found ---------------------------------------------------------------------


def fact_text(fact: Fact | None) -> str:
    """What is known of a quantity, in words: an amount or its bounds, places, words."""
    if fact is None:
        return "unknown"
    if isinstance(fact, AmountFact):
        return _interval_text(fact)
    if isinstance(fact, FlagFact):
        return _FLAGS[fact.value]
    if fact.values is None:
        return "unknown"
    text = ", ".join(fact.values)
    if isinstance(fact, PlacesFact) and not fact.complete:
        return f"{text} and perhaps more" if text else "unknown"
    return text


def _interval_text(fact: AmountFact) -> str:
    if fact.low == fact.high:
        return _text(fact.low)
    if fact.high == _INFINITE:
        return f"at least {_text(fact.low)}"
    return f"{_text(fact.low)} to {_text(fact.high)}"


def _text(amount: Amount) -> str:
    """An amount exactly where it has a finite decimal form of reasonable length; else rounded, with the fraction."""
    if isinstance(amount, int):
        return str(amount)
    if amount == _INFINITE:
        return "without bound"
    exact = Fraction(amount)
    if exact.denominator == 1:
        return str(exact.numerator)
    scaled = exact * 10**6
    if scaled.denominator == 1:
        whole, part = divmod(scaled.numerator, 10**6)
        return f"{whole}.{part:06d}".rstrip("0")
    return f"{_rounded(exact)} ({exact.numerator}/{exact.denominator})"


def _rounded(exact: Fraction) -> str:
    """To six places, half to even, with the sign for "about"."""
    whole, part = divmod(round(exact * 10**6), 10**6)
    return f"≈{whole}.{part:06d}"
