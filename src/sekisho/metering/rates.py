"""What one unit of summed activity is worth on one chip, under one counting rule: slowest, claimed and fastest format.

A unit of work is the store's: a millionth of the cycles of a kilohertz in a millisecond, so one millionth of a cycle.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import msgspec

from sekisho.metering.counting import BITS_OF, CountingRule
from sekisho.metering.tensor_clocks import TensorClock
from sekisho.model.chips import Chip
from sekisho.model.telemetry import Usage

__all__ = ["Claims", "Rates", "possible_khz", "rates_of"]

_PPM: Final = 10**6
# No part runs further above the clock that it is set to by itself; where that is not known, above the table's. A clock
# beyond is a wrong reading: one sample of it would scale the bound of all the time that it is summed with.
_ABOVE_MAX: Final = Fraction(11, 10)
_ABOVE_TABLE: Final = Fraction(5, 4)
# Chips without a row: the largest share of the 16-bit peak that any row of tensor_clocks.csv counts outside its matrix
# unit (L40: all of it), and a quarter of that as FP32.
_VECTOR_SHARE: Final = Fraction(1)
_FP32_SHARE: Final = Fraction(1, 4)


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator says beside the readings. It moves best figures; it never narrows a bound.

    `number_format` moves the best figure only, not the interval. `workload` ("gpt3") lets allocation alone be read
    with the reference runs. `averaged` says that activity counters average over their whole period (DCGM profiling
    fields, GPM), so that an estimate has no sampling error. `declared` is FLOP.
    """

    number_format: str = ""
    workload: str = ""
    declared: int | None = None
    averaged: bool = False


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """FLOP for one unit of work in the matrix unit (`slow`, `best`, `fast`) and outside it (`fp32`, `vector`).

    `peak_per_ms` is the fastest format's for one chip at the table's clock, `clock_scale` by how much the highest
    clock seen exceeds that, as far as the part can run; beyond, `is_doubtful`. `clock_khz` 0 where no table and no
    reading tells a clock: activity is worth nothing then.
    """

    clock_khz: int
    top_khz: int
    slow: Fraction
    best: Fraction
    fast: Fraction
    fp32: Fraction
    vector: Fraction
    peak_per_ms: Fraction
    clock_scale: Fraction
    fastest_format: str
    best_format: str
    is_claimed: bool  # the best format is the one claimed
    is_doubtful: bool  # a clock was seen at which the part cannot run
    row: TensorClock | None

    @property
    def seen_peak_per_ms(self) -> Fraction:
        """The fastest format at the highest clock seen, and never below the table's."""
        return self.peak_per_ms * self.clock_scale


def rates_of(
    chip: Chip, usage: Usage, rule: CountingRule, claims: Claims, row: TensorClock | None
) -> Rates:
    """The rates for one sum of usage.

    Any format from TF32 to the fastest is taken as possible. FP64 matrix products are not: they count as 16-bit ones.
    """
    clock_khz = row.clock_khz if row else usage.clock_max_khz
    seen_khz = min(usage.clock_max_khz, possible_khz(row)) if row else usage.clock_max_khz
    has_sparsity = row.has_sparsity if row else True
    best_format = _best_format(chip, rule, claims)
    sixteen = rule.rate(chip, "fp16") or rule.peak(chip)
    # Integer products are left out: on some chips they are far slower than any training would use.
    floating = (rule.rate(chip, name) for name in ("tf32", "fp8", "fp6", "fp4"))
    possible = [sixteen, *(found for found in floating if found is not None)]
    peak = rule.peak(chip, has_sparsity=has_sparsity)
    per_work = Fraction(1, clock_khz * 1000 * _PPM) if clock_khz else Fraction(0)
    fp32, vector = _outside(chip, rule, row, per_work)
    return Rates(
        clock_khz=clock_khz,
        top_khz=max(clock_khz, seen_khz),
        slow=min(possible) * per_work,
        best=(rule.rate(chip, best_format) or sixteen) * per_work,
        fast=peak * per_work,
        fp32=fp32,
        vector=vector,
        peak_per_ms=peak / 1000,
        clock_scale=max(Fraction(1), Fraction(seen_khz, row.clock_khz)) if row else Fraction(1),
        fastest_format=max(chip.peaks, key=lambda name: (rule.rate(chip, name) or 0, name)),
        best_format=best_format,
        is_claimed=best_format == claims.number_format.casefold(),
        is_doubtful=seen_khz < usage.clock_max_khz,
        row=row,
    )


def possible_khz(row: TensorClock) -> int:
    """The highest clock that is believed of a part."""
    if row.max_clock_khz is None:
        return int(row.clock_khz * _ABOVE_TABLE)
    return int(max(row.max_clock_khz, row.clock_khz) * _ABOVE_MAX)


def _best_format(chip: Chip, rule: CountingRule, claims: Claims) -> str:
    """The format claimed, where the chip's table has it; else 16 bits."""
    name = claims.number_format.casefold()
    return name if name in BITS_OF and rule.rate(chip, name) is not None else "bf16"


def _outside(
    chip: Chip, rule: CountingRule, row: TensorClock | None, per_work: Fraction
) -> tuple[Fraction, Fraction]:
    """FP32, and whatever counts most, outside the matrix unit. The second is at least the first under every rule."""
    if row is not None:
        fp32 = Fraction(row.sms * row.fp32_ops, _PPM) * rule.weight("fp32")
        return fp32, max(fp32, Fraction(row.sms * row.vector_ops, _PPM))
    sixteen = chip.fp16_equivalent_flop_per_s * per_work
    return sixteen * _FP32_SHARE, sixteen * _VECTOR_SHARE
