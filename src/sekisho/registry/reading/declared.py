"""What a firm declares of one item, and how a row of its table becomes that; wrong rows are told, the rest is read."""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from typing import Final, TypeAlias

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, parse_date_or_instant
from sekisho.registry.epcis import canonical_identifier
from sekisho.registry.reading.columns import (
    ColumnMapping,
    check_columns,
    is_device_uuid,
    is_known_model,
    place_columns,
    plain_uuid,
)
from sekisho.registry.reading.csv_tables import BadRow, CsvTable, Row
from sekisho.registry.reading.headings import Field
from sekisho.signing.tag import normalise_identifier

__all__ = ["DeclaredItem", "DeclaredRow", "SeenKeys", "read_declared", "serial_key"]

MAX_TEXT: Final = 500
MAX_QUANTITY: Final = 1_000_000


class DeclaredItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a firm's table. Without a serial it counts `quantity` pieces of a model.

    Identifiers are as a maker writes them: full width folded, no spaces around; `original` has the fields whose
    cells were written otherwise, `extra` the columns that the mapping does not name. `source` is file:line.
    """

    source: str
    line: int
    serial: str = ""
    model: str = ""
    maker: str = ""
    device_uuid: str = ""
    device_key: str = ""
    epc: str = ""
    container: str = ""
    site: str = ""
    quantity: int = 1
    holder: str = ""
    owner: str = ""
    shipper: str = ""
    consignee: str = ""
    reference: str = ""
    date: Instant | None = None
    state: str = ""
    original: Mapping[str, str] = {}
    extra: Mapping[str, str] = {}

    @property
    def key(self) -> str:
        """What two lines about the same item share; "" for a line that counts pieces."""
        return serial_key(self.serial) or self.device_uuid or self.epc


DeclaredRow: TypeAlias = DeclaredItem | BadRow


def read_declared(
    table: CsvTable,
    mapping: ColumnMapping,
    finish: Callable[[DeclaredItem], DeclaredItem],
    *,
    site: str = "",
) -> Iterator[DeclaredRow]:
    """Every row of a table in order, as an item or as what is wrong with it; `site` is for rows that name none.

    `finish` says what this kind of table asks of an item, and raises InvalidInput where it is not so. Memory grows by
    24 bytes a row, for finding serials that stand twice. Raises InvalidInput and SwappedColumns of the whole file.
    """
    check_columns(mapping, table)
    headings, places = place_columns(mapping, table)
    reader = _RowReader(table.path, mapping, headings, places, site)
    seen = SeenKeys()
    for row in table.rows(after=mapping.headings_line):
        yield row if isinstance(row, BadRow) else _read_row(reader, row, finish, seen)


def _read_row(
    reader: _RowReader, row: Row, finish: Callable[[DeclaredItem], DeclaredItem], seen: SeenKeys
) -> DeclaredRow:
    try:
        item = finish(reader.item_of(row))
    except InvalidInput as error:
        return BadRow(row.line, str(error))
    key = item.key
    earlier = seen.add(key, row.line) if key else None
    if earlier is not None:
        return BadRow(row.line, f"serial: {(item.serial or key)!r} stands in line {earlier} too")
    return item


def serial_key(serial: str) -> str:
    """The one spelling under which serials are compared; "" for none, and for what nobody's serial can be."""
    if _PLAIN.fullmatch(serial) is not None:
        return (
            serial.upper()
        )  # what the normalising below gives for nearly all of them, at a tenth of its time
    try:
        return normalise_identifier(serial) if serial else ""
    except InvalidInput:
        return ""


