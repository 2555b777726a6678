"""Data sheets of chips as files: JSON objects, lists, JSON lines, or CSV, in the columns of a public chip table.

Numbers are read exactly as they are written, also where JSON writes them without quotation marks. An empty field, null
or a column that is left out is unknown. Columns with derived figures, remarks and sources are passed over: what
follows from the sheet is computed anew. A column that nobody knows is refused, since it may be a misspelt one.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, Final

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.wire import parse_json
from sekisho.rules.requests.items import FORMAT_BITS, ChipSpec, DieSpec
from sekisho.rules.requests.refusals import refusal

__all__ = ["PASSED_OVER", "parse_chip_spec", "parse_chip_specs"]

# The columns of Sekisho's own table, by the names that sheets have here.
_OWN_NAMES: Final[Mapping[str, str]] = {
    "fp16_tflops": "fp16_dense_tflops",
    "fp8_tflops": "fp8_dense_tflops",
    "fp6_tflops": "fp6_dense_tflops",
    "fp4_tflops": "fp4_dense_tflops",
    "int8_tops": "int8_dense_tops",
    "bandwidth_gbs": "mem_bw_gbs",
    "interconnect_gbs": "interconnect_bidir_gbs",
    "released": "release_date",
}
# Columns that chip tables have and that a classification does not rest on.
PASSED_OVER: Final = (
    *("die_src", "tpp", "tpp_bits", "performance_density", "class_computed", "h100e"),
    *("within_91FR1684_limits", "s232_band", "perf_src", "epoch_name", "epoch_tpp", "note"),
    *("fields_agreeing_with_epoch_within_2pct", "marks", "aliases"),
)
_DECIMALS: Final = (
    *(*FORMAT_BITS, "die_mm2", "mem_bw_gbs", "memory_gb", "interconnect_bidir_gbs"),
    "stack_mm2",
)
_FLAGS: Final = ("datacenter", "hbm", "planar")
_TEXTS: Final = ("name", "vendor", "release_date", "designer_country")
_NUMBER: Final = re.compile(r"([0-9]{1,40})(?:\.([0-9]{1,40}))?(?:[eE]([+-]?[0-9]{1,2}))?")
_TRUTHS: Final[Mapping[str, bool]] = {
    "true": True,
    "yes": True,
    "1": True,
    "false": False,
    "no": False,
    "0": False,
}
_MAX_ROWS: Final = 10_000


def parse_chip_spec(data: bytes, path: str) -> ChipSpec:
    """Read one data sheet. Raises InvalidInput with the field's path, also where there are several."""
    rows = parse_chip_specs(data, path)
    if len(rows) != 1:
        raise InvalidInput(f"{len(rows)} sheets instead of one", path=path, remedy="split the file")
    found = rows[0][1]
    if isinstance(found, InvalidInput):
        raise found
    return found


def parse_chip_specs(data: bytes, file: str) -> list[tuple[int, ChipSpec | InvalidInput]]:
    """Read a file of data sheets: each with its line or number, or the error that stands there.

    A file whose name ends in .csv, or that does not begin like JSON, is CSV with a line of column names. Raises
    InvalidInput where there is no sheet at all, or no way to tell where one ends.
    """
    begins = data.lstrip()[:1]
    if not begins:
        raise InvalidInput("holds no sheet", path=file, remedy="write one JSON object, or CSV")
    rows = _json_rows(data, file) if begins in (b"{", b"[") else _csv_rows(data, file)
    if len(rows) > _MAX_ROWS:
        raise InvalidInput(f"more than {_MAX_ROWS} sheets", path=file, remedy="split the file")
    return [(number, _or_error(read)) for number, read in rows]


_Row = tuple[int, Callable[[], ChipSpec]]


def _or_error(read: Callable[[], ChipSpec]) -> ChipSpec | InvalidInput:
    try:
        return read()
    except InvalidInput as error:
        return error


# --- JSON -----------------------------------------------------------------------------------------


class _Number(str):
    """A number of a JSON document, in the digits in which it was written."""

    __slots__ = ()


def _json_rows(data: bytes, file: str) -> list[_Row]:
    try:
        document = _exact_json(data, file)
    except InvalidInput:
        lines = [(n, line) for n, line in enumerate(data.split(b"\n"), 1) if line.strip()]
        if len(lines) == 1 or not lines[0][1].rstrip().endswith(b"}"):
            raise
        return [(n, _line_reader(line, f"{file}:{n}")) for n, line in lines]
    if isinstance(document, list):
        if not document:
            raise InvalidInput("holds no sheet", path=file, remedy="write one JSON object")
        return [(n, _reader(row, f"{file}[{n - 1}]")) for n, row in enumerate(document, 1)]
    return [(1, _reader(document, file))]


def _exact_json(data: bytes, path: str) -> Any:
    """The document with every number as it is written; what is no strict JSON is refused."""
    parse_json(data, path=path)
    # The strict parser has accepted the bytes; it gives numbers as floating point, and here digits count.
    return json.loads(data, parse_float=_Number, parse_int=_Number)


def _line_reader(line: bytes, path: str) -> Callable[[], ChipSpec]:
    return lambda: _sheet(_exact_json(line, path), path)


def _reader(row: Any, path: str) -> Callable[[], ChipSpec]:
    return lambda: _sheet(row, path)


# --- CSV ------------------------------------------------------------------------------------------


