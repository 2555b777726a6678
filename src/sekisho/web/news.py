"""Waiting for something new without a thread for each who waits: the feed rings, the event loop wakes the rest.

Thousands wait at once. They are woken a few at a time, with everything else that the loop has to do in between: an
order that comes while ten thousand hosts are being told of the one before does not stand behind all of them. Their
times are kept in slots of a quarter of a second, so that a waiting host costs one entry and no timer.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from typing import Final

from sekisho.app import Control
from sekisho.ledger.line import Overloaded

__all__ = ["News"]

SLICE: Final = 128
SLOTS_PER_S: Final = 4
MAX_WAITING: Final = 32_768
"""So many wait at once; whoever comes then is told to come again."""

_Waiter = asyncio.Future[bool]


class News:
    """Bridges the feed's calls, which come from any thread, to coroutines of one event loop."""

    def __init__(self, control: Control) -> None:
        self._feed = control.feed
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._slots: dict[int, set[_Waiter]] = {}
        self._due: deque[_Waiter] = deque()
        self._count = 0
        self._is_rung = False
        self._is_releasing = False
        self._sweeping: asyncio.TimerHandle | None = None
        self._feed.on_change(self._tell)

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return self._count

    def open(self) -> None:
        """Begin to wake the coroutines of the running loop."""
        with self._lock:
            self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """Wake everybody for good; to be called in the loop, before it ends."""
        with self._lock:
            self._loop = None
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        self._collect()
        while self._due:
            self._release_slice()

    async def wait(self, after: int, deadline: float) -> bool:
        """Whether something happened since the cursor; False at `deadline` (monotonic) or when the server ends.

        Raises Overloaded where too many wait already.
        """
        while not self._feed.has_news(after):
            loop = self._loop
            if loop is None or deadline <= time.monotonic():
                return False
            if self._count >= MAX_WAITING:
                raise Overloaded(f"{MAX_WAITING} hosts wait for news")
            slot = int(deadline * SLOTS_PER_S) + 1
            waiter: _Waiter = loop.create_future()
            self._slots.setdefault(slot, set()).add(waiter)
            self._count += 1
            if self._sweeping is None:
                self._sweeping = loop.call_later(1 / SLOTS_PER_S, self._sweep)
            try:
                # A ring between the question above and this line is in the loop's queue: it comes after us.
                if not await waiter:
                    return False
            finally:
                self._count -= 1
                mine = self._slots.get(slot)
                if mine is not None:
                    mine.discard(waiter)
        return True

    def _tell(self) -> None:
        """From any thread: one call of the loop, however often the feed rings before it comes to it."""
        with self._lock:
            if self._loop is not None and not self._is_rung:
                self._is_rung = True
                self._loop.call_soon_threadsafe(self._ring)

    def _ring(self) -> None:
        with self._lock:
            self._is_rung = False
        self._collect()
        if self._due and not self._is_releasing:
            self._release()

    def _collect(self) -> None:
        """Everybody who waits by now is due, the first to lose patience first."""
        for slot in sorted(self._slots):
            self._due.extend(self._slots.pop(slot))

    def _release(self) -> None:
        self._release_slice()
        loop = self._loop
        self._is_releasing = bool(self._due) and loop is not None
        if self._is_releasing and loop is not None:
            loop.call_soon(self._release)

    def _release_slice(self) -> None:
        for _ in range(min(SLICE, len(self._due))):
            waiter = self._due.popleft()
            if not waiter.done():
                waiter.set_result(self._loop is not None)

    def _sweep(self) -> None:
        """End the waiting of those whose time has come, and come again while anybody waits."""
        now = int(time.monotonic() * SLOTS_PER_S)
        for slot in [slot for slot in self._slots if slot <= now]:
            for waiter in self._slots.pop(slot):
                if not waiter.done():
                    waiter.set_result(False)
        loop = self._loop
        self._sweeping = None
        if self._slots and loop is not None:
            self._sweeping = loop.call_later(1 / SLOTS_PER_S, self._sweep)
