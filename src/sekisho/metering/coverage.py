"""How often an interval held the truth, and how little a small count proves (Clopper and Pearson, 1934)."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import comb

import msgspec

from sekisho.model.errors import InvalidInput

__all__ = ["Coverage", "binomial_interval"]

_BITS = 20  # the ends are found to one in a million, and rounded outwards


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """Of `of` left-out cases `held` lay in their interval; `low` to `high` holds the true share at 95 %.

    The cases are taken as independent, which runs of one system are not: read the count of groups beside it.
    """

    held: int
    of: int
    low: float  # multiples of 1/2^20, which a float holds exactly
    high: float

    @classmethod
    def count(cls, held: int, of: int) -> Coverage:
        low, high = binomial_interval(held, of)
        return cls(held=held, of=of, low=float(low), high=float(high))

    def __str__(self) -> str:
        return f"{self.held} of {self.of} (95 %: {self.low:.1%} to {self.high:.1%})"


@lru_cache(maxsize=256)
def binomial_interval(
    held: int, of: int, confidence: Fraction = Fraction(95, 100)
) -> tuple[Fraction, Fraction]:
    """The exact two-sided interval of a share: bisection on exact sums, rounded outwards to 1/2^20.

    [0, 1] where nothing was tried. Raises InvalidInput unless 0 <= held <= of.
    """
    if not 0 <= held <= of:
        raise InvalidInput(f"{held} of {of} is not a count of cases")
    tail = (1 - confidence) / 2
    low = Fraction(0) if held == 0 else _lower_end(held, of, tail)
    high = Fraction(1) if held == of else 1 - _lower_end(of - held, of, tail)
    return low, high


def _lower_end(held: int, of: int, tail: Fraction) -> Fraction:
    """The largest share on the grid at which `held` or more of `of` are still at most `tail` likely."""
    scale = 1 << _BITS
    below, above = 0, scale
    while above - below > 1:
        middle = (below + above) // 2
        if _at_least(held, of, middle, scale) * tail.denominator <= tail.numerator * scale**of:
            below = middle
        else:
            above = middle
    return Fraction(below, scale)


def _at_least(held: int, of: int, share: int, scale: int) -> int:
    """P(X >= held) x scale^of for X binomial(of, share / scale), summed from the shorter side."""
    other = scale - share
    if 2 * held > of:
        return sum(comb(of, i) * share**i * other ** (of - i) for i in range(held, of + 1))
    rest = sum(comb(of, i) * share**i * other ** (of - i) for i in range(held))
    return int(scale**of - rest)
