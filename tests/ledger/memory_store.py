"""The log's database in memory: the whole port, transactional, with a hook before and after each durable step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import msgspec

from sekisho.ledger.tree import EMPTY_ROOT
from sekisho.model.errors import StateConflict
from sekisho.ports.log_store import Found, Recorded, Submission, Taken, TreeHead

__all__ = ["MemoryLogStore", "Step"]

Step = Callable[[str, bool], None]
"""Told (name of the durable step, whether it was applied) before and after it; raising there is the fault.

Names: sequence, swap_head, save_cosigned. A fault before leaves nothing, a fault after leaves all of it.
"""


def _go_on(name: str, applied: bool) -> None:
    """The hook that never fails."""


class _Rows(msgspec.Struct):
    """What a power cut leaves: never a part of a transaction."""

    entries: list[Recorded] = []
    head: TreeHead = TreeHead(size=0, root=EMPTY_ROOT)
    cosigned: tuple[int, bytes] | None = None
    payloads: dict[bytes, int] = {}
    unique: dict[str, int] = {}


class MemoryLogStore:
    """A `LogStore` in memory. `after_restart` gives what another process would find in the database."""

    def __init__(self, on_step: Step = _go_on) -> None:
        self.on_step = on_step
        self._lock = threading.RLock()
        self._rows = _Rows()

    def after_restart(self, on_step: Step = _go_on) -> MemoryLogStore:
        """The same rows in a store of its own; what the old one is told from now on is not in them."""
        with self._lock:
            copy = MemoryLogStore(on_step)
            copy._rows = _Rows(
                entries=list(self._rows.entries),
                head=self._rows.head,
                cosigned=self._rows.cosigned,
                payloads=dict(self._rows.payloads),
                unique=dict(self._rows.unique),
            )
        return copy

    def load_size(self) -> int:
        with self._lock:
            return len(self._rows.entries)

    def load_head(self) -> TreeHead:
        with self._lock:
            return self._rows.head

    def load_entries(self, start: int, stop: int) -> list[Recorded]:
        with self._lock:
            found = self._rows.entries[max(start, 0) : max(stop, 0)]
        return [msgspec.structs.replace(entry, unique=()) for entry in found]

    def find_recorded(self, submissions: Sequence[Submission]) -> Found:
        rows = self._rows
        names = {name for item in submissions for name in item.unique}
        with self._lock:
            return Found(
                payloads={
                    item.payload_sha256: self._place(rows.payloads[item.payload_sha256])
                    for item in submissions
                    if item.payload_sha256 in rows.payloads
                },
                unique={n: self._place(rows.unique[n]) for n in names if n in rows.unique},
            )

    def sequence(self, first: int, entries: Sequence[Recorded]) -> None:
        with self._lock:
            self.on_step("sequence", False)
            self._check(first, entries)
            for entry in entries:
                self._rows.entries.append(entry)
                if entry.payload_sha256 is not None:
                    self._rows.payloads[entry.payload_sha256] = entry.index
                self._rows.unique.update(dict.fromkeys(entry.unique, entry.index))
            self.on_step("sequence", True)

    def swap_head(self, old: TreeHead, new: TreeHead) -> None:
        with self._lock:
            self.on_step("swap_head", False)
            if self._rows.head != old or new.size > len(self._rows.entries):
                raise StateConflict(f"the head is not at size {old.size}")
            self._rows.head = new
            self.on_step("swap_head", True)

    def load_cosigned(self) -> tuple[int, bytes] | None:
        with self._lock:
            return self._rows.cosigned

    def save_cosigned(self, size: int, note: bytes) -> None:
        with self._lock:
            self.on_step("save_cosigned", False)
            held = self._rows.cosigned
            if held is not None and held[0] > size:
                raise StateConflict(f"a checkpoint of size {held[0]} is held")
            self._rows.cosigned = (size, note)
            self.on_step("save_cosigned", True)

    def _place(self, index: int) -> tuple[int, bytes]:
        return index, self._rows.entries[index].leaf_hash

    def _check(self, first: int, entries: Sequence[Recorded]) -> None:
        """All that the transaction asks, before any of it is applied."""
        if len(self._rows.entries) != first:
            raise StateConflict(f"the log has {len(self._rows.entries)} entries, not {first}")
        payloads = [entry.payload_sha256 for entry in entries if entry.payload_sha256 is not None]
        names = [name for entry in entries for name in set(entry.unique)]
        if len({*payloads, *names}) != len(payloads) + len(names):
            raise Taken("these rows repeat each other")
        if not self._rows.payloads.keys().isdisjoint(payloads):
            raise Taken("a payload of these rows stands in the log")
        if not self._rows.unique.keys().isdisjoint(names):
            raise Taken("a unique key of these rows stands in the log")
