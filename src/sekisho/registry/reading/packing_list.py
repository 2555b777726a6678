"""Packing lists: what a shipper says lies in a shipment, line by line."""

from __future__ import annotations

from collections.abc import Iterator

from sekisho.model.errors import InvalidInput
from sekisho.registry.reading.columns import ColumnMapping
from sekisho.registry.reading.csv_tables import CsvTable
from sekisho.registry.reading.declared import DeclaredItem, DeclaredRow, read_declared

__all__ = ["read_packing_list"]


def read_packing_list(
    table: CsvTable, mapping: ColumnMapping, *, site: str = ""
) -> Iterator[DeclaredRow]:
    """The lines of a packing list. A line names one item by its serial, UUID or EPC, or counts pieces of a model."""
    return read_declared(table, mapping, _line_of_list, site=site)


def _line_of_list(item: DeclaredItem) -> DeclaredItem:
    """Raises InvalidInput where a line names nothing, or says of one serial that it is several."""
    if item.key and item.quantity != 1:
        raise InvalidInput(
            f"quantity: one serial is one piece, not {item.quantity}",
            remedy="write a line for each serial, or leave the serial out",
        )
    if not item.key and not item.model:
        raise InvalidInput("names neither a serial nor a model")
    return item
