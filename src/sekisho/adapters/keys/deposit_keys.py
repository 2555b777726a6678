"""Deposit keys in files, and a deposit's randomness: HPKE's ephemeral keys and Shamir's polynomial."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from sekisho.adapters.keys.secret_files import create_secret_file, load_secret_file
from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.signing.sealing import SUITE, DepositKey, X25519Opener

if TYPE_CHECKING:
    from Crypto.Protocol.SecretSharing import Shamir

__all__ = ["HpkeSealer", "ShamirSharing", "create_deposit_key", "load_deposit_key"]


class HpkeSealer:
    """A `Sealer`: each call draws its own ephemeral key."""

    def seal(self, key: DepositKey, data: bytes, info: bytes) -> bytes:
        return SUITE.encrypt(data, key.public, info)


class ShamirSharing:
    """A `SecretSharing` by pycryptodome, which draws the polynomial itself; loaded by who deposits or opens."""

    def split(self, secret: bytes, k: int, n: int) -> list[bytes]:
        return [share for _, share in _shamir().split(k, n, secret)]

    def combine(self, points: Sequence[tuple[int, bytes]]) -> bytes:
        return _shamir().combine(list(points))


def create_deposit_key(path: Path, *, passphrase: bytes | None = None) -> X25519Opener:
    """Draw an X25519 key and write it as PKCS #8 PEM. Raises StateConflict where a file is already there."""
    key = X25519PrivateKey.generate()
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    create_secret_file(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return X25519Opener(key)


def load_deposit_key(path: Path, *, passphrase: bytes | None = None) -> X25519Opener:
    """Read a deposit key's file. Raises InvalidInput naming the file for anything but an X25519 key we may read."""
    pem = load_secret_file(path)
    try:
        key = load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InvalidInput(
            "is not a private key, or its passphrase is wrong", path=str(path)
        ) from None
    if not isinstance(key, X25519PrivateKey):
        raise InvalidInput(
            "is not an X25519 key", path=str(path), remedy="make one with `sekisho disclosure key`"
        )
    return X25519Opener(key)


def _shamir() -> type[Shamir]:
    try:
        from Crypto.Protocol.SecretSharing import (  # noqa: PLC0415  # an extra that few installations have
            Shamir,
        )
    except ImportError:
        raise StateConflict(
            "the package pycryptodome is not installed, and deposits need it",
            remedy="pip install 'sekisho[deposit]'",
        ) from None
    return Shamir
