"""A book's channels as arrays, so that a million samples look up device, field, scale and range at once."""

from __future__ import annotations

from fractions import Fraction
from typing import Final
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


class _Met:
    """The channels of one book as far as they were met."""

    def __init__(self) -> None:
        self.rows: Floats = np.empty((0, 7))
        self.numbers: dict[str, int] = {}
        self.table: tuple[Limits, ChannelTable] | None = None


_BY_BOOK: Final[WeakKeyDictionary[SeriesBook, _Met]] = WeakKeyDictionary()


def table_of(book: SeriesBook, limits: Limits) -> ChannelTable:
    """The table of a book, kept from one delivery to the next and continued where channels were added."""
    met = _BY_BOOK.setdefault(book, _Met())
    if met.table and met.table[0] == limits and len(met.rows) == len(book.channels):
        return met.table[1]
    more = [
        (met.numbers.setdefault(channel.device, len(met.numbers)), *_scale(channel))
        for channel in book.channels[len(met.rows) :]
    ]
    met.rows = np.concatenate([met.rows, np.array(more, dtype=np.float64).reshape(-1, 7)])
    table = _arrays(met, limits)
    met.table = (limits, table)
    return table


def _scale(channel: Channel) -> tuple[int, float, float, float, float, bool]:
    """Field number, multiplier, divisor, lowest and highest stored number, whether it is a share."""
    field = FIELDS.get(channel.field)
    if field is None:
        return NO_FIELD, 1.0, 1.0, 0.0, 0.0, False
    # 0.001 as written is a thousandth: a division by 1000 is exact to the last bit, a product is not.
    exact = Fraction(channel.factor).limit_denominator(10**12) * field.per_unit
    return (
        _CODES[channel.field],
        float(exact.numerator),
        float(exact.denominator),
        float(field.low),
        float(field.high),
        field.unit == "ppm",
    )


def _arrays(met: _Met, limits: Limits) -> ChannelTable:
    device, field, times, over, least, most, is_share = met.rows.T
    return ChannelTable(
        device=device.astype(np.int32),
        field=field.astype(np.int8),
        times=np.ascontiguousarray(times),
        over=np.ascontiguousarray(over),
        least=np.ascontiguousarray(least),
        highest=most + is_share * limits.share_over_ppm,
        most=np.ascontiguousarray(most),
        devices=tuple(met.numbers),
    )
