"""A folder as tile store: what any file server can serve as it lies."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.ports.tile_store import NotStored

__all__ = ["FileTileStore", "write_durably"]

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
        write_durably(self._resolve(path), data)

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


def write_durably(target: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file whole: temporary file, fsync, rename, fsync of the folder.

    Crash at any point: the old file or the new one, never a part; a left-over `.tmp` file means nothing.
    Raises Unavailable where the disk refuses.
    """
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        _make_folders(target.parent)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.rename(target)
        _sync_folder(target.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise Unavailable(
            f"{target} cannot be written: {error.strerror}",
            remedy="check space and rights, then try again",
        ) from None


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


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
