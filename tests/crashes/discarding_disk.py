"""A disk that takes durability at its word: at a power cut, what was not synced is gone.

It works on real files, so that readers see what a running process sees, and remembers beside them what has reached the
platter: the bytes of each file at its last sync, and the names in each folder at that folder's last sync.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

from sekisho.adapters.durable_files import OsDisk

__all__ = ["DiscardingDisk", "Fuse", "PowerCut", "Sync"]

Sync = Literal["bytes of a file", "names of a folder", "name of a new folder"]
T = TypeVar("T")


class PowerCut(BaseException):
    """The machine stops here; nothing above may catch it."""


class Fuse:
    """Counts durable steps by name and blows before or after the one with the number given."""

    def __init__(self, step: int = -1, *, after: bool = False) -> None:
        self.names: list[str] = []
        self.is_blown = False
        self._step = step
        self._after = after

    def guard(self, name: str, act: Callable[[], T]) -> T:
        if self.is_blown:
            raise PowerCut
        here = len(self.names) == self._step
        self.names.append(name)
        if here and not self._after:
            self.is_blown = True
            raise PowerCut
        if not here:
            return act()
        self.is_blown = True
        with contextlib.suppress(Exception):  # whatever came of it, nobody learns it any more
            act()
        raise PowerCut


class _File:
    """One file's bytes as they are on the platter; a file never synced is there empty, if its name is."""

    def __init__(self) -> None:
        self.synced = b""


class DiscardingDisk:
    """A `Disk` under `root`, which is on the platter from the start. `without` names a sync that does nothing."""

    def __init__(
        self, root: Path, fuse: Fuse | None = None, *, without: Sync | None = None
    ) -> None:
        self.fuse = fuse or Fuse()
        self._root = root
        self._without = without
        self._os = OsDisk()
        self._open: dict[int, Path] = {}
        self._files: dict[Path, _File] = {}
        self._names: dict[Path, dict[str, _File | Path]] = {root: {}}
        self._new_folder: Path | None = None

    def create(self, path: Path, mode: int) -> int:
        descriptor = self._guard("create", path, lambda: self._os.create(path, mode))
        self._open[descriptor] = path
        self._files[path] = _File()
        return descriptor

    def write(self, descriptor: int, data: bytes) -> None:
        path = self._open[descriptor]
        self._guard("write", path, lambda: self._os.write(descriptor, data))

    def sync(self, descriptor: int) -> None:
        path = self._open[descriptor]

        def act() -> None:
            if self._without != "bytes of a file":
                self._files[path].synced = path.read_bytes()

        self._guard("sync", path, act)

    def close(self, descriptor: int) -> None:
        self._open.pop(descriptor, None)
        self._os.close(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        def act() -> None:
            self._os.rename(old, new)
            self._files[new] = self._files.pop(old)

        self._guard("rename", new, act)

    def remove(self, path: Path) -> None:
        if self.fuse.is_blown:
            return  # a machine without power cleans nothing up
        self._os.remove(path)
        self._files.pop(path, None)

    def is_folder(self, path: Path) -> bool:
        return path.is_dir()

    def make_folder(self, path: Path) -> None:
        def act() -> None:
            self._os.make_folder(path)
            self._names.setdefault(path, {})
            self._new_folder = path

        self._guard("folder", path, act)

    def sync_folder(self, path: Path) -> None:
        is_for_new = self._new_folder is not None and self._new_folder.parent == path
        kind: Sync = "name of a new folder" if is_for_new else "names of a folder"

        def act() -> None:
            if self._without != kind:
                self._names[path] = {
                    child.name: self._files.get(child, child) for child in path.iterdir()
                }
            self._new_folder = None

        self._guard("sync of folder", path, act)

    def cut_power(self) -> None:
        """Leave under the root only what had reached the platter; then the disk works again, behind a new fuse."""
        saved, self._names = self._names, {}
        self._files, self._new_folder, self.fuse = {}, None, Fuse()
        shutil.rmtree(self._root)
        self._restore(self._root, saved)

    def _restore(self, folder: Path, saved: dict[Path, dict[str, _File | Path]]) -> None:
        folder.mkdir()
        names = self._names[folder] = dict(saved.get(folder, {}))
        for name, what in names.items():
            if isinstance(what, _File):
                (folder / name).write_bytes(what.synced)
                self._files[folder / name] = what
            else:
                self._restore(what, saved)

    def _guard(self, step: str, path: Path, act: Callable[[], T]) -> T:
        name = f"{step} {path.relative_to(self._root)}"
        return self.fuse.guard(name, act)
