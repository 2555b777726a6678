"""What counts as one operation: the treaty draft and regulators differ, so the rule is a parameter.

`format-used`: every operation counts one. `bf16-equivalent`: it counts its bit length over sixteen, as TPP does.
`max-over-formats`: the larger of the two (treaty draft arXiv 2511.10783v2 Art. II.4), our default since neither
narrow nor wide formats count for less than one. `performed`: zeros that structured sparsity skips are no operations;
`nominal`: they are, so that a chip with 2:4 sparsity computes twice its dense peak.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.chips import Chip
from sekisho.model.errors import InvalidInput

__all__ = ["BITS_OF", "COUNTS", "Count", "CountingRule", "Sparsity", "parse_counting_rule"]

Count: TypeAlias = Literal["bf16-equivalent", "max-over-formats", "format-used"]
Sparsity: TypeAlias = Literal["performed", "nominal"]
COUNTS: Final[tuple[Count, ...]] = ("bf16-equivalent", "max-over-formats", "format-used")
# TF32 is counted at the 32 bits that it is stored in: the larger reading of "bit length".
BITS_OF: Final[Mapping[str, int]] = {
    "fp64": 64,
    "fp32": 32,
    "tf32": 32,
    "bf16": 16,
    "fp16": 16,
    "fp8": 8,
    "int8": 8,
    "fp6": 6,
    "fp4": 4,
}
_TF32_SHARE: Final = Fraction(1, 2)  # of the 16-bit rate, on every chip that has it; R


class CountingRule(msgspec.Struct, frozen=True, kw_only=True):
    """How operations become FLOP: one weight for each number format, and what skipped zeros are worth."""

    count: Count = "max-over-formats"
    sparsity: Sparsity = "performed"

    @property
    def name(self) -> str:
        return self.count if self.sparsity == "performed" else f"{self.count}, nominal"

    def weight(self, number_format: str) -> Fraction:
        """FLOP that one operation in `number_format` counts. Raises InvalidInput for a format unknown to us."""
        if number_format not in BITS_OF:
            known = ", ".join(BITS_OF)
            raise InvalidInput(
                f"{number_format[:40]!r} is not a number format", remedy=f"write one of {known}"
            )
        if self.count == "format-used":
            return Fraction(1)
        by_bits = Fraction(BITS_OF[number_format], 16)
        return by_bits if self.count == "bf16-equivalent" else max(by_bits, Fraction(1))

    def count_flop(self, operations: Mapping[str, int]) -> Fraction:
        """FLOP of operations given by format, exactly."""
        return sum((self.weight(name) * n for name, n in operations.items()), Fraction(0))

    def rate(self, chip: Chip, number_format: str) -> Fraction | None:
        """FLOP per second of dense matrix products in one format at the table's peak; None where unknown."""
        if number_format == "tf32":
            peak = chip.peaks.get("fp16")
            return None if peak is None else peak * _TF32_SHARE * self.weight("tf32")
        name = "fp16" if number_format == "bf16" else number_format
        return chip.peaks[name] * self.weight(name) if name in chip.peaks else None

    def peak(self, chip: Chip, *, has_sparsity: bool = True) -> Fraction:
        """The most FLOP per second that any format of the table counts; twice that where skipped zeros count."""
        dense = max(peak * self.weight(name) for name, peak in chip.peaks.items())
        return dense * self.nominal_factor(has_sparsity=has_sparsity)

    def nominal_factor(self, *, has_sparsity: bool) -> int:
        """2 where skipped zeros count and the chip can skip them, else 1."""
        return 2 if self.sparsity == "nominal" and has_sparsity else 1


def parse_counting_rule(text: str) -> CountingRule:
    """Read `bf16-equivalent`, or with `, nominal` behind it. Raises InvalidInput for another word."""
    words = [word.strip() for word in text.split(",")]
    for count in COUNTS:
        if words == [count]:
            return CountingRule(count=count)
        if words == [count, "nominal"]:
            return CountingRule(count=count, sparsity="nominal")
    raise InvalidInput(
        f"{text[:60]!r} is not a counting rule",
        remedy=f"write one of {', '.join(COUNTS)}, with ', nominal' where skipped zeros count",
    )
