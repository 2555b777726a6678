"""Small files that are whole and on the disk before the caller goes on."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["create_private_folder", "replace_file"]


def replace_file(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Put `data` at `path` durably and in one move.

    A crash before the rename leaves the old content (and a `.part` that the next call replaces), after it the new.
    """
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(file, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
    _sync_folder(path.parent)


def create_private_folder(path: Path) -> None:
    """Make `path`, or make it 0700 where it stands: only its owner may enter."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
