"""The gate before an inference server: ASGI middleware that serves, refuses, and cuts what outlives its right.

1. The model and the class of the user are asked of the provider's own code; nothing that a user sent is believed.
2. The decision is a pure function of the newest picture. 3. A refusal is 451 (or 503 where nobody can tell) before the
server hears anything. 4. Each chunk that goes out is looked at again, so that a stream opened before a suspension ends
with it. 5. Counts by model and period are kept, and nothing about anybody.

No server framework is asked for: any ASGI server and any ASGI application will do (https://asgi.readthedocs.io).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, TypeAlias

from sekisho.access.answers import close_reason, refusal_bytes
from sekisho.access.asked import ModelInBody
from sekisho.access.picture import AccessDecision, UserClass, decide_access
from sekisho.access.source import PictureSource, system_now
from sekisho.access.spool import CountSpool
from sekisho.access.tally import Tally
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant

__all__ = ["AccessCut", "AccessGate", "Receive", "Scope", "Send", "single_header"]

# ASGI's own shapes: any value may stand in a message.
Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY_VIOLATION = 1008  # RFC 6455 section 7.4.1
LOOK_EVERY_S = 0.1


class AccessCut(
    OSError
):  # to the application it is what a lost client is (ASGI 2.4: send raises OSError)
    """The access ended while this stream was going out."""


def single_header(scope: Scope, name: bytes) -> bytes | None:
    """A header's value where it was sent exactly once (`name` in small letters), None otherwise.

    Of a header sent twice one reader takes the first and another the last: a user with two tokens would be of one class
    to the gate and another user to the application.
    """
    found = [value for each, value in scope.get("headers", ()) if each == name]
    return bytes(found[0]) if len(found) == 1 else None


class AccessGate:
    """Wraps an application. `classify` and `model` are the provider's own: from its sessions, never from user headers.

    `model` may be a `ModelInBody` where a request's JSON body says which model it asks for.
    `exempt` says which requests are none of a model's (health checks); they pass unseen. `counts` is a folder for
    this worker's counts, which the access point reads.
    """

    def __init__(  # noqa: PLR0913  # a middleware is wired in one call
        self,
        app: App,
        *,
        picture: PictureSource,
        classify: Callable[[Scope], UserClass],
        model: Callable[[Scope], str] | ModelInBody,
        exempt: Callable[[Scope], bool] = lambda _: False,
        counts: Path | None = None,
        period_s: int = 3_600,
        now: Callable[[], Instant] = system_now,
        elapsed_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._picture = picture
        self._classify = classify
        self._model = model
        self._exempt = exempt
        self._now = now
        self._elapsed_s = elapsed_s
        self.tally = Tally(period_s)
        self._spool = CountSpool(counts, self.tally, now) if counts is not None else None
        self._withdrawn: dict[str, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection. The server's own lifespan passes, and its end writes the counts; nothing unknown passes."""
        if self._spool is not None:
            self._spool.begin()
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        if scope["type"] not in ("http", "websocket"):
            raise InvalidInput(f"the gate knows no {str(scope['type'])[:40]!r}", path="scope.type")
        if self._exempt(scope):
            await self._app(scope, receive, send)
            return
        user = self._classify(scope)
        if isinstance(self._model, ModelInBody):
            model, receive = await self._model.read(scope, receive)
        else:
            model = self._model(scope)
        decision = self.decide(user, model)
        self.tally.count(decision, self._now())
        if not decision.serve:
            await _refuse(scope, receive, send, decision)
            return
        await _Session(self, scope, user, model).run(self._app, receive, send)

    def decide(self, user: UserClass, model: str) -> AccessDecision:
        """Serve or refuse, now."""
        withdrawn = self._withdrawn.get(model)
        if withdrawn is not None:
            return AccessDecision(
                serve=False, code="key-withdrawn", model=model, reasons=(withdrawn,)
            )
        return decide_access(self._picture.current(), user, model, self._now())

    def withdraw(self, model: str, reason: str) -> None:
        """Serve this model no more, streams included: the key of its weights is gone (unlocking calls this)."""
        self._withdrawn[model] = reason

    def restore(self, model: str) -> None:
        """The key is there again."""
        self._withdrawn.pop(model, None)

    def elapsed_s(self) -> float:
        return self._elapsed_s()

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_leaving = False

        async def hear() -> Message:
            nonlocal is_leaving
            message = await receive()
            is_leaving = is_leaving or message["type"] == "lifespan.shutdown"
            return message

        try:
            await self._app(scope, hear, send)
        finally:
            # An application that knows no lifespan raises here at its beginning; its worker goes on.
            if is_leaving and self._spool is not None:
                self._spool.end()


