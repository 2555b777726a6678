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
        index = {threshold: number for number, threshold in enumerate(self.thresholds)}
        count = len(self.thresholds)
        low = _Sides([0] * count, [0] * count)
        high = _Sides([0] * count, [0] * count)
        self.exact = [0] * (2 * count + 1)
        for bit, op, threshold in known:
            number = index[threshold]
            low.take(number, [_bit(truth, bit, width) for truth in _BY_LOW[op]])
            high.take(number, [_bit(truth, bit, width) for truth in _BY_HIGH[op]])
            if op in ("=", "!="):
                self.exact[2 * number + 1] |= _bit(op == "=", bit, width)
        self.by_low = low.swept()
        self.by_high = _Sides(high.past[::-1], high.on[::-1]).swept()[::-1]

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


class _Sides:
    """What an end of the interval settles of each threshold once it is past it, and where it lies on it."""

    __slots__ = ("on", "past")

    def __init__(self, past: list[int], on: list[int]) -> None:
        self.past, self.on = past, on

    def take(self, number: int, bits: Sequence[int]) -> None:
        self.past[number] |= bits[0]
        self.on[number] |= bits[1]

    def swept(self) -> list[int]:
        """By place: one sweep over the thresholds, so that a pack with thousands of them is ready at once."""
        settled, found = 0, [0]
        for past, on in zip(self.past, self.on, strict=True):
            found.append(settled | on)
            settled |= past
            found.append(settled)
        return found


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
