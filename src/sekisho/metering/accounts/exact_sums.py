"""Sums of rationals with many denominators, rounded exactly and compared exactly, in time that such sums allow.

A work of 7 FLOP over 3 hours has no finite decimal, and the common denominator of fifty thousand such works has a
million digits. So a sum is kept as whole numbers by denominator, judged first by an enclosure of 128 binary places,
and added up as one fraction only where the enclosure cannot tell: at an exact touch.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import gcd
from typing import Final

__all__ = ["PLACES", "ExactSum"]

PLACES: Final = 128
"""Binary places of the enclosure: enough that only equal amounts are left undecided in practice."""


class ExactSum:
    """A growing sum of fractions numerator / denominator, each denominator 1 or more."""

    __slots__ = ("_by_denominator", "_whole")

    def __init__(self, parts: Iterable[tuple[int, int]] = ()) -> None:
        self._whole = 0
        self._by_denominator: dict[int, int] = {}
        for numerator, denominator in parts:
            self.add(numerator, denominator)

    def add(self, numerator: int, denominator: int = 1) -> None:
        """Add a fraction; whole parts are taken out at once, so that what is kept by denominator stays below one."""
        if denominator == 1:
            self._whole += numerator
            return
        whole, rest = divmod(numerator, denominator)
        self._whole += whole
        if rest:
            rest += self._by_denominator.get(denominator, 0)
            if rest >= denominator:
                self._whole += 1
                rest -= denominator
            self._by_denominator[denominator] = rest

    @property
    def is_whole(self) -> bool:
        """Whether nothing but whole numbers was added so far."""
        return not self._by_denominator

    def floor(self) -> int:
        """The largest whole number that is not above the sum."""
        if not self._by_denominator:
            return self._whole
        low, high = self._enclosed()
        if low >> PLACES == high >> PLACES:
            return low >> PLACES
        value = self.value()
        return value.numerator // value.denominator

    def ceil(self) -> int:
        """The smallest whole number that is not below the sum."""
        if not self._by_denominator:
            return self._whole
        low, high = self._enclosed()
        if -(-low >> PLACES) == -(-high >> PLACES):
            return -(-low >> PLACES)
        value = self.value()
        return -(-value.numerator // value.denominator)

    def is_at_least(self, amount: int) -> bool:
        """Whether the sum reaches a whole amount."""
        return self.floor() >= amount

    def value(self) -> Fraction:
        """The sum as one fraction: exact, and long where many denominators meet."""
        reduced = [_reduced(rest, of) for of, rest in self._by_denominator.items() if rest]
        numerator, denominator = _added(reduced)
        return self._whole + Fraction(numerator, denominator)

    def _enclosed(self) -> tuple[int, int]:
        """The sum times 2^128 lies between these two, both included."""
        low, inexact = self._whole << PLACES, 0
        for of, rest in self._by_denominator.items():
            quotient, left = divmod(rest << PLACES, of)
            low += quotient
            inexact += left != 0
        return low, low + inexact


def _reduced(numerator: int, denominator: int) -> tuple[int, int]:
    common = gcd(numerator, denominator)
    return numerator // common, denominator // common


def _added(parts: list[tuple[int, int]]) -> tuple[int, int]:
    """The sum of fractions, in pairs: long numbers meet only at the end."""
    merged: dict[int, int] = {}
    for numerator, denominator in parts:
        merged[denominator] = merged.get(denominator, 0) + numerator
    level = [(numerator, denominator) for denominator, numerator in sorted(merged.items())]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        odd = level[len(level) & ~1 :]
        level = [_reduced(a * d + c * b, b * d) for (a, b), (c, d) in pairs] + odd
    return level[0] if level else (0, 1)
