"""Where contents lie by their own digest: whole documents, and what is encrypted for deposits."""

from __future__ import annotations

from typing import Protocol

__all__ = ["ContentStore"]


class ContentStore(Protocol):
    """Bytes under the SHA-256 of themselves, so that whoever knows a digest can tell that nothing was changed.

    `save` is whole or not at all and outlives a power cut when it returns; the same bytes again are harmless.
    """

    def save(self, data: bytes) -> str:
        """Keep these bytes; their SHA-256 in hexadecimal. Raises Unavailable where the disk refuses."""
        ...

    def load(self, sha256: str, limit: int) -> bytes:
        """The bytes of this digest. Raises NotStored; Corrupt where they have another digest or pass `limit`."""
        ...

    def has(self, sha256: str) -> bool: ...
