"""A log's database behind a fuse: each durable step is one that the power may go at."""

from __future__ import annotations

from collections.abc import Sequence

from sekisho.ports.log_store import Found, LogStore, Recorded, Submission, TreeHead
from tests.crashes.discarding_disk import Fuse

__all__ = ["FusedStore"]


class FusedStore:
    """Any `LogStore`; what it is asked to keep goes through `fuse`."""

    def __init__(self, inner: LogStore, fuse: Fuse) -> None:
        self._inner = inner
        self.fuse = fuse

    def sequence(self, first: int, entries: Sequence[Recorded]) -> None:
        self.fuse.guard("sequence", lambda: self._inner.sequence(first, entries))

    def swap_head(self, old: TreeHead, new: TreeHead) -> None:
        self.fuse.guard("swap", lambda: self._inner.swap_head(old, new))

    def save_cosigned(self, size: int, note: bytes) -> None:
        self.fuse.guard("cosigned", lambda: self._inner.save_cosigned(size, note))

    def load_size(self) -> int:
        return self._inner.load_size()

    def load_head(self) -> TreeHead:
        return self._inner.load_head()

    def load_entries(self, start: int, stop: int) -> list[Recorded]:
        return self._inner.load_entries(start, stop)

    def find_recorded(self, submissions: Sequence[Submission]) -> Found:
        return self._inner.find_recorded(submissions)

    def load_cosigned(self) -> tuple[int, bytes] | None:
        return self._inner.load_cosigned()
