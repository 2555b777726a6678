"""Which column of a firm's table is which: proposed from its headings, kept under a name, held against its values.

A mapping is a JSON file that a person reads, mends and keeps for the next table of the same firm. Columns that it does
not name are kept as they are. A table whose columns were swapped is refused with the mapping that would fit it: a
register filled with models for serials finds no chip, and nobody would notice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Final

import msgspec

from sekisho.model.chips import known_chips
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import canonical, from_json, parse_json
from sekisho.registry.reading.csv_tables import CsvTable, Row
from sekisho.registry.reading.headings import FIELDS, Field, TableKind, field_of, plain_heading

__all__ = [
    "Column",
    "ColumnMapping",
    "Proposal",
    "SwappedColumns",
    "check_columns",
    "is_device_uuid",
    "is_known_model",
    "parse_mapping",
    "place_columns",
    "plain_uuid",
    "propose_mapping",
    "write_mapping",
]

_Heading = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_SHARE: Final = 0.5
_UUID = re.compile(r"(?:(?:GPU|MIG)-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class SwappedColumns(InvalidInput):
    """The columns of a table hold each other's values. `proposed` is the mapping that would fit them."""

    code = "swapped-columns"

    def __init__(self, message: str, *, path: str, remedy: str, proposed: ColumnMapping) -> None:
        super().__init__(message, path=path, remedy=remedy)
        self.proposed = proposed


