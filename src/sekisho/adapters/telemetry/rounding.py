"""Value x times / over, rounded half to even: as exact arithmetic would, at the speed of floating point."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["round_scaled"]

_SPLITTER: Final = 134_217_729.0  # 2**27 + 1: cuts a double into two halves (Dekker 1971)

Floats = npt.NDArray[np.float64]


def round_scaled(
    value: Floats, times: Floats, over: Floats, channel: npt.NDArray[np.int64]
) -> Floats:
    """Whole numbers; `times` and `over` are looked up by `channel`. What is not finite stays so.

    Rounding a floating-point product keeps its order, so only a product that falls exactly between two whole numbers
    can have come from either side: there the lost remainder is computed, and it decides.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = value * times[channel]
        if (over != 1).any():
            scaled /= over[channel]
        rounded: Floats = np.rint(scaled)
        ties = np.flatnonzero(np.abs(scaled - rounded) == 0.5)
    if len(ties):
        between, kinds = scaled[ties], channel[ties]
        left = _remainder(value[ties], times[kinds], between, over[kinds])
        rounded[ties] = np.where(left == 0, rounded[ties], np.rint(between + np.sign(left) * 0.25))
    return rounded


def _remainder(a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """A x b - c x d, where the two products are nearly the same; its sign is exact."""
    first, first_rest = _product(a, b)
    second, second_rest = _product(c, d)
    found: Floats = (first - second) + (first_rest - second_rest)
    return found


def _product(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """A product and what rounding took from it, exactly (Dekker's two-product)."""
    whole = a * b
    a_high, b_high = _high_half(a), _high_half(b)
    a_low, b_low = a - a_high, b - b_high
    rest = ((a_high * b_high - whole) + a_high * b_low + a_low * b_high) + a_low * b_low
    return whole, rest


def _high_half(x: Floats) -> Floats:
    scaled = x * _SPLITTER
    found: Floats = scaled - (scaled - x)
    return found
