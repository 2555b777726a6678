"""What a Parquet file says of itself before it is read: its bounds, and which columns are empty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it comes without types

from sekisho.model.errors import Corrupt, Unavailable

__all__ = ["Column", "Facts", "devices_in", "join_facts", "look_at"]


class Column(msgspec.Struct, frozen=True):
    """The lowest and highest number of a column; None for both where every row is null."""

    low: int | None
    high: int | None


class Facts(msgspec.Struct, frozen=True):
    """Of columns of whole numbers; one that is not named here may hold anything."""

    rows: int
    columns: Mapping[str, Column]

    def is_null(self, name: str) -> bool:
        """Whether nothing was measured in any row."""
        column = self.columns.get(name)
        return column is not None and column.high is None

    def is_zero(self, name: str) -> bool:
        """Whether a sum of it is certainly zero."""
        column = self.columns.get(name)
        return column is not None and (column.high or 0) == 0 == (column.low or 0)

    def highest(self, name: str) -> int | None:
        """The highest number, 0 where there is none; None where nobody knows."""
        column = self.columns.get(name)
        return None if column is None else column.high or 0


def look_at(path: str) -> Facts | None:
    """The facts in a file's footer; None for a file that this machine does not hold.

    Raises Corrupt where it is no Parquet file, Unavailable where it cannot be read.
    """
    if not Path(path).is_file():
        return None
    try:
        footer = pq.read_metadata(path)
    except pa.ArrowException as error:
        raise Corrupt(
            f"{path} is no Parquet file: {error}", remedy="compact the day again"
        ) from None
    except OSError as error:
        raise Unavailable(f"{path}: {error}", remedy="check that it can be read") from None
    columns: dict[str, Column] = {}
    for place, name in enumerate(footer.schema.names):
        if footer.schema.column(place).physical_type in {"INT32", "INT64"}:
            found = _column(footer, place)
            if found is not None:
                columns[name] = found
    return Facts(footer.num_rows, columns)


def join_facts(all_facts: Iterable[Facts | None]) -> Facts | None:
    """What holds of several files at once; None where one of them says nothing."""
    known: list[Facts] = []
    for facts in all_facts:
        if facts is None:
            return None
        known.append(facts)
    return reduce(_joined, known) if known else None


def devices_in(paths: Sequence[str]) -> list[str]:
    """The devices that files of this machine hold, each once."""
    found: set[str] = set()
    for path in paths:
        file = pq.ParquetFile(path, read_dictionary=["device"])
        for batch in file.iter_batches(batch_size=1 << 20, columns=["device"]):
            column = batch.column(0)
            if pa.types.is_dictionary(column.type):
                found.update(column.dictionary.to_pylist())
            else:
                found.update(column.unique().to_pylist())
    return sorted(found)


def _column(footer: Any, place: int) -> Column | None:
    low: int | None = None
    high: int | None = None
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        chunk = group.column(place).statistics
        if chunk is None or not (chunk.has_min_max or chunk.null_count == group.num_rows):
            return None
        if chunk.has_min_max:
            low = chunk.min if low is None else min(low, chunk.min)
            high = chunk.max if high is None else max(high, chunk.max)
    return Column(low, high)


def _joined(one: Facts, other: Facts) -> Facts:
    columns = {}
    for name in one.columns.keys() & other.columns.keys():
        both = one.columns[name], other.columns[name]
        lows = [column.low for column in both if column.low is not None]
        highs = [column.high for column in both if column.high is not None]
        columns[name] = Column(min(lows, default=None), max(highs, default=None))
    return Facts(one.rows + other.rows, columns)
