"""The gate before an inference server, spoken to in ASGI: refuses, serves, cuts, counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sekisho.access import AccessGate, UserClass
from sekisho.access.spool import load_counts
from sekisho.access.tally import counts_of, start_of
from sekisho.model.statements import AccessTerms
from tests.access.points import (
    MODEL,
    XA,
    XB,
    Asking,
    HeldPicture,
    Message,
    PointRig,
    asgi_scope,
    gate_of,
)

Say = Callable[[Message], Awaitable[None]]
Hear = Callable[[], Awaitable[Message]]
START: Message = {"type": "http.response.start", "status": 200, "headers": []}
EVENTS: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"Content-Type", b"text/event-stream; charset=utf-8")],
}


def body(text: bytes, *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": text, "more_body": more}


async def plain(scope: Message, receive: Hear, send: Say) -> None:
    if scope["type"] == "lifespan":
        await receive()
        return
    await send(START)
    await send(body(b"served"))


def suspended(terms: AccessTerms | None = None) -> PointRig:
    rig = PointRig()
    rig.suspend(terms)
    rig.beat()
    return rig


class Streaming:
    """A model that answers in chunks; before chunk number `at` the world changes."""

    def __init__(self, change: Callable[[], None], start: Message = START, at: int = 2) -> None:
        self.change = change
        self.start = start
        self.at = at
        self.told: list[str] = []

    async def __call__(self, _: Message, receive: Hear, send: Say) -> None:
        await send(self.start)
        try:
            for number in range(4):
                if number == self.at:
                    self.change()
                await send(body(b"chunk %d\n" % number, more=True))
            await send(body(b""))
        except OSError:
            self.told.append(str((await receive())["type"]))
            raise


def suspending(rig: PointRig, held: HeldPicture, terms: AccessTerms | None = None) -> None:
    rig.suspend(terms)
    held.picture = rig.beat(1)


def open_gate(
    rig: PointRig, app: Any, user: UserClass = XA, **more: Any
) -> tuple[AccessGate, HeldPicture]:
    held = HeldPicture(rig.point.draw())
    gate = AccessGate(
        app,
        picture=held,
        classify=lambda _: user,
        model=lambda _: MODEL,
        now=rig.control.now,
        elapsed_s=rig.control.clock.elapsed_s,
        **more,
    )
    return gate, held


def test_a_served_class_reaches_the_application() -> None:
    """What the application answers goes out as it is."""
    asking = Asking(asgi_scope()).run(gate_of(suspended(), plain, XB))
    assert (asking.status, asking.body) == (200, b"served")


def test_a_refused_class_is_told_the_order_the_law_and_the_appeal_in_both_languages() -> None:
    """451 problem+json, never stored, and the application heard nothing."""
    asked: list[str] = []

    async def app(*_: Any) -> None:
        asked.append("asked")

    asking = Asking(asgi_scope()).run(gate_of(suspended(), app, XA))
    told = asking.problem()
    assert asking.status == told["status"] == 451
    assert told["code"] == "access-suspended"
    assert told["orders"][0]["register"] == "suspend-access/JP"
    assert told["orders"][0]["legal_basis"] == "Test act, section 1"
    for words in (told["detail"], told["detail_ja"]):
        assert "suspend-access/JP 1" in words
        assert "in writing within 14 days" in words
    assert (b"content-type", b"application/problem+json") in asking.sent[0]["headers"]
    assert (b"cache-control", b"no-store") in asking.sent[0]["headers"]
    assert asked == []


@pytest.mark.parametrize(
    ("picture", "status", "code"), [(False, 503, "picture-stale"), (True, 404, "model-not-served")]
)
def test_where_nobody_can_tell_it_is_no_legal_refusal(
    *, picture: bool, status: int, code: str
) -> None:
    """503 with a time to ask again without a picture; 404 for a model that nobody declared."""
    rig = suspended()
    held = HeldPicture(rig.point.draw() if picture else None)
    gate = AccessGate(
        plain,
        picture=held,
        classify=lambda _: XB,
        model=lambda _: "model-9",
        now=rig.control.now,
    )
    asking = Asking(asgi_scope()).run(gate)
    assert (asking.status, asking.problem()["code"]) == (status, code)
    assert any(name == b"retry-after" for name, _ in asking.sent[0]["headers"]) is not picture


def test_a_stream_opened_before_the_suspension_is_cut_by_it() -> None:
    """The chunk after the suspension does not go out, the body has no end, the application hears of a lost client."""
    rig = PointRig()
    rig.beat()
    app = Streaming(lambda: suspending(rig, held))
    gate, held = open_gate(rig, app)
    asking = Asking(asgi_scope()).run(gate)
    assert asking.body == b"chunk 0\nchunk 1\n"
    assert all(message.get("more_body", True) for message in asking.sent)
    assert app.told == ["http.disconnect"]


def test_an_event_stream_is_told_why_it_ends() -> None:
    """Server-sent events have a place for a last word: the problem itself."""
    rig = PointRig()
    rig.beat()
    app = Streaming(lambda: suspending(rig, held), EVENTS)
    gate, held = open_gate(rig, app)
    asking = Asking(asgi_scope()).run(gate)
    last = asking.sent[-1]
    assert last["more_body"] is False
    name, data = last["body"].strip().split(b"\n")
    assert name == b"event: access-suspended"
    assert msgspec.json.decode(data.removeprefix(b"data: "))["code"] == "access-suspended"


def test_a_stream_of_another_class_goes_on() -> None:
    """A suspension of others cuts nobody else's stream."""
    rig = PointRig()
    rig.beat()
    gate, held = open_gate(rig, Streaming(lambda: suspending(rig, held)), XB)
    assert Asking(asgi_scope()).run(gate).body.endswith(b"chunk 3\n")


