"""Files that somebody else may have written: never read further than anybody will take."""

from __future__ import annotations

from pathlib import Path

from sekisho.model.errors import InvalidInput

__all__ = ["read_up_to"]


def read_up_to(path: Path, most: int, *, remedy: str = "check its name and rights") -> bytes:
    """The bytes of a file, and no more than one beyond `most`: whoever parses them refuses what is longer.

    Raises InvalidInput naming a file that cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise InvalidInput(
            f"cannot be read: {error.strerror}", path=str(path), remedy=remedy
        ) from None
