"""A batch's content under a key used once: what is deposited is the key, what lies in a folder says nothing.

AES-256-GCM, nonce zero since each key encrypts one content only, the batch's root as associated data.
"""

from __future__ import annotations

from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sekisho.model.errors import InvalidInput
from sekisho.model.statements.shapes import Digest
from sekisho.model.wire import canonical, decode_base64, encode_base64, from_json, parse_canonical

__all__ = ["CONTENT_FIELD", "KEY_BYTES", "SealedAt", "open_content", "seal_content"]

CONTENT_FIELD: Final = "content"
"""The name of the concealed field of a custody-moved that says where its content lies, and under which key."""
KEY_BYTES: Final = 32
_NONCE: Final = bytes(12)
_DOMAIN: Final = b"sekisho custody content v1\n"


class SealedAt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a batch's content lies: the SHA-256 of its ciphertext, and the key (base64)."""

    key: str
    sha256: Digest

    @classmethod
    def of(cls, key: bytes, sha256: str) -> SealedAt:
        return cls(key=encode_base64(key), sha256=sha256)

    @classmethod
    def from_text(cls, text: str) -> SealedAt:
        """Read the concealed field. Raises InvalidInput."""
        return from_json(
            cls, parse_canonical(text.encode(), path=CONTENT_FIELD), path=CONTENT_FIELD
        )

    def to_text(self) -> str:
        return canonical(self).decode()

    @property
    def key_bytes(self) -> bytes:
        return decode_base64(self.key, path=f"{CONTENT_FIELD}.key")


def seal_content(key: bytes, content: bytes, root: bytes) -> bytes:
    """Encrypt a batch's content under a fresh key of 32 bytes. Raises InvalidInput for any other."""
    return _cipher(key).encrypt(_NONCE, content, _DOMAIN + root)


def open_content(key: bytes, sealed: bytes, root: bytes) -> bytes:
    """The content of the batch with this root. Raises InvalidInput for another key, batch, or changed bytes."""
    try:
        return _cipher(key).decrypt(_NONCE, sealed, _DOMAIN + root)
    except InvalidTag:
        raise InvalidInput(
            "does not open: another key, another batch, or changed", path="content"
        ) from None


def _cipher(key: bytes) -> AESGCM:
    if len(key) != KEY_BYTES:
        raise InvalidInput(f"a content key has {KEY_BYTES} bytes, not {len(key)}", path="key")
    return AESGCM(key)
