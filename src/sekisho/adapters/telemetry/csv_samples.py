"""Samples in CSV, in any of the shapes of sample_tables.

RFC 4180 in UTF-8, with or without a byte-order mark; one record to a line: a quote that is not closed on its line costs
that line and no other. Names of columns are taken in any case. Two readers, one result (property-tested): Arrow's for
a plain file, and a careful one that knows line numbers for a file with quotes, empty or crooked lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
import pyarrow.csv as pacsv  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.columns import Samples, SeriesBook
from sekisho.adapters.telemetry.csv_lines import BOM, Crooked, decode, first_names, lines_of
from sekisho.adapters.telemetry.sample_tables import Batch, SampleTable, Shape, shape_of
from sekisho.model.errors import InvalidInput

__all__ = ["MAX_BODY", "parse_csv"]

MAX_BODY: Final = 1 << 30
_BLOCK: Final = 4 << 20
_AT_ONCE: Final = 65_536
_UNUSUAL: Final = re.compile(rb'["\x00]|\n\r?\n|\r(?!\n)')


class _Crooked(Exception):
    """Arrow's reader met a line that only the careful one can name."""


def parse_csv(body: bytes, book: SeriesBook, *, path: str = "") -> Samples:
    """The samples of one file; a wrong row or cell is refused with its line and the rest is taken.

    Raises InvalidInput for more than MAX_BODY bytes, what is not UTF-8, and a first line that names no time, device or
    quantity. The book's mapper is names_table.table_mapper (or that of names_otel for tables with labels).
    """
    if len(body) > MAX_BODY:
        raise InvalidInput(f"more than {MAX_BODY} bytes", path=path, remedy="split the file")
    body = body.removeprefix(BOM)
    names = first_names(body, path=path)
    shape = shape_of(names, path=f"{path}: line 1".lstrip(": "))
    if not _UNUSUAL.search(body):
        try:
            return _read(_quickly(body, names), shape, book)
        except _Crooked:
            pass
    table = SampleTable(shape, book)
    for batch in _carefully(decode(body, path=path), names, table):
        table.take(batch)
    return table.samples()


def _read(batches: Iterator[Batch], shape: Shape, book: SeriesBook) -> Samples:
    table = SampleTable(shape, book)
    for batch in batches:
        table.take(batch)
    return table.samples()


# --- a plain file -----------------------------------------------------------------------------------------


def _quickly(body: bytes, names: list[str]) -> Iterator[Batch]:
    """Batches by Arrow's reader. Raises _Crooked."""
    reading = pacsv.ReadOptions(
        use_threads=False, block_size=_BLOCK, skip_rows=1, column_names=names
    )
    parsing = pacsv.ParseOptions(quote_char=False, ignore_empty_lines=False)
    converting = pacsv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
    )
    before = 0
    try:
        reader = pacsv.open_csv(pa.BufferReader(body), reading, parsing, converting)
        for found in reader:
            columns = dict(zip(names, found.columns, strict=True))
            yield Batch(columns=columns, rows=found.num_rows, where=_Lines(before + 2))
            before += found.num_rows
    except pa.ArrowInvalid:
        raise _Crooked from None


class _Lines:
    """Where a row of a plain file stands: rows and lines run alike."""

    def __init__(self, first: int) -> None:
        self._first = first

    def __call__(self, row: int) -> str:
        return f"line {self._first + row}"


# --- any other file ---------------------------------------------------------------------------------------


def _carefully(text: str, names: list[str], table: SampleTable) -> Iterator[Batch]:
    """Batches line by line; crooked lines are refused here."""
    rows: list[list[str]] = []
    lines: list[int] = []
    for line in lines_of(text, len(names)):
        if isinstance(line, Crooked):
            table.refusing.add("malformed", f"line {line.number}: {line.why}")
            continue
        rows.append(line.cells)
        lines.append(line.number)
        if len(rows) >= _AT_ONCE:
            yield _batch(rows, lines, names)
            rows, lines = [], []
    yield _batch(rows, lines, names)


def _batch(rows: list[list[str]], lines: list[int], names: list[str]) -> Batch:
    turned: Any = zip(*rows, strict=True) if rows else ([] for _ in names)
    columns = {n: pa.array(c, pa.string()) for n, c in zip(names, turned, strict=True)}
    return Batch(columns=columns, rows=len(rows), where=lambda row: f"line {lines[row]}")
