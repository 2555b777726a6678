"""HPKE and Shamir's scheme as a stranger writes them from docs/wire.md and RFC 9180, with nothing drawn at random.

They make the golden vectors, which a library with its own randomness cannot make twice, and hold our libraries to the
written formats.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sekisho.signing.sealing import DepositKey

__all__ = ["FixedSealer", "FixedSharing", "hpke_seal", "multiply", "raw_public"]

_KEM_SUITE = b"KEM" + (0x0020).to_bytes(2, "big")
_SUITE = b"HPKE" + b"".join(n.to_bytes(2, "big") for n in (0x0020, 0x0001, 0x0003))
_FIELD = (1 << 128) | 0b10000111


def raw_public(key: X25519PrivateKey | X25519PublicKey) -> bytes:
    public = key.public_key() if isinstance(key, X25519PrivateKey) else key
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def hpke_seal(
    ephemeral: X25519PrivateKey, to: X25519PublicKey, data: bytes, info: bytes, aad: bytes = b""
) -> bytes:
    """RFC 9180 section 6.1, base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305, first message."""
    enc, dh = raw_public(ephemeral), ephemeral.exchange(to)
    eae = _extract(_KEM_SUITE, b"", b"eae_prk", dh)
    shared = _expand(_KEM_SUITE, eae, b"shared_secret", enc + raw_public(to), 32)
    context = (
        b"\x00"
        + _extract(_SUITE, b"", b"psk_id_hash", b"")
        + _extract(_SUITE, b"", b"info_hash", info)
    )
    secret = _extract(_SUITE, shared, b"secret", b"")
    key, nonce = (
        _expand(_SUITE, secret, label, context, size)
        for label, size in ((b"key", 32), (b"base_nonce", 12))
    )
    return enc + ChaCha20Poly1305(key).encrypt(nonce, data, aad)


class FixedSealer:
    """A `Sealer` whose ephemeral key follows from what it seals."""

    def seal(self, key: DepositKey, data: bytes, info: bytes) -> bytes:
        seed = hashlib.sha256(b"ephemeral" + key.spki + info).digest()
        return hpke_seal(X25519PrivateKey.from_private_bytes(seed), key.public, data, info)


class FixedSharing:
    """A `SecretSharing` whose polynomial follows from the secret; written apart from every library."""

    def split(self, secret: bytes, k: int, n: int) -> list[bytes]:
        drawn = (hashlib.sha256(b"coefficient" + secret + bytes([i])).digest() for i in range(1, k))
        terms = [int.from_bytes(secret, "big"), *(int.from_bytes(c[:16], "big") for c in drawn)]
        return [_value_at(terms, x).to_bytes(16, "big") for x in range(1, n + 1)]

    def combine(self, points: Sequence[tuple[int, bytes]]) -> bytes:
        total = 0
        for x, share in points:
            weight = 1
            for other, _ in points:
                if other != x:
                    weight = multiply(weight, multiply(other, _inverse(other ^ x)))
            total ^= multiply(weight, int.from_bytes(share, "big"))
        return total.to_bytes(16, "big")


def multiply(a: int, b: int) -> int:
    """In GF(2^128) by x^128 + x^7 + x^2 + x + 1."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a, b = a << 1, b >> 1
        if a >> 128:
            a ^= _FIELD
    return product


def _value_at(terms: list[int], x: int) -> int:
    value = 0
    for term in reversed(terms):
        value = multiply(value, x) ^ term
    return value


def _inverse(a: int) -> int:
    """a^(2^128 - 2)."""
    inverse, power = 1, a
    for _ in range(127):
        power = multiply(power, power)
        inverse = multiply(inverse, power)
    return inverse


def _extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    labelled = b"HPKE-v1" + suite + label + ikm
    return hmac.new(salt or bytes(32), labelled, hashlib.sha256).digest()


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.new(prk, labelled + b"\x01", hashlib.sha256).digest()[:length]