class _Session:
    """One request or socket that was let in, looked at again with each message that goes out."""

    def __init__(self, gate: AccessGate, scope: Scope, user: UserClass, model: str) -> None:
        self._gate = gate
        self._scope = scope
        self._user = user
        self._model = model
        self._looked_s = gate.elapsed_s()
        self._is_started = False
        self._is_events = False
        self._cut: AccessDecision | None = None

    async def run(self, app: App, receive: Receive, send: Send) -> None:
        async def guarded_send(message: Message) -> None:
            await self._send(message, send)

        async def guarded_receive() -> Message:
            return await self._receive(receive, send)

        try:
            await app(self._scope, guarded_receive, guarded_send)
        except AccessCut:
            return  # the connection is ended by the server, without a proper end of the body

    async def _send(self, message: Message, send: Send) -> None:
        if self._cut is not None:
            raise AccessCut("access was suspended")
        if self._is_over():
            await self._end(send)
            raise AccessCut("access was suspended")
        if message["type"] == "http.response.start":
            self._is_started = True
            self._is_events = _is_event_stream(message)
        await send(message)

    async def _receive(self, receive: Receive, send: Send) -> Message:
        """What comes in after the access ended is not handed on: the application hears that the client is gone."""
        if self._cut is None:
            message = await receive()
            # Sending may have come upon the end in the meantime: nothing more comes in, and nobody is told twice.
            if self._cut is None:
                if message["type"].endswith("disconnect") or not self._is_over():
                    return message
                await self._end(send)
        if self._scope["type"] == "websocket":
            return {"type": "websocket.disconnect", "code": POLICY_VIOLATION}
        return {"type": "http.disconnect"}

    def _is_over(self) -> bool:
        now = self._gate.elapsed_s()
        if now - self._looked_s < LOOK_EVERY_S:
            return False
        self._looked_s = now
        decision = self._gate.decide(self._user, self._model)
        # What is only outstanding refuses new sessions; streams that run go on, as running work does on a host.
        if decision.serve or decision.code == "order-outstanding":
            return False
        self._cut = decision
        return True

    async def _end(self, send: Send) -> None:
        """Say why where the protocol has a place for it; a plain body is broken off, lest it be taken as whole."""
        decision = self._cut
        if decision is None:
            return
        if self._scope["type"] == "websocket":
            await send(
                {
                    "type": "websocket.close",
                    "code": POLICY_VIOLATION,
                    "reason": close_reason(decision),
                }
            )
        elif not self._is_started:
            await _refuse_http(send, decision)
        elif self._is_events:
            _, _, body = refusal_bytes(decision)
            last = b"\n\nevent: access-suspended\ndata: " + body + b"\n\n"
            await send({"type": "http.response.body", "body": last, "more_body": False})


async def _refuse(scope: Scope, receive: Receive, send: Send, decision: AccessDecision) -> None:
    if scope["type"] == "http":
        await _refuse_http(send, decision)
        return
    await receive()  # websocket.connect
    if "websocket.http.response" in scope.get("extensions", {}):
        status, headers, body = refusal_bytes(decision)
        start = {"type": "websocket.http.response.start", "status": status, "headers": headers}
        await send(start)
        await send({"type": "websocket.http.response.body", "body": body})
        return
    await send(
        {"type": "websocket.close", "code": POLICY_VIOLATION, "reason": close_reason(decision)}
    )


async def _refuse_http(send: Send, decision: AccessDecision) -> None:
    status, headers, body = refusal_bytes(decision)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _is_event_stream(start: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.lower().startswith(b"text/event-stream")
        for name, value in start.get("headers", ())
    )
