"""Which clock the peaks of the chip table belong to: activity x clock becomes operations only with it.

H100: 132 multiprocessors x 4,096 operations x 1.83 GHz = 989.4e12, though the part may run at 1.98 GHz: then it
computes more than the table's peak, and a bound that stopped there would not hold.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from importlib import resources

import msgspec

from sekisho.model.chips import ChipTable, known_chips
from sekisho.model.errors import InvalidInput

__all__ = ["TensorClock", "TensorClocks", "parse_tensor_clocks", "tensor_clocks"]

_COLUMNS = ["name", "sms", "fp16_ops", "clock_mhz", "max_clock_mhz"]
_COLUMNS += ["fp32_ops", "vector_ops", "tdp_w", "sparse", "marks"]
_TOLERANCE = Fraction(5, 1000)


class TensorClock(msgspec.Struct, frozen=True, kw_only=True):
    """The matrix units of one chip. `max_clock_khz` None where unknown; a value without a mark is recalled."""

    chip: str
    sms: int
    fp16_ops: int  # dense, for one clock and multiprocessor
    clock_khz: int  # at which the table's dense peak is reached
    max_clock_khz: int | None
    fp32_ops: int  # outside the matrix unit
    vector_ops: int  # the same in the format that counts most under max-over-formats
    tdp_w: int
    has_sparsity: bool
    marks: Mapping[str, str] = {}

    @property
    def is_recalled(self) -> bool:
        """Nobody but our memory says so, beyond that sms x ops x clock gives the table's peak."""
        return not self.marks


TensorClocks = Mapping[str, TensorClock]
"""By the chip's name in the chip table."""


@lru_cache(maxsize=1)
def tensor_clocks() -> TensorClocks:
    """The table that ships with Sekisho, read once."""
    table = resources.files("sekisho.metering").joinpath("tensor_clocks.csv")
    return parse_tensor_clocks(
        table.read_text(encoding="utf-8"), "tensor_clocks.csv", known_chips()
    )


def parse_tensor_clocks(text: str, file: str, chips: ChipTable) -> TensorClocks:
    """Read the table. Raises InvalidInput with file and line for wrong columns, an unknown chip, another peak."""
    lines = [
        (n, line)
        for n, line in enumerate(text.splitlines(), 1)
        if line and not line.startswith("#")
    ]
    rows = list(csv.reader([line for _, line in lines], strict=True))
    if not rows or rows[0] != _COLUMNS:
        raise InvalidInput(f"the columns are not {', '.join(_COLUMNS)}", path=file)
    found: dict[str, TensorClock] = {}
    for (number, _), cells in zip(lines[1:], rows[1:], strict=True):
        path = f"{file}:{number}"
        if len(cells) != len(_COLUMNS):
            raise InvalidInput(f"{len(cells)} fields instead of {len(_COLUMNS)}", path=path)
        row = _row(dict(zip(_COLUMNS, cells, strict=True)), path)
        _require_peak(row, chips, path)
        if found.setdefault(row.chip, row) is not row:
            raise InvalidInput(f"{row.chip!r} stands twice", path=path)
    return found


def _row(cells: Mapping[str, str], path: str) -> TensorClock:
    fastest = cells["max_clock_mhz"]
    return TensorClock(
        chip=cells["name"],
        sms=_count(cells["sms"], path),
        fp16_ops=_count(cells["fp16_ops"], path),
        clock_khz=_count(cells["clock_mhz"], path) * 1000,
        max_clock_khz=_count(fastest, path) * 1000 if fastest else None,
        fp32_ops=_count(cells["fp32_ops"], path),
        vector_ops=_count(cells["vector_ops"], path),
        tdp_w=_count(cells["tdp_w"], path),
        has_sparsity=cells["sparse"] != "no",
        marks={
            field: mark
            for mark, _, field in (item.partition(":") for item in cells["marks"].split())
        },
    )


def _count(text: str, path: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 6 or int(text) == 0:
        raise InvalidInput(f"{text[:40]!r} is not a whole number from 1", path=path)
    return int(text)


def _require_peak(row: TensorClock, chips: ChipTable, path: str) -> None:
    chip = chips.find(row.chip)
    if chip is None or chip.name != row.chip or "fp16" not in chip.peaks:
        raise InvalidInput(f"{row.chip!r} is not a chip of the table with a 16-bit peak", path=path)
    reached = row.sms * row.fp16_ops * row.clock_khz * 1000
    if abs(Fraction(reached, chip.peaks["fp16"]) - 1) > _TOLERANCE:
        raise InvalidInput(
            f"{row.chip}: {reached / 1e12:.1f}e12 is not the peak of {chip.peaks['fp16'] / 1e12:.1f}e12",
            path=path,
            remedy="multiprocessors x operations x clock must give the table's peak within 0.5 %",
        )
