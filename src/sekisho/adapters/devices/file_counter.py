"""The counter of hosts without a TPM: a file (tier C0), which whoever owns the disk can roll back."""

from __future__ import annotations

import re
from pathlib import Path

from sekisho.adapters.durable_files import replace_file
from sekisho.model.errors import Corrupt, StateConflict
from sekisho.ports.counter import CounterTier

__all__ = ["FileCounter"]

_CONTENT = re.compile(rb"(0|[1-9][0-9]{0,17})\n")


class FileCounter:
    """Implements ports.Counter over one file that holds one decimal number and a line feed.

    One process at a time (the agent holds its own lock). A missing file is Corrupt, never zero: a counter that begins
    again by itself would be no counter. `create` makes it once, at enrolment.
    """

    tier: CounterTier = "C0"

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def create(cls, path: Path) -> FileCounter:
        """A new counter at 0. Raises StateConflict where one stands already."""
        if path.exists():
            raise StateConflict(f"{path} stands already", remedy="a counter is made once")
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, b"0\n")
        return cls(path)

    def read(self) -> int:
        """Raises Corrupt where the file is missing, unreadable or holds anything but one number."""
        try:
            with self._path.open("rb") as file:
                data = file.read(64)
        except OSError as error:
            raise self._corrupt(f"cannot be read: {error.strerror}") from None
        match = _CONTENT.fullmatch(data)
        if match is None:
            raise self._corrupt("does not hold one number and a line feed")
        return int(match.group(1))

    def step(self) -> int:
        """One more, on the disk before this returns. A crash in here leaves the old number or the new, whole."""
        value = self.read() + 1
        replace_file(self._path, b"%d\n" % value)
        return value

    def _corrupt(self, what: str) -> Corrupt:
        return Corrupt(
            f"the counter {self._path} {what}",
            remedy="enrol the host again; do not write it by hand",
        )
