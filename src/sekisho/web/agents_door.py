"""The door of the hosts' agents: the two requests that come ten thousand at a time, answered without the stack.

A long poll of a feed and a receipt, in the plain form in which our agents write them, are answered here: no thread, no
second parsing, and one encoded page for all hosts that stand at one place. Whatever is written in another form goes on
to the framework's handlers of the same addresses (sekisho.web.api), which answer the same and say what is wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Final

import anyio.to_thread
import msgspec
from litestar.types import HTTPScope, Receive, Send

from sekisho.app import FeedPage, encode_page
from sekisho.ledger.line import Overloaded
from sekisho.model.errors import InvalidInput, SekishoError
from sekisho.model.wire import encode_base64
from sekisho.ports.log_store import FencedOff
from sekisho.signing.dsse import MAX_ENVELOPE
from sekisho.web.plane import Plane
from sekisho.web.problems import (
    PROBLEM_TYPE,
    encode_problem,
    headers_of,
    problem_of,
)
from sekisho.web.wire import AcknowledgedReceipt

__all__ = ["AgentDoor"]

MAX_WAIT_S: Final = 60
_MAX_CURSOR: Final = 2**53
_FEED: Final = re.compile(r"/api/v1/hosts/([A-Za-z0-9][A-Za-z0-9._:~@+-]{0,127})/feed")
_QUERY: Final = re.compile(rb"after=([0-9]{1,16})&wait_s=([0-9]{1,2})")
_RECEIPTS: Final = "/api/v1/receipts"
_JSON: Final = b"application/json"
_PAGES: Final = 8
GATHER_S: Final = 0.025
"""So long the first of many waits for others: each group costs two syncs and much of a signature's time besides."""
MAX_RECEIPTS: Final = 32_768
"""So many may wait at the counter; whoever comes then is told to come again. A receipt has 2 KB."""

_Waiting = asyncio.Future[bytes | SekishoError]
_Enqueue = Callable[[bytes, Callable[[bytes | SekishoError], None]], None]


