"""What is measured of each request beside its answers: how near it comes to thresholds, what its owner adds up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.rules.facts import AmountFact, Fact
from sekisho.rules.pack import Threshold
from sekisho.rules.requests import RequestKind
from sekisho.rules.what_if.margins import REACH, Margin, MarginCounts
from sekisho.rules.what_if.splitting import ADDED_UP, OwnerSums, Split, split_at
from sekisho.rules.what_if.thresholds import UpperThreshold

__all__ = ["Asked", "Measures", "asked_of", "exact_amount"]

SideName: TypeAlias = Literal["a", "b"]
MarginKey: TypeAlias = tuple[RequestKind, str, str, Threshold, str]
"""Kind of request, quantity, operator, value, unit: the same threshold of both packs is one."""
_REACH_LOW: Final = 1 - (REACH + 1) / 100
_REACH_HIGH: Final = 1 + (REACH + 1) / 100


class Near(msgspec.Struct, frozen=True, gc=False):
    """One threshold, ready to be compared quickly: amounts outside the two bounds are certainly out of reach."""

    key: MarginKey
    threshold: UpperThreshold
    low: float
    high: float


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of request is measured against at one date."""

    near: Mapping[str, tuple[Near, ...]]
    """By quantity."""
    added_up: tuple[str, ...]
    """Quantities summed by owner."""


def asked_of(thresholds: Iterable[UpperThreshold]) -> Mapping[RequestKind, Asked]:
    """What those thresholds make worth measuring, by kind of request; a threshold of both sides counts once."""
    by_kind: dict[RequestKind, dict[MarginKey, Near]] = {}
    for one in thresholds:
        for kind in one.kinds:
            by_kind.setdefault(kind, {}).setdefault(_key(kind, one), _near(kind, one))
    return {kind: _asked(tuple(found.values())) for kind, found in by_kind.items()}


def _key(kind: RequestKind, one: UpperThreshold) -> MarginKey:
    return kind, one.quantity, one.op, one.value, one.unit


def _near(kind: RequestKind, one: UpperThreshold) -> Near:
    edge = float(one.value)
    return Near(_key(kind, one), one, edge * _REACH_LOW, edge * _REACH_HIGH)


def _asked(found: tuple[Near, ...]) -> Asked:
    near: dict[str, tuple[Near, ...]] = {}
    for one in found:
        quantity = one.threshold.quantity
        near[quantity] = (*near.get(quantity, ()), one)
    added = dict.fromkeys(ADDED_UP[quantity] for quantity in near if quantity in ADDED_UP)
    return Asked(near=near, added_up=tuple(added))


class _Seen:
    """Facts of one quantity that wait to be measured, each with how often it came.

    Facts that depend on a chip or a word alone are the same object for every request, so few are measured often.
    """

    __slots__ = ("counts", "facts", "near")

    def __init__(self, near: tuple[Near, ...]) -> None:
        self.near = near
        self.facts: dict[int, Fact | None] = {}  # held, so that no other fact gets their number
        self.counts: dict[int, int] = {}


class Measures:
    """Margins and owners' sums while the population passes."""

    _WAITING = 8192
    """Facts of one quantity that may wait."""

    def __init__(self) -> None:
        self._margins: dict[MarginKey, MarginCounts] = {}
        self._thresholds: dict[MarginKey, dict[SideName, UpperThreshold]] = {}
        self._sums: dict[tuple[RequestKind, str], OwnerSums] = {}
        self._seen: dict[int, tuple[Asked, dict[str, _Seen]]] = {}

    def meet(self, side: SideName, thresholds: Iterable[UpperThreshold]) -> None:
        """A side's thresholds on a day, so that they are shown where nothing comes near them too."""
        for one in thresholds:
            for kind in one.kinds:
                self._thresholds.setdefault(_key(kind, one), {}).setdefault(side, one)
                self._margins.setdefault(_key(kind, one), MarginCounts())
                if one.quantity in ADDED_UP:
                    self._sums.setdefault((kind, ADDED_UP[one.quantity]), OwnerSums())

    def take_near(self, asked: Asked, facts: Mapping[str, Fact | None]) -> None:
        """One request's facts against the thresholds of its kind."""
        found = self._seen.get(id(asked))
        if found is None:
            found = (asked, {quantity: _Seen(near) for quantity, near in asked.near.items()})
            self._seen[id(asked)] = found
        for quantity, waiting in found[1].items():
            fact = facts.get(quantity)
            number = id(fact)
            counts = waiting.counts
            if number in counts:
                counts[number] += 1
            else:
                counts[number] = 1
                waiting.facts[number] = fact
                if len(counts) > self._WAITING:
                    self._measure(waiting)

    def take_sum(
        self, kind: RequestKind, quantity: str, owner: str, year: str, amount: Threshold | None
    ) -> None:
        """One request's amount for its owner's sum of the year."""
        self._sums[kind, quantity].take(owner, year, amount)

    def settle(self) -> None:
        """Measure what waits; to be called before anything is added up or shown."""
        for _, every in self._seen.values():
            for waiting in every.values():
                self._measure(waiting)
        self._seen.clear()

    def _measure(self, waiting: _Seen) -> None:
        for number, count in waiting.counts.items():
            amount = exact_amount(waiting.facts[number])
            about = None if amount is None else float(amount)
            for one in waiting.near:
                margin = self._margins[one.key]
                if amount is None or about is None:
                    margin.open_amounts += count
                    continue
                margin.measured += count
                if one.low <= about <= one.high:
                    margin.take(one.threshold, amount, count)
        waiting.counts.clear()
        waiting.facts.clear()

    def add(self, other: Measures) -> None:
        """Another part of the same population."""
        for key, sides in other._thresholds.items():
            mine = self._thresholds.setdefault(key, {})
            for side, threshold in sides.items():
                mine.setdefault(side, threshold)
        for key, counts in other._margins.items():
            self._margins.setdefault(key, MarginCounts()).add(counts)
        for place, sums in other._sums.items():
            self._sums.setdefault(place, OwnerSums()).add(sums)

    def margins(self) -> tuple[Margin, ...]:
        """Every threshold, by kind, quantity and value."""
        found = []
        for key in sorted(self._margins, key=_order):
            threshold, names = _sides_of(self._thresholds[key])
            found.append(self._margins[key].shown(threshold, key[0], names))
        return tuple(found)

    def splits(self) -> tuple[Split | None, ...]:
        """Every threshold on an amount that can be added up; None where there were too many owners."""
        found = []
        for key in sorted(self._margins, key=_order):
            quantity = ADDED_UP.get(key[1])
            if quantity is not None:
                threshold, _ = _sides_of(self._thresholds[key])
                found.append(split_at(threshold, key[0], self._sums[key[0], quantity]))
        return tuple(found)


def _sides_of(sides: Mapping[SideName, UpperThreshold]) -> tuple[UpperThreshold, list[SideName]]:
    """The threshold as one side words it, with the rules of both."""
    names: list[SideName] = sorted(sides)
    rules = dict.fromkeys(rule for name in names for rule in sides[name].rules)
    return msgspec.structs.replace(sides[names[0]], rules=tuple(rules)), names


def _order(key: MarginKey) -> tuple[str, str, Threshold, str]:
    return key[0], key[1], key[3], key[2]


def exact_amount(fact: Fact | None) -> Threshold | None:
    """The amount where it is known exactly, whole numbers as integers; else None."""
    if not isinstance(fact, AmountFact):
        return None
    low = fact.low
    if low != fact.high or isinstance(low, float):
        return None
    return low.numerator if low.denominator == 1 else low
