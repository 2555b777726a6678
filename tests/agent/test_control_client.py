"""The control plane over HTTP: what each answer means, and answers that are none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from sekisho.adapters.transport import control_client
from sekisho.adapters.transport.control_client import ControlClient
from sekisho.model.errors import (
    InvalidInput,
    NotAuthorised,
    SekishoError,
    StateConflict,
    Unavailable,
)
from sekisho.ports.control import Unacknowledged
from tests.fakes import FakeControl
from tests.served import served


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that answers everything alike."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ask(url: str) -> None:
    client = ControlClient(url, timeout_s=2.0)
    try:
        client.fetch_order("pause/JP", 1)
    finally:
        client.close()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, NotAuthorised),
        (404, StateConflict),
        (409, StateConflict),
        (422, InvalidInput),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
        (302, Unavailable),
    ],
)
def test_each_status_has_one_meaning(status: int, kind: type[SekishoError]) -> None:
    """Refusals carry the problem's code and detail; all else is "not now"."""
    problem = b'{"code":"register-gap","detail":"order 3 is missing"}'
    with answering(status, problem) as url, pytest.raises(kind, match="register-gap: order 3"):
        ask(url)


def test_a_quantum_that_is_kept_and_not_acknowledged_is_told_apart() -> None:
    """A conflict of that code is an answer of its own: the chain goes on after it."""
    problem = b'{"code":"quantum-not-acknowledged","detail":"its lease is over"}'
    with answering(409, problem) as url, pytest.raises(Unacknowledged, match="lease is over"):
        ControlClient(url).send_receipt(b"{}")


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'{"envelope":1}', b'{"envelope":"!"}', b'{"envelope":"AA==","envelope":""}'],
)
def test_an_answer_that_is_none_is_refused(body: bytes) -> None:
    """Foreign JSON is read strictly."""
    with answering(200, body) as url, pytest.raises(InvalidInput):
        ask(url)


def test_an_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody fills an agent's memory."""
    monkeypatch.setattr(control_client, "MAX_ANSWER", 1000)
    with answering(200, b"x" * 2000) as url, pytest.raises(Unavailable, match="1000 bytes"):
        ask(url)


def test_nobody_there_is_unavailable() -> None:
    """A refused connection is to be tried again."""
    with pytest.raises(Unavailable, match="does not answer"):
        ask("http://127.0.0.1:9")


def test_orders_and_feed_come_as_they_were_sent() -> None:
    """Envelope bytes and proofs survive the way, and a slash in a name does not part the path."""
    control = FakeControl()
    order = control.issue(control.order())
    with served(control) as url:
        client = ControlClient(url)
        feed = client.fetch_feed("host-1", 0, 0)
        one = client.fetch_order("pause/JP", 1)
        client.close()

    assert order.raw in [item.envelope for item in feed.items]
    assert one.envelope == order.raw
    assert one.proof is not None
