"""A folder as tile store: what any file server can serve as it lies."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from sekisho.adapters.durable_files import Disk, OsDisk, replace_files
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.ports.tile_store import NotStored

__all__ = ["FileTileStore"]

_FORBIDDEN = {"", ".", ".."}


class FileTileStore:
    """A `TileWriter` in a folder. Reading never follows a path out of it; links inside it are refused too."""

    def __init__(self, root: Path, *, disk: Disk | None = None) -> None:
        self.root = root
        self._disk = disk or OsDisk()
        # What an earlier process made, the root too, is not trusted to outlive a power cut until synced by this one.
        self._named = set(root.parents)

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
        self.write_all([(path, data)])

    def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
        if files:
            resolved = [(self._resolve(path), data) for path, data in files]
            replace_files(resolved, mode=0o644, disk=self._disk, named=self._named)

    def drop_folder(self, path: str) -> None:
        folder = self._resolve(path)
        if folder.is_symlink():  # planted: what it leads to is not ours to empty
            return
        try:
            for file in folder.iterdir():
                file.unlink(missing_ok=True)
            folder.rmdir()
        except OSError:
            return  # not there, or: what is left costs space and nothing else; a reader never needs it

    def exists(self, path: str) -> bool:
        target = self._resolve(path)
        try:
            return target.is_file()
        except OSError as error:  # "no" would be a guess, and a log that guesses so forks
            raise Unavailable(f"{path} cannot be read: {error.strerror}") from None

    def _resolve(self, path: str) -> Path:
        parts = path.split("/")
        if _FORBIDDEN.intersection(parts) or any(c in path for c in "\\\0"):
            raise InvalidInput("this path would leave the store", path=path[:120])
        target = self.root.joinpath(*parts)
        # A link on the way would lead elsewhere; comparing real paths also refuses those planted later.
        try:
            is_inside = not target.parent.exists() or target.parent.resolve().is_relative_to(
                self.root.resolve()
            )
        except OSError as error:
            raise Unavailable(f"{path[:120]} cannot be read: {error.strerror}") from None
        if not is_inside:
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
