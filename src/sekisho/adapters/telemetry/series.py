"""Rows of whole devices in order: sorted by device and instant, one for each, grouped by device and UTC day.

Partial rows of one instant become one; of two values of one field for one instant the higher stands. So the outcome is
a function of the set of rows: their order, how often they came and in how many deliveries do not matter.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.readings import INCOMING
from sekisho.model.telemetry import FIELDS

__all__ = ["DAY_US", "Column", "Series", "column_of", "order_rows"]

DAY_US: Final = 86_400_000_000

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.signedinteger[Any]]


class Column(msgspec.Struct, frozen=True):
    """Stored numbers and which of them are known; `known` None where all are. An unknown number is of no meaning."""

    numbers: Numbers
    known: Bools | None

    def or_else(self, filler: int) -> Numbers:
        """The numbers, with `filler` for what is not known."""
        if self.known is None:
            return self.numbers
        return np.where(self.known, self.numbers, np.array(filler, dtype=self.numbers.dtype))


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """`table` is INCOMING in order. `begins` are the first rows of each device's UTC day, ascending, 0 first.

    `is_first` marks those rows, `at_us` and `at_ms` are instants, cut to the unit.
    """

    table: Any
    at_us: Ints
    at_ms: Ints
    begins: Ints
    is_first: Bools

    def __len__(self) -> int:
        return len(self.at_us)

    def column(self, name: str) -> Column | None:
        """A field's numbers; None where no row has it."""
        return column_of(self.table.column(name))

    def spread(self, by_group: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A value for each device's day, repeated for each of its rows."""
        return np.repeat(by_group, np.diff(np.append(self.begins, len(self))))


def order_rows(rows: Any) -> Series:
    """INCOMING rows of whole devices, in any order and with any repeats, as a series."""
    table = rows.select(INCOMING.names).unify_dictionaries().combine_chunks()
    table, codes = _by_name(table)
    at_us = table.column("at_us").to_numpy()
    order = _order(codes, at_us)
    if order is not None:
        table, codes, at_us = _taken(table, order), codes[order], at_us[order]
    is_new = np.ones(len(at_us), dtype=np.bool_)
    is_new[1:] = (codes[1:] != codes[:-1]) | (at_us[1:] != at_us[:-1])
    if not is_new.all():
        table, codes, at_us = _merge(table, is_new), codes[is_new], at_us[is_new]
    return _grouped(table, codes, at_us)


def column_of(chunked: Any) -> Column | None:
    """An integer Arrow column as it lies, without a copy of its numbers; None where nothing is known."""
    array = chunked.combine_chunks() if isinstance(chunked, pa.ChunkedArray) else chunked
    if array.null_count == len(array):
        return None
    kind = np.dtype(np.int64 if array.type == pa.int64() else np.int32)
    numbers: Numbers = np.frombuffer(array.buffers()[1], dtype=kind)[array.offset :][: len(array)]
    if not array.null_count:
        return Column(numbers, None)
    return Column(numbers, array.is_valid().to_numpy(zero_copy_only=False))


def _by_name(table: Any) -> tuple[Any, npt.NDArray[np.int32]]:
    """The table with its dictionary of devices in the order of their names, and each row's number there."""
    if not len(table):
        return table, np.zeros(0, dtype=np.int32)
    device = table.column("device").combine_chunks()
    names = device.dictionary.to_pylist()
    ranked = sorted(set(names))
    places = {name: place for place, name in enumerate(ranked)}
    codes = np.array([places[name] for name in names], dtype=np.int32)[device.indices.to_numpy()]
    renamed = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(ranked, type=pa.string()))
    return table.set_column(0, INCOMING.field("device"), renamed), codes


def _order(codes: npt.NDArray[np.int32], at_us: Ints) -> npt.NDArray[np.intp] | None:
    """The order by device and instant; None where the rows lie in it."""
    same = codes[1:] == codes[:-1]
    if ((codes[1:] > codes[:-1]) | (same & (at_us[1:] >= at_us[:-1]))).all():
        return None
    if codes.max() < 1 << 16:
        # Segments lie in the order of time, and then a stable sort by device alone, which counts, is enough.
        order = np.argsort(codes.astype(np.uint16), kind="stable")
        sorted_codes, sorted_at = codes[order], at_us[order]
        if ((sorted_codes[1:] != sorted_codes[:-1]) | (sorted_at[1:] >= sorted_at[:-1])).all():
            return order
    return np.lexsort((at_us, codes))


def _taken(table: Any, order: npt.NDArray[np.intp]) -> Any:
    """The rows in this order. Columns of which nothing is known, usually half of them, cost nothing."""
    places = pa.array(order)
    arrays = [
        pa.nulls(len(order), column.type)
        if column.null_count == len(order)
        else column.combine_chunks().take(places)
        for column in table.columns
    ]
    return pa.Table.from_arrays(arrays, schema=INCOMING)


def _merge(table: Any, is_new: Bools) -> Any:
    """One row for each instant: in each column the highest number that any of its rows knows."""
    begins = np.flatnonzero(is_new)
    places = pa.array(begins)
    arrays = [table.column(name).combine_chunks().take(places) for name in INCOMING.names[:2]]
    for name in FIELDS:
        kind = INCOMING.field(name).type
        column = column_of(table.column(name))
        if column is None:
            arrays.append(pa.nulls(len(begins), kind))
            continue
        highest = np.maximum.reduceat(column.or_else(-1), begins)
        arrays.append(pa.array(highest, type=kind, mask=highest < 0))
    return pa.Table.from_arrays(arrays, schema=INCOMING)


def _grouped(table: Any, codes: npt.NDArray[np.int32], at_us: Ints) -> Series:
    days = at_us // DAY_US
    is_first = np.ones(len(at_us), dtype=np.bool_)
    is_first[1:] = (codes[1:] != codes[:-1]) | (days[1:] != days[:-1])
    return Series(
        table=table,
        at_us=at_us,
        at_ms=at_us // 1000,
        begins=np.flatnonzero(is_first),
        is_first=is_first,
    )
