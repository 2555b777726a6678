"""A physical inventory: what somebody counted in a balance area at one instant."""

from __future__ import annotations

import csv
import io
from typing import Annotated, Final

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import Name
from sekisho.model.wire import canonical, from_json, parse_json, sha256_hex

__all__ = ["MAX_INVENTORY", "Inventory", "Item", "parse_inventory", "parse_inventory_table"]

MAX_INVENTORY: Final = 256 * 1024 * 1024
Epc = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]


class Item(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One component that was seen: its identifier, at which key measurement point, in which tray or server."""

    epc: Epc
    point: str = ""
    batch: str = ""


class Inventory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What lies in an area, by a party's own count. An empty list is a count of nothing, a missing list is no count."""

    party: Name
    area: Name
    taken: Instant
    items: Annotated[tuple[Item, ...], msgspec.Meta(max_length=2_000_000)]

    @property
    def epcs(self) -> frozenset[str]:
        return frozenset(item.epc for item in self.items)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical list, as a report keeps it; it is salted before it enters the log."""
        return sha256_hex(canonical(self))


def parse_inventory(data: bytes, *, path: str = "") -> Inventory:
    """Read a count from JSON. Raises InvalidInput with the field's path, also where one item is listed twice."""
    plain = parse_json(data, path=path, limit=MAX_INVENTORY)
    return _once(from_json(Inventory, plain, path=path), path)


def parse_inventory_table(
    data: bytes, *, party: str, area: str, taken: Instant, path: str = ""
) -> Inventory:
    """Read a count from CSV with the columns `epc` and, if you like, `point` and `batch`; UTF-8 with or without BOM.

    Raises InvalidInput that names the line.
    """
    if len(data) > MAX_INVENTORY:
        raise InvalidInput(f"is larger than {MAX_INVENTORY:,} bytes", path=path)
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        _check_columns(reader.fieldnames, path)
        items = [_item(row, f"{path}: line {reader.line_num}") for row in reader]
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"byte {error.start} is not UTF-8", path=path, remedy="save the table as UTF-8"
        ) from None
    except csv.Error as error:
        raise InvalidInput(f"line {reader.line_num}: {error}", path=path) from None
    return _once(Inventory(party=party, area=area, taken=taken, items=tuple(items)), path)


def _check_columns(found: object, path: str) -> None:
    names = list(found) if isinstance(found, list | tuple) else []
    if "epc" not in names or set(names) - {"epc", "point", "batch"} or len(set(names)) < len(names):
        raise InvalidInput(
            f"has the columns {', '.join(map(str, names)) or 'none'}",
            path=f"{path}: line 1",
            remedy="name them epc, point, batch; the last two may be left out",
        )


def _item(row: dict[str | None, str | None], path: str) -> Item:
    if None in row or None in row.values():
        raise InvalidInput("has another number of cells than line 1", path=path)
    epc = (row["epc"] or "").strip()
    if not 1 <= len(epc) <= 512:
        raise InvalidInput("has no identifier in the column epc", path=path)
    return Item(
        epc=epc, point=(row.get("point") or "").strip(), batch=(row.get("batch") or "").strip()
    )


def _once(inventory: Inventory, path: str) -> Inventory:
    """One component counted twice would hide another that is missing."""
    seen: set[str] = set()
    for number, item in enumerate(inventory.items):
        if item.epc in seen:
            raise InvalidInput(
                f"lists {item.epc} twice", path=f"{path}: items[{number}]", remedy="count it once"
            )
        seen.add(item.epc)
    return inventory
