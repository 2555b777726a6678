"""Public keys by their SPKI, and signers: who signs is a key, never a name.

A key's id is the SHA-256 of its SubjectPublicKeyInfo. Ed25519 (RFC 8032) for hosts, logs and witnesses; ECDSA on
P-256 and P-384 besides, since that is what hardware modules hold.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from sekisho.model.errors import InvalidInput
from sekisho.model.wire import decode_base64, encode_base64, sha256_hex

__all__ = ["Ed25519Signer", "PublicKey", "Signer"]

_CURVES: dict[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
}


# The y coordinates of the points of small order and their other spellings: a signature that fits such a key fits
# nearly every text, so anybody "signs" with it. RFC 8032 leaves the check to whoever lists keys.
_SMALL_ORDER = frozenset(
    bytes.fromhex(y)
    for y in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)


class PublicKey:
    """One public key: its SPKI bytes, its id, and whether a signature is its own."""

    __slots__ = ("_key", "key_id", "spki")

    def __init__(self, spki: bytes) -> None:
        """Raises InvalidInput for anything but Ed25519, P-256 and P-384 in their one DER form."""
        try:
            key = load_der_public_key(spki)
        except (ValueError, UnsupportedAlgorithm):
            raise InvalidInput("is not a public key in DER SubjectPublicKeyInfo form") from None
        if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name not in _CURVES:
            raise InvalidInput(
                f"is on curve {key.curve.name}", remedy="use P-256, P-384 or Ed25519"
            )
        if not isinstance(key, ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey):
            raise InvalidInput("is not an Ed25519 or ECDSA key")
        if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != spki:
            raise InvalidInput("is not in the canonical DER form of its key")
        if isinstance(key, ed25519.Ed25519PublicKey) and _is_small_order(spki[-32:]):
            raise InvalidInput("is a point of small order, under which anybody can sign")
        self._key = key
        self.spki = spki
        self.key_id = sha256_hex(spki)

    @classmethod
    def from_text(cls, text: str, *, path: str = "") -> PublicKey:
        """From the base64 of the SPKI, as statements carry it."""
        try:
            return _read_key(text)
        except InvalidInput as error:
            raise InvalidInput(error.message, path=path, remedy=error.remedy) from None

    @classmethod
    def from_ed25519_raw(cls, raw: bytes) -> PublicKey:
        """From the 32 bytes that a verifier key of a signed note carries."""
        try:
            key = ed25519.Ed25519PublicKey.from_public_bytes(raw)
        except ValueError:
            raise InvalidInput("is not an Ed25519 public key") from None
        return cls(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    def to_text(self) -> str:
        return encode_base64(self.spki)

    def is_signed_by(self, signature: bytes, data: bytes) -> bool:
        """Whether `signature` over `data` was made by this key."""
        try:
            if isinstance(self._key, ed25519.Ed25519PublicKey):
                self._key.verify(signature, data)
            else:
                self._key.verify(signature, data, ec.ECDSA(_CURVES[self._key.curve.name]))
        except InvalidSignature:
            return False
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.spki == other.spki

    def __hash__(self) -> int:
        return hash(self.spki)

    def __repr__(self) -> str:
        return f"PublicKey({self.key_id[:16]})"


@lru_cache(maxsize=32_768)
def _read_key(text: str) -> PublicKey:
    """A key does not change, and reading one takes as long as checking a tenth of a signature."""
    return PublicKey(decode_base64(text))


class Signer(Protocol):
    """A private key somewhere: in memory, in a file, in a module. It signs the very bytes it is given."""

    @property
    def public(self) -> PublicKey: ...

    def sign(self, data: bytes) -> bytes: ...


class Ed25519Signer:
    """A signer whose Ed25519 key is in this process's memory. Its representation shows no secret."""

    __slots__ = ("_key", "public")

    def __init__(self, key: ed25519.Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey(
            key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        )

    @property
    def private(self) -> ed25519.Ed25519PrivateKey:
        """For notes, which sign with the same key under their own format."""
        return self._key

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)

    def __repr__(self) -> str:
        return f"Ed25519Signer({self.public.key_id[:16]})"


def _is_small_order(point: bytes) -> bool:
    """Whether an encoded Ed25519 point has small order, whatever its sign bit says."""
    return point[:31] + bytes([point[31] & 0x7F]) in _SMALL_ORDER
