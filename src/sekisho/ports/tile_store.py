"""Where a log's public files lie: tiles, entry bundles, the checkpoint."""

from __future__ import annotations

from typing import Protocol

from sekisho.model.errors import Unavailable

__all__ = ["NotStored", "TileStore"]


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
