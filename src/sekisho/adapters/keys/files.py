"""Ed25519 keys as PKCS #8 PEM files that only their owner can read.

A passphrase encrypts the file; it comes as bytes from the caller (a file or a prompt), never from argv.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.signing.keys import Ed25519Signer

__all__ = ["create_key", "load_key", "load_or_create_key"]

MAX_KEY_FILE = 16_384


def create_key(path: Path, *, passphrase: bytes | None = None) -> Ed25519Signer:
    """Draw a new key and write it. Raises StateConflict where a file is already there: keys are never overwritten."""
    key = Ed25519PrivateKey.generate()
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise StateConflict(
            f"{path}: a file is already there", remedy="name another file"
        ) from None
    # A crash before the fsync leaves an empty or short file: load_key refuses it, and nothing was signed yet.
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    return Ed25519Signer(key)


def load_key(path: Path, *, passphrase: bytes | None = None) -> Ed25519Signer:
    """Read a key file. Raises InvalidInput naming the file for anything but an Ed25519 key we may read."""
    try:
        with path.open("rb") as file:
            pem = file.read(MAX_KEY_FILE)
            mode = os.fstat(file.fileno()).st_mode
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", path=str(path)) from None
    if mode & 0o077:
        raise InvalidInput("others can read this key", path=str(path), remedy=f"chmod 600 {path}")
    try:
        key = load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InvalidInput(
            "is not a private key, or its passphrase is wrong", path=str(path)
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidInput("is not an Ed25519 key", path=str(path))
    return Ed25519Signer(key)


def load_or_create_key(path: Path) -> Ed25519Signer:
    """The key at `path`, drawn at the first call."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return load_key(path) if path.exists() else create_key(path)
