"""The four forms of a fact, and the interval arithmetic that they share.

An amount is an interval: what is known bounds it from below, what is missing opens it above. So 2e24 planned
FLOP are over 1e24 whatever the lineage turns out to be.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Final, TypeAlias

import msgspec

__all__ = [
    "NOTHING",
    "UNBOUNDED",
    "Amount",
    "AmountFact",
    "Fact",
    "FlagFact",
    "PlacesFact",
    "WordFact",
    "decimal",
    "exactly",
    "exactly_or_unknown",
    "given_decimal",
    "given_flop",
    "plus",
    "ratio",
    "total",
    "union",
    "unknown",
]

# The only floating-point value here is infinity, which Python compares exactly with integers and Fractions.
Amount: TypeAlias = int | Fraction | float
UNBOUNDED: Final = math.inf


class AmountFact(msgspec.Struct, frozen=True, kw_only=True):
    """The quantity lies between `low` and `high`; `missing` names the facts that would narrow it."""

    low: Amount
    high: Amount
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class FlagFact(msgspec.Struct, frozen=True, kw_only=True):
    """Yes, no, or nobody said."""

    value: bool | None
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class PlacesFact(msgspec.Struct, frozen=True, kw_only=True):
    """The places that were named, or None where nobody named any; not `complete` where there may be more."""

    values: tuple[str, ...] | None
    complete: bool = True
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class WordFact(msgspec.Struct, frozen=True, kw_only=True):
    """The words that were said (of several one is enough to meet a limb), or None where nobody said any."""

    values: tuple[str, ...] | None
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


Fact: TypeAlias = AmountFact | FlagFact | PlacesFact | WordFact

NOTHING: Final = AmountFact(low=0, high=0)


def decimal(text: str) -> int | Fraction:
    """A decimal string exactly; whole numbers as integers, which are compared and added faster."""
    return int(text) if text.isdigit() else whole(Fraction(text))


def whole(value: int | Fraction) -> int | Fraction:
    """The same number, as an integer where it is one."""
    return value.numerator if value.denominator == 1 else value


def exactly(value: int | Fraction, notes: tuple[str, ...] = ()) -> AmountFact:
    """An amount that is known."""
    exact = whole(value)
    return AmountFact(low=exact, high=exact, notes=notes)


def unknown(*missing: str, notes: tuple[str, ...] = ()) -> AmountFact:
    """An amount of which nothing is known, and what would tell it."""
    return AmountFact(low=0, high=UNBOUNDED, missing=missing, notes=notes)


def exactly_or_unknown(
    value: int | Fraction | None, name: str, notes: tuple[str, ...] = ()
) -> AmountFact:
    """An amount, or the name of the fact that would tell it."""
    return unknown(name, notes=notes) if value is None else exactly(value, notes)


def given_flop(text: str | None, name: str) -> AmountFact:
    """FLOP as a request states them."""
    return unknown(name) if text is None else exactly(int(text))


def given_decimal(text: str | None, name: str) -> AmountFact:
    """A decimal as a request states it."""
    return unknown(name) if text is None else exactly(decimal(text))


def union(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Every name once, in the order of its first mention."""
    return tuple(dict.fromkeys(name for group in groups for name in group))


def plus(first: AmountFact, second: AmountFact) -> AmountFact:
    """The sum of two amounts."""
    return AmountFact(
        low=first.low + second.low,
        high=first.high + second.high,
        missing=union((first.missing, second.missing)),
        notes=union((first.notes, second.notes)),
    )


def total(amounts: Iterable[AmountFact]) -> AmountFact:
    """The sum of any number of amounts, in one pass over what they miss."""
    rows = list(amounts)
    return AmountFact(
        low=sum(row.low for row in rows),
        high=sum(row.high for row in rows),
        missing=union(row.missing for row in rows),
        notes=union(row.notes for row in rows),
    )


def ratio(upper: AmountFact, lower: AmountFact) -> AmountFact:
    """One amount over another; without bound where the lower one may be nothing, 0 where nothing stands above."""
    return AmountFact(
        low=_quotient(upper.low, lower.high),
        high=_quotient(upper.high, lower.low),
        missing=union((upper.missing, lower.missing)),
        notes=union((upper.notes, lower.notes)),
    )


def _quotient(upper: Amount, lower: Amount) -> Amount:
    if upper == 0 or lower == UNBOUNDED:
        return 0
    if upper == UNBOUNDED or lower == 0:
        return UNBOUNDED
    return whole(Fraction(upper) / Fraction(lower))
