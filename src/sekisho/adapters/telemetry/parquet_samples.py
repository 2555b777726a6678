"""Samples in Parquet, in any of the shapes of sample_tables: our own READINGS and INCOMING are wide tables too.

Row groups are streamed some ten thousand rows at a time. What a file says of itself is not believed: pages are looked
at before they are unpacked, rows are counted as they come, texts stay dictionaries so that a long one is held once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # it comes without types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.columns import Samples, SeriesBook
from sekisho.adapters.telemetry.names_table import SHORT_NAMES
from sekisho.adapters.telemetry.parquet_pages import check_file
from sekisho.adapters.telemetry.sample_tables import Batch, SampleTable, Shape, shape_of
from sekisho.model.errors import InvalidInput
from sekisho.model.telemetry import FIELDS

__all__ = ["MAX_BODY", "MAX_ROWS", "parse_parquet"]

MAX_BODY: Final = 2 << 30
MAX_ROWS: Final = 200_000_000
_MAX_TEXT: Final = 64 << 10
_AT_ONCE: Final = 65_536


def parse_parquet(body: bytes, book: SeriesBook, *, path: str = "") -> Samples:
    """The samples of one file. The book's mapper is names_table.table_mapper.

    Raises InvalidInput for more than MAX_BODY bytes or MAX_ROWS rows, pages that unpack to too much, a broken file,
    a column of another type than its name asks for, and times without a zone.
    """
    if len(body) > MAX_BODY:
        raise InvalidInput(f"more than {MAX_BODY} bytes", path=path, remedy="split the file")
    try:
        file = _open(body, path)
        names = list(file.schema_arrow.names)
        shape = _readable(shape_of([name.lower() for name in names], path=path), file.schema_arrow)
        table = SampleTable(shape, book)
        for batch in _batches(file, names, shape, path):
            table.take(batch)
    except (pa.ArrowException, OSError, OverflowError, ValueError) as error:
        raise InvalidInput(
            f"cannot be read as Parquet: {str(error)[:120]}", path=path, remedy="write it again"
        ) from None
    return table.samples()


def _open(body: bytes, path: str) -> Any:
    if check_file(body, path=path) > MAX_ROWS:
        raise InvalidInput(f"more than {MAX_ROWS} rows", path=path, remedy="split the file")
    source = pa.BufferReader(body)
    schema = pq.read_schema(source)
    texts = [field.name for field in schema if _is_text(field.type)]
    return pq.ParquetFile(source, read_dictionary=texts, pre_buffer=False)


def _readable(shape: Shape, schema: Any) -> Shape:
    """Without columns that are none of ours and of a kind that no quantity has (lists, truth values)."""
    kinds = {field.name.lower(): field.type for field in schema}
    kept = tuple(
        name
        for name in shape.metrics
        if name in SHORT_NAMES
        or name in FIELDS
        or name.startswith("dcgm_")
        or _is_text(kinds[name])
        or _is_number(kinds[name])
    )
    return msgspec.structs.replace(shape, metrics=kept)


def _batches(file: Any, names: Sequence[str], shape: Shape, path: str) -> Iterator[Batch]:
    wanted = {shape.time, shape.device, *shape.about, *shape.metrics}
    if shape.kind == "long":
        wanted |= {"metric", "value"}
    if shape.kind == "labelled":
        wanted |= {"metric_name", "value", "labels"}
    chosen = [name for name in names if name.lower() in wanted]
    texts = {shape.device, *shape.about, "metric", "metric_name", "labels"}
    before = 0
    for found in file.iter_batches(batch_size=_AT_ONCE, columns=chosen, use_threads=False):
        columns = {
            name.lower(): _column(found.column(name), name, shape, texts, path) for name in chosen
        }
        yield Batch(columns=columns, rows=found.num_rows, where=_Rows(before + 1))
        before += found.num_rows
        if before > MAX_ROWS:
            raise InvalidInput(f"more than {MAX_ROWS} rows", path=path, remedy="split the file")


class _Rows:
    """Where a row stands, counted from one."""

    def __init__(self, first: int) -> None:
        self._first = first

    def __call__(self, row: int) -> str:
        return f"row {self._first + row}"


def _column(column: Any, name: str, shape: Shape, texts: set[str], path: str) -> Any:
    """A column as the tables read it. Raises InvalidInput for a type that its name does not go with."""
    kind = column.type
    if _is_text(kind):
        return _text(column, name, path)
    lowered = name.lower()
    if lowered == "gpu_index" and _is_number(kind):
        return _text(column.cast(pa.string()), name, path)
    if lowered == shape.time and pa.types.is_timestamp(kind) and kind.tz is None:
        raise InvalidInput(
            f"the times of {name!r} have no zone",
            path=path,
            remedy="write timestamp[us, tz=UTC], or whole numbers since the epoch",
        )
    if lowered == shape.time:
        fits = pa.types.is_timestamp(kind) or _is_number(kind)
        column = column.cast(pa.float64()) if pa.types.is_decimal(kind) else column
    else:
        fits = lowered not in texts and _is_number(kind)
    if fits:
        return column
    raise InvalidInput(
        f"the column {name!r} holds {str(kind)[:60]}",
        path=path,
        remedy="write texts for names, numbers for values, and times with a zone",
    )


def _is_number(kind: Any) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def _is_text(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _text(column: Any, name: str, path: str) -> Any:
    """A dictionary of plain texts, none of them too long: kept so, a long one is held once. Raises InvalidInput."""
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    longest = pc.max(pc.binary_length(coded.dictionary)).as_py() or 0
    if longest > _MAX_TEXT:
        raise InvalidInput(f"a text of {longest} bytes in {name!r}", path=path)
    return pa.DictionaryArray.from_arrays(coded.indices, coded.dictionary.cast(pa.string()))
