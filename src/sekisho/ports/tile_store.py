"""Where a log's public files lie: tiles, entry bundles, the checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sekisho.model.errors import Unavailable

__all__ = ["NotStored", "TileStore", "TileWriter"]


class NotStored(Unavailable):
    """The store answers, and holds nothing under that path."""

    code = "not-stored"


class TileStore(Protocol):
    """Files by relative path with '/' between its parts; whoever has the store can serve it to anybody.

    `write` is whole or not at all: a reader sees the old bytes or the new ones, and when it returns they
    outlive a power cut. Paths that would leave the store are refused (InvalidInput), by every method.
    """

    def read(self, path: str, limit: int) -> bytes:
        """The file's bytes. Raises NotStored; InvalidInput where it is longer than `limit` bytes."""
        ...

    def write(self, path: str, data: bytes) -> None: ...

    def exists(self, path: str) -> bool: ...


class TileWriter(TileStore, Protocol):
    """The store of a log that grows: many files at once, and an end to those that nobody needs any more."""

    def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
        """`write` for each (path, bytes); all outlive a power cut when it returns, in whatever order they came."""
        ...

    def drop_folder(self, path: str) -> None:
        """Take a folder of plain files away where there is one; a crash leaves some of them, harmless."""
        ...