class AgentDoor:
    """Answers agents of one control plane, in one event loop; `headers` go with every answer."""

    def __init__(self, plane: Plane, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self._plane = plane
        self._headers = list(headers)
        self._pages: list[tuple[FeedPage, bytes]] = []
        self._receipts = _Answers()

    def open(self) -> None:
        """Begin to take receipts, for the running loop."""
        self._receipts.open(asyncio.get_running_loop())

    def close(self) -> None:
        """Take no more receipts; those under way are answered as long as the loop runs."""
        self._receipts.close()

    async def answer(self, scope: HTTPScope, receive: Receive, send: Send) -> bool:
        """Whether this request was one for this door; then it is answered."""
        path = scope["path"]
        if scope["method"] == "GET" and path.endswith("/feed"):
            host, query = _FEED.fullmatch(path), _QUERY.fullmatch(scope["query_string"])
            if host is None or query is None:
                return False
            after, wait_s = int(query[1]), int(query[2])
            if after > _MAX_CURSOR or wait_s > MAX_WAIT_S:
                return False
            await self._answer_poll(host[1].replace("~", "/"), after, wait_s, send)
            return True
        if scope["method"] == "POST" and path == _RECEIPTS and self._receipts.is_open:
            length = _length_of(scope)
            if length is None or length > MAX_ENVELOPE:
                return False
            await self._answer_receipt(length, receive, send)
            return True
        return False

    async def _answer_poll(self, host: str, after: int, wait_s: int, send: Send) -> None:
        deadline = time.monotonic() + wait_s
        try:
            self._refuse_fenced()
            page = await self._read(host, after)
            while not page.items and await self._plane.news.wait(page.next, deadline):
                # Something happened, perhaps not for this host: look again from where we are.
                page = await self._read(host, page.next)
            self._refuse_fenced()
        except SekishoError as error:
            await self._refuse(error, send)
            return
        await self._send(HTTPStatus.OK, _JSON, self._encoded(page), send)

    def _refuse_fenced(self) -> None:
        """What this process knows is old once another one writes the log: its hosts are to ask that one."""
        if self._plane.control.fenced:
            raise FencedOff(self._plane.control.fenced)

    async def _read(self, host: str, after: int) -> FeedPage:
        page = self._plane.control.feed.peek(host, after)
        if page is not None:
            return page
        return await anyio.to_thread.run_sync(
            self._plane.control.feed.read, host, after, limiter=self._plane.feed_threads
        )

    def _encoded(self, page: FeedPage) -> bytes:
        """The page's JSON; of a page that hosts share, made once."""
        for known, body in self._pages:
            if known is page:
                return body
        body = encode_page(page)
        self._pages = [(page, body), *self._pages[: _PAGES - 1]]
        return body

    async def _answer_receipt(self, length: int, receive: Receive, send: Send) -> None:
        try:
            body = await _read_body(receive, length)
            if body is None:
                return
            told = await self._receipts.ask(body, self._plane.control.leases.enqueue_receipt)
        except SekishoError as error:
            await self._refuse(error, send)
            return
        answer = AcknowledgedReceipt(acknowledgement=encode_base64(told) if told else None)
        await self._send(HTTPStatus.OK, _JSON, msgspec.json.encode(answer), send)

    async def _refuse(self, error: SekishoError, send: Send) -> None:
        problem = problem_of(error)
        more = [(k.encode(), v.encode()) for k, v in headers_of(problem, error).items()]
        body = encode_problem(problem)
        await self._send(problem.status, PROBLEM_TYPE.encode(), body, send, more)

    async def _send(
        self,
        status: int,
        kind: bytes,
        body: bytes,
        send: Send,
        more: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        headers = [
            (b"content-type", kind),
            (b"content-length", b"%d" % len(body)),
            *more,
            *self._headers,
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})


class _Answers:
    """Receipts that wait at the counter; their answers come back into the loop with one call for a whole group."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._told: list[tuple[_Waiting, bytes | SekishoError]] = []
        self._count = 0
        self._gathered: list[tuple[_Waiting, bytes]] = []

    @property
    def is_open(self) -> bool:
        return self._loop is not None

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def close(self) -> None:
        self._loop = None

    async def ask(self, raw: bytes, enqueue: _Enqueue) -> bytes:
        """The answer to a receipt. Raises what the counter says, Overloaded where too many wait."""
        loop = asyncio.get_running_loop()
        if self._count >= MAX_RECEIPTS:
            raise Overloaded(f"{MAX_RECEIPTS} receipts wait to be taken")
        waiting: _Waiting = loop.create_future()
        self._count += 1
        if not self._gathered:
            loop.call_later(GATHER_S, self._hand_on, loop, enqueue)
        self._gathered.append((waiting, raw))
        try:
            told = await waiting
        finally:
            self._count -= 1
        if isinstance(told, SekishoError):
            raise told
        return told

    def _hand_on(self, loop: asyncio.AbstractEventLoop, enqueue: _Enqueue) -> None:
        gathered, self._gathered = self._gathered, []
        for waiting, raw in gathered:
            enqueue(raw, partial(self._tell, loop, waiting))

    def _tell(
        self, loop: asyncio.AbstractEventLoop, waiting: _Waiting, told: bytes | SekishoError
    ) -> None:
        """From any thread."""
        with self._lock:
            is_first = not self._told
            self._told.append((waiting, told))
        if is_first:
            # A loop that has ended has nobody left who waits.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        with self._lock:
            told, self._told = self._told, []
        for waiting, answer in told:
            if not waiting.done():
                waiting.set_result(answer)


def _length_of(scope: HTTPScope) -> int | None:
    """The body's length as its sender says it; None where it is not said plainly."""
    told = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(told[0]) if len(told) == 1 and told[0].isdigit() else None


async def _read_body(receive: Receive, length: int) -> bytes | None:
    """The body, no longer than it said; None where the sender hung up."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        part = message["body"]
        parts.append(part)
        size += len(part)
        if not message["more_body"]:
            return b"".join(parts)
        if size > length:
            raise InvalidInput("a body is longer than it said")
