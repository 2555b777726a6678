"""Asset registers: what a firm says it has, where it is and how it is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal, TypeAlias

from sekisho.model.errors import InvalidInput
from sekisho.registry.reading.columns import ColumnMapping
from sekisho.registry.reading.csv_tables import CsvTable
from sekisho.registry.reading.declared import DeclaredItem, DeclaredRow, read_declared

__all__ = ["Presence", "presence_of", "read_asset_register"]

Presence: TypeAlias = Literal["in-use", "stored", "gone", "unsaid"]

_WORDS: Final[Mapping[str, Presence]] = {
    **dict.fromkeys(("in use", "active", "installed", "deployed", "running", "online"), "in-use"),
    **dict.fromkeys(
        ("使用中", "稼働", "稼働中", "運用中", "設置済", "設置済み", "利用中"), "in-use"
    ),
    **dict.fromkeys(("stored", "spare", "in stock", "stock", "idle", "offline"), "stored"),
    **dict.fromkeys(("保管", "保管中", "予備", "在庫", "休止", "未使用", "遊休"), "stored"),
    **dict.fromkeys(("retired", "disposed", "scrapped", "destroyed", "returned", "sold"), "gone"),
    **dict.fromkeys(("decommissioned", "lost", "stolen", "missing", "shipped", "rma"), "gone"),
    **dict.fromkeys(
        ("廃棄", "廃棄済", "廃棄済み", "除却", "除却済", "返却", "返却済", "売却"), "gone"
    ),
    **dict.fromkeys(("紛失", "盗難", "売却済", "修理中", "返送"), "gone"),
}


def read_asset_register(
    table: CsvTable, mapping: ColumnMapping, *, site: str = ""
) -> Iterator[DeclaredRow]:
    """The lines of an asset register. Each names one item by serial, UUID or EPC, or counts pieces of a model."""
    return read_declared(table, mapping, _line_of_register, site=site)


def presence_of(state: str) -> Presence:
    """What a word for an item's state says of where it is; `unsaid` for words that we do not know."""
    return _WORDS.get(state.strip().casefold(), "unsaid")


def _line_of_register(item: DeclaredItem) -> DeclaredItem:
    """Raises InvalidInput where a line names nothing, or says of one serial that it is several."""
    if item.key and item.quantity != 1:
        raise InvalidInput(f"quantity: one serial is one piece, not {item.quantity}")
    if not item.key and not item.model:
        raise InvalidInput("names neither a serial, a UUID nor a model")
    return item
