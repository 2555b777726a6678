"""Sealing a few bytes to one holder: HPKE (RFC 9180, base mode) to an X25519 key, bound to what they belong to.

Suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305; no associated data, `info` carries the context.
Opening is pure. Sealing draws an ephemeral key, so this room only says what a sealer promises; adapters.keys has one.
"""

from __future__ import annotations

from typing import Protocol

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.wire import decode_base64, encode_base64, sha256_hex

__all__ = ["SUITE", "DepositKey", "Opener", "SealBroken", "Sealer", "X25519Opener"]

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_FIELD_PRIME = 2**255 - 19
# Any key will do: with a point of small order every exchange gives zero, which the library refuses.
_PROBE = X25519PrivateKey.from_private_bytes(bytes([1]) * 32)


class SealBroken(VerificationError):
    """What was sealed does not open: another key, another context, or changed bytes. Which, nobody can tell."""

    code = "seal-broken"


class DepositKey:
    """The public X25519 key of somebody to whom shares are sealed: its SPKI bytes, and its id."""

    __slots__ = ("key_id", "public", "spki")

    def __init__(self, spki: bytes) -> None:
        """Raises InvalidInput for anything but an X25519 key in its one DER form, and for points of small order."""
        try:
            key = load_der_public_key(spki)
        except (ValueError, UnsupportedAlgorithm):
            raise InvalidInput("is not a public key in DER SubjectPublicKeyInfo form") from None
        if not isinstance(key, X25519PublicKey):
            raise InvalidInput(
                "is not an X25519 key", remedy="make one with `sekisho disclosure key`"
            )
        if (
            key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != spki
            or int.from_bytes(spki[-32:], "little") >= _FIELD_PRIME
        ):
            raise InvalidInput("is not in the canonical form of its key")
        if _is_small_order(key):
            raise InvalidInput("is a point of small order: what is sealed to it, anybody opens")
        self.public = key
        self.spki = spki
        self.key_id = sha256_hex(spki)

    @classmethod
    def from_text(cls, text: str, *, path: str = "") -> DepositKey:
        """From the base64 of the SPKI, as charters carry it."""
        try:
            return cls(decode_base64(text))
        except InvalidInput as error:
            raise InvalidInput(error.message, path=path, remedy=error.remedy) from None

    def to_text(self) -> str:
        return encode_base64(self.spki)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DepositKey) and self.spki == other.spki

    def __hash__(self) -> int:
        return hash(self.spki)

    def __repr__(self) -> str:
        return f"DepositKey({self.key_id[:16]})"


class Sealer(Protocol):
    """Seals bytes to a key under a context, each time under a fresh ephemeral key."""

    def seal(self, key: DepositKey, data: bytes, info: bytes) -> bytes:
        """The 32 bytes of the ephemeral key, then the ciphertext with its tag of 16 bytes."""
        ...


class Opener(Protocol):
    """A private deposit key somewhere, and what it opens."""

    @property
    def key(self) -> DepositKey: ...

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """What was sealed to this key under this context. Raises SealBroken."""
        ...


class X25519Opener:
    """An opener whose key is in this process's memory. Its representation shows no secret."""

    __slots__ = ("_private", "key")

    def __init__(self, private: X25519PrivateKey) -> None:
        self._private = private
        self.key = DepositKey(
            private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        )

    def open(self, sealed: bytes, info: bytes) -> bytes:
        try:
            return SUITE.decrypt(sealed, self._private, info)
        except (InvalidTag, ValueError):
            raise SealBroken(
                f"was not sealed to key {self.key.key_id[:16]} for this purpose"
            ) from None

    def __repr__(self) -> str:
        return f"X25519Opener({self.key.key_id[:16]})"


def _is_small_order(key: X25519PublicKey) -> bool:
    try:
        _PROBE.exchange(key)
    except ValueError:
        return True
    return False
