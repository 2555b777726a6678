"""Where lies what firms declare of their sites: the newest table of each kind, line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import msgspec

from sekisho.model.instants import Instant

__all__ = ["DeclarationRow", "DeclarationStore", "DeclaredLine"]


class DeclarationRow(msgspec.Struct, frozen=True, kw_only=True):
    """One table that was taken in: of which kind, from which file, when, how many lines were taken and refused."""

    site: str
    kind: str
    source: str
    received: Instant
    taken: int = 0
    refused: int = 0


class DeclaredLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a table: the site that it speaks of, and its item as JSON."""

    site: str
    line: int
    document: bytes


class DeclarationStore(Protocol):
    """Every write is durable before it returns. Raises Unavailable and Corrupt."""

    def save_declaration(
        self, row: DeclarationRow, lines: Iterable[DeclaredLine], *, refused: Callable[[], int]
    ) -> DeclarationRow:
        """Put a table in the place of the last of its site and kind, whole or not at all.

        Lines are counted as they come; `refused` is asked when they are through. What `lines` raises is raised here.
        """
        ...

    def load_declarations(self) -> tuple[DeclarationRow, ...]: ...

    def load_sites(self) -> tuple[str, ...]:
        """Every site that a line of a kept table is at, in order."""
        ...

    def iterate_lines(self, site: str, *, kind: str = "") -> Iterator[bytes]:
        """The documents of all lines that speak of a site, whichever table they stand in."""
        ...
