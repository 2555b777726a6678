"""Where projections lie: what the log and the private store say, row by row, as of one entry.

Nothing in it is the only copy: whatever is lost or doubtful here is made again from the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol

import msgspec

__all__ = ["START", "Place", "Position", "ProjectionStore", "Row", "View"]

Place = tuple[str, str]
"""A table's name and a key in it."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One document: its canonical bytes (RFC 8785), and the index of the last entry that changed it."""

    table: str
    key: str
    document: bytes
    index: int

    @property
    def place(self) -> Place:
        return self.table, self.key


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the log the rows tell of: its first `size` entries, the last of which has this leaf digest.

    `grounds` (hexadecimal SHA-256) runs over all those leaves and the disclosures that were at hand: another log, or
    another private store, has another one.
    """

    size: int
    leaf: str
    grounds: str


START: Final = Position(size=0, leaf="", grounds="0" * 64)
"""The position of an empty store."""


class View(Protocol):
    """Position and rows of one moment, whatever is written meanwhile."""

    @property
    def position(self) -> Position: ...

    def rows(self, table: str | None = None, *, after: str = "") -> Iterator[Row]:
        """The rows of one table or of all, by table and key in the order of their bytes; of one, behind a key."""
        ...


class ProjectionStore(Protocol):
    """All rows with their position, changed together or not at all.

    Raises Unavailable where the database refuses for the moment, Corrupt where it cannot be read.
    """

    def view(self) -> AbstractContextManager[View]:
        """Look at one moment of it."""
        ...

    def save(
        self, old: Position, new: Position, rows: Sequence[Row], gone: Sequence[Place]
    ) -> None:
        """Put rows in the places that they name, take the rows at `gone` away, and move the position, at once.

        Raises StateConflict unless the position is `old`; then nothing has changed.
        """
        ...

    def replace(self, new: Position, rows: Iterable[Row]) -> None:
        """Put these rows in the place of all rows, at once; of what they replace no bytes are left in the store."""
        ...
