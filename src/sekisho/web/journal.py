"""The log's entries as this process knows them, found by place, by leaf and by payload."""

from __future__ import annotations

import itertools
import threading

from sekisho.app import Control
from sekisho.signing import Recorded

__all__ = ["Journal"]


class Journal:
    """Follows the desk: every entry once, in log order. Safe to read from any thread."""

    def __init__(self, control: Control) -> None:
        self._lock = threading.Lock()
        self._entries: dict[int, Recorded] = {}
        self._by_name: dict[str, int] = {}
        # First listen, then take what was there before: an entry of the moment in between is taken twice, once.
        control.desk.on_recorded(self._take)
        for recorded in control.desk.recorded():
            self._take(recorded)

    def find(self, name: str) -> Recorded | None:
        """The entry with this leaf digest or payload digest, in hexadecimal."""
        with self._lock:
            index = self._by_name.get(name)
            return None if index is None else self._entries[index]

    def at(self, index: int) -> Recorded | None:
        with self._lock:
            return self._entries.get(index)

    def newest(
        self, count: int, *, before: int | None = None, without: frozenset[str] = frozenset()
    ) -> list[Recorded]:
        """Up to `count` entries below `before` (default: the end), newest first, leaving out some kinds."""
        with self._lock:
            end = len(self._entries) if before is None else min(before, len(self._entries))
            fitting = (
                entry
                for index in range(end - 1, -1, -1)
                if (entry := self._entries[index]).verified.kind not in without
            )
            return list(itertools.islice(fitting, count))

    def of_kind(self, *kinds: str) -> list[Recorded]:
        """Every entry of these kinds, in log order."""
        with self._lock:
            return [r for _, r in sorted(self._entries.items()) if r.verified.kind in kinds]

    def _take(self, recorded: Recorded) -> None:
        with self._lock:
            self._entries[recorded.index] = recorded
            self._by_name.setdefault(recorded.verified.digest, recorded.index)
            self._by_name[recorded.leaf] = recorded.index