class Column(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That the column under a heading holds a field."""

    heading: _Heading
    field: Field


class ColumnMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one firm writes one kind of table.

    `headings_line` is the line of the headings (1 is the first). `parties`, `sites` and `makers` turn names as the
    firm writes them into names that the register knows.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    kind: TableKind
    columns: Annotated[tuple[Column, ...], msgspec.Meta(min_length=1, max_length=64)]
    headings_line: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    encoding: str = ""
    delimiter: Annotated[str, msgspec.Meta(max_length=1)] = ""
    parties: Mapping[str, str] = {}
    sites: Mapping[str, str] = {}
    makers: Mapping[str, str] = {}


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping to look at, headings that nobody knew, and what is worth a second look."""

    mapping: ColumnMapping
    unknown: tuple[str, ...]
    notes: tuple[str, ...] = ()


def parse_mapping(data: bytes, *, path: str) -> ColumnMapping:
    """Read a mapping file. Raises InvalidInput naming the field; one field must not stand for two columns."""
    mapping = from_json(ColumnMapping, parse_json(data, path=path, limit=1 << 20), path=path)
    for field in FIELDS:
        named = [column.heading for column in mapping.columns if column.field == field]
        if len(named) > 1:
            raise InvalidInput(
                f"{field} stands for two columns ({', '.join(named)})",
                path=f"{path}: columns",
                remedy="keep one of them",
            )
    return mapping


def write_mapping(mapping: ColumnMapping) -> bytes:
    """The file of a mapping: JSON that a person may edit."""
    return msgspec.json.format(canonical(mapping), indent=2) + b"\n"


def propose_mapping(table: CsvTable, *, name: str, kind: TableKind | None = None) -> Proposal:
    """A mapping from the headings of a table: those of its first rows in which the most headings are known.

    Raises InvalidInput where no heading is known, where two columns claim one field equally well, and SwappedColumns
    where the values say otherwise.
    """
    headings = max(table.head, key=lambda row: (_known_headings(row), -row.line))
    if not _known_headings(headings):
        raise InvalidInput(
            "no heading is one that we know",
            path=f"{table.path}:{headings.line}",
            remedy="write a mapping by hand; its form is in docs/guide/inventories.md",
        )
    columns, notes = _claim(headings, table.path)
    fields = {column.field for column in columns}
    mapping = ColumnMapping(
        name=name,
        kind=kind or ("packing-list" if fields & {"consignee", "shipper"} else "asset-register"),
        columns=columns,
        headings_line=headings.line,
    )
    taken = {column.heading for column in columns}
    unknown = tuple(cell for cell in headings.cells if cell.strip() and cell not in taken)
    check_columns(mapping, table)
    return Proposal(mapping=mapping, unknown=unknown, notes=notes)


def place_columns(mapping: ColumnMapping, table: CsvTable) -> tuple[list[str], dict[Field, int]]:
    """The table's headings, and where each field stands. Raises InvalidInput where a heading is missing or doubled."""
    row = next((row for row in table.head if row.line == mapping.headings_line), None)
    where = f"{table.path}:{mapping.headings_line}"
    if row is None:
        raise InvalidInput(
            "there are no headings on this line",
            path=where,
            remedy=f"headings_line of the mapping {mapping.name} says where they are",
        )
    plain = [plain_heading(cell) for cell in row.cells]
    places: dict[Field, int] = {}
    for column in mapping.columns:
        wanted = plain_heading(column.heading)
        if plain.count(wanted) != 1:
            what = "is missing" if wanted not in plain else "stands twice"
            raise InvalidInput(
                f"the column {column.heading!r} {what}",
                path=where,
                remedy=f"the mapping {mapping.name} is for another table: propose one with `map`",
            )
        places[column.field] = plain.index(wanted)
    return row.cells, places


def check_columns(mapping: ColumnMapping, table: CsvTable) -> None:
    """Hold the first rows against the mapping. Raises SwappedColumns where two columns hold each other's values."""
    headings, places = place_columns(mapping, table)
    sample = [row.cells for row in table.head if row.line > mapping.headings_line]
    looks = {
        at: _looks_like([cells[at] for cells in sample if at < len(cells)])
        for at in range(len(headings))
    }
    for field, at in places.items():
        found = looks.get(at)
        if found is None or found == field or field not in _TOLD_APART:
            continue
        other = _partner(field, found, places, looks)
        if other is None and found not in _NEVER.get(field, ()):
            continue
        raise _swapped(mapping, table, field, found, other)


def is_known_model(value: str) -> bool:
    """Whether a value is the name of an accelerator of our table."""
    return not value.isdigit() and _is_model(value[:200])


def is_device_uuid(value: str) -> bool:
    """Whether a value is a GPU's UUID as its driver writes it."""
    return _UUID.fullmatch(value.strip()) is not None


def plain_uuid(value: str) -> str:
    """The one spelling of a device's UUID: its kind (GPU where unsaid), then lower-case hexadecimal."""
    text = value.strip()
    kind, rest = (text[:4].upper(), text[4:]) if text[3:4] == "-" else ("GPU-", text)
    return f"{kind}{rest.lower()}"


# --- headings ----------------------------------------------------------------------------------------


def _known_headings(row: Row) -> int:
    return len({known[0] for cell in row.cells if (known := field_of(cell)) is not None})


def _claim(headings: Row, path: str) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """One column for each field: of several that claim it the one with the plain name, else nobody guesses."""
    claims: dict[Field, list[tuple[str, bool]]] = {}
    for cell in headings.cells:
        known = field_of(cell)
        if known is not None:
            claims.setdefault(known[0], []).append((cell, known[1]))
    columns, notes = [], []
    for field, named in claims.items():
        best = [cell for cell, is_plain in named if is_plain] or [cell for cell, _ in named]
        if len(best) > 1 and field in ("serial", "device-uuid", "epc"):
            raise InvalidInput(
                f"two columns may be the {field} ({', '.join(best)})",
                path=f"{path}:{headings.line}",
                remedy="name one of them in a mapping",
            )
        columns.append(Column(heading=best[0], field=field))
        passed = [cell for cell, _ in named if cell != best[0]]
        if passed:
            notes.append(f"{field} is taken from {best[0]}, not from {', '.join(passed)}")
    return tuple(columns), tuple(notes)


# --- values ------------------------------------------------------------------------------------------

_TOLD_APART: Final = ("serial", "model", "device-uuid", "quantity", "device-key")
# What must not stand under a field even where the other column is nowhere to be found.
_NEVER: Final[Mapping[Field, tuple[str, ...]]] = {
    "serial": ("model", "device-uuid", "device-key"),
    "device-uuid": ("model",),
    "quantity": ("model", "device-uuid"),
    "model": ("device-uuid",),
}
_DIGITS = re.compile(r"[0-9]{1,6}")
_KEY = re.compile(r"[0-9a-fA-F]{64}")


@lru_cache(maxsize=65_536)
def _is_model(value: str) -> bool:
    return known_chips().find(value) is not None


def _looks_like(values: Sequence[str]) -> Field | None:
    """What most of the values are; None where they are nothing that tells itself apart."""
    written = [value.strip() for value in values if value.strip()]
    if not written:
        return None
    kinds: tuple[tuple[Field, int], ...] = (
        ("model", sum(is_known_model(value) for value in written)),
        ("device-uuid", sum(is_device_uuid(value) for value in written)),
        ("device-key", sum(_KEY.fullmatch(value) is not None for value in written)),
        ("quantity", sum(_DIGITS.fullmatch(value) is not None for value in written)),
    )
    field, count = max(kinds, key=lambda kind: kind[1])
    return field if count > _SHARE * len(written) else None


def _partner(
    field: Field, found: Field, places: Mapping[Field, int], looks: Mapping[int, Field | None]
) -> Field | None:
    """The mapped field whose column holds what `field` should: it is `found` by its heading and not by its values."""
    at = places.get(found)
    if at is None or looks.get(at) == found:
        return None
    # Serials look like nothing of the table; a column of numbers may be serials too.
    is_fit = looks.get(at) in (field, None) or (field == "serial" and looks.get(at) == "quantity")
    return found if is_fit else None


def _swapped(
    mapping: ColumnMapping, table: CsvTable, field: Field, found: Field, other: Field | None
) -> SwappedColumns:
    """The refusal: what stands where, what was meant, and the mapping that would fit."""
    named = {column.field: column.heading for column in mapping.columns}
    here = named[field]
    if other is None:
        kept = tuple(column for column in mapping.columns if column.field not in (field, found))
        turned = (*kept, Column(heading=here, field=found))
        remedy = (
            f"which column holds the {field}? name it in the mapping; {here!r} would be {found}"
        )
        message = f"the column {here!r} should hold {field} and holds {found}"
    else:
        there = named[other]
        exchange = {field: other, other: field}
        turned = tuple(
            Column(heading=column.heading, field=exchange.get(column.field, column.field))
            for column in mapping.columns
        )
        message = f"the columns {here!r} and {there!r} are swapped: {here!r} holds {found}"
        remedy = f"map {here!r} to {other} and {there!r} to {field}, or mend the table"
    return SwappedColumns(
        message,
        path=f"{table.path}:{mapping.headings_line}",
        remedy=remedy,
        proposed=msgspec.structs.replace(mapping, columns=turned),
    )
