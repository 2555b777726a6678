"""Samples in CSV, in any of the shapes of sample_tables.

RFC 4180 in UTF-8, with or without a byte-order mark; one record to a line: a quote that is not closed on its line costs
that line and no other. Names of columns are taken in any case. Two readers, one result (property-tested): Arrow's for
a plain file, and a careful one that knows line numbers for a file with quotes, empty or crooked lines.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
import pyarrow.csv as pacsv  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.columns import Samples, SeriesBook
from sekisho.adapters.telemetry.sample_tables import Batch, SampleTable, Shape, shape_of
from sekisho.model.errors import InvalidInput

__all__ = ["MAX_BODY", "parse_csv"]

MAX_BODY: Final = 1 << 30
_MAX_LINE: Final = 64 << 10
_BLOCK: Final = 4 << 20
_AT_ONCE: Final = 65_536
_BOM: Final = b"\xef\xbb\xbf"
_ENDS: Final = re.compile(r"\r\n|\n|\r")
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
    body = body.removeprefix(_BOM)
    names = _header(body, path)
    shape = shape_of(names, path=f"{path}: line 1".lstrip(": "))
    if not _UNUSUAL.search(body):
        try:
            return _read(_quickly(body, names), shape, book)
        except _Crooked:
            pass
    table = SampleTable(shape, book)
    for batch in _carefully(_decode(body, path), names, table):
        table.take(batch)
    return table.samples()


def _read(batches: Iterator[Batch], shape: Shape, book: SeriesBook) -> Samples:
    table = SampleTable(shape, book)
    for batch in batches:
        table.take(batch)
    return table.samples()


def _header(body: bytes, path: str) -> list[str]:
    """The names in the first line. Raises InvalidInput where there is none."""
    first = _ENDS.split(_decode(body[: 1 << 20], path, cut=True), maxsplit=1)[0]
    if len(first) > 512 << 10:
        raise InvalidInput("the first line is too long", path=path, remedy="name the columns in it")
    cells = _cells(first) or []
    names = [cell.strip().lower() for cell in cells]
    if not any(names):
        raise InvalidInput("is empty", path=path, remedy="name the columns in the first line")
    return names


def _decode(body: bytes, path: str, *, cut: bool = False) -> str:
    try:
        return body.decode("utf-8", "ignore" if cut else "strict")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise InvalidInput(
            "is not UTF-8", path=f"{path}: line {line}".lstrip(": "), remedy="save it as UTF-8"
        ) from None


def _cells(line: str) -> list[str] | None:
    """The cells of one line; None where a quote is not closed or stands where none may."""
    try:
        return next(csv.reader((line,), strict=True), [])
    except csv.Error:
        return None


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
    for number, line in enumerate(_ENDS.split(text), 1):
        if number == 1 or not line:
            continue
        wrong = _why_crooked(line)
        cells = None if wrong else _cells(line)
        if cells is None or len(cells) != len(names):
            said = wrong or ("a quote is not closed" if cells is None else f"{len(cells)} cells")
            table.refusing.add(
                *("malformed", f"line {number}: {said}"),
                remedy=f"write {len(names)} cells to a line",
            )
            continue
        rows.append(cells)
        lines.append(number)
        if len(rows) >= _AT_ONCE:
            yield _batch(rows, lines, names)
            rows, lines = [], []
    yield _batch(rows, lines, names)


def _why_crooked(line: str) -> str:
    if len(line) > _MAX_LINE:
        return f"more than {_MAX_LINE} characters"
    return "a NUL character" if "\0" in line else ""


def _batch(rows: list[list[str]], lines: list[int], names: list[str]) -> Batch:
    turned: Any = zip(*rows, strict=True) if rows else ([] for _ in names)
    columns = {n: pa.array(c, pa.string()) for n, c in zip(names, turned, strict=True)}
    return Batch(columns=columns, rows=len(rows), where=lambda row: f"line {lines[row]}")
