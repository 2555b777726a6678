"""Sealed keys of locked weights, a file each in a folder that only its owner enters."""

from __future__ import annotations

import os
import re
from pathlib import Path

from sekisho.adapters.durable_files import create_private_folder, replace_file
from sekisho.model.errors import Corrupt, InvalidInput, StateConflict, Unavailable

__all__ = ["WeightsKeyFolder"]

MAX_KEY_FILE = 16_384
_LEAF = re.compile(r"[0-9a-f]{64}")


class WeightsKeyFolder:
    """Implements ports.KeyShelf."""

    def __init__(self, path: Path) -> None:
        create_private_folder(path)
        self._path = path

    def save(self, leaf: str, sealed: bytes) -> None:
        """A crash here leaves the old file or the new one. Raises StateConflict for a key that was destroyed here."""
        if self._tomb(leaf).exists():
            raise StateConflict(
                f"the key of {leaf[:16]} was destroyed here", remedy="lock the weights anew"
            )
        replace_file(self._file(leaf), sealed)

    def load(self, leaf: str) -> bytes | None:
        try:
            with self._file(leaf).open("rb") as file:
                data = file.read(MAX_KEY_FILE + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Corrupt(f"the key of {leaf[:16]} cannot be read: {error.strerror}") from None
        if len(data) > MAX_KEY_FILE:
            raise Corrupt(f"the key of {leaf[:16]} is over {MAX_KEY_FILE} bytes")
        return data

    def destroy(self, leaf: str) -> bool:
        """Overwrite, sync, remove. What a disk keeps elsewhere, and what backups keep, this does not reach.

        What stays says that it was here: whoever kept the sealed key cannot hand it in once more.
        """
        path = self._file(leaf)
        try:
            if path.exists():
                replace_file(self._tomb(leaf), b"")
            with path.open("r+b") as file:
                file.write(bytes(os.fstat(file.fileno()).st_size))
                file.flush()
                os.fsync(file.fileno())
            # Crash here: a file of zeros, which opens nothing; the next call takes it away.
            path.unlink()
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise Unavailable(f"{path} cannot be destroyed: {error.strerror}") from None
        return True

    def _tomb(self, leaf: str) -> Path:
        return self._file(leaf).with_suffix(".destroyed")

    def _file(self, leaf: str) -> Path:
        if not _LEAF.fullmatch(leaf):
            raise InvalidInput(
                "is no leaf digest",
                path="locked",
                remedy="give 64 hexadecimal digits, as sekisho access deposit showed them",
            )
        return self._path / f"{leaf}.json"
