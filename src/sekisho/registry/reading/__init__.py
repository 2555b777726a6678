"""What firms have already, read as it is: tables as CSV, messages of fleet agents; and what differs between them."""

from __future__ import annotations

from collections.abc import Iterator

from sekisho.registry.reading.asset_register import read_asset_register
from sekisho.registry.reading.columns import (
    Column,
    ColumnMapping,
    Proposal,
    SwappedColumns,
    parse_mapping,
    propose_mapping,
    write_mapping,
)
from sekisho.registry.reading.csv_tables import BadRow, CsvTable, Row, open_table, write_csv
from sekisho.registry.reading.declared import DeclaredItem, DeclaredRow
from sekisho.registry.reading.differences import SERIOUS, Difference
from sekisho.registry.reading.encodings import bytes_source
from sekisho.registry.reading.fleet_agent import (
    NodeDevice,
    NodeInventory,
    ObservedDevice,
    observe,
    parse_node,
)
from sekisho.registry.reading.packing_list import read_packing_list
from sekisho.registry.reading.reconcile import Reconciliation, reconcile
from sekisho.registry.reading.subjects import AtSite, Sighting

__all__ = [
    "SERIOUS",
    "AtSite",
    "BadRow",
    "Column",
    "ColumnMapping",
    "CsvTable",
    "DeclaredItem",
    "DeclaredRow",
    "Difference",
    "NodeDevice",
    "NodeInventory",
    "ObservedDevice",
    "Proposal",
    "Reconciliation",
    "Row",
    "Sighting",
    "SwappedColumns",
    "bytes_source",
    "observe",
    "open_table",
    "parse_mapping",
    "parse_node",
    "propose_mapping",
    "read_asset_register",
    "read_lines",
    "read_packing_list",
    "reconcile",
    "write_csv",
    "write_mapping",
]


def read_lines(table: CsvTable, mapping: ColumnMapping, *, site: str = "") -> Iterator[DeclaredRow]:
    """The lines of a table, by what its mapping says that it is. Raises what reading the whole file raises."""
    read = read_packing_list if mapping.kind == "packing-list" else read_asset_register
    return read(table, mapping, site=site)
