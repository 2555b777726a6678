"""Large bodies: let in one by one as far as there is room for them, counted while they come, and not for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import anyio
from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from sekisho.ledger.line import Overloaded

__all__ = ["BODY_WITHIN_S", "Held", "Room", "check_announced", "read_bounded"]

BODY_WITHIN_S: Final = 60.0
MAX_TOGETHER: Final = 96 * 1024 * 1024


class Held:
    """What one body holds of a room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.size = 0

    def grow(self, size: int) -> None:
        """Hold so many bytes more; raises Overloaded where there is no room for them."""
        self._room.take(size, self.size)
        self.size += size


class Room:
    """So many bytes of bodies are held at once; who comes when it is full is told to come again.

    What counts is what has come, not what was announced: else six silent connections would hold all of it.
    """

    def __init__(self, most: int = MAX_TOGETHER) -> None:
        self._most = most
        self._held = 0
        self._lock = threading.Lock()

    @contextmanager
    def hold(self, size: int = 0) -> Iterator[Held]:
        """Raises Overloaded where there is no room; one body alone always has room."""
        held = Held(self)
        try:
            held.grow(size)
            yield held
        finally:
            self.take(-held.size, held.size)

    def take(self, size: int, own: int) -> None:
        """Take so many bytes for whoever holds `own` already; raises Overloaded."""
        with self._lock:
            if size > 0 and self._held > own and self._held + size > self._most:
                raise Overloaded("too many documents are being sent at once")
            self._held += size


async def read_bounded(
    request: Request[Any, Any, State], most: int, held: Held | None = None
) -> bytes:
    """The body, of at most so many bytes, each held in the room; raises HTTPException 413 or 408, and Overloaded."""
    body = bytearray()
    try:
        with anyio.fail_after(BODY_WITHIN_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise HTTPException(status_code=413)
                if held is not None:
                    held.grow(len(chunk))
    except TimeoutError:
        raise HTTPException(status_code=408) from None
    return bytes(body)


def check_announced(request: Request[Any, Any, State], most: int) -> None:
    """Raise HTTPException 413 where the body says that it is larger."""
    text = request.headers.get("content-length", "")
    if text.isascii() and text.isdigit() and int(text[:16]) > most:
        raise HTTPException(status_code=413)
