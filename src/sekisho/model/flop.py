"""How much was computed: exact FLOP intervals, what a declaration amounts to, what a host's peak allows.

Sources: F1 of the mechanisms file (6ND, GEMM sums); protocol section 11 (two intervals); for CPU hosts the
declared peak of issue part 6 (cores x clock x FLOP per cycle), a declaration and not a measurement.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal

import msgspec

from sekisho.model.errors import InvalidInput

__all__ = ["FlopInterval", "HostPeak", "cpu_time_bound", "declared_6nd", "gemm"]


class FlopInterval(msgspec.Struct, frozen=True):
    """The FLOP that were spent lie between `low` and `high`, both included, both whole numbers."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise InvalidInput(f"[{self.low}, {self.high}] is not a FLOP interval")

    def __add__(self, other: FlopInterval) -> FlopInterval:
        return FlopInterval(self.low + other.low, self.high + other.high)

    def scale(self, factor: Fraction | int) -> FlopInterval:
        """Multiply by a non-negative factor, rounding outwards so that the interval stays sound."""
        if factor < 0:
            raise InvalidInput(f"a FLOP interval cannot be scaled by {factor}")
        return FlopInterval(math.floor(self.low * factor), math.ceil(self.high * factor))

    def hull(self, other: FlopInterval) -> FlopInterval:
        """The smallest interval that holds both."""
        return FlopInterval(min(self.low, other.low), max(self.high, other.high))

    def holds(self, flop: int) -> bool:
        return self.low <= flop <= self.high


def declared_6nd(params: int, tokens: int) -> int:
    """Declared training compute of a dense transformer: 6 x (active) parameters x tokens."""
    return 6 * _count(params, "params") * _count(tokens, "tokens")


def gemm(m: int, n: int, k: int) -> int:
    """FLOP of one matrix product (m x k) by (k x n): a multiply and an add for each of m n k."""
    return 2 * _count(m, "m") * _count(n, "n") * _count(k, "k")


class HostPeak(msgspec.Struct, frozen=True, kw_only=True):
    """The peak of a CPU host as its operator declared it: cores x clock x FLOP per cycle and core."""

    cores: int
    clock_hz: int
    flop_per_cycle: int
    mark: Literal["declared"] = "declared"

    def __post_init__(self) -> None:
        if min(self.cores, self.clock_hz, self.flop_per_cycle) < 1:
            raise InvalidInput("cores, clock and FLOP per cycle are whole numbers from 1")

    @property
    def per_core_flop_per_s(self) -> int:
        return self.clock_hz * self.flop_per_cycle

    @property
    def peak_flop_per_s(self) -> int:
        return self.cores * self.per_core_flop_per_s


def cpu_time_bound(cpu_seconds: Fraction | float, per_core_peak: int) -> FlopInterval:
    """What processes can have computed at most in the CPU time that the kernel charged them.

    Sound against the operator as far as the declared `per_core_peak` (FLOP per second) and the kernel's count
    are; nothing is proved from below, so the interval starts at 0.
    """
    seconds = Fraction(cpu_seconds) if math.isfinite(cpu_seconds) else Fraction(-1)
    if seconds < 0 or per_core_peak < 1:
        raise InvalidInput(
            "CPU seconds are finite and not negative, a peak is a whole number from 1"
        )
    return FlopInterval(0, math.ceil(seconds * per_core_peak))


def _count(value: int, name: str) -> int:
    if value < 0:
        raise InvalidInput(f"{value} is negative", path=name)
    return value
