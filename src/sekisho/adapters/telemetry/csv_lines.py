"""CSV line by line: RFC 4180 with one record to a line, each line with its number.

A quote that is not closed on its line costs that line and no other; a NUL, a line without end and a wrong count
of cells cost theirs. Cells stay text: nothing here takes a formula for more than its characters.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from sekisho.model.errors import InvalidInput

__all__ = ["BOM", "Crooked", "Line", "decode", "first_names", "lines_of"]

BOM: Final = b"\xef\xbb\xbf"
_MAX_LINE: Final = 256 << 10
_MAX_HEADER: Final = 512 << 10
_ENDS: Final = re.compile(r"\r\n|\n|\r")
_OTHERS: Final = (";", "\t", "|")
"""What parts the cells of tables that are nearly CSV: a spreadsheet writes the first where numbers have commas."""


class Line(msgspec.Struct, frozen=True):
    """A record and the line that it stands on."""

    number: int
    cells: list[str]


class Crooked(msgspec.Struct, frozen=True):
    """A line that is no record of the table, and why."""

    number: int
    why: str


def first_names(body: bytes, *, path: str, delimiter: str = ",") -> list[str]:
    """The first line's names of columns in lower case. Raises InvalidInput for none, other delimiters and no text."""
    first = _ENDS.split(body[:_MAX_HEADER].decode("utf-8", "ignore"), maxsplit=1)[0]
    if "\0" in first:
        raise InvalidInput(
            "is no text: a NUL character in its first line",
            path=path,
            remedy="name the right file and format; save a table as UTF-8",
        )
    cells = _cells(first, delimiter) or []
    other = next((sign for sign in _OTHERS if sign in first), "")
    if len(cells) == 1 and other:
        raise InvalidInput(
            f"its columns are parted by {other!r}, not by {delimiter!r}",
            path=path,
            remedy=f"export with {delimiter!r} between the cells and a point in the numbers",
        )
    names = [cell.strip().lower() for cell in cells]
    if not any(names) or len(first) >= _MAX_HEADER - 4:
        raise InvalidInput(
            "names no columns", path=path, remedy="name the columns in the first line"
        )
    return names


def lines_of(
    text: str, width: int, *, delimiter: str = ",", quoted: bool = True
) -> Iterator[Line | Crooked]:
    """Every line behind the first that is not empty; where nothing is `quoted`, a quote is a character as any other."""
    for number, line in enumerate(_ENDS.split(text), 1):
        if number == 1 or not line:
            continue
        wrong = _why_crooked(line)
        is_plain = not quoted or '"' not in line
        cells = None if wrong else line.split(delimiter) if is_plain else _cells(line, delimiter)
        if cells is None:
            yield Crooked(number, wrong or "a quote is not closed on its line")
        elif len(cells) != width:
            yield Crooked(number, f"{len(cells)} cells where the first line has {width}")
        else:
            yield Line(number, cells)


def decode(body: bytes, *, path: str) -> str:
    """Raises InvalidInput with the line that is not UTF-8."""
    try:
        return body.removeprefix(BOM).decode()
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise InvalidInput(
            "is not UTF-8", path=f"{path}: line {line}".lstrip(": "), remedy="save it as UTF-8"
        ) from None


def _why_crooked(line: str) -> str:
    if len(line) > _MAX_LINE:
        return f"more than {_MAX_LINE} characters"
    return "a NUL character" if "\0" in line else ""


def _cells(line: str, delimiter: str) -> list[str] | None:
    """The cells of one line; None where a quote is not closed or stands where none may."""
    try:
        return next(csv.reader((line,), delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None
