"""Seeded draws that come out the same on every machine and every Python: SplitMix64, our own few distributions.

The middle of the house holds no randomness: a seed goes in, the same numbers come out.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Final, TypeVar

__all__ = ["Draws"]

T = TypeVar("T")
_MASK: Final = (1 << 64) - 1


class Draws:
    """A stream of numbers from a name and a seed."""

    def __init__(self, name: str, seed: int) -> None:
        digest = hashlib.sha256(f"{name}/{seed}".encode()).digest()
        self._state = int.from_bytes(digest[:8], "big")

    def share(self) -> float:
        """Uniform in [0, 1)."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((mixed ^ (mixed >> 31)) >> 11) / (1 << 53)

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.share()

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self.share() * (high - low + 1))

    def pick(self, of: Sequence[T]) -> T:
        return of[self.whole(0, len(of) - 1)]

    def normal(self, deviation: float) -> float:
        """About zero: the sum of four uniform draws, scaled; it never leaves three and a half deviations."""
        return (
            (self.share() + self.share() + self.share() + self.share() - 2.0) * 3**0.5 * deviation
        )

    def waiting(self, mean: float) -> float:
        """Time to the next of independent events."""
        return -mean * math.log(1.0 - self.share())
