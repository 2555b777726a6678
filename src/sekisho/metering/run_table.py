"""A table of runs, as CSV, read strictly: a wrong file is refused whole, a wrong row alone.

Columns: `run_id`, `chip`, `chips` (or `chip_count`), `seconds`, and optional ones; others are passed over. A
UTF-8 byte-order mark is accepted, since spreadsheets write one.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

import msgspec

from sekisho.metering.records import RowError, RunRecord
from sekisho.model.amounts import parse_quantity
from sekisho.model.chips import BITS
from sekisho.model.errors import InvalidInput

__all__ = ["MAX_BYTES", "MAX_ROWS", "RunTable", "parse_run_table"]

MAX_ROWS = 1_000_000
MAX_BYTES = 512 * 1024 * 1024
_ALIASES: Final[Mapping[str, str]] = {"chip_count": "chips", "gpt3_declared_flop_6nd": "declared"}
_REQUIRED: Final = ("run_id", "chip", "chips", "seconds")
_DECIMAL = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,18}))?(?:[eE]([+-]?[0-9]{1,2}))?")
_PRECISIONS = frozenset({*BITS, "bf16", "tf32", "fp32", "fp64"})


class RunTable(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a file in order: records, and errors where a row cannot be read."""

    rows: tuple[RunRecord | RowError, ...]

    @property
    def records(self) -> list[RunRecord]:
        return [row for row in self.rows if isinstance(row, RunRecord)]

    @property
    def errors(self) -> list[RowError]:
        return [row for row in self.rows if isinstance(row, RowError)]


def parse_run_table(data: bytes, file: str, *, max_rows: int = MAX_ROWS) -> RunTable:
    """Read a CSV run table.

    Raises InvalidInput, naming file and line, where the file is wrong as a whole: not UTF-8, broken quoting, a
    missing or doubled column, no rows, more than `max_rows`.
    """
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"longer than {MAX_BYTES} bytes", path=file, remedy="split the table")
    reader = csv.reader(io.StringIO(_decoded(data, file), newline=""), strict=True)
    rows: list[RunRecord | RowError] = []
    try:
        columns = _columns(next(reader, []), file)
        for line, cells in _data_rows(reader):
            if len(rows) == max_rows:
                raise InvalidInput(
                    f"more than {max_rows} rows", path=file, remedy="split the table"
                )
            rows.append(_row(cells, columns, line))
    except csv.Error as error:
        where = f"{file}:{reader.line_num}"
        raise InvalidInput(
            f"not CSV: {error}", path=where, remedy="quote fields as RFC 4180"
        ) from None
    if not rows:
        raise InvalidInput("holds no rows", path=file, remedy="write one row for each run")
    return RunTable(rows=tuple(rows))


def _decoded(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidInput("not UTF-8", path=f"{file}:{line}", remedy="save it as UTF-8") from None


def _columns(header: list[str], file: str) -> list[str]:
    """Our name of each column, "" for those that we pass over."""
    names = [_ALIASES.get(name.strip().casefold(), name.strip().casefold()) for name in header]
    for name in names:
        if name in _READERS and names.count(name) > 1:
            written = [
                cell.strip() for cell, ours in zip(header, names, strict=True) if ours == name
            ]
            raise InvalidInput(
                f"the column {name!r} stands twice ({', '.join(written)})",
                path=f"{file}:1",
                remedy="keep one of them",
            )
    for name in _REQUIRED:
        if name not in names:
            raise InvalidInput(
                f"the column {name!r} is missing",
                path=f"{file}:1",
                remedy=f"the header needs {', '.join(_REQUIRED)}",
            )
    return [name if name in _READERS else "" for name in names]


def _data_rows(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line they begin on; blank lines are no rows."""
    begins = reader.line_num + 1
    for cells in reader:
        if cells:
            yield begins, cells
        begins = reader.line_num + 1


def _row(cells: list[str], columns: list[str], line: int) -> RunRecord | RowError:
    if len(cells) != len(columns):
        return RowError(line=line, error=f"{len(cells)} fields, but the header has {len(columns)}")
    fields: dict[str, Any] = {"line": line}
    for name, cell in zip(columns, cells, strict=True):
        text = cell.strip()
        if not name or not text:
            continue
        try:
            fields[name] = _READERS[name](text)
        except InvalidInput as error:
            return RowError(line=line, error=f"{name}: {error}")
    if "run_id" not in fields:
        return RowError(line=line, error="run_id: is blank; name the run")
    return RunRecord(**fields)


# --- one reader for each column -------------------------------------------------------------------


def _text(text: str) -> str:
    if len(text) > 500:
        raise InvalidInput("longer than 500 characters")
    return text


def _decimal(text: str) -> Fraction:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise InvalidInput(
            f"{text[:40]!r} is not a non-negative number", remedy="write 3600 or 3600.5"
        )
    whole, fraction, exponent = match.group(1), match.group(2) or "", int(match.group(3) or 0)
    return Fraction(int(whole + fraction), 10 ** len(fraction)) * Fraction(10) ** exponent


def _seconds(text: str) -> Fraction:
    value = _decimal(text)
    if not 0 < value <= 10**10:
        raise InvalidInput(
            f"{text[:40]!r} is not a duration", remedy="write seconds, more than 0, to 1e10"
        )
    return value


def _chips(text: str) -> int:
    value = parse_quantity(text)
    if not 1 <= value <= 10**9:
        raise InvalidInput(f"{text[:40]!r} is not a count of chips", remedy="write 1 to 1e9")
    return value


def _share(text: str) -> Fraction:
    value = _decimal(text)
    if not 0 < value <= 1:
        raise InvalidInput(
            f"{text[:40]!r} is not a share", remedy="write more than 0 up to 1, as 0.45"
        )
    return value


def _energy(text: str) -> Fraction:
    value = _decimal(text)
    if not 0 < value <= 10**24:
        raise InvalidInput(f"{text[:40]!r} is not an energy in joules", remedy="write more than 0")
    return value


def _precision(text: str) -> str:
    name = text.casefold()
    if name not in _PRECISIONS:
        known = ", ".join(sorted(_PRECISIONS))
        raise InvalidInput(f"{text[:40]!r} is not a precision", remedy=f"write one of {known}")
    return name


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "run_id": _text,
    "chip": _text,
    "chips": _chips,
    "seconds": _seconds,
    "precision": _precision,
    "utilisation": _share,
    "sm_clock_ratio": _share,
    "energy_j": _energy,
    "params": parse_quantity,
    "tokens": parse_quantity,
    "benchmark": _text,
    "samples": parse_quantity,
    "system": _text,
    "declared": parse_quantity,
}