def test_a_suspension_before_the_first_word_is_a_whole_refusal() -> None:
    """An application that thinks for long and starts late: its user gets the 451, not half an answer."""
    rig = PointRig()
    rig.beat()

    async def slow(_: Message, __: Hear, send: Say) -> None:
        suspending(rig, held)
        await plain(_, __, send)

    gate, held = open_gate(rig, slow)
    asking = Asking(asgi_scope()).run(gate)
    assert (asking.status, len(asking.sent)) == (451, 2)


def test_an_outstanding_order_ends_no_stream() -> None:
    """New sessions are refused, what runs goes on."""
    rig = PointRig()
    rig.beat()

    def outstanding() -> None:
        held.picture = msgspec.structs.replace(rig.beat(1), outstanding=True)

    gate, held = open_gate(rig, Streaming(outstanding), XB)
    assert Asking(asgi_scope()).run(gate).body.endswith(b"chunk 3\n")
    assert Asking(asgi_scope()).run(gate).status == 503


def test_a_picture_that_runs_out_ends_streams() -> None:
    """A server that nobody tells anything any more stops serving by itself."""
    rig = PointRig()
    rig.beat()
    gate, _ = open_gate(rig, Streaming(lambda: rig.control.clock.advance(61)), XB)
    assert Asking(asgi_scope()).run(gate).body == b"chunk 0\nchunk 1\n"


@pytest.mark.parametrize("answers", [False, True])
def test_a_refused_socket_is_never_accepted(*, answers: bool) -> None:
    """A closing frame before the handshake; with the denial extension the whole problem."""
    extensions: dict[str, object] = {"websocket.http.response": {}} if answers else {}
    scope = asgi_scope("websocket", extensions=extensions)
    asking = Asking(scope, {"type": "websocket.connect"}).run(gate_of(suspended(), plain, XA))
    if answers:
        assert asking.status == 451
        assert asking.problem()["code"] == "access-suspended"
    else:
        assert asking.sent == [
            {
                "type": "websocket.close",
                "code": 1008,
                "reason": "access-suspended: suspend-access/JP 1",
            }
        ]


