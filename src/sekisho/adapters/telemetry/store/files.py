"""What the store asks of a file system, and the local one: durable, whole, without symbolic links."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Lock
from typing import Final, Protocol

import msgspec

from sekisho.adapters.durable_files import Disk, OsDisk, replace_files
from sekisho.model.errors import Corrupt, InvalidInput, StateConflict, Unavailable
from sekisho.ports.tile_store import NotStored

__all__ = ["Entry", "LocalFiles", "StoreFiles", "mismatch"]

_CHUNK: Final = 1 << 20
_POLL_S: Final = 0.05
_RESTORE: Final = (
    "restore it from a copy of the store, or put it aside and take its telemetry again"
)
_OURS: Final = re.compile(r"[A-Za-z0-9=._-]{1,255}", re.ASCII)
_TEMPORARY: Final = re.compile(r"\..*\.tmp", re.DOTALL)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A file in a folder of the store: its name there, its bytes, when it last changed."""

    name: str
    size: int
    changed_us: int


class StoreFiles(Protocol):
    """Files below a root, by relative paths with '/' between their parts.

    Every write is whole and durable when it returns. Raises NotStored where nothing is there, Corrupt where something
    is that the store did not put there, Unavailable where the disk or the object store refuses.
    """

    is_exclusive: bool
    """Whether `hold` keeps every other process out for certain; else nothing may be taken away at once."""
    scratch: Path
    """A folder of this machine for what a crash may take."""

    def read(self, path: str, limit: int) -> bytes: ...

    def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Each file whole; all durable when it returns, and in no order before."""
        ...

    def list_files(self, folder: str) -> list[Entry]:
        """The files directly in a folder, by name; none where there is no such folder. Temporary ones are left out."""
        ...

    def list_folders(self, folder: str) -> list[str]: ...

    def remove_all(self, paths: Sequence[str]) -> None:
        """Gone for good when it returns; harmless for what is gone already."""
        ...

    def move(self, old: str, new: str) -> None:
        """Harmless where it has been done already."""
        ...

    def locate(self, path: str, sha256: str, size: int) -> str:
        """A path on this machine to the file's bytes, which have that digest. Raises Corrupt where they do not."""
        ...

    def hold(self, name: str, *, wait_s: float) -> AbstractContextManager[None]:
        """Be the only one who holds this name. Raises StateConflict where another does for longer than `wait_s`."""
        ...

    def sweep(self, folder: str, before_us: int) -> None:
        """Take away what crashed writers left half-written there, where it is older than that."""
        ...


def mismatch(path: str) -> Corrupt:
    """The error for a file whose bytes are not those that its manifest names."""
    return Corrupt(f"{path} is not what was written there: its SHA-256 differs", remedy=_RESTORE)


