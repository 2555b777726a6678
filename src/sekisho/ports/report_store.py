"""Where closed balances, production reports and usage roll-ups lie: written once each, numbered without gaps."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

__all__ = ["ReportKind", "ReportStore"]

ReportKind: TypeAlias = Literal["balance", "production", "usage"]


class ReportStore(Protocol):
    """Documents by kind, name (an area, a fab, a customer) and number from 1 on. Safe for several processes.

    Raises Unavailable where the disk refuses, Corrupt where something lies there that is no document.
    """

    def load_names(self, kind: ReportKind) -> tuple[str, ...]:
        """The areas or fabs of which something is kept, in order."""
        ...

    def load_all(self, kind: ReportKind, name: str, *, after: int = 0) -> tuple[bytes, ...]:
        """The documents of one area or fab behind a number, by number."""
        ...

    def add(self, kind: ReportKind, name: str, number: int, data: bytes) -> None:
        """Keep one more, durably. Raises StateConflict where the number is not the next one."""
        ...

    def count(self, kind: ReportKind, name: str) -> int:
        """How many documents there are of one name."""
        ...

    def erase(self, kind: ReportKind, name: str, number: int, remnant: bytes) -> None:
        """Put a remnant in a document's place, so that no byte of it is left: the law asked for it. Durable."""
        ...
