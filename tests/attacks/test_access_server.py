"""Attacks on the gate through a real server over real sockets: whatever is sent, the model hears nothing of it."""

from __future__ import annotations

import base64
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from typing import Any

import msgspec
import pytest
from litestar import Litestar, get
from litestar.response import Stream

from sekisho.access import AccessGate, UserClass, single_header
from sekisho.access.source import system_now
from sekisho.model.errors import InvalidInput
from sekisho.model.statements import AccessTerms
from tests.access.points import MODEL, XA, XB, Asking, HeldPicture, PointRig, asgi_scope
from tests.access.serving import served_app, until

A = b"authorization: a\r\n"
SESSIONS = {b"a": XA, b"b": XB}


def by_session(scope: Any) -> UserClass:
    """The provider's own code: one session token, given once."""
    return SESSIONS.get(single_header(scope, b"authorization") or b"", UserClass())


def picture_of(rig: PointRig) -> Any:
    """The rig's picture as if drawn just now, since a real server keeps real time."""
    return msgspec.structs.replace(rig.beat(1), written=system_now(), until=system_now().plus(600))


class Model:
    """An application that remembers whatever reaches it, and echoes bodies."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            raise RuntimeError("this application knows no lifespan")
        self.heard.append((scope["type"], scope["path"]))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"served"})


class Rig:
    """A model behind a gate behind a server, and users of class XA suspended."""

    def __init__(self) -> None:
        self.control = PointRig()
        self.control.suspend()
        self.model = Model()
        self.held = HeldPicture(picture_of(self.control))
        self.gate = self.before(self.model)
        self.address = ""

    def before(self, app: Any) -> AccessGate:
        return AccessGate(
            app,
            picture=self.held,
            classify=by_session,
            model=lambda _: MODEL,
            exempt=lambda scope: scope["path"] == "/health",
        )


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    made = Rig()
    with served_app(made.gate) as address:
        made.address = address.removeprefix("http://")
        yield made


def send(address: str, raw: bytes) -> bytes:
    """Everything that comes back until the head and what is said to follow it is there, or the server ends it."""
    host, _, port = address.partition(":")
    received = b""
    with closing(socket.create_connection((host, int(port)), timeout=30)) as connection:
        connection.sendall(raw)
        while part := connection.recv(65_536):
            received += part
            if received.endswith(b"}"):
                break
    return received


def request(line: bytes, *headers: bytes) -> bytes:
    return line + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n" + b"".join(headers) + b"\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        request(b"HEAD /v1/chat", A),
        request(b"OPTIONS *", A),
        request(b"QUERY /v1/chat", A),
        request(b"CONNECT /v1/chat", A),
        request(b"GET /health/../v1/chat", A),
        request(b"GET /health%2f..%2fv1/chat", A),
        request(b"GET /health%00", A),
        request(b"GET /v1/chat?path=/health", A),
        request(b"GET /v1/chat#/health", A),
        request(b"GET //health", A),
        request(b"GET /HEALTH", A),
        request(b"GET /v1/chat", A, b":path: /health\r\n"),
        request(b"GET /v1/chat", A, b"x-original-url: /health\r\nx-rewrite-url: /health\r\n"),
        request(b"POST /v1/chat", A, b"x-http-method-override: GET\r\ncontent-length: 0\r\n"),
        request(b"GET /v1/chat", A, b"x-user-nationality: XB\r\ncf-ipcountry: XB\r\n"),
        request(b"GET /v1/chat", b"authorization: b\r\n", A),
        request(b"GET /v1/chat", A, b"Authorization: b\r\n"),
        request(b"GET /v1/chat", b"AUTHORIZATION: a\r\n"),
        request(b"GET /v1/chat", b"authorization:\r\n a\r\n"),
        request(b"GET /v1/chat"),
        request(b"GET /v1/chat", A, b"http2-settings: AAMAAABkAAQAAP__\r\n").replace(
            b"connection: close", b"connection: upgrade, http2-settings\r\nupgrade: h2c"
        ),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_no_trick_of_http_reaches_the_model(rig: Rig, raw: bytes) -> None:
    """Methods, paths, encodings, repeated and made-up headers, other protocols: refused, and nothing is handed on."""
    rig.model.heard.clear()
    told = send(rig.address, raw)
    assert told.split(b" ")[1] in {b"451", b"400"}
    assert rig.model.heard == []


def test_a_question_behind_an_exempt_one_is_a_question_of_its_own(rig: Rig) -> None:
    """Two on one connection: the first is none of the model's, the second is refused."""
    rig.model.heard.clear()
    first = request(b"GET /health", A).replace(b"connection: close\r\n", b"")
    told = send(rig.address, first + request(b"GET /v1/chat", A))
    assert [part.split(b" ")[0] for part in told.split(b"HTTP/1.1 ")[1:]] == [b"200", b"451"]
    assert rig.model.heard == [("http", "/health")]


