"""Notices in files: a book of JSON lines for whoever reads along, and which occasions each place was told of."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from sekisho.adapters.durable_files import replace_file
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.model.wire import canonical
from sekisho.ports.notifier import Notice

__all__ = ["FileNotifier", "ToldFile"]

MAX_BOOK: Final = 1 << 30
MAX_TOLD: Final = 256 * 1024 * 1024
_KEPT: Final = 200_000


class FileNotifier:
    """Implements ports.Notifier: one line for each notice, on the disk before it counts as told."""

    def __init__(self, path: Path) -> None:
        if not path.parent.is_dir():
            raise InvalidInput(f"there is no folder {path.parent}", path=str(path))
        self._path = path

    def tell(self, notice: Notice) -> None:
        # Crash within: a cut line, which its reader leaves out, and the notice comes again.
        _append(self._path, canonical(notice) + b"\n", MAX_BOOK)

    def close(self) -> None:
        """Nothing stays open."""


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    place: str
    keys: tuple[str, ...]


class ToldFile:
    """Which occasions each place was told of, so that a start tells none of them again."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> dict[str, set[str]]:
        """The keys by place; a cut last line is left out. Rewrites the file with the newest of very many."""
        if not self._path.exists():
            return {}
        try:
            if self._path.stat().st_size > MAX_TOLD:
                raise InvalidInput("is too long", path=str(self._path), remedy="move it away")
            lines = self._path.read_bytes().split(b"\n")
        except OSError as error:
            raise Unavailable(f"{self._path} cannot be read: {error.strerror}") from None
        rows = [row for line in lines if (row := _parse(line)) is not None]
        told: dict[str, dict[str, None]] = {}
        for row in rows:
            told.setdefault(row.place, {}).update(dict.fromkeys(row.keys))
        kept = {place: list(keys)[-_KEPT:] for place, keys in told.items()}
        if len(rows) > len(kept):
            # Crash before: the old file, and the same again at the next start.
            made = (_Told(place=place, keys=tuple(keys)) for place, keys in kept.items())
            replace_file(self._path, b"".join(canonical(row) + b"\n" for row in made))
        return {place: set(keys) for place, keys in kept.items()}

    def add(self, place: str, keys: tuple[str, ...]) -> None:
        """Remember on the disk that a place was told. Crash before: it is told once more, under the same name."""
        _append(self._path, canonical(_Told(place=place, keys=keys)) + b"\n", MAX_TOLD)


def _parse(line: bytes) -> _Told | None:
    try:
        return msgspec.json.decode(line, type=_Told)
    except msgspec.MsgspecError:
        return None


def _append(path: Path, data: bytes, limit: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_size + len(data) > limit:
                raise Unavailable(f"{path} is full", remedy="move it away; a new one is begun")
            if os.write(descriptor, data) != len(data):
                raise Unavailable(f"{path} could not be written whole", remedy="check the disk")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written: {error.strerror}", remedy="check space and rights"
        ) from None