class SeenKeys:
    """Which keys were seen and on which line, in 16 bytes a slot: open addressing over 64 bits of their digest."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 << 10))
        self._lines = array("Q", bytes(8 << 10))
        self._count = 0

    def add(self, key: str, line: int) -> int | None:
        """Note a key; the line where it stood before, or None."""
        if self._count * 3 > len(self._slots) * 2:
            self._grow()
        digest = int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big") or 1
        at = self._place(digest)
        if self._slots[at] == digest:
            return self._lines[at]
        self._slots[at], self._lines[at] = digest, line
        self._count += 1
        return None

    def _place(self, digest: int) -> int:
        mask = len(self._slots) - 1
        at = digest & mask
        while self._slots[at] not in (0, digest):
            at = (at + 1) & mask
        return at

    def _grow(self) -> None:
        slots, lines = self._slots, self._lines
        self._slots = array("Q", bytes(16 * len(slots)))
        self._lines = array("Q", bytes(16 * len(slots)))
        for digest, line in zip(slots, lines, strict=True):
            if digest:
                at = self._place(digest)
                self._slots[at], self._lines[at] = digest, line


# --- one row ------------------------------------------------------------------------------------------

_EXCEL_TEXT = re.compile(r'="([^"]*)"')
_ROUNDED = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]+", re.IGNORECASE)
_FORMULA: Final = ("=", "+", "-", "@")
_COUNT = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,9}(?:\.0{1,6})?")
_PIECES = re.compile(r"\s*(?:pcs?|pieces?|units?|ea|台|個|枚|式)\.?$", re.IGNORECASE)
_JAPANESE_DATE = re.compile(r"([0-9]{4})[年/.]([0-9]{1,2})[月/.]([0-9]{1,2})日?")
_KEY = re.compile(r"[0-9a-f]{64}")
_PLAIN = re.compile(r"[!-~]{1,256}")
_NOTHING: Final = frozenset(
    {"", "-", "n/a", "na", "none", "null", "なし", "無し", "不明", "unknown"}
)


class _RowReader:
    def __init__(
        self,
        path: str,
        mapping: ColumnMapping,
        headings: list[str],
        places: dict[Field, int],
        site: str,
    ) -> None:
        self._path = path
        self._width = len(headings)
        self._site = site
        self._fields = [
            (field.replace("-", "_"), field, at, _READERS[field]) for field, at in places.items()
        ]
        self._rest = [
            (at, name) for at, name in enumerate(headings) if at not in places.values() and name
        ]
        self._names = {
            "site": mapping.sites,
            "maker": mapping.makers,
            **dict.fromkeys(("holder", "owner", "shipper", "consignee"), mapping.parties),
        }

    def item_of(self, row: Row) -> DeclaredItem:
        """Raises InvalidInput naming the field."""
        cells = row.cells
        if len(cells) < self._width:
            raise InvalidInput(f"{len(cells)} fields, but the headings are {self._width}")
        if any(cells[self._width :]):
            raise InvalidInput(f"{len(cells)} fields, but the headings are {self._width}")
        values: dict[str, object] = {}
        original: dict[str, str] = {}
        for name, field, at, read in self._fields:
            cell = cells[at]
            text = _folded(cell)
            if text in _NOTHING or text.casefold() in _NOTHING:
                continue
            known = self._names.get(field)
            if known:
                text = known.get(text, text)
            try:
                value = values[name] = read(text)
            except InvalidInput as error:
                raise InvalidInput(f"{field}: {error.message}", remedy=error.remedy) from None
            if text != cell or (value != text and isinstance(value, str)):
                original[name] = cell[:MAX_TEXT]
        extra = {name[:200]: cells[at][:MAX_TEXT] for at, name in self._rest if cells[at]}
        values.setdefault("site", self._site)
        return DeclaredItem(
            source=f"{self._path}:{row.line}",
            line=row.line,
            original=original,
            extra=extra,
            **values,  # type: ignore[arg-type]  # one reader for each field gives its type
        )


def _folded(cell: str) -> str:
    """A cell without full width, and without the `="..."` by which spreadsheets keep leading zeros."""
    text = cell.strip() if cell.isascii() else unicodedata.normalize("NFKC", cell).strip()
    kept = _EXCEL_TEXT.fullmatch(text) if text.startswith("=") else None
    return kept[1].strip() if kept else text


def _text(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise InvalidInput(f"longer than {MAX_TEXT} characters")
    return text


def _identifier(text: str) -> str:
    if text.startswith(_FORMULA):
        raise InvalidInput(
            f"{text[:40]!r} is a formula, no identifier", remedy="write the value itself"
        )
    if _ROUNDED.fullmatch(text):
        raise InvalidInput(
            f"{text[:40]!r} was rounded by a spreadsheet", remedy="format the column as text"
        )
    if _PLAIN.fullmatch(text) is None:
        normalise_identifier(text)
    return text


def _serial(text: str) -> str:
    if is_known_model(text):
        raise InvalidInput(f"{text[:40]!r} is the name of a model: are the columns swapped?")
    if is_device_uuid(text):
        raise InvalidInput(f"{text[:60]!r} is a device's UUID: are the columns swapped?")
    return _identifier(text)


def _model(text: str) -> str:
    if is_device_uuid(text):
        raise InvalidInput(f"{text[:60]!r} is a device's UUID: are the columns swapped?")
    return _text(text)


def _uuid(text: str) -> str:
    if not is_device_uuid(text):
        raise InvalidInput(f"{text[:60]!r} is no device UUID", remedy="as nvidia-smi -L prints it")
    return plain_uuid(text)


def _device_key(text: str) -> str:
    plain = text.lower().replace(":", "")
    if _KEY.fullmatch(plain) is None:
        raise InvalidInput(f"{text[:40]!r} is no SHA-256 of a device key")
    return plain


def _epc(text: str) -> str:
    if (
        not text.startswith(("urn:", "https://", "http://"))
        or not text.isprintable()
        or " " in text
    ):
        raise InvalidInput(f"{text[:60]!r} is no EPC", remedy="write the URI, urn:epc:id:...")
    return canonical_identifier(_text(text))


def _quantity(text: str) -> int:
    number = _PIECES.sub("", text)
    if _COUNT.fullmatch(number) is None:
        raise InvalidInput(f"{text[:40]!r} is not a count of pieces", remedy="write 8")
    value = int(number.replace(",", "").partition(".")[0])
    if not 1 <= value <= MAX_QUANTITY:
        raise InvalidInput(f"{text[:40]!r} is not a count of 1 to {MAX_QUANTITY}")
    return value


def _date(text: str) -> Instant:
    found = _JAPANESE_DATE.fullmatch(text)
    plain = f"{found[1]}-{found[2]:0>2}-{found[3]:0>2}" if found else text
    return parse_date_or_instant(plain)


_READERS: Final[Mapping[Field, Callable[[str], object]]] = {
    "serial": _serial,
    "model": _model,
    "maker": _text,
    "device-uuid": _uuid,
    "device-key": _device_key,
    "epc": _epc,
    "container": _identifier,
    "site": _text,
    "quantity": _quantity,
    "holder": _text,
    "owner": _text,
    "shipper": _text,
    "consignee": _text,
    "reference": _text,
    "date": _date,
    "state": _text,
}
