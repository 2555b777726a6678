"""Files of a backup: a database as it stands at one instant, anything else as it lies, each synced and hashed."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from sekisho.adapters.durable_files import OsDisk
from sekisho.model.errors import Corrupt, InvalidInput, Unavailable

__all__ = ["check_database", "copy_file", "copy_still", "hash_file", "is_database"]

_MAGIC: Final = b"SQLite format 3\0"
_PAGES: Final = 1_024
_BLOCK: Final = 1 << 20


def is_database(path: Path) -> bool:
    """Whether a file is SQLite's. Raises Unavailable where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        raise _unreadable(path, error) from None


def copy_file(source: Path, target: Path, heard: Callable[[int, int], None]) -> None:
    """Copy beside whoever writes: SQLite's own online copy for a database, else the bytes. Never through a link.

    `heard` is told pages done and to do. Raises Unavailable where either side refuses, InvalidInput for a link.
    """
    if source.is_symlink() or not source.is_file():
        raise InvalidInput("is no plain file", path=str(source), remedy="take it out of the home")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if is_database(source):
        _copy_database(source, target, heard)
    else:
        _copy_bytes(source, target)
    _sync(target)


def copy_still(source: Path, target: Path) -> None:
    """Copy the bytes of a file that nobody writes. Raises as `copy_file`."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _copy_bytes(source, target)
    _sync(target)


def _sync(target: Path) -> None:
    descriptor = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fchmod(descriptor, 0o600)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    OsDisk().sync_folder(target.parent)


def _copy_database(source: Path, target: Path, heard: Callable[[int, int], None]) -> None:
    try:
        address = f"{source.absolute().as_uri()}?mode=ro"
        with (
            closing(sqlite3.connect(address, uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(
                new, pages=_PAGES, progress=lambda _, left, whole: heard(whole - left, whole)
            )
            # A copy in one file: nobody who reads it leaves a journal beside it.
            new.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise Unavailable(f"{source} cannot be copied: {error}", remedy="try again") from None


def _copy_bytes(source: Path, target: Path) -> None:
    try:
        with source.open("rb") as old, target.open("xb") as new:
            while block := old.read(_BLOCK):
                new.write(block)
    except OSError as error:
        raise Unavailable(
            f"{source} cannot be copied: {error.strerror}", remedy="check space and rights"
        ) from None


def check_database(path: Path) -> None:
    """SQLite's own look at a whole file. Raises Corrupt."""
    try:
        # immutable: nobody writes a backup, and looking at it must not leave a journal beside it.
        address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        raise Corrupt(f"{path} is damaged: {found}", remedy="take another backup")


def hash_file(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file. Raises Unavailable where it cannot be read."""
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
    except OSError as error:
        raise _unreadable(path, error) from None
    return size, digest.hexdigest()


def _unreadable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(f"{path} cannot be read: {error.strerror}", remedy="check rights")