@pytest.mark.parametrize("head", [b"transfer-encoding: chunked\r\n", b"expect: 100-continue\r\n"])
def test_a_refusal_waits_for_no_body(rig: Rig, head: bytes) -> None:
    """An upload that never ends is refused at its head; no byte of it is asked for."""
    rig.model.heard.clear()
    length = b"" if head.startswith(b"transfer") else b"content-length: 1000000\r\n"
    told = send(rig.address, request(b"POST /v1/chat", A, head, length))
    assert told.startswith(b"HTTP/1.1 451")
    assert rig.model.heard == []


def test_a_websocket_handshake_by_hand_is_refused_with_the_order(rig: Rig) -> None:
    """Whether or not the server speaks the protocol: no 101 for a suspended class."""
    rig.model.heard.clear()
    key = base64.b64encode(secrets.token_bytes(16))
    upgrade = b"upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: " + key
    raw = request(b"GET /v1/chat", A, upgrade + b"\r\n")
    told = send(rig.address, raw.replace(b"connection: close", b"connection: Upgrade"))
    assert told.startswith(b"HTTP/1.1 451")
    assert b'"register":"suspend-access/JP"' in told
    assert rig.model.heard == []


def test_the_rest_is_served(rig: Rig) -> None:
    """All this while the other class is answered."""
    told = send(rig.address, request(b"GET /v1/chat", b"authorization: b\r\n"))
    assert told.startswith(b"HTTP/1.1 200")
    assert b"served" in told


# --- what no server here can send --------------------------------------------------------------


@pytest.mark.parametrize("kind", ["webtransport", "HTTP", "Lifespan", "", "http.", "rpc"])
def test_a_protocol_that_the_gate_does_not_know_passes_nothing(rig: Rig, kind: str) -> None:
    """What came after the gate was written is refused, not waved through."""
    rig.model.heard.clear()
    with pytest.raises(InvalidInput):
        Asking(asgi_scope(kind)).run(rig.gate)
    assert rig.model.heard == []


@pytest.mark.parametrize(
    "value", ["xa", "XAA", " XA", "XA\n", "\uff38\uff21", "", "X\u0410", "XA-", "XA-0001", 392]
)
@pytest.mark.parametrize("limb", ["nationality", "jurisdiction"])
def test_a_class_in_another_spelling_is_no_class(limb: str, value: Any) -> None:
    """Small letters, three, blanks, wide or Cyrillic ones, nothing at all: the provider hears of it at once.

    It would be nobody's class otherwise, and pass an order that names XA. The message does not repeat it.
    """
    with pytest.raises(InvalidInput) as refused:
        UserClass(**{limb: value})
    assert refused.value.path == limb
    assert str(value) not in str(refused.value) or not str(value)


def test_a_spelling_that_cannot_be_read_serves_nobody(rig: Rig) -> None:
    """The request ends as the server's error; the model hears nothing."""
    model = Model()
    gate = rig.before(model)
    gate._classify = lambda _: UserClass(nationality="xa")
    with pytest.raises(InvalidInput):
        Asking(asgi_scope()).run(gate)
    assert model.heard == []


class Deaf:
    """An application that goes on after it was told that the client is gone, and swallows every error."""

    def __init__(self, change: Any) -> None:
        self.change = change
        self.heard: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(6):
            if number == 2:
                self.change()
            try:
                body = {"type": "http.response.body", "body": b"%d" % number, "more_body": True}
                await send(body)
            except OSError:
                self.heard.append("cut")
            self.heard.append((await receive())["type"])
        try:
            await send({"type": "http.response.body", "body": b"end"})
        except OSError:
            self.heard.append("cut")


