"""An estimate of FLOP, and how a declaration stands to it: shared by figures of runs and of usage."""

from __future__ import annotations

from fractions import Fraction
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.amounts import MAX_FLOP, format_flop
from sekisho.model.errors import InvalidInput
from sekisho.model.flop import FlopInterval

__all__ = [
    "DECLARED_ERROR",
    "DeclaredCheck",
    "Estimate",
    "compare_declared",
    "require_digits",
    "wire_flop",
]

DeclaredCheck: TypeAlias = Literal[
    "within", "below the estimate", "above the estimate", "above the bound"
]
# A declaration has an error of its own (O): 6ND leaves out attention and recomputation.
DECLARED_ERROR: Final = Fraction(1, 10)


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """FLOP, whole numbers, low <= best <= high; `calibrated` where chip, scale and workload have references."""

    low: int
    best: int
    high: int
    calibrated: bool = False

    def clip(self, ceiling: int) -> Estimate:
        """No estimate lies above the bound."""
        low, best, high = (min(x, ceiling) for x in (self.low, self.best, self.high))
        return msgspec.structs.replace(self, low=low, best=best, high=high)


def compare_declared(
    declared: int | None, bound: FlopInterval | None, estimate: Estimate | None, *, convicts: bool
) -> DeclaredCheck | None:
    """The declaration against the figure, beyond both errors; None where either is missing.

    An estimate that is not grounded (`convicts` False) contradicts nobody; the bound always does.
    """
    if declared is None or bound is None:
        return None
    if declared > bound.high:
        return "above the bound"
    if estimate is None or not convicts:
        return None
    if declared * (1 + DECLARED_ERROR) < estimate.low:
        return "below the estimate"
    if declared * (1 - DECLARED_ERROR) > estimate.high:
        return "above the estimate"
    return "within"


def wire_flop(flop: int | None) -> str | None:
    """The decimal string of the wire; None stays None, not measured."""
    return None if flop is None else format_flop(flop)


def require_digits(flop: int, name: str) -> int:
    """The figure itself, if the wire can hold it. Raises InvalidInput naming the row otherwise."""
    if flop > MAX_FLOP:
        raise InvalidInput("a figure of more than 38 digits", path=name, remedy="check the row")
    return flop
