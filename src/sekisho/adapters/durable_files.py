"""Small files that are whole and on the disk before the caller goes on, and folders held by one process."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from sekisho.model.errors import StateConflict, Unavailable

__all__ = [
    "Disk",
    "OsDisk",
    "create_private_folder",
    "hold_folder",
    "replace_file",
    "replace_files",
    "sync_path",
]


class Disk(Protocol):
    """What durable writing asks of a file system, one system call a method; all of them raise OSError.

    Nothing outlives a power cut before its `sync` or `sync_folder`: bytes before the file's, a name (new, moved
    or gone) before its folder's. Tests put a disk here that takes this at its word.
    """

    def create(self, path: Path, mode: int) -> int:
        """A new empty file, open for writing: its descriptor. Raises FileExistsError."""
        ...

    def write(self, descriptor: int, data: bytes) -> None: ...

    def sync(self, descriptor: int) -> None: ...

    def close(self, descriptor: int) -> None: ...

    def rename(self, old: Path, new: Path) -> None: ...

    def remove(self, path: Path) -> None:
        """Take a name away; harmless where it is gone."""
        ...

    def is_folder(self, path: Path) -> bool: ...

    def make_folder(self, path: Path) -> None:
        """One folder in a parent that exists; harmless where it is there."""
        ...

    def sync_folder(self, path: Path) -> None: ...


class OsDisk:
    """The `Disk` of this machine."""

    def create(self, path: Path, mode: int) -> int:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)

    def write(self, descriptor: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def sync(self, descriptor: int) -> None:
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        old.replace(new)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def is_folder(self, path: Path) -> bool:
        return path.is_dir()

    def make_folder(self, path: Path) -> None:
        path.mkdir(exist_ok=True)

    def sync_folder(self, path: Path) -> None:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


_OS_DISK = OsDisk()


def sync_path(path: Path) -> None:
    """Have what a file holds, or the names in a folder, on the disk before going on. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, data: bytes, *, mode: int = 0o600, disk: Disk = _OS_DISK) -> None:
    """Put `data` at `path` durably and in one move: temporary file, fsync, rename, fsync of the folder.

    Crash at any point: the old file or the new one, never a part; a left-over `.tmp` file means nothing.
    Folders that are missing are made, each durable in its parent. Raises Unavailable where the disk refuses.
    """
    replace_files([(path, data)], mode=mode, disk=disk)


def replace_files(
    files: Sequence[tuple[Path, bytes]],
    *,
    mode: int = 0o600,
    disk: Disk = _OS_DISK,
    named: set[Path] | None = None,
) -> None:
    """`replace_file` for several: each is whole or as it was, all are durable when it returns.

    Each folder is synced once, however many of the files lie in it. `named` are the folders whose own names are
    known to be durable: every other one, new or found, is made so first and joins them. Without it a folder that
    stands is trusted, though a process killed while making it may have left its name unsynced.
    """
    moves = [(_temporary(path), path, data) for path, data in files]
    folders = list(dict.fromkeys(path.parent for path, _ in files))
    made: list[Path] = []
    try:
        _make_folders(folders, disk, named)
        for temporary, _, data in moves:
            made.append(temporary)
            _create_synced(temporary, data, mode, disk)
        # Crash here: temporary files only. The bytes are on the disk before any name points to them.
        for temporary, path, _ in moves:
            disk.rename(temporary, path)
        # Crash here: any of the names may be old or new.
        for folder in folders:
            disk.sync_folder(folder)
    except OSError as error:
        _remove_all(made, disk)
        raise Unavailable(
            f"{error.filename or folders[0]} cannot be written: {error.strerror}",
            remedy="check space and rights, then try again",
        ) from None


def create_private_folder(path: Path) -> None:
    """Make `path`, or make it 0700 where it stands: only its owner may enter."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)


def hold_folder(folder: Path, name: str) -> int:
    """Be the one `name` of this folder until this process ends, however it ends. Raises StateConflict where one is.

    Closing the descriptor that it gives ends the hold sooner.
    """
    file = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise StateConflict(f"another {name} holds {folder}", remedy="use that one") from None
    return file


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def _create_synced(path: Path, data: bytes, mode: int, disk: Disk) -> None:
    descriptor = disk.create(path, mode)
    try:
        disk.write(descriptor, data)
        disk.sync(descriptor)
    finally:
        disk.close(descriptor)


def _make_folders(folders: Iterable[Path], disk: Disk, named: set[Path] | None) -> None:
    """Create what is missing, each new name durable in its parent."""
    for folder in folders:
        is_there = disk.is_folder(folder)
        if is_there and (named is None or folder in named):
            continue
        _make_folders([folder.parent], disk, named)
        if not is_there:
            disk.make_folder(folder)
        # Crash here: a folder that a power cut may still take away.
        disk.sync_folder(folder.parent)
        if named is not None:
            named.add(folder)


def _remove_all(paths: Iterable[Path], disk: Disk) -> None:
    for path in paths:
        try:
            disk.remove(path)
        except OSError:
            return  # a disk that refuses this too keeps a temporary file, which means nothing