def test_an_application_that_swallows_the_cut_sends_no_more(rig: Rig) -> None:
    """Nothing more goes out, no proper end, and no more of the upload comes in; it is told once."""

    def suspend() -> None:
        control.suspend(AccessTerms())
        held.picture = control.beat(1)

    control = PointRig()
    held = HeldPicture(control.beat())
    app = Deaf(suspend)
    gate = AccessGate(
        app,
        picture=held,
        classify=lambda _: XA,
        model=lambda _: MODEL,
        now=control.control.now,
        elapsed_s=control.control.clock.elapsed_s,
    )
    upload = [{"type": "http.request", "body": b"x", "more_body": True}] * 20
    asking = Asking(asgi_scope(), *upload).run(gate)
    assert asking.body == b"01"
    assert all(message.get("more_body") for message in asking.sent[1:])
    assert app.heard[:2] == ["http.request", "http.request"]
    assert set(app.heard[2:]) == {"cut", "http.disconnect"}


class Both:
    """A socket on which the model hears and speaks at once; what it hears after the end would be an attack's gain."""

    def __init__(self, change: Any) -> None:
        self.change = change
        self.heard: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        import asyncio

        await receive()
        await send({"type": "websocket.accept"})
        hearing = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        self.change()
        with pytest.raises(OSError, match="suspended"):
            await send({"type": "websocket.send", "text": "more"})
        self.heard.append((await hearing)["type"])


def test_what_was_awaited_when_the_socket_was_cut_is_not_handed_on() -> None:
    """The prompt that comes in while the closing frame goes out; and nobody is told of the end twice."""
    import asyncio

    control = PointRig()
    held = HeldPicture(control.beat())
    sent: list[Any] = []
    came = asyncio.Event()
    incoming = [{"type": "websocket.connect"}]

    def suspend() -> None:
        control.suspend(AccessTerms())
        held.picture = control.beat(1)

    async def receive() -> Any:
        if incoming:
            return incoming.pop()
        await came.wait()
        return {"type": "websocket.receive", "text": "a prompt"}

    async def tell(message: Any) -> None:
        sent.append(message["type"])
        if message["type"] == "websocket.close":
            control.control.clock.advance(1)  # time enough to be looked at again
            came.set()

    app = Both(suspend)
    gate = AccessGate(
        app,
        picture=held,
        classify=lambda _: XA,
        model=lambda _: MODEL,
        now=control.control.now,
        elapsed_s=control.control.clock.elapsed_s,
    )
    asyncio.run(gate(asgi_scope("websocket"), receive, tell))
    assert app.heard == ["websocket.disconnect"]
    assert sent == ["websocket.accept", "websocket.close"]


def test_a_frameworks_stream_behind_the_gate_is_broken_off() -> None:
    """Mounted before a whole framework: its stream ends without a proper end, and the next request is refused."""
    made = Rig()
    made.held.picture = picture_of(PointRig())
    running: list[int] = []

    async def tokens() -> AsyncIterator[bytes]:
        import asyncio

        for number in range(10_000):
            running.append(number)
            yield b"token %d\n" % number
            await asyncio.sleep(0.01)

    @get("/v1/stream", sync_to_thread=False)
    def stream() -> Stream:
        return Stream(tokens())

    with served_app(made.before(Litestar([stream]))) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        with closing(socket.create_connection((host, int(port)), timeout=60)) as connection:
            connection.sendall(request(b"GET /v1/stream", A))
            received = connection.recv(65_536)
            assert received.startswith(b"HTTP/1.1 200")
            control = PointRig()
            control.suspend()
            made.held.picture = picture_of(control)
            while part := connection.recv(65_536):
                received += part
        assert not received.endswith(b"0\r\n\r\n")
        count = len(running)
        until(lambda: send(address[7:], request(b"GET /v1/stream", A)).startswith(b"HTTP/1.1 451"))
        assert len(running) <= count + 1
