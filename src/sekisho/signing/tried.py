"""Signatures that were found right a moment ago: the same one over the same bytes by the same key stays right. Pure."""

from __future__ import annotations

import hashlib

from sekisho.signing.keys import PublicKey

__all__ = ["TriedSignatures"]

MOST = 64


class TriedSignatures:
    """Tries signatures as `try_signature` does, and remembers the last that were right.

    What a host is told on sight it is told again with its proof. Only the arithmetic is remembered: whether a key
    counts, and for what, is asked each time.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._right: dict[tuple[str, bytes, bytes], None] = {}

    def __call__(self, key: PublicKey, signature: bytes, data: bytes) -> bool:
        """Whether a signature over these bytes was made by the key."""
        tried = key.key_id, signature, hashlib.sha256(data).digest()
        if tried in self._right:
            return True
        if not key.is_signed_by(signature, data):
            return False
        if len(self._right) >= self._most:
            del self._right[next(iter(self._right))]
        self._right[tried] = None
        return True
