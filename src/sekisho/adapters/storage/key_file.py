"""An Ed25519 key in a file of its own: PKCS8 PEM, readable by its owner only."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from sekisho.adapters.storage.file_tiles import write_durably
from sekisho.model.errors import Corrupt

__all__ = ["load_or_create_key"]

_OPEN_TO_OTHERS = 0o077


def load_or_create_key(path: Path) -> Ed25519PrivateKey:
    """The key in the file, made on first use. Raises Corrupt where the file is no such key or open to others."""
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        # Crash here: no file, and nobody saw the key; the next start makes another.
        write_durably(path, pem, mode=0o600)
    if path.stat().st_mode & _OPEN_TO_OTHERS:
        raise Corrupt(f"{path} is open to other users", remedy=f"chmod 600 {path}")
    try:
        loaded = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Corrupt(
            f"{path} is not an unencrypted PKCS8 key", remedy="restore it from a backup"
        ) from None
    if not isinstance(loaded, Ed25519PrivateKey):
        raise Corrupt(f"{path} is not an Ed25519 key", remedy="restore it from a backup")
    return loaded
