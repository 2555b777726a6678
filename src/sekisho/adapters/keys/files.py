"""Private keys as PKCS #8 PEM files that only their owner can read: Ed25519, and ECDSA on P-256 and P-384.

A passphrase encrypts the file; it comes as bytes from the caller (a file or a prompt), never from argv.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from sekisho.adapters.keys.ecdsa import EcdsaSigner
from sekisho.adapters.keys.secret_files import create_secret_file, load_secret_file
from sekisho.model.errors import InvalidInput
from sekisho.signing.keys import Ed25519Signer, Signer

__all__ = [
    "Algorithm",
    "create_key",
    "create_signer",
    "load_key",
    "load_or_create_key",
    "load_signer",
]

Algorithm: TypeAlias = Literal["ed25519", "p256", "p384"]
_Private: TypeAlias = Ed25519PrivateKey | ec.EllipticCurvePrivateKey

_DRAW: dict[Algorithm, Callable[[], _Private]] = {
    "ed25519": Ed25519PrivateKey.generate,
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
}


def create_key(path: Path, *, passphrase: bytes | None = None) -> Ed25519Signer:
    """Draw a new Ed25519 key and write it. Raises StateConflict where a file is already there."""
    key = Ed25519PrivateKey.generate()
    _write_new(path, key, passphrase)
    return Ed25519Signer(key)


def create_signer(path: Path, algorithm: Algorithm, *, passphrase: bytes | None = None) -> Signer:
    """Draw a new key of any algorithm and write it. Raises StateConflict: keys are never overwritten."""
    key = _DRAW[algorithm]()
    _write_new(path, key, passphrase)
    return _signer(key, path)


def load_key(path: Path, *, passphrase: bytes | None = None) -> Ed25519Signer:
    """Read a key file. Raises InvalidInput naming the file for anything but an Ed25519 key we may read."""
    signer = load_signer(path, passphrase=passphrase)
    if not isinstance(signer, Ed25519Signer):
        raise InvalidInput("is not an Ed25519 key", path=str(path))
    return signer


def load_signer(path: Path, *, passphrase: bytes | None = None) -> Signer:
    """Read a key file of any algorithm that statements take. Raises InvalidInput naming the file."""
    pem = load_secret_file(path)
    try:
        key = load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InvalidInput(
            "is not a private key, or its passphrase is wrong", path=str(path)
        ) from None
    return _signer(key, path)


def load_or_create_key(path: Path) -> Ed25519Signer:
    """The key at `path`, drawn at the first call."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return load_key(path) if path.exists() else create_key(path)


def _signer(key: object, path: Path) -> Signer:
    if isinstance(key, Ed25519PrivateKey):
        return Ed25519Signer(key)
    if isinstance(key, ec.EllipticCurvePrivateKey) and EcdsaSigner.takes(key.curve):
        return EcdsaSigner(key)
    raise InvalidInput("is not an Ed25519, P-256 or P-384 key", path=str(path))


def _write_new(path: Path, key: _Private, passphrase: bytes | None) -> None:
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    create_secret_file(path, pem)
