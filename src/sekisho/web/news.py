"""Waiting for something new without a thread for each who waits: the feed rings, the event loop wakes the rest."""

from __future__ import annotations

import asyncio
import threading
import time

from sekisho.app import Control

__all__ = ["News"]


class News:
    """Bridges the feed's calls, which come from any thread, to coroutines of one event loop."""

    def __init__(self, control: Control) -> None:
        self._feed = control.feed
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ring = asyncio.Event()
        self._feed.on_change(self._tell)

    def open(self) -> None:
        """Begin to wake the coroutines of the running loop."""
        with self._lock:
            self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """Wake everybody for good; to be called in the loop, before it ends."""
        with self._lock:
            self._loop = None
        self._wake()

    async def wait(self, after: int, deadline: float) -> bool:
        """Whether something happened since the cursor; False at `deadline` (monotonic) or when the server ends."""
        while not self._feed.has_news(after):
            ring = self._ring
            # A ring between the question above and this line: asked again before sleeping on a ring that is due.
            if self._feed.has_news(after):
                break
            left = deadline - time.monotonic()
            if self._loop is None or left <= 0:
                return False
            try:
                await asyncio.wait_for(ring.wait(), left)
            except TimeoutError:
                return False
        return True

    def _tell(self) -> None:
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        ring, self._ring = self._ring, asyncio.Event()
        ring.set()
