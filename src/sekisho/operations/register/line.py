"""The line in front of the register: documents that wait for the one writer, bounded in number and bytes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.ledger.line import Overloaded
from sekisho.operations.register.endorsing import Endorsed
from sekisho.ports.register_store import CaptureRow
from sekisho.registry.epcis import Document
from sekisho.registry.epcis.event import Event

__all__ = ["ErrorBehaviour", "Line", "Reading", "Waiting"]

MAX_GROUP: Final = 2_000
"""Events that one transaction takes, unless one document alone has more."""
MAX_WAITING: Final = 4_096
LINGER_S: Final = 0.005
MAX_BYTES: Final = 96 * 1024 * 1024

ErrorBehaviour: TypeAlias = Literal["rollback", "proceed"]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A document that was read: its events with hash ids and keys, what is wrong in it, and who vouches for it."""

    capture: str
    sha256: str
    size: int
    whole: bytes
    """The document itself where somebody endorsed it, else nothing."""
    endorsement: bytes
    endorsed: Endorsed
    behaviour: ErrorBehaviour
    document: Document
    hash_ids: tuple[str, ...]
    keys: tuple[bytes, ...]
    documents: tuple[bytes, ...]

    @property
    def events(self) -> tuple[Event, ...]:
        """The events that are to be taken: none of a document that is taken whole or not at all, and has faults."""
        is_held = self.behaviour == "rollback" and self.document.problems
        return () if is_held else self.document.events


class Waiting:
    """One document in line, and the promise to whoever handed it in."""

    __slots__ = ("answer", "reading")

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.answer: Future[CaptureRow] = Future()
        # Who stops waiting for it must not take it from others who wait for the same document.
        self.answer.set_running_or_notify_cancel()


class Line:
    """First come, first served. Bytes are counted from before a document is parsed until it is answered."""

    def __init__(self, *, max_waiting: int = MAX_WAITING, max_bytes: int = MAX_BYTES) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Waiting] = deque()
        self._bytes = self._count = 0
        self._max_waiting, self._max_bytes = max_waiting, max_bytes
        self._is_open = False

    def open(self) -> None:
        with self._changed:
            self._is_open = True

    def close(self) -> None:
        """Let nobody join any more; who stands in line is still served."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()

    def enter(self, size: int) -> None:
        """Make room for a document of this size, or raise Overloaded; then `leave` must follow."""
        with self._changed:
            # One document alone is always let in: it could never come in later either.
            too_much = self._count >= self._max_waiting or self._bytes + size > self._max_bytes
            if self._count and too_much:
                raise Overloaded(f"{self._count} documents are being captured already")
            self._count += 1
            self._bytes += size

    def leave(self, size: int) -> None:
        with self._changed:
            self._count -= 1
            self._bytes -= size

    def join(self, waiting: Waiting) -> bool:
        """Stand in line; False where the line is closed."""
        with self._changed:
            if self._is_open:
                self._waiting.append(waiting)
                self._changed.notify_all()
            return self._is_open

    def take_group(self) -> Sequence[Waiting]:
        """Wait for the next documents, at least one; none at all once the line is closed and empty."""
        group: list[Waiting] = []
        events = 0
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or not self._is_open)
            # A moment for those that are being read already: one transaction for all costs little more than for one.
            self._changed.wait_for(self._is_whole, LINGER_S)
            while self._waiting:
                events += len(self._waiting[0].reading.events)
                if group and events > MAX_GROUP:
                    break
                group.append(self._waiting.popleft())
        return group

    def _is_whole(self) -> bool:
        """Whether nobody is on the way to the line, or a group is full."""
        if not self._is_open or len(self._waiting) >= self._count:
            return True
        return sum(len(waiting.reading.events) for waiting in self._waiting) >= MAX_GROUP
