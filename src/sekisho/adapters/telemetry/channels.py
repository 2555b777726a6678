"""A book's channels as arrays, so that a million samples look up device, field, scale and range at once."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final
from weakref import WeakKeyDictionary

import msgspec
import numpy as np
import numpy.typing as npt

from sekisho.adapters.telemetry.columns import Channel, SeriesBook
from sekisho.adapters.telemetry.limits import Limits
from sekisho.model.telemetry import FIELDS

__all__ = ["FIELD_NAMES", "NO_FIELD", "ChannelTable", "table_of"]

FIELD_NAMES: Final = tuple(FIELDS)
NO_FIELD: Final = -1
"""The field number of a channel that names a quantity which the store does not have."""
_CODES: Final = {name: code for code, name in enumerate(FIELD_NAMES)}

Floats = npt.NDArray[np.float64]


class ChannelTable(msgspec.Struct, frozen=True, kw_only=True):
    """By channel number: its device, its field, and value x times / over = stored number, `least` to `highest`.

    `most` is the field's own highest value, `highest` what is still taken for it. `devices` are names by number.
    """

    device: npt.NDArray[np.int32]
    field: npt.NDArray[np.int8]
    times: Floats
    over: Floats
    least: Floats
    highest: Floats
    most: Floats
    devices: tuple[str, ...]


_COLUMNS: Final = (
    ("device", np.int32),
    ("field", np.int8),
    ("times", np.float64),
    ("over", np.float64),
    ("least", np.float64),
    ("most", np.float64),
    ("is_share", np.float64),
)


class _Met:
    """The channels of one book as far as they were met, in columns with room for more.

    A table is a view of their beginning: what is added stands behind it, so no table changes, and a book that learns a
    few channels with each delivery does not copy all the others each time.
    """

    def __init__(self) -> None:
        self.count = 0
        self.numbers: dict[str, int] = {}
        self.table: tuple[Limits, ChannelTable] | None = None
        self._columns: dict[str, npt.NDArray[Any]] = {
            name: np.empty(0, dtype=kind) for name, kind in _COLUMNS
        }

    def add(self, channels: Sequence[Channel]) -> None:
        more = [
            (self.numbers.setdefault(c.device, len(self.numbers)), *_scale(c.field, c.factor))
            for c in channels
        ]
        rows = np.array(more, dtype=np.float64).reshape(-1, len(_COLUMNS))
        end = self.count + len(rows)
        for (name, kind), added in zip(_COLUMNS, rows.T, strict=True):
            if end > len(self._columns[name]):
                wider = np.empty(2 * end, dtype=kind)
                wider[: self.count] = self.column(name)
                self._columns[name] = wider
            self._columns[name][self.count : end] = added
        self.count = end

    def column(self, name: str) -> npt.NDArray[Any]:
        return self._columns[name][: self.count]


_BY_BOOK: Final[WeakKeyDictionary[SeriesBook, _Met]] = WeakKeyDictionary()


def table_of(book: SeriesBook, limits: Limits) -> ChannelTable:
    """The table of a book, kept from one delivery to the next and continued where channels were added."""
    met = _BY_BOOK.setdefault(book, _Met())
    if met.table and met.table[0] == limits and met.count == len(book.channels):
        return met.table[1]
    met.add(book.channels[met.count :])
    table = _arrays(met, limits)
    met.table = (limits, table)
    return table


@lru_cache(maxsize=1024)
def _scale(name: str, factor: float) -> tuple[int, float, float, float, float, bool]:
    """Field number, multiplier, divisor, lowest and highest stored number, whether it is a share."""
    field = FIELDS.get(name)
    if field is None:
        return NO_FIELD, 1.0, 1.0, 0.0, 0.0, False
    # 0.001 as written is a thousandth: a division by 1000 is exact to the last bit, a product is not.
    exact = Fraction(factor).limit_denominator(10**12) * field.per_unit
    return (
        _CODES[name],
        float(exact.numerator),
        float(exact.denominator),
        float(field.low),
        float(field.high),
        field.unit == "ppm",
    )


def _arrays(met: _Met, limits: Limits) -> ChannelTable:
    most = met.column("most")
    return ChannelTable(
        device=met.column("device"),
        field=met.column("field"),
        times=met.column("times"),
        over=met.column("over"),
        least=met.column("least"),
        highest=most + met.column("is_share") * limits.share_over_ppm,
        most=most,
        devices=tuple(met.numbers),
    )
