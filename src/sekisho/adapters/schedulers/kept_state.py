"""What a driver must not forget while its watchdog is away: one file in its own folder, and what is known beside it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from sekisho.adapters.durable_files import create_private_folder, replace_file
from sekisho.model.errors import Corrupt, InvalidInput, Unavailable
from sekisho.model.wire import canonical, from_json, parse_json

__all__ = ["KeptState"]

K = TypeVar("K", bound=msgspec.Struct)


class KeptState(Generic[K]):
    """What is known, of type `kind`, and the file that brings it back. `remedy` is for one that cannot be read."""

    def __init__(self, path: Path, kind: type[K], *, remedy: str) -> None:
        """Raises Corrupt where the file is there and cannot be read."""
        create_private_folder(path.parent)
        self._path = path
        self._kind = kind
        self._remedy = remedy
        self.known: K = self._load()
        self._is_behind = False  # the disk, behind what is known

    def keep(self, **changes: object) -> None:
        """Change what is known, and have it on the disk where that takes it; where it does not, at the next change.

        A full disk keeps nobody from stopping work: what may run again is kept by `keep_first`. A crash before leaves
        the older knowledge: the scheduler is asked for what is the run's, and names it again.
        """
        known = msgspec.structs.replace(self.known, **changes)
        if known == self.known and not self._is_behind:
            return
        self.known, self._is_behind = known, True
        with contextlib.suppress(OSError):
            replace_file(self._path, canonical(known))
            self._is_behind = False

    def keep_first(self, **changes: object) -> None:
        """Change what is known once it is on the disk. Raises Unavailable where the disk does not take it."""
        known = msgspec.structs.replace(self.known, **changes)
        try:
            replace_file(self._path, canonical(known))
        except OSError as error:
            raise Unavailable(
                f"{self._path} cannot be written: {error.strerror}", remedy="make room on its disk"
            ) from None
        self.known, self._is_behind = known, False

    def _load(self) -> K:
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return self._kind()
        try:
            return from_json(
                self._kind, parse_json(raw, path=str(self._path)), path=str(self._path)
            )
        except InvalidInput as error:
            raise Corrupt(str(error), remedy=self._remedy) from None
