"""Which rows of a day came after it was closed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.readings import LATE
from sekisho.adapters.telemetry.store.names import DAY_US, day_start_us
from sekisho.adapters.telemetry.store.tables import device_codes
from sekisho.model.telemetry import FIELDS

__all__ = ["keep_late"]

_OFFSET_BITS = 37  # a day's microseconds
Ints = npt.NDArray[np.int64]


def keep_late(
    settled: pa.Table, before: pa.Table | None, day: str, *, is_closed: bool
) -> tuple[pa.Table, int]:
    """The settled rows with the flag LATE where it belongs, and how many got it now.

    A row keeps the flag that it had. Where the day was closed `before` (its readings then), a row is late that was not
    there or that has more fields measured than it had.
    """
    if before is None or before.num_rows == 0:
        late = np.full(settled.num_rows, is_closed)
        return _flag(settled, late), int(late.sum())
    keys, known = _keys(settled, before, day)
    order = np.argsort(known)
    place = np.searchsorted(known[order], keys)
    place[place == len(known)] = 0
    row_before = order[place]
    was_there = known[row_before] == keys
    had = before.column("flags").to_numpy()[row_before] & LATE != 0
    old = was_there & had
    if not is_closed:
        return _flag(settled, old), 0
    grown = _measured(settled) > _measured(before)[row_before]
    new = ~old & (~was_there | grown)
    return _flag(settled, old | new), int(new.sum())


def _keys(settled: pa.Table, before: pa.Table, day: str) -> tuple[Ints, Ints]:
    """Device and instant of the rows of both, as one number that means the same in both."""
    codes, names = device_codes(settled)
    codes_before, names_before = device_codes(before)
    numbers = {name: number for number, name in enumerate(names)}
    renumbered = np.array(
        [numbers.setdefault(name, len(numbers)) for name in names_before], np.int64
    )
    return _key(codes, settled, day), _key(renumbered[codes_before], before, day)


def _key(codes: Ints, table: pa.Table, day: str) -> Ints:
    at_us: Ints = table.column("at_us").to_numpy()
    offset = at_us - day_start_us(day)
    if len(offset) and not (int(offset.min()) >= 0 and int(offset.max()) < DAY_US):
        raise ValueError("rows of another day")  # a defect of ours
    return (codes << _OFFSET_BITS) + offset


def _measured(table: pa.Table) -> Ints:
    """How many fields of each row are measured."""
    total = np.zeros(table.num_rows, np.int64)
    for name in FIELDS:
        if table.column(name).null_count < table.num_rows:
            total += table.column(name).is_valid().to_numpy()
    return total


def _flag(table: pa.Table, late: npt.NDArray[np.bool_]) -> pa.Table:
    if not late.any():
        return table
    place = table.schema.get_field_index("flags")
    flags = table.column("flags").to_numpy() | np.where(late, LATE, 0).astype(np.int32)
    return table.set_column(place, table.schema.field("flags"), pa.array(flags, pa.int32()))
