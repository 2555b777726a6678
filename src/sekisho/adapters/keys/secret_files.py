"""Small files that hold a secret: made once, for their owner alone, and refused where anybody else may read them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from sekisho.adapters.durable_files import OsDisk
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable

__all__ = ["create_secret_file", "load_secret_file"]

MAX_SECRET_FILE = 16_384
_DISK = OsDisk()


def create_secret_file(path: Path, data: bytes) -> None:
    """Write a new file of mode 0600, whole and durably.

    Raises StateConflict where one is there already (none is overwritten), Unavailable where the disk refuses.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        try:
            _write_synced(temporary, data)
            # Crash before: no file under this name. After: the whole file; a rename would overwrite, a link does not.
            os.link(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        _DISK.sync_folder(path.parent)
    except FileExistsError:
        raise StateConflict(
            f"{path}: a file is already there", remedy="name another file"
        ) from None
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written: {error.strerror}", remedy="check space and rights"
        ) from None


def load_secret_file(path: Path) -> bytes:
    """The bytes of a secret's file. Raises InvalidInput naming it where others can read it, or it is too long."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(MAX_SECRET_FILE + 1)
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", path=str(path)) from None
    if data.startswith(b"-----BEGIN PUBLIC KEY"):
        raise InvalidInput("is a public key", path=str(path), remedy="name the private key's file")
    if mode & 0o077:
        raise InvalidInput("others can read this key", path=str(path), remedy=f"chmod 600 {path}")
    if len(data) > MAX_SECRET_FILE:
        raise InvalidInput("is too long for a key", path=str(path))
    return data


def _write_synced(path: Path, data: bytes) -> None:
    descriptor = _DISK.create(path, 0o600)
    try:
        _DISK.write(descriptor, data)
        _DISK.sync(descriptor)
    finally:
        _DISK.close(descriptor)
