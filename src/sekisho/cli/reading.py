"""Files that a command is given: read once, as bytes, up to a limit; `-` is standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from sekisho.model.errors import InvalidInput

__all__ = ["read_input"]


def read_input(path: str, *, limit: int) -> bytes:
    """The bytes of a file or of standard input. Raises InvalidInput beyond `limit`, OSError as the system says."""
    if path == "-":
        data = sys.stdin.buffer.read(limit + 1)
    else:
        with Path(path).open("rb") as stream:
            data = stream.read(limit + 1)
    if len(data) > limit:
        raise InvalidInput(
            f"longer than {limit} bytes",
            path=path,
            remedy="look whether it is the file that you meant",
        )
    return data
