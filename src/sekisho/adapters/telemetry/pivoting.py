"""From single values to rows: one for each device and instant, a column for each field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.channels import FIELD_NAMES
from sekisho.adapters.telemetry.readings import INCOMING, WIDE_FIELDS

__all__ = ["Pivoted", "Values", "pivot"]

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Values(msgspec.Struct, frozen=True, kw_only=True):
    """Values that stand, in stored units: of which device and field (numbers), when, how much."""

    device: npt.NDArray[np.int32]
    field: npt.NDArray[np.int8]
    at_us: Ints
    stored: Ints


class Pivoted(msgspec.Struct, frozen=True, kw_only=True):
    """`table` is INCOMING. `repeated` values spoke of an instant and field that had one, `lower` of them of less."""

    table: Any
    taken: int
    repeated: int
    lower: int
    fields: Mapping[str, int]


def pivot(values: Values, devices: tuple[str, ...]) -> Pivoted:
    """Rows in no promised order. Of several values for one instant the highest stands, whatever their order."""
    rows, row_device, row_at = _rows_of(values, len(devices))
    present = np.flatnonzero(np.bincount(values.field, minlength=len(FIELD_NAMES)))
    column_of = np.zeros(len(FIELD_NAMES), dtype=np.int64)
    column_of[present] = np.arange(len(present)) * len(row_at)
    cells = column_of[values.field] + rows
    is_known = np.zeros(len(present) * len(row_at), dtype=np.bool_)
    is_known[cells] = True
    taken = int(np.count_nonzero(is_known))
    stored = np.zeros(len(is_known), dtype=np.int64)
    if taken == len(cells):
        stored[cells] = values.stored
        lower = 0
    else:
        np.maximum.at(stored, cells, values.stored)
        lower = int(np.count_nonzero(stored[cells] != values.stored))
    names = [FIELD_NAMES[code] for code in present]
    known = dict(zip(names, is_known.reshape(len(present), -1), strict=True))
    columns = dict(zip(names, stored.reshape(len(present), -1), strict=True))
    return Pivoted(
        table=_table(devices, row_device, row_at, columns, known),
        taken=taken,
        repeated=len(cells) - taken,
        lower=lower,
        fields={name: int(np.count_nonzero(found)) for name, found in known.items()},
    )


def _rows_of(values: Values, devices: int) -> tuple[npt.NDArray[Any], Ints, Ints]:
    """The row number of each value, and each row's device and instant."""
    begin, end = int(values.at_us.min()), int(values.at_us.max())
    span = end - begin + 1
    at: Ints = values.at_us - begin
    moments: Ints | None = None
    if span * devices >= 1 << 62:  # centuries times millions: number the instants instead
        moments, at = np.unique(at, return_inverse=True)
        span = len(moments)
    keys = values.device.astype(np.int64) * span + at
    if span * devices <= 4 * len(keys):
        is_used = np.zeros(span * devices, dtype=np.bool_)
        is_used[keys] = True
        found = np.flatnonzero(is_used)
        number = np.empty(span * devices, dtype=np.int32)
        number[found] = np.arange(len(found), dtype=np.int32)
        rows = number[keys]
    else:
        encoded = pa.array(keys).dictionary_encode()
        found, rows = encoded.dictionary.to_numpy(), encoded.indices.to_numpy()
    device, offset = np.divmod(found, span)
    return rows, device, (offset if moments is None else moments[offset]) + begin


def _table(
    devices: tuple[str, ...],
    row_device: Ints,
    row_at: Ints,
    columns: Mapping[str, Ints],
    known: Mapping[str, Bools],
) -> Any:
    is_used = np.zeros(len(devices), dtype=np.bool_)
    is_used[row_device] = True
    used = np.flatnonzero(is_used)
    number = np.cumsum(is_used, dtype=np.int32) - 1
    names = pa.array([devices[place] for place in used], type=pa.string())
    arrays = [
        pa.DictionaryArray.from_arrays(pa.array(number[row_device], type=pa.int32()), names),
        pa.array(row_at),
    ]
    for name in FIELD_NAMES:
        kind = INCOMING.field(name).type
        arrays.append(
            _column(columns[name], known[name], wide=name in WIDE_FIELDS)
            if name in columns
            else pa.nulls(len(row_at), kind)
        )
    return pa.Table.from_arrays(arrays, schema=INCOMING)


def _column(stored: Ints, known: Bools, *, wide: bool) -> Any:
    """An Arrow array over the numbers as they lie, with a bit for each that is known."""
    numbers = stored if wide else stored.astype(np.int32)
    bits = np.packbits(known, bitorder="little")
    kind = pa.int64() if wide else pa.int32()
    return pa.Array.from_buffers(
        kind, len(numbers), [pa.py_buffer(bits), pa.py_buffer(np.ascontiguousarray(numbers))]
    )
