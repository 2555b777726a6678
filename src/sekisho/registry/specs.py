"""What a chip can do, recomputed from the chip table by its model's name; nothing that a document says of it is taken.

Every figure bears unit, source and mark: S read and agreeing, P stated in a source, R recalled and still to be
verified. Sources: 15 CFR 774 Supp. 1, 3A090 Technical Notes 1 to 4; arXiv 2511.10783v2 Art. II.15-16.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from importlib import resources
from typing import Literal, TypeAlias

import msgspec

from sekisho.model.chips import (
    EXPORT_H100,
    TREATY_H100,
    Chip,
    ChipTable,
    H100Constants,
    known_chips,
)
from sekisho.model.wire import sha256_hex

__all__ = ["Figure", "Mark", "Specs", "exact", "rounded", "specs_of", "table_digest"]

Mark: TypeAlias = Literal["S", "P", "R"]
_WORST_FIRST: tuple[Mark, ...] = ("R", "P", "S")
_PLACES = 4
_SOURCE = "chips.csv"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure: `value` rounded to four decimals, `exact` as a fraction; both None where it is not measured."""

    value: str | None
    exact: str | None = None
    unit: str
    source: str
    mark: Mark | None = None


class Specs(msgspec.Struct, frozen=True, kw_only=True):
    """What the chip table says of a model, and what follows from it. `chip` is the table's name for it.

    `table` is the SHA-256 of the table that was read. `h100e` is by TPP, under the constants of each text by its
    source. `to_be_verified` are the table's fields that are only recalled.
    """

    chip: str
    table: str
    tpp: Figure
    tpp_bits: int
    performance_density: Figure
    memory: Figure
    h100e: tuple[Figure, ...]
    to_be_verified: tuple[str, ...] = ()


def specs_of(model: str, table: ChipTable | None = None) -> Specs | None:
    """The specifications behind a written model name; None where the table does not know it: not measured."""
    chip = (table or known_chips()).find(model)
    if chip is None:
        return None
    peaks = tuple(chip.peaks)
    return Specs(
        chip=chip.name,
        table=table_digest(),
        tpp=_figure(chip.tpp, "TPP", _SOURCE, _worst(chip, peaks)),
        tpp_bits=chip.tpp_bits,
        performance_density=_figure(
            chip.performance_density, "TPP/mm2", _SOURCE, _worst(chip, (*peaks, "die"))
        ),
        memory=_figure(chip.memory_gb, "GB", _SOURCE, _worst(chip, ("memory",))),
        h100e=tuple(_h100e(chip, constants, peaks) for constants in (TREATY_H100, EXPORT_H100)),
        to_be_verified=tuple(chip.to_be_verified((*peaks, "die", "memory"))),
    )


@lru_cache(maxsize=1)
def table_digest() -> str:
    """The SHA-256 of the chip table that ships with Sekisho: by it two readers know that they read the same one."""
    return sha256_hex(resources.files("sekisho.model").joinpath("chips.csv").read_bytes())


def rounded(value: Fraction) -> str:
    """A figure for reading: exact where four decimals write it, else rounded half to even."""
    scaled = round(value * 10**_PLACES)
    sign, digits = "-" if scaled < 0 else "", str(abs(scaled)).rjust(_PLACES + 1, "0")
    fraction = digits[-_PLACES:].rstrip("0")
    return f"{sign}{digits[:-_PLACES]}{'.' if fraction else ''}{fraction}"


def exact(value: Fraction) -> str:
    """A figure for computing with: `n` or `n/d` in lowest terms."""
    return str(value)


def _h100e(chip: Chip, constants: H100Constants, peaks: tuple[str, ...]) -> Figure:
    return _figure(chip.h100e(constants), "H100e", constants.source, _worst(chip, peaks))


def _figure(value: Fraction | None, unit: str, source: str, mark: Mark | None) -> Figure:
    if value is None:
        return Figure(value=None, unit=unit, source=source)
    return Figure(value=rounded(value), exact=exact(value), unit=unit, source=source, mark=mark)


def _worst(chip: Chip, fields: Iterable[str]) -> Mark:
    """A figure is no better known than the least known of what it was computed from."""
    marks = {chip.mark(field) for field in fields}
    return next((mark for mark in _WORST_FIRST if mark in marks), "R")
