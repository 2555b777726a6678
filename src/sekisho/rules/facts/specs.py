"""A chip by its data sheet: TPP over its processing units, density over its non-planar dies, bandwidths."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

import msgspec

from sekisho.model.chips import EXPORT_H100
from sekisho.rules.facts.shapes import (
    NOTHING,
    UNBOUNDED,
    AmountFact,
    Fact,
    decimal,
    exactly,
    given_decimal,
    plus,
    ratio,
    unknown,
)
from sekisho.rules.requests.items import FORMAT_BITS, ChipSpec, DieSpec

__all__ = ["NO_STACK", "spec_facts", "tpp_by_bits"]

_PATH: Final = "item.spec"
_PLANAR: Final = AmountFact(low=0, high=0, notes=("no logic die on a non-planar node",))
_TELLING: Final = frozenset({16, 8})
NO_STACK: Final = AmountFact(low=0, high=0, notes=("not a memory stack by itself",))


class _Unit(msgspec.Struct, frozen=True):
    """One kind of die with the beginning of its fields' paths."""

    path: str
    die: DieSpec

    @property
    def tpp(self) -> dict[int, int | Fraction]:
        """TPP of all dies of the kind by bit length; a bit length without a peak is left out."""
        found: dict[int, int | Fraction] = {}
        for column, bits in FORMAT_BITS.items():
            peak = getattr(self.die, column)
            if peak is not None:
                rate = decimal(peak) * bits * self.die.count
                found[bits] = max(found.get(bits, 0), rate)
        return found


def spec_facts(spec: ChipSpec, *, hbm: bool) -> Mapping[str, Fact]:
    """The quantities of one chip, or of one memory stack."""
    units = _units(spec)
    tpp = NOTHING if hbm else _tpp(units)  # a sheet with peaks is refused as a memory stack's
    h100 = exactly(EXPORT_H100.tpp)
    interconnect = given_decimal(spec.interconnect_bidir_gbs, f"{_PATH}.interconnect_bidir_gbs")
    memory = given_decimal(spec.mem_bw_gbs, f"{_PATH}.mem_bw_gbs")
    return {
        "tpp": tpp,
        "h100e": ratio(tpp, h100),
        "performance_density": NOTHING if tpp is NOTHING else _density(tpp, units),
        "interconnect": interconnect,
        "memory_bandwidth": memory,
        "total_bandwidth": plus(memory, interconnect),
        "memory_bandwidth_density": _stack_density(spec) if hbm else NO_STACK,
    }


def tpp_by_bits(spec: ChipSpec) -> Mapping[int, int | Fraction]:
    """The TPP that each bit length gives over all processing units, as far as the sheet tells."""
    found: dict[int, int | Fraction] = {}
    for unit in _units(spec):
        for bits, tpp in unit.tpp.items():
            found[bits] = found.get(bits, 0) + tpp
    return found


def _units(spec: ChipSpec) -> tuple[_Unit, ...]:
    if not spec.dies:
        return (_Unit(_PATH, spec),)
    return tuple(_Unit(f"{_PATH}.dies[{n}]", die) for n, die in enumerate(spec.dies))


def _tpp(units: tuple[_Unit, ...]) -> AmountFact:
    """Summed over the units, the largest over bit lengths.

    A unit that tells no peak for the bit length that others reach their best at may add as much as its own best. One
    that tells neither 16 nor 8 bits has not told its best: an accelerator's FP32 is a fraction of it.
    """
    silent = tuple(
        f"{unit.path}.fp16_dense_tflops" for unit in units if _TELLING.isdisjoint(unit.tpp)
    )
    sums: dict[int, int | Fraction] = {}
    for unit in units:
        for bits, tpp in unit.tpp.items():
            sums[bits] = sums.get(bits, 0) + tpp
    low = max(sums.values(), default=0)
    if silent:
        return AmountFact(low=low, high=UNBOUNDED, missing=silent)
    high = sum((max(unit.tpp.values()) for unit in units), Fraction(0))
    if high == low:
        return exactly(low)
    best = max(bits for bits, tpp in sums.items() if tpp == low)
    missing = tuple(
        f"{unit.path}: its peak at {best} bits" for unit in units if best not in unit.tpp
    )
    return AmountFact(low=low, high=high, missing=missing) if missing else exactly(low)


def _density(tpp: AmountFact, units: tuple[_Unit, ...]) -> AmountFact:
    """TPP over the area of the non-planar dies; the area that is known bounds it from above."""
    dies = [unit for unit in units if not unit.die.planar]
    if not dies:
        return _PLANAR
    missing = tuple(f"{unit.path}.die_mm2" for unit in dies if unit.die.die_mm2 is None)
    known = sum(
        (decimal(unit.die.die_mm2) * unit.die.count for unit in dies if unit.die.die_mm2),
        Fraction(0),
    )
    high = UNBOUNDED if missing else known
    return ratio(tpp, AmountFact(low=known, high=high, missing=missing))


def _stack_density(spec: ChipSpec) -> AmountFact:
    """Bandwidth over the area of the package or stack (3A090.c)."""
    bandwidth = given_decimal(spec.mem_bw_gbs, f"{_PATH}.mem_bw_gbs")
    if spec.stack_mm2 is None:
        return ratio(bandwidth, unknown(f"{_PATH}.stack_mm2"))
    return ratio(bandwidth, exactly(decimal(spec.stack_mm2)))
