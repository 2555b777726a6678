"""Where a keeper keeps the sealed keys of locked weights, and where a host asks for one."""

from __future__ import annotations

from typing import Protocol

__all__ = ["KeyDesk", "KeyShelf"]


class KeyShelf(Protocol):
    """Sealed keys by the leaf digest of their `weights-locked`. Every write is durable before it returns."""

    def save(self, leaf: str, sealed: bytes) -> None: ...

    def load(self, leaf: str) -> bytes | None: ...

    def destroy(self, leaf: str) -> bool:
        """Overwrite and take away; False where none is there."""
        ...


class KeyDesk(Protocol):
    """A keeper as a host sees it. Raises StateConflict or NotAuthorised where it refuses, Unavailable."""

    def send_key_request(self, envelope: bytes) -> bytes:
        """The sealed key that answers a signed request."""
        ...
