"""A folder of contents, each under the SHA-256 of its bytes; only its owner enters."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from sekisho.adapters.durable_files import create_private_folder, replace_file
from sekisho.model.errors import Corrupt, InvalidInput, Unavailable
from sekisho.model.wire import sha256_hex
from sekisho.ports.tile_store import NotStored

__all__ = ["ContentFolder"]

_DIGEST = re.compile(r"[0-9a-f]{64}")


class ContentFolder:
    """A `ContentStore` in a folder, which is made when the first content comes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, data: bytes) -> str:
        sha256 = sha256_hex(data)
        path = self._folder / sha256
        if self._size_of(path) == len(data):
            return sha256
        try:
            create_private_folder(self._folder)
        except OSError as error:
            raise Unavailable(
                f"{self._folder} cannot be made: {error.strerror}", remedy="check rights and space"
            ) from None
        # Crash in here: the whole content or none of it; nobody knows its digest yet.
        replace_file(path, data)
        return sha256

    def load(self, sha256: str, limit: int) -> bytes:
        path = self._path(sha256)
        size = self._size_of(path)
        if size is None:
            raise NotStored(f"content {sha256[:16]} is not there", remedy="restore the folder")
        if size > limit:
            raise Corrupt(f"content {sha256[:16]} has {size} bytes, at most {limit} are expected")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise Unavailable(f"{path} cannot be read: {error.strerror}") from None
        if sha256_hex(data) != sha256:
            raise Corrupt(f"content {sha256[:16]} was changed", remedy="restore the folder")
        return data

    def has(self, sha256: str) -> bool:
        return self._size_of(self._path(sha256)) is not None

    def _path(self, sha256: str) -> Path:
        if _DIGEST.fullmatch(sha256) is None:
            raise InvalidInput("a digest is 64 lower-case hexadecimal digits", path="sha256")
        return self._folder / sha256

    def _size_of(self, path: Path) -> int | None:
        """The size of a plain file; None where there is none."""
        try:
            found = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Unavailable(f"{path} cannot be read: {error.strerror}") from None
        return found.st_size if stat.S_ISREG(found.st_mode) else None
