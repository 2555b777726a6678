"""Attacks on a model that the body names: a body that the gate and the application would read in two ways."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from sekisho.access import AccessGate, ModelInBody
from sekisho.model.statements import AccessTerms
from tests.access.points import MODEL, XA, Asking, HeldPicture, PointRig, asgi_scope

JSON = [(b"content-type", b"application/json")]
OPEN, CLOSED = "model-2", MODEL


class Echo:
    """Serves whatever it is asked for, and remembers it: the body that it read."""

    def __init__(self) -> None:
        self.read: list[bytes] = []

    async def __call__(self, _: Any, receive: Any, send: Any) -> None:
        body, is_more = b"", True
        while is_more:
            message = await receive()
            body, is_more = body + message["body"], message["more_body"]
        self.read.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"served"})


def ask(*parts: bytes, headers: Any = None, kind: str = "http", limit: int = 4_096) -> Any:
    """One request to a server where one of two models is closed to everybody."""
    rig, app = PointRig(), Echo()
    rig.suspend(AccessTerms(models=(CLOSED,)))
    gate = AccessGate(
        app,
        picture=HeldPicture(rig.beat()),
        classify=lambda _: XA,
        model=ModelInBody(limit=limit),
        now=rig.control.now,
        elapsed_s=rig.control.clock.elapsed_s,
    )
    incoming = [
        {"type": "http.request", "body": part, "more_body": number < len(parts)}
        for number, part in enumerate(parts, 1)
    ]
    asking = Asking(asgi_scope(kind, headers=JSON if headers is None else headers), *incoming)
    return asking.run(gate), app


@pytest.mark.parametrize("kind", [b"application/json", b'Application/JSON; charset="UTF-8"'])
def test_the_model_that_the_body_names_is_decided_on_and_the_body_handed_on(kind: bytes) -> None:
    """In pieces or whole; what the application reads is byte for byte what came."""
    body = json.dumps({"model": OPEN, "temperature": 0.7, "seed": 1 << 63}).encode()
    for parts in ((body,), (body[:5], b"", body[5:])):
        asking, app = ask(*parts, headers=[(b"content-type", kind)])
        assert (asking.status, app.read) == (200, [body])
    asking, app = ask(json.dumps({"model": CLOSED}).encode())
    assert (asking.status, app.read) == (451, [])


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"model-2","model":"model-1"}',
        b'{"model":"model-2","mod\\u0065l":"model-1"}',
        json.dumps({"model": OPEN}).encode("utf-16"),
        b"\xef\xbb\xbf" + json.dumps({"model": OPEN}).encode(),
        b'{"model":["model-2"]}',
        b'{"Model":"model-2"}',
        b'[{"model":"model-2"}]',
        b'{"model":"model-2"}{"model":"model-1"}',
        b'{"model":"model-2"',
        b"",
        b'{"model":"model-2","x":"' + b"y" * 5_000 + b'"}',
    ],
)
def test_a_body_that_can_be_read_in_two_ways_names_no_model(body: bytes) -> None:
    """Twice, spelt in two ways, in another encoding, of another form, two documents, cut off, too long."""
    asking, app = ask(body)
    assert (asking.status, app.read) == (404, [])
    assert asking.problem()["code"] == "model-not-served"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"content-type", b"application/x-www-form-urlencoded")],
        [(b"content-type", b"application/json; charset=utf-7")],
        [*JSON, (b"content-encoding", b"gzip")],
        [*JSON, (b"content-type", b"multipart/form-data")],
    ],
)
def test_a_body_of_another_type_names_no_model(headers: Any) -> None:
    """What is JSON to the one and a form to the other."""
    asking, app = ask(b'{"model":"model-2","x":"&model=model-1&"}', headers=headers)
    assert (asking.status, app.read) == (404, [])


def test_a_packed_body_is_not_unpacked() -> None:
    """A small one would fill the memory."""
    asking, app = ask(gzip.compress(b'{"model":"model-2"}'))
    assert (asking.status, app.read) == (404, [])


def test_an_upload_that_breaks_off_and_a_socket_name_no_model() -> None:
    """Nobody is left to be answered; and no body comes before a handshake."""
    rig, app = PointRig(), Echo()
    gate = AccessGate(
        app, picture=HeldPicture(rig.beat()), classify=lambda _: XA, model=ModelInBody()
    )
    half = {"type": "http.request", "body": b'{"model":"model-2"}', "more_body": True}
    Asking(asgi_scope(headers=JSON), half).run(gate)
    closed = Asking(asgi_scope("websocket", headers=JSON)).run(gate)
    assert closed.sent[0]["type"] == "websocket.close"
    assert app.read == []
