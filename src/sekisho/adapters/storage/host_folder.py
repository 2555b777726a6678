"""An agent's home on disk: its small durable files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sekisho.adapters.durable_files import create_private_folder, replace_file
from sekisho.model.errors import Corrupt

__all__ = ["HostFolder"]

MAX_FILE = 16 * 1024 * 1024
MAX_LINE = 256 * 1024


class HostFolder:
    """Implements ports.HostFiles in a folder that only its owner may enter."""

    def __init__(self, path: Path) -> None:
        create_private_folder(path)
        self._path = path

    def load(self, name: str) -> bytes | None:
        path = self._path / name
        try:
            if path.stat().st_size > MAX_FILE:
                raise Corrupt(
                    f"{path} is over {MAX_FILE} bytes", remedy="move it away after a look"
                )
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Corrupt(
                f"{path} cannot be read: {error.strerror}", remedy="check the disk"
            ) from None

    def save(self, name: str, data: bytes) -> None:
        """A crash here leaves the old content or the new, never a mixture."""
        replace_file(self._path / name, data)

    def append(self, name: str, line: bytes) -> None:
        """A crash here leaves a torn last line at most; nothing that rests on the line was done yet."""
        path = self._path / name
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def load_lines(self, name: str) -> Iterator[bytes]:
        path = self._path / name
        try:
            file = path.open("r+b")
        except FileNotFoundError:
            return
        with file:
            _drop_torn_line(file)
            file.seek(0)
            for line in iter(lambda: file.readline(MAX_LINE), b""):
                if not line.endswith(b"\n"):
                    raise Corrupt(
                        f"{path} has a line over {MAX_LINE} bytes", remedy="look who wrote it"
                    )
                yield line[:-1]


def _drop_torn_line(file: BinaryIO) -> None:
    """A torn last line was never acted on: whoever wrote it died before the next step."""
    size = file.seek(0, os.SEEK_END)
    start = max(size - MAX_LINE, 0)
    file.seek(start)
    tail = file.read(MAX_LINE)
    if tail and not tail.endswith(b"\n"):
        file.truncate(start + tail.rfind(b"\n") + 1)
        os.fsync(file.fileno())
