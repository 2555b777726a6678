"""Files that are either whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: Path, data: bytes, *, durable: bool) -> None:
    """Put `data` at `path` in one move; with `durable`, on the disk before this returns.

    A crash before the rename leaves the old file and a `.part` that the next write replaces; after it, the new one.
    Without `durable` a power cut may lose the newest words, never mix them.
    """
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(data)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    part.replace(path)
    if durable:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