def _csv_rows(data: bytes, file: str) -> list[_Row]:
    try:
        text = data.decode("utf-8-sig")  # spreadsheets begin their files with a mark
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"not UTF-8 at byte {error.start}", path=file, remedy="save it as UTF-8"
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[tuple[int, list[str]]] = []
    try:
        lines.extend((reader.line_num, cells) for cells in reader if _is_row(cells))
    except csv.Error as error:
        raise InvalidInput(f"not CSV: {error}", path=f"{file}:{reader.line_num}") from None
    columns = _columns(lines, file)
    return [(n, _cells_reader(columns, cells, f"{file}:{n}")) for n, cells in lines[1:]]


def _is_row(cells: list[str]) -> bool:
    return bool(cells) and not cells[0].startswith("#")


def _columns(lines: list[tuple[int, list[str]]], file: str) -> list[str]:
    if len(lines) < 2:
        raise InvalidInput(
            "holds no sheet",
            path=file,
            remedy="write a line of column names, and one for each chip",
        )
    number, columns = lines[0]
    for name in columns:
        if columns.count(name) > 1:
            raise InvalidInput(f"the column {name[:40]!r} stands twice", path=f"{file}:{number}")
        _check_known(name, f"{file}:{number}")
    return columns


def _cells_reader(columns: list[str], cells: list[str], path: str) -> Callable[[], ChipSpec]:
    def read() -> ChipSpec:
        if len(cells) != len(columns):
            raise InvalidInput(f"{len(cells)} fields instead of {len(columns)}", path=path)
        return _sheet(dict(zip(columns, cells, strict=True)), path)

    return read


# --- one sheet ------------------------------------------------------------------------------------


def _sheet(row: Any, path: str) -> ChipSpec:
    found: ChipSpec = _to_shape(row, ChipSpec, path)
    return found


def _to_shape(row: Any, shape: type[Any], path: str) -> Any:
    try:
        return msgspec.convert(_fields(row, path), shape, strict=True)
    except msgspec.ValidationError as error:
        raise refusal(error, shape, path) from None


def _fields(row: Any, path: str) -> dict[str, object]:
    """The sheet's fields as shapes have them: decimals as text, flags as truth, unknown ones left out."""
    if not isinstance(row, dict):
        raise InvalidInput("is no data sheet", path=path, remedy="write a JSON object")
    found: dict[str, object] = {}
    for name, value in row.items():
        _check_known(name, path)
        known = _OWN_NAMES.get(name, name)
        if name in PASSED_OVER or value is None or value == "":
            continue
        where = f"{path}.{name}" if path else name
        if known in found:
            raise InvalidInput("the same as another column", path=where, remedy="write one of them")
        found[known] = _value(known, value, where)
    return found


def _value(name: str, value: Any, path: str) -> object:
    if name in _DECIMALS:
        return _decimal(value, path)
    if name in _FLAGS:
        return _flag(value, path)
    if name == "count":
        return _count(value, path)
    if name == "dies":
        return _dies(value, path)
    if not isinstance(value, str) or isinstance(value, _Number):
        raise InvalidInput("is no text", path=path, remedy="write it in quotation marks")
    return value


def _dies(value: Any, path: str) -> list[DieSpec]:
    if not isinstance(value, list):
        raise InvalidInput("is no list of dies", path=path, remedy="write a list of JSON objects")
    return [_to_shape(die, DieSpec, f"{path}[{number}]") for number, die in enumerate(value)]


def _decimal(value: Any, path: str) -> str:
    """A decimal with at most six places, exactly."""
    match = _NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise InvalidInput(
            f"{str(value)[:40]!r} is no decimal amount",
            path=path,
            remedy="write it in digits, such as 12.5, without a sign; leave out what is unknown",
        )
    whole, places, exponent = match[1], match[2] or "", int(match[3] or 0)
    exact = Fraction(int(whole + places)) * Fraction(10) ** (exponent - len(places))
    scaled = exact * 10**6
    if scaled.denominator != 1 or exact >= 10**38:
        raise InvalidInput(
            "has more than six decimal places or 38 digits", path=path, remedy="round it"
        )
    number, rest = divmod(scaled.numerator, 10**6)
    return f"{number}.{rest:06d}".rstrip("0").rstrip(".")


def _flag(value: Any, path: str) -> bool:
    known = value if isinstance(value, bool) else _TRUTHS.get(str(value).strip().casefold())
    if known is None:
        raise InvalidInput(
            f"{str(value)[:20]!r} is neither yes nor no", path=path, remedy="write true or false"
        )
    return known


def _count(value: Any, path: str) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,6}", value):
        raise InvalidInput("is no count", path=path, remedy="write a whole number")
    return int(value)


_KNOWN: Final = frozenset(
    (*_OWN_NAMES, *PASSED_OVER, *_DECIMALS, *_FLAGS, *_TEXTS, "count", "dies"),
)


def _check_known(name: Any, path: str) -> None:
    if name in _KNOWN:
        return
    near = difflib.get_close_matches(str(name)[:60], _without(PASSED_OVER), n=1)
    raise InvalidInput(
        f"{str(name)[:40]!r} is no column of a data sheet",
        path=path,
        remedy=f"did you mean {near[0]}?" if near else f"write one of {', '.join(_NAMED)}",
    )


def _without(names: Iterable[str]) -> list[str]:
    return sorted(_KNOWN - set(names))


_NAMED: Final = (*_TEXTS[:3], *_DECIMALS, *_FLAGS)
