"""Small files that are whole and on the disk before the caller goes on, and folders held by one process."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

from sekisho.model.errors import StateConflict, Unavailable

__all__ = ["create_private_folder", "hold_folder", "replace_file"]


def replace_file(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Put `data` at `path` durably and in one move: temporary file, fsync, rename, fsync of the folder.

    Crash at any point: the old file or the new one, never a part; a left-over `.tmp` file means nothing.
    Folders that are missing are made, each durable in its parent. Raises Unavailable where the disk refuses.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        _make_folders(path.parent)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise Unavailable(
            f"{path} cannot be written: {error.strerror}",
            remedy="check space and rights, then try again",
        ) from None


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


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _make_folders(folder: Path) -> None:
    """Create what is missing, each new name durable in its parent."""
    if folder.is_dir():
        return
    _make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
