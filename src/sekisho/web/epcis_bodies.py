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

__all__ = ["BODY_WITHIN_S", "Room", "announced", "read_bounded"]

BODY_WITHIN_S: Final = 60.0
MAX_TOGETHER: Final = 96 * 1024 * 1024


class Room:
    """So many bytes of bodies are held at once; who comes when it is full is told to come again."""

    def __init__(self, most: int = MAX_TOGETHER) -> None:
        self._most = most
        self._held = 0
        self._lock = threading.Lock()

    @contextmanager
    def hold(self, size: int) -> Iterator[None]:
        """Raises Overloaded where there is no room; one body alone always has room."""
        with self._lock:
            if self._held and self._held + size > self._most:
                raise Overloaded("too many documents are being sent at once")
            self._held += size
        try:
            yield
        finally:
            with self._lock:
                self._held -= size


async def read_bounded(request: Request[Any, Any, State], most: int) -> bytes:
    """The body, of at most so many bytes; raises HTTPException 413 or 408."""
    body = bytearray()
    try:
        with anyio.fail_after(BODY_WITHIN_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise HTTPException(status_code=413)
    except TimeoutError:
        raise HTTPException(status_code=408) from None
    return bytes(body)


def announced(request: Request[Any, Any, State], most: int) -> int:
    """How large the body says that it is; `most` where it does not. Raises HTTPException 413."""
    text = request.headers.get("content-length", "")
    size = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else most
    if size > most:
        raise HTTPException(status_code=413)
    return size
