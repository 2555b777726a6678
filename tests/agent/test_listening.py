"""An agent's own address: what holds is handed on, everything else costs little and changes nothing."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator

import msgspec
import pytest

from sekisho.adapters.transport.control_client import parse_feed
from sekisho.agent.listening import MAX_BODY, MAX_ITEMS, Listener, parse_place
from sekisho.model.errors import BadSignature, InvalidInput, Unavailable
from sekisho.model.wire import encode_base64
from sekisho.ports.control import Feed
from tests import factory as f

GOOD = f.signed(f.order_issued(), *f.AUTHORITY[:3]).raw
FORGED = f.signed(f.order_issued(number=2), f.PARTY).raw


def verify(raw: bytes) -> None:
    """The regime's part: one envelope holds."""
    if raw != GOOD:
        raise BadSignature("not ours")


class Told:
    def __init__(self) -> None:
        self.feeds: list[Feed] = []
        self.listener = Listener(
            ("127.0.0.1", 0),
            parse=lambda body: parse_feed(body, path="push"),
            verify=verify,
            tell=self.feeds.append,
        )
        self.listener.start()

    def push(self, body: bytes) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.listener.port, timeout=30)
        try:
            connection.request("POST", "/push", body=body)
            return connection.getresponse().status
        finally:
            connection.close()


@pytest.fixture
def told() -> Iterator[Told]:
    made = Told()
    yield made
    made.listener.end()


def page(*envelopes: bytes, checkpoint: str | None = None) -> bytes:
    items = [{"envelope": encode_base64(raw), "proof": None} for raw in envelopes]
    return msgspec.json.encode({"next": 7, "items": items, "checkpoint": checkpoint})


def test_an_item_that_holds_is_handed_on(told: Told) -> None:
    """A push of a page whose envelope the regime takes reaches the duty, without the page's own checkpoint."""
    assert told.push(page(GOOD, checkpoint="whatever")) == 200
    assert [item.envelope for item in told.feeds[0].items] == [GOOD]
    assert told.feeds[0].checkpoint is None


def test_what_does_not_hold_is_dropped_and_the_rest_handed_on(told: Told) -> None:
    """A forged order beside a real one is left out, and its sender is told that something is wrong."""
    assert told.push(page(FORGED, GOOD)) == 422
    assert [item.envelope for item in told.feeds[0].items] == [GOOD]
    assert told.listener.dropped == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"\x00" * 5000, b"[" * 20_000, page(*[FORGED] * (MAX_ITEMS + 1)), page(b"{}")],
    ids=["empty", "zeroes", "deep", "many", "no-envelope"],
)
def test_garbage_reaches_nobody(told: Told, body: bytes) -> None:
    """Bytes that are no page, or too many items, are refused and never seen by the duty."""
    assert told.push(body) in (400, 422)
    assert not told.feeds


def test_a_body_that_says_that_it_is_too_long_is_not_read(told: Told) -> None:
    """A gigabyte that is announced is refused by its head alone."""
    with socket.create_connection(("127.0.0.1", told.listener.port), timeout=30) as sender:
        sender.sendall(b"POST /push HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % (MAX_BODY + 1))
        assert sender.recv(100).startswith(b"HTTP/1.1 400")


def test_a_head_that_never_ends_is_given_up(told: Told) -> None:
    """Who sends a head without an end is hung up on, and the next sender is heard."""
    with socket.create_connection(("127.0.0.1", told.listener.port), timeout=30) as sender:
        sender.sendall(b"POST /push HTTP/1.1\r\n" + b"x: y\r\n" * 3000)
        assert sender.recv(100).startswith(b"HTTP/1.1 400")
    assert told.push(page(GOOD)) == 200


def _trickle(sender: socket.socket) -> None:
    while True:
        sender.sendall(b"x")
        time.sleep(0.05)


def test_a_sender_who_trickles_is_given_up_in_its_time(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte now and then does not hold the door: the whole push has one time, however it comes."""
    monkeypatch.setattr("sekisho.agent.listening.WITHIN_S", 0.3)
    with socket.create_connection(("127.0.0.1", told.listener.port), timeout=30) as sender:
        sender.sendall(b"POST /push HTTP/1.1\r\ncontent-length: 100\r\n\r\n")
        with pytest.raises(OSError, match=r"."):
            _trickle(sender)
    assert told.push(page(GOOD)) == 200


def test_an_accept_that_fails_leaves_the_door_open(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender that breaks off before it is heard, or a host out of descriptors: the next one is served."""
    monkeypatch.setattr("sekisho.agent.listening.BAD_PAUSE_S", 0.01)
    real, failed = told.listener._socket, threading.Event()

    class Broken:
        def accept(self) -> tuple[socket.socket, object]:
            told.listener._socket = real
            failed.set()
            raise ConnectionAbortedError

    told.listener._socket = Broken()  # type: ignore[assignment]  # fails once, then is the real one again
    assert failed.wait(30)
    assert told.push(page(GOOD)) == 200


def test_a_place_that_is_taken_is_unavailable(told: Told) -> None:
    """A second listener at one place is an error with a remedy."""
    with pytest.raises(Unavailable, match="cannot be listened at"):
        Listener(
            ("127.0.0.1", told.listener.port),
            parse=lambda body: parse_feed(body, path="push"),
            verify=verify,
            tell=print,
        )


@pytest.mark.parametrize("text", ["127.0.0.1", "127.0.0.1:x", "127.0.0.1:65536"])
def test_a_place_is_host_and_port(text: str) -> None:
    """Anything else is bad input at `listen`."""
    with pytest.raises(InvalidInput):
        parse_place(text)
