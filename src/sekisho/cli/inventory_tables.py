"""Tables of firms on the command line: opened with their mapping, read row by row, gathered within bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from sekisho.cli.reading import read_input
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.registry.reading.columns import ColumnMapping
    from sekisho.registry.reading.csv_tables import CsvTable
    from sekisho.registry.reading.declared import DeclaredItem, DeclaredRow
    from sekisho.registry.reading.headings import TableKind

__all__ = ["MOST_ROWS", "Gathered", "kind_of", "listening", "open_file", "open_mapped"]

MOST_ROWS: Final = 10_000
"""Rows in an answer; beyond, the counts still count all, and refused rows go before taken ones."""
_MAX_INPUT: Final = 1 << 30
_PIECE: Final = 1 << 20


class Gathered:
    """Rows as they come: all refused ones up to a number, taken ones up to a number or all, and how many there were."""

    def __init__(self, *, limit: int | None) -> None:
        self.items: list[DeclaredItem] = []
        self.taken = 0
        self.refused = 0
        self._limit = limit
        self._bad: list[tuple[int, str]] = []

    def take(self, row: DeclaredRow) -> None:
        from sekisho.registry.reading.csv_tables import BadRow

        if isinstance(row, BadRow):
            self.refused += 1
            if len(self._bad) < MOST_ROWS:
                self._bad.append((row.line, row.error))
            return
        self.taken += 1
        if self._limit is None or len(self.items) < self._limit:
            self.items.append(row)

    def rows_refused(self) -> list[dict[str, object]]:
        return [{"line": line, "error": error} for line, error in self._bad]

    def rows(self) -> list[object]:
        """In the order of their lines, as many as an answer holds."""
        taken = self.items[: max(0, MOST_ROWS - len(self._bad))]
        rows: list[tuple[int, object]] = [(item.line, item) for item in taken]
        rows += [(line, {"line": line, "error": error}) for line, error in self._bad]
        return [row for _, row in sorted(rows, key=lambda row: row[0])]


def listening(
    take: Callable[[DeclaredRow], None], heard: Callable[[int, int], None]
) -> Callable[[DeclaredRow], None]:
    """`take`, and the bar told now and then how many there were."""
    count = 0

    def listen(row: DeclaredRow) -> None:
        nonlocal count
        count += 1
        if count % 5_000 == 0:
            heard(count, 0)
        take(row)

    return listen


def open_file(file: str, encoding: str, delimiter: str) -> CsvTable:
    """A table in a file, read anew each time it is walked; of standard input at most a gigabyte."""
    from sekisho.registry.reading.csv_tables import open_table
    from sekisho.registry.reading.encodings import bytes_source

    if len(delimiter) > 1:
        raise InvalidInput("is one character", path="--delimiter", remedy="write , or ; or a tab")
    if file == "-":
        source = bytes_source(read_input(file, limit=_MAX_INPUT))
    else:
        path = Path(file)

        def source() -> Iterator[bytes]:
            with path.open("rb") as stream:
                while piece := stream.read(_PIECE):
                    yield piece

    return open_table(source, path=file, encoding=encoding, delimiter=delimiter)


def open_mapped(
    file: str, mapping: str, kind: str, encoding: str, delimiter: str
) -> tuple[CsvTable, ColumnMapping]:
    """The table and its mapping: the one that was given, else the one that its headings propose."""
    from sekisho.registry.reading.columns import parse_mapping, propose_mapping

    if not mapping:
        table = open_file(file, encoding, delimiter)
        return table, propose_mapping(table, name=Path(file).stem, kind=kind_of(kind)).mapping
    columns = parse_mapping(read_input(mapping, limit=1 << 20), path=mapping)
    if kind and kind_of(kind) != columns.kind:
        raise InvalidInput(f"the mapping is for a {columns.kind}", path="--as")
    table = open_file(file, encoding or columns.encoding, delimiter or columns.delimiter)
    return table, columns


def kind_of(kind: str) -> TableKind | None:
    """The kind that a flag names; None where it was left out. Raises InvalidInput."""
    if kind in ("packing-list", "asset-register"):
        return cast("TableKind", kind)
    if not kind:
        return None
    raise InvalidInput(
        f"{kind!r} is no kind of table", path="--as", remedy="write packing-list or asset-register"
    )
