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
        self._entries: list[Recorded] = []
        self._by_name: dict[str, Recorded] = {}
        self._by_kind: dict[str, list[Recorded]] = {}
        # Under the desk's own lock no entry comes in between what was there before and what we are told of.
        with control.desk.lock:
            for recorded in control.desk.recorded():
                self._take(recorded)
            control.desk.on_recorded(self._take)

    def find(self, name: str) -> Recorded | None:
        """The entry with this leaf digest or payload digest, in hexadecimal."""
        with self._lock:
            return self._by_name.get(name)

    def at(self, index: int) -> Recorded | None:
        """The entry at a place of the log; None beyond its end."""
        with self._lock:
            return self._entries[index] if 0 <= index < len(self._entries) else None

    def newest(
        self, count: int, *, before: int | None = None, without: frozenset[str] = frozenset()
    ) -> list[Recorded]:
        """Up to `count` entries below `before` (default: the end), newest first, leaving out some kinds."""
        with self._lock:
            end = len(self._entries) if before is None else min(before, len(self._entries))
        # Without the lock, which appending waits for: entries below `end` never change.
        below = (self._entries[index] for index in range(end - 1, -1, -1))
        return list(itertools.islice((e for e in below if e.verified.kind not in without), count))

    def of_kind(self, kind: str) -> list[Recorded]:
        """Every entry of a kind, in log order."""
        with self._lock:
            return list(self._by_kind.get(kind, ()))

    def newest_of(self, kind: str, count: int) -> list[Recorded]:
        """The newest `count` entries of a kind, in log order."""
        with self._lock:
            return self._by_kind.get(kind, [])[-count:]

    def _take(self, recorded: Recorded) -> None:
        with self._lock:
            self._entries.append(recorded)
            self._by_name.setdefault(recorded.verified.digest, recorded)
            self._by_name[recorded.leaf] = recorded
            self._by_kind.setdefault(recorded.verified.kind, []).append(recorded)
