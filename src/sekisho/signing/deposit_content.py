"""What a deposit holds: the texts of disclosures, padded so that their length says little, under a key used once."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sekisho.model.errors import InvalidInput
from sekisho.model.wire import canonical, from_json, parse_canonical

__all__ = ["MAX_CONTENT", "STEP", "TAG_BYTES", "decrypt_texts", "encrypt_texts", "pad_texts"]

STEP = 256
MAX_CONTENT = 79 * STEP
"""So much padded content fits a statement's 30,000 characters of base64 beside the commitments of most holders."""
TAG_BYTES = 16
_LENGTH_BYTES = 4
_NONCE = bytes(12)  # the key encrypts once
_KEY = b"sekisho deposit key v1"


def encrypt_texts(secret: bytes, texts: Sequence[str], associated: bytes) -> bytes:
    """The padded texts under a secret of 16 bytes that encrypts nothing else. Raises InvalidInput for too much."""
    return _cipher(secret).encrypt(_NONCE, pad_texts(texts), associated)


def decrypt_texts(secret: bytes, ciphertext: bytes, associated: bytes) -> tuple[str, ...]:
    """The texts. Raises InvalidInput for another secret, changed bytes, or any other form of content."""
    try:
        padded = _cipher(secret).decrypt(_NONCE, ciphertext, associated)
    except InvalidTag:
        raise InvalidInput("does not open under this secret", path="content") from None
    return _unpad(padded)


def pad_texts(texts: Sequence[str]) -> bytes:
    """Length in 4 bytes, the canonical list of texts, zeros up to a multiple of 256 bytes.

    Raises InvalidInput where that is more than a statement holds.
    """
    listed = canonical(list(texts))
    size = _LENGTH_BYTES + len(listed)
    padded = len(listed).to_bytes(_LENGTH_BYTES, "big") + listed + bytes(-size % STEP)
    if len(padded) > MAX_CONTENT:
        raise InvalidInput(
            f"{len(padded)} bytes of disclosures do not fit one deposit of {MAX_CONTENT}",
            remedy="conceal a digest of what is long",
        )
    return padded


def _unpad(padded: bytes) -> tuple[str, ...]:
    """The texts. Raises InvalidInput for any other padding: it could carry what nobody sees."""
    length = int.from_bytes(padded[:_LENGTH_BYTES], "big")
    listed = padded[_LENGTH_BYTES : _LENGTH_BYTES + length]
    texts = from_json(tuple[str, ...], parse_canonical(listed, path="content"), path="content")
    if pad_texts(texts) != padded:
        raise InvalidInput("is not padded as it must be", path="content")
    return texts


def _cipher(secret: bytes) -> ChaCha20Poly1305:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_KEY).derive(secret)
    return ChaCha20Poly1305(key)
