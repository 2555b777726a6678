"""Closed balances, production reports and usage roll-ups as files: `KIND/NAME/000001.json`, in their owner's folder.

A document is linked to its name only once it is whole and on the disk, and a name that stands is never taken: two
processes that close the same period cannot both succeed.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from sekisho.adapters.durable_files import Disk, OsDisk, create_private_folder, replace_file
from sekisho.model.errors import Corrupt, InvalidInput, StateConflict, Unavailable
from sekisho.ports.report_store import ReportKind

__all__ = ["ReportFiles"]

MAX_REPORT: Final = 512 * 1024 * 1024
_NAME: Final = re.compile(r"([0-9]{6,9})\.json")
_LONGEST: Final = 240


class ReportFiles:
    """A `ReportStore` in a folder."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self._folder = folder
        self._disk = disk or OsDisk()

    def load_names(self, kind: ReportKind) -> tuple[str, ...]:
        folder = self._folder / kind
        if not folder.is_dir():
            return ()
        return tuple(sorted(unquote(path.name) for path in folder.iterdir() if path.is_dir()))

    def load_all(self, kind: ReportKind, name: str, *, after: int = 0) -> tuple[bytes, ...]:
        folder = self._of(kind, name)
        found = self._numbered(folder)
        if list(found) != list(range(1, len(found) + 1)):
            raise Corrupt(f"{folder}: reports are missing among {len(found)}")
        return tuple(self._read(path) for number, path in found.items() if number > after)

    def add(self, kind: ReportKind, name: str, number: int, data: bytes) -> None:
        folder = self._of(kind, name)
        if number != len(self._numbered(folder)) + 1:
            raise StateConflict(
                f"{name}: report {number} is not the next one", remedy="look again and try again"
            )
        try:
            self._make(folder)
            self._link(folder / f"{number:06d}.json", data)
        except OSError as error:
            raise Unavailable(
                f"{error.filename or folder} cannot be written: {error.strerror}",
                remedy="check space and rights, then try again",
            ) from None

    def count(self, kind: ReportKind, name: str) -> int:
        return len(self._numbered(self._of(kind, name)))

    def erase(self, kind: ReportKind, name: str, number: int, remnant: bytes) -> None:
        path = self._of(kind, name) / f"{number:06d}.json"
        if not path.is_file():
            raise StateConflict(f"{name}: there is no report {number}")
        # Crash before: it lies there whole, and is erased at the next start.
        replace_file(path, remnant, mode=0o600, disk=self._disk)

    def _of(self, kind: ReportKind, name: str) -> Path:
        part = quote(name, safe="")
        if not part.strip(".") or len(part) > _LONGEST:
            raise InvalidInput("is no name for a folder", path=name[:80])
        return self._folder / kind / part

    def _make(self, folder: Path) -> None:
        create_private_folder(self._folder)
        for part in (folder.parent, folder):
            self._disk.make_folder(part)
            # Crash here: a folder that a power cut may still take away; the next call makes it again.
            self._disk.sync_folder(part.parent)

    def _link(self, path: Path, data: bytes) -> None:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        descriptor = self._disk.create(temporary, 0o600)
        try:
            self._disk.write(descriptor, data)
            self._disk.sync(descriptor)
        finally:
            self._disk.close(descriptor)
        try:
            # Crash before: a temporary file, which means nothing. A link, unlike a rename, never replaces a report.
            os.link(temporary, path)
        except FileExistsError:
            raise StateConflict(
                f"report {path} was written meanwhile", remedy="look at it first"
            ) from None
        finally:
            self._disk.remove(temporary)
        # Crash here: the name may be gone after a power cut; then the period is still open.
        self._disk.sync_folder(path.parent)

    @staticmethod
    def _numbered(folder: Path) -> dict[int, Path]:
        if not folder.is_dir():
            return {}
        found = {
            int(match[1]): path
            for path in folder.iterdir()
            if (match := _NAME.fullmatch(path.name))
        }
        return dict(sorted(found.items()))

    @staticmethod
    def _read(path: Path) -> bytes:
        if path.stat().st_size > MAX_REPORT:
            raise Corrupt(f"{path}: is larger than any report")
        return path.read_bytes()
