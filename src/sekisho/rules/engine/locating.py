"""Where a fact lies among the limbs that ask about one quantity: which of them it makes true, which false.

A mask holds the bits of the true limbs, and shifted by the table's width those of the false ones. Amounts are found
among the sorted thresholds by bisection, both ends of their interval; flags, places and words in a dictionary.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from sekisho.rules.facts import Amount, AmountFact, Fact
from sekisho.rules.limbs import Entry, FactLimb, judge_limb
from sekisho.rules.pack import AmountLimb, DatedValue, Threshold

__all__ = ["Asked", "Locate", "locator"]

# A limb with its bit and the entry of the pack that it reads.
Asked: TypeAlias = tuple[int, FactLimb, Entry]
Locate: TypeAlias = Callable[[Fact], int]
_KEPT: Final = 4096


def locator(asked: Sequence[Asked], width: int) -> Locate:
    """From a fact to the mask of these limbs, which ask about one quantity."""
    if all(isinstance(limb, AmountLimb) for _, limb, _ in asked):
        return _Amounts(asked, width)
    return _Kept(asked, width)


class _Kept:
    """Facts of few values: judged once, then looked up."""

    __slots__ = ("asked", "kept", "width")

    def __init__(self, asked: Sequence[Asked], width: int) -> None:
        self.asked, self.width = tuple(asked), width
        self.kept: dict[Fact, int] = {}

    def __call__(self, fact: Fact) -> int:
        mask = self.kept.get(fact)
        if mask is None:
            mask = self._judge(fact)
            if len(self.kept) >= _KEPT:
                self.kept.clear()
            self.kept[fact] = mask
        return mask

    def _judge(self, fact: Fact) -> int:
        mask = 0
        for bit, limb, entry in self.asked:
            truth = judge_limb(limb, fact, entry)[0]
            if truth != "unknown":
                mask |= 1 << (bit if truth == "true" else bit + self.width)
        return mask


# What an end of the interval settles, beyond a threshold or below it: (op, end, side) -> truth.
_BY_LOW: Final[Mapping[str, tuple[bool | None, bool | None]]] = {
    # op: (where low > threshold, where low = threshold)
    ">": (True, None),
    ">=": (True, True),
    "<": (False, False),
    "<=": (False, None),
    "=": (False, None),
    "!=": (True, None),
}
_BY_HIGH: Final[Mapping[str, tuple[bool | None, bool | None]]] = {
    # op: (where high < threshold, where high = threshold)
    ">": (False, False),
    ">=": (False, None),
    "<": (True, None),
    "<=": (True, True),
    "=": (False, None),
    "!=": (True, None),
}


class _Amounts:
    """Sorted thresholds, and for each place among them what it settles: twice the index, plus one on a threshold."""

    __slots__ = ("by_high", "by_low", "exact", "thresholds")

    def __init__(self, asked: Sequence[Asked], width: int) -> None:
        known = [
            (bit, limb.op, threshold)
            for bit, limb, entry in asked
            if isinstance(limb, AmountLimb) and (threshold := _threshold(limb, entry)) is not None
        ]
        self.thresholds = sorted({t for _, _, t in known})
        places = range(2 * len(self.thresholds) + 1)
        self.by_low = [0] * len(places)
        self.by_high = [0] * len(places)
        self.exact = [0] * len(places)
        for bit, op, threshold in known:
            on = 2 * self.thresholds.index(threshold) + 1
            beyond, at_low = _BY_LOW[op]
            below, at_high = _BY_HIGH[op]
            for place in places:
                low = beyond if place > on else at_low if place == on else None
                high = below if place < on else at_high if place == on else None
                self.by_low[place] |= _bit(low, bit, width)
                self.by_high[place] |= _bit(high, bit, width)
            if op in ("=", "!="):
                self.exact[on] |= _bit(op == "=", bit, width)

    def __call__(self, fact: Fact) -> int:
        if not isinstance(fact, AmountFact):
            raise TypeError("an amount is asked for")
        low = self._place(fact.low)
        if fact.low == fact.high:
            return self.by_low[low] | self.by_high[low] | self.exact[low]
        return self.by_low[low] | self.by_high[self._place(fact.high)]

    def _place(self, amount: Amount) -> int:
        index = bisect_left(self.thresholds, amount)
        is_on = index < len(self.thresholds) and self.thresholds[index] == amount
        return 2 * index + is_on


def _bit(truth: bool | None, bit: int, width: int) -> int:
    if truth is None:
        return 0
    return 1 << (bit if truth else bit + width)


def _threshold(limb: AmountLimb, entry: Entry) -> Threshold | None:
    """The amount to compare with; whole numbers as integers, which are compared faster."""
    value = limb.value
    if limb.parameter:
        found = entry.value if isinstance(entry, DatedValue) else None
        if found is None:
            return None
        value = found
    return value.numerator if value.denominator == 1 else value
