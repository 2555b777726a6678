"""Tables as firms write them, as CSV: bytes in, rows out, one at a time, each with its line.

A file that is wrong as a whole is refused: its encoding, no headings. A wrong row is given as such and the rest is
read: a quote that is never closed costs its own row and not the million behind it. Memory is that of a few rows.
Formulas stay text: nothing here evaluates a cell, and `write_csv` disarms what a spreadsheet would.
Source of the form: RFC 4180.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.registry.reading.encodings import (
    MAX_LINE,
    Chunks,
    Encoding,
    Line,
    decide_encoding,
    decoded_lines,
)

__all__ = ["BadRow", "CsvTable", "Row", "open_table", "write_csv"]

MAX_COLUMNS: Final = 512
MAX_RECORD_LINES: Final = 64
MAX_ROWS: Final = 10_000_000
HEADINGS_WITHIN: Final = 20
_DELIMITERS: Final = (",", ";", "\t")
_ARMED: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


class Row(msgspec.Struct, frozen=True):
    """One record: the line that it begins on, and its cells as written."""

    line: int
    cells: list[str]


class BadRow(msgspec.Struct, frozen=True):
    """A record that cannot be taken: the line that it begins on, and why."""

    line: int
    error: str


class CsvTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table that was looked at: how it is written and its first records. `rows` reads it from the beginning."""

    path: str
    encoding: Encoding
    delimiter: str
    head: tuple[Row, ...]
    chunks: Chunks

    def rows(self, *, after: int = 0) -> Iterator[Row | BadRow]:
        """Every record that begins behind line `after`, in order. Raises InvalidInput beyond ten million."""
        lines = decoded_lines(self.chunks, self.encoding, path=self.path)
        for count, row in enumerate(_records(lines, self.delimiter)):
            if count > MAX_ROWS:
                raise InvalidInput(
                    f"more than {MAX_ROWS} rows", path=self.path, remedy="split the table"
                )
            if row.line > after:
                yield row


def open_table(chunks: Chunks, *, path: str, encoding: str = "", delimiter: str = "") -> CsvTable:
    """Look at a table: decide encoding and delimiter, read the first records.

    Raises InvalidInput, naming file and line, where no encoding fits the whole file, where it holds no row, and where
    the delimiter cannot be told.
    """
    decided = decide_encoding(chunks, path=path, asked=encoding)
    first = list(islice(decoded_lines(chunks, decided, path=path), HEADINGS_WITHIN * 4))
    parted = delimiter or _find_delimiter(first, path)
    head = [row for row in islice(_records(first, parted), HEADINGS_WITHIN) if isinstance(row, Row)]
    if not head:
        raise InvalidInput("holds no rows", path=path, remedy="write headings and one row an item")
    return CsvTable(path=path, encoding=decided, delimiter=parted, head=tuple(head), chunks=chunks)


def write_csv(rows: Iterable[Sequence[str]], *, encoding: str = "utf-8-sig") -> bytes:
    """Rows as CSV for spreadsheets, with a byte-order mark or in cp932; what cp932 cannot write becomes `?`.

    A cell that a spreadsheet would take for a formula is written behind an apostrophe.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for row in rows:
        writer.writerow([f"'{cell}" if cell.startswith(_ARMED) else cell for cell in row])
    return text.getvalue().encode(encoding, "replace" if encoding == "cp932" else "strict")


class _Unclosed(Exception):
    pass


class _Feed:
    """Physical lines for the reader, those of the record that is being read kept, so that they can be read again."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = iter(lines)
        self._again: deque[Line] = deque()
        self.record: list[Line] = []
        self.line = 0
        self._held = 0

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.record.append(line)
        self.line += 1
        if line is None:
            raise _Unclosed
        self._held += len(line)
        if len(self.record) > MAX_RECORD_LINES or self._held > MAX_LINE:
            raise _Unclosed
        return line

    def begin(self) -> int:
        """Begin a record: the number of its first line."""
        self.record = []
        self._held = 0
        return self.line + 1

    def rewind(self) -> None:
        """Give back all lines of the record but its first."""
        self._again.extendleft(reversed(self.record[1:]))
        self.line -= len(self.record) - 1


def _records(lines: Iterable[Line], delimiter: str) -> Iterator[Row | BadRow]:
    feed = _Feed(lines)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    while True:
        begins = feed.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (_Unclosed, csv.Error) as error:
            yield BadRow(begins, _why(feed, error))
            # The record ends with its first line: what an open quote swallowed is read again as rows.
            feed.rewind()
            continue
        if begins == 1 and cells and cells[0].casefold().startswith("sep=") and not any(cells[1:]):
            continue
        if len(cells) > MAX_COLUMNS:
            yield BadRow(begins, f"{len(cells)} fields, more than {MAX_COLUMNS}")
        elif any(cells):
            yield Row(begins, cells)


def _why(feed: _Feed, error: Exception) -> str:
    if feed.record[0] is None or len(feed.record[0]) > MAX_LINE:
        return f"longer than {MAX_LINE} bytes"
    if (
        isinstance(error, csv.Error)
        and len(feed.record) == 1
        and "unexpected end" not in str(error)
    ):
        return f"not CSV: {error}; quote fields as RFC 4180"
    return "a quote is opened here and not closed"


def _find_delimiter(lines: Sequence[Line], path: str) -> str:
    """The separator under which most of the first records have the most fields, all the same count of them."""
    first = next((line for line in lines if line), "") or ""
    if first.casefold().startswith("sep=") and first[4:5] in _DELIMITERS:
        return first[4]
    scores = {mark: _score(lines, mark) for mark in _DELIMITERS}
    best = max(scores.values())
    found = [mark for mark, score in scores.items() if score == best]
    if best[0] <= 1:
        return ","  # a table of one column
    if len(found) > 1:
        named = " and ".join(repr(mark) for mark in found)
        raise InvalidInput(
            f"the columns may be parted by {named}",
            path=f"{path}:1",
            remedy="name the right one with --delimiter",
        )
    return found[0]


def _score(lines: Sequence[Line], mark: str) -> tuple[int, int]:
    """How many fields most of the records have, and how many records that are."""
    counts = [
        len(row.cells)
        for row in islice(_records(lines, mark), HEADINGS_WITHIN)
        if isinstance(row, Row)
    ]
    several = [count for count in counts if count > 1]
    if not several:
        return (1, 0)
    usual = max(set(several), key=lambda count: (several.count(count), count))
    return (usual, several.count(usual)) if several.count(usual) * 2 > len(counts) else (1, 0)