class LocalFiles:
    """`StoreFiles` in a folder of this machine."""

    is_exclusive = True

    def __init__(self, root: Path, disk: Disk | None = None) -> None:
        self.root = root.expanduser().absolute()
        self.scratch = self.root / ".scratch"
        self._disk = disk or OsDisk()
        # What stands above the root is trusted; below it every folder's name is made durable once by each process.
        self._named = {above for above in (self.root, *self.root.parents) if above.is_dir()}
        self._checked: dict[str, tuple[tuple[int, ...], str]] = {}
        self._mutex = Lock()

    def read(self, path: str, limit: int) -> bytes:
        with self._opened(path) as descriptor, open(descriptor, "rb", closefd=False) as stream:
            data = stream.read(limit + 1)
        if len(data) > limit:
            raise Corrupt(f"{path} is longer than {limit} bytes", remedy=_RESTORE)
        return data

    def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
        targets = [(self._place(path), data) for path, data in files]
        replace_files(targets, disk=self._disk, named=self._named)

    def list_files(self, folder: str) -> list[Entry]:
        found = []
        for item in self._scan(folder):
            if item.is_symlink():
                raise Corrupt(f"{folder}/{item.name} is a symbolic link", remedy="remove it")
            if _TEMPORARY.fullmatch(item.name) or not item.is_file():
                continue
            try:
                info = item.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # a compactor took it away meanwhile
            changed = info.st_mtime_ns // 1000
            found.append(Entry(name=item.name, size=info.st_size, changed_us=changed))
        return sorted(found, key=lambda entry: entry.name)

    def list_folders(self, folder: str) -> list[str]:
        found = []
        for item in self._scan(folder):
            if item.is_symlink():
                raise Corrupt(f"{folder}/{item.name} is a symbolic link", remedy="remove it")
            if item.is_dir():
                found.append(item.name)
        return sorted(found)

    def remove_all(self, paths: Sequence[str]) -> None:
        places = [self._place(path) for path in paths]
        with _refused(paths[0] if paths else ""):
            for place in places:
                self._disk.remove(place)
            for folder in dict.fromkeys(place.parent for place in places):
                if self._disk.is_folder(folder):
                    self._disk.sync_folder(folder)

    def move(self, old: str, new: str) -> None:
        source, target = self._place(old), self._place(new)
        if not source.exists() and target.exists():
            return
        self._make_folder(target.parent)
        with _refused(old):
            self._disk.rename(source, target)
            # Crash here: under both names after a power cut, or under either; who moves it looks at both.
            self._disk.sync_folder(target.parent)
            self._disk.sync_folder(source.parent)

    def locate(self, path: str, sha256: str, size: int) -> str:
        with self._opened(path) as descriptor:
            info = os.fstat(descriptor)
            mark = (info.st_ino, info.st_size, info.st_mtime_ns)
            if self._checked.get(path) == (mark, sha256):
                return str(self.root / path)
            if info.st_size != size or _digest_of(descriptor) != sha256:
                raise mismatch(path)
        with self._mutex:
            self._checked[path] = (mark, sha256)
        return str(self.root / path)

    @contextmanager
    def hold(self, name: str, *, wait_s: float) -> Iterator[None]:
        place = self._place(f"locks/{name}.lock")
        self._make_folder(place.parent)
        with _refused(f"locks/{name}.lock"):
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(place, flags, 0o600)
        try:
            _wait_for(descriptor, name, wait_s)
            yield
        finally:
            os.close(descriptor)  # and with it the lock, however the process ends

    def sweep(self, folder: str, before_us: int) -> None:
        for item in self._scan(folder):
            if not _TEMPORARY.fullmatch(item.name):
                continue
            try:
                if item.stat(follow_symlinks=False).st_mtime_ns // 1000 < before_us:
                    self._disk.remove(Path(item.path))
            except OSError:
                continue  # it costs space and means nothing

    def _scan(self, folder: str) -> list[os.DirEntry[str]]:
        place = self._place(folder)
        try:
            with os.scandir(place) as items:
                return list(items)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unavailable(folder, error) from None

    @contextmanager
    def _opened(self, path: str) -> Iterator[int]:
        place = self._place(path)
        with _refused(path):
            descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _place(self, path: str) -> Path:
        """Where a path of the store lies. Refuses what would leave it, by its words or by a symbolic link."""
        parts = path.split("/")
        if not all(_OURS.fullmatch(part) and part not in (".", "..") for part in parts):
            raise InvalidInput("this path would leave the store", path=path[:120])
        place = self.root
        for part in parts:
            place = place / part
            try:
                if stat.S_ISLNK(place.lstat().st_mode):
                    raise Corrupt(f"{path} leads through a symbolic link", remedy="remove it")
            except FileNotFoundError:
                break
            except NotADirectoryError:
                raise Corrupt(f"{path} leads through a file", remedy="remove it") from None
        return self.root / path

    def _make_folder(self, folder: Path) -> None:
        if folder in self._named:
            return
        self._make_folder(folder.parent)
        with _refused(str(folder)):
            if not self._disk.is_folder(folder):
                self._disk.make_folder(folder)
            # Crash here: a folder that a power cut may still take away; the next one who needs it syncs it again.
            self._disk.sync_folder(folder.parent)
        self._named.add(folder)


def _digest_of(descriptor: int) -> str:
    digest = hashlib.sha256()
    while chunk := os.read(descriptor, _CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _wait_for(descriptor: int, name: str, wait_s: float) -> None:
    until = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise StateConflict(
                    f"another process works on {name}", remedy="let it finish, then try again"
                ) from None
            time.sleep(_POLL_S)
        else:
            return


@contextmanager
def _refused(path: str) -> Iterator[None]:
    """The system's errors as ours."""
    try:
        yield
    except FileNotFoundError:
        raise NotStored(f"{path} is not there", remedy="restore it from a copy") from None
    except OSError as error:
        raise _unavailable(path, error) from None


def _unavailable(path: str, error: OSError) -> Unavailable:
    return Unavailable(f"{path}: {error.strerror}", remedy="check space and rights, then try again")
