"""A folder as tile store: what any file server can serve as it lies."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from sekisho.adapters.durable_files import replace_file
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.ports.tile_store import NotStored

__all__ = ["FileTileStore"]

_FORBIDDEN = {"", ".", ".."}


class FileTileStore:
    """A `TileStore` in a folder. Reading never follows a path out of it; links inside it are refused too."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, path: str, limit: int) -> bytes:
        target = self._resolve(path)
        try:
            # O_NONBLOCK: a pipe planted in the folder must not hold the reader up.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(target, flags)
        except (FileNotFoundError, NotADirectoryError):
            raise NotStored(f"{path} is not there", remedy="fetch or restore it") from None
        except OSError as error:
            raise Unavailable(f"{path} cannot be read: {error.strerror}") from None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise NotStored(f"{path} is not a plain file")
            return _read_bounded(descriptor, path, limit)
        finally:
            os.close(descriptor)

    def write(self, path: str, data: bytes) -> None:
        replace_file(self._resolve(path), data, mode=0o644)

    def exists(self, path: str) -> bool:
        return self._resolve(path).is_file()

    def _resolve(self, path: str) -> Path:
        parts = path.split("/")
        if _FORBIDDEN.intersection(parts) or any(c in path for c in "\\\0"):
            raise InvalidInput("this path would leave the store", path=path[:120])
        target = self.root.joinpath(*parts)
        # A link on the way would lead elsewhere; comparing real paths also refuses those planted later.
        if target.parent.exists() and not target.parent.resolve().is_relative_to(
            self.root.resolve()
        ):
            raise InvalidInput("this path would leave the store", path=path[:120])
        return target


def _read_bounded(descriptor: int, path: str, limit: int) -> bytes:
    chunks: list[bytes] = []
    left = limit + 1
    while left > 0:
        try:
            chunk = os.read(descriptor, min(left, 1 << 20))
        except OSError as error:
            raise Unavailable(f"{path} cannot be read: {error.strerror}") from None
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
        left -= len(chunk)
    raise InvalidInput(f"longer than {limit} bytes", path=path)