@pytest.mark.parametrize("by_hearing", [False, True])
def test_an_open_socket_is_closed_by_a_suspension(*, by_hearing: bool) -> None:
    """With the next message in or out the socket is closed, and the application hears of a lost client."""
    rig = PointRig()
    rig.beat()
    told: list[str] = []

    async def chat(_: Message, receive: Hear, send: Say) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        suspending(rig, held)
        if by_hearing:
            told.append((await receive())["type"])
            return
        try:
            await send({"type": "websocket.send", "text": "token"})
        except OSError:
            told.append("websocket.disconnect")

    gate, held = open_gate(rig, chat)
    incoming: list[Message] = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": "prompt"},
    ]
    asking = Asking(asgi_scope("websocket"), *incoming).run(gate)
    assert [message["type"] for message in asking.sent] == ["websocket.accept", "websocket.close"]
    assert asking.sent[-1]["code"] == 1008
    assert told == ["websocket.disconnect"]


def test_health_checks_pass_unseen() -> None:
    """What the provider exempts is neither classified nor counted."""

    def never(_: Any) -> UserClass:
        raise AssertionError("classified")

    gate = AccessGate(
        plain,
        picture=HeldPicture(None),
        classify=never,
        model=lambda _: MODEL,
        exempt=lambda scope: scope["path"] == "/health",
    )
    asking = Asking(asgi_scope(path="/health")).run(gate)
    assert (asking.status, gate.tally.rows()) == (200, ())


def test_a_classification_that_fails_serves_nobody() -> None:
    """What the provider's own code raises is the server's error; the application hears nothing."""
    rig = suspended()

    def broken(_: Any) -> UserClass:
        raise LookupError("no session")

    gate = AccessGate(
        plain, picture=HeldPicture(rig.point.draw()), classify=broken, model=lambda _: MODEL
    )
    asking = Asking(asgi_scope())
    with pytest.raises(LookupError):
        asking.run(gate)
    assert asking.sent == []


def test_the_key_that_is_gone_ends_its_model_and_its_streams() -> None:
    """What unlocking withdraws is served no more, until it is there again."""
    rig = PointRig()
    rig.beat()

    def withdraw() -> None:
        rig.control.clock.advance(1)
        gate.withdraw(MODEL, "revoked")

    gate, _ = open_gate(rig, Streaming(withdraw), XB)
    assert Asking(asgi_scope()).run(gate).body == b"chunk 0\nchunk 1\n"
    assert Asking(asgi_scope()).run(gate).problem()["code"] == "key-withdrawn"
    gate.restore(MODEL)
    assert gate.decide(XB, MODEL).serve


def leave(gate: AccessGate) -> None:
    """The server goes down properly: its application answers to the end of its life."""
    Asking(asgi_scope("lifespan"), {"type": "lifespan.shutdown"}).run(gate)


def test_counts_are_written_whole_and_hold_nothing_of_anybody(tmp_path: Path) -> None:
    """Served and refused by model and period; no class, no path, no user."""
    rig = suspended()
    served = gate_of(rig, plain, XB, counts=tmp_path, period_s=60)
    refused = gate_of(rig, plain, XA, counts=tmp_path, period_s=60)
    for gate, times in ((served, 3), (refused, 2)):
        for _ in range(times):
            Asking(asgi_scope(headers=[(b"authorization", b"user-7")])).run(gate)
        leave(gate)
    start = start_of(rig.control.now(), 60)
    rig.control.clock.advance(60)
    told = counts_of(load_counts(tmp_path), start, 60)
    assert (told.workers, told.silent, dict(told.models)) == (2, 0, {MODEL: (3, 2)})
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"user-7" not in written
    assert b"XA" not in written
    assert b"chat" not in written
