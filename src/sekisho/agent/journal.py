"""What the watchdog did by itself, for whoever comes to look."""

from __future__ import annotations

import contextlib
from pathlib import Path

from sekisho.model.wire import canonical

__all__ = ["Journal"]

MAX_JOURNAL = 1 << 20


class Journal:
    """What the watchdog did by itself, one JSON line each; the older of two files goes when the newer is full."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, at_elapsed_s: float, what: str, means: str) -> None:
        """A crash here loses this line, never the act: the act comes first."""
        row = {"at_elapsed_s": round(at_elapsed_s, 6), "what": what[:500], "means": means}
        with contextlib.suppress(FileNotFoundError):
            if self._path.stat().st_size > MAX_JOURNAL:
                self._path.replace(self._path.with_name(self._path.name + ".1"))
        with self._path.open("ab") as file:
            file.write(canonical(row) + b"\n")
