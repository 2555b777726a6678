"""Small files that are whole and on the disk before the caller goes on, and folders held by one process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from sekisho.model.errors import StateConflict

__all__ = ["create_private_folder", "hold_folder", "replace_file"]


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


def hold_folder(folder: Path, name: str) -> None:
    """Be the one `name` of this folder until this process ends, however it ends. Raises StateConflict where one is."""
    file = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise StateConflict(f"another {name} holds {folder}", remedy="use that one") from None


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
