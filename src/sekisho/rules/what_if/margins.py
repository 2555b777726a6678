"""How close to a threshold requests come: counts in steps of one per cent on both sides, and a test for bunching.

The test asks one thing: if a request near the threshold were as likely to lie just above it as just below, how often
would chance put at least so many below? It proves nothing by itself: small transfers are commoner than large ones,
goods come in round lots, and a product's figure is where its maker put it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Final, Literal

import msgspec

from sekisho.rules.pack import Threshold
from sekisho.rules.requests import RequestKind
from sekisho.rules.what_if.thresholds import UpperThreshold

__all__ = [
    "MOST_VALUES",
    "REACH",
    "TEST_WINDOW",
    "WITHIN",
    "Margin",
    "MarginCounts",
    "binomial_tail",
]

REACH: Final = 20
"""Steps of one per cent on each side of the threshold."""
WITHIN: Final = (1, 2, 5, 10, 20)
TEST_WINDOW: Final = 5
"""Per cent on each side that the test compares; fixed before anybody looked at the figures."""
MOST_VALUES: Final = 50


class Margin(msgspec.Struct, frozen=True, kw_only=True):
    """What lies near one threshold. `below[k]` counts amounts from k to k + 1 per cent under it, `above[k]` over it.

    An amount that still meets the rule at the threshold itself counts as below. `open_amounts` are requests whose
    amount is not known exactly. `values` is how many different amounts lie in reach, None where there are more than
    50. `p_value` is one-sided, by the binomial distribution; None where nothing lies within 5 per cent.
    """

    threshold: UpperThreshold
    kind: RequestKind
    sides: tuple[Literal["a", "b"], ...]
    measured: int
    open_amounts: int
    below: tuple[int, ...]
    above: tuple[int, ...]
    values: int | None
    p_value: float | None

    def within(self, per_cent: int) -> int:
        """How many stay less than so many per cent below."""
        return sum(self.below[:per_cent])

    def beyond(self, per_cent: int) -> int:
        """How many are less than so many per cent above."""
        return sum(self.above[:per_cent])

    @property
    def largest_bin(self) -> int:
        return max(*self.below, *self.above)


class MarginCounts:
    """The counts behind one `Margin`, while the population passes."""

    def __init__(self) -> None:
        self.measured = 0
        self.open_amounts = 0
        self.bins = [0] * (2 * REACH)
        self.values: set[str] = set()

    def take(self, threshold: UpperThreshold, amount: Threshold, count: int = 1) -> None:
        """An amount that came so often, within reach or not; a step's lower edge belongs to it."""
        value = threshold.value
        is_above = threshold.is_over(amount)
        distance = Fraction(amount) - value
        step = math.floor(abs(distance) * 100 / Fraction(value))
        if step >= REACH:
            return
        self.bins[REACH + step if is_above else step] += count
        if len(self.values) <= MOST_VALUES:
            self.values.add(str(amount))

    def add(self, other: MarginCounts) -> None:
        """Another part of the same population."""
        self.measured += other.measured
        self.open_amounts += other.open_amounts
        self.bins = [x + y for x, y in zip(self.bins, other.bins, strict=True)]
        self.values |= other.values

    def shown(
        self, threshold: UpperThreshold, kind: RequestKind, sides: Sequence[Literal["a", "b"]]
    ) -> Margin:
        """The margin of requests of that kind."""
        below, above = tuple(self.bins[:REACH]), tuple(self.bins[REACH:])
        low, high = sum(below[:TEST_WINDOW]), sum(above[:TEST_WINDOW])
        return Margin(
            threshold=threshold,
            kind=kind,
            sides=tuple(sides),
            measured=self.measured,
            open_amounts=self.open_amounts,
            below=below,
            above=above,
            values=len(self.values) if len(self.values) <= MOST_VALUES else None,
            p_value=binomial_tail(low, low + high) if low + high else None,
        )


def binomial_tail(successes: int, trials: int) -> float:
    """P(X >= successes) of X ~ Binomial(trials, 1/2), to about twelve digits."""
    if successes <= 0:
        return 1.0
    if 2 * successes <= trials:
        return 1.0 - binomial_tail(trials - successes + 1, trials)
    if trials <= 1000:
        ways = sum(math.comb(trials, k) for k in range(successes, trials + 1))
        return float(Fraction(ways, 1 << trials))
    first = math.lgamma(trials + 1) - math.lgamma(successes + 1)
    first -= math.lgamma(trials - successes + 1) + trials * math.log(2)
    total = term = 1.0
    for k in range(successes, trials):
        term *= (trials - k) / (k + 1)
        total += term
        if term < total * 1e-17:
            break
    return min(1.0, math.exp(first) * total)
