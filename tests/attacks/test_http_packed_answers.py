"""Answers that unpack into more than memory holds, or never end: from a copy, a witness, a control plane."""

from __future__ import annotations

import gzip
import threading
import time
import tracemalloc
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from sekisho.adapters.transport import bounded_body, control_client, witness_client
from sekisho.adapters.transport.control_client import ControlClient
from sekisho.adapters.transport.http_tiles import HttpTileStore
from sekisho.adapters.transport.statement_desk import send_envelope
from sekisho.adapters.transport.witness_client import HttpWitness
from sekisho.model.errors import InvalidInput, SekishoError, Unavailable

ONCE = gzip.compress(bytes(64 << 20), 9)
BOMB = gzip.compress(ONCE, 9)


class _Hostile(BaseHTTPRequestHandler):
    """Answers everything with a bomb: packed twice, packed once, packed as nobody asked, or drop by drop."""

    packing = "gzip, gzip"
    body = BOMB
    pause_s = 0.0

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", "0")))
        self.send_response(200)
        self.send_header("content-length", str(len(self.body)))
        self.send_header("content-encoding", self.packing)
        self.end_headers()
        try:
            if not self.pause_s:
                self.wfile.write(self.body)
            for byte in self.body if self.pause_s else b"":
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(self.pause_s)
        except OSError:
            return

    do_GET = do_POST = _answer  # noqa: N815 - the server's own names

    def log_message(self, *_: Any) -> None:
        """Silence."""


@pytest.fixture
def hostile() -> Iterator[tuple[str, type[_Hostile]]]:
    """The server's address, and its behaviour to be set."""

    class Handler(_Hostile):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=lambda: server.serve_forever(0.01))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", Handler
    server.shutdown()
    thread.join()
    server.server_close()


def asked(url: str) -> list[Any]:
    """Every client of ours that reads what somebody else packs."""
    return [
        lambda: HttpTileStore(url).read("checkpoint", 1 << 20),
        lambda: HttpWitness(url).add_checkpoint(0, [], b"note"),
        lambda: ControlClient(url).fetch_halts(),
        lambda: send_envelope(url, b"{}"),
    ]


@pytest.mark.parametrize("packing", ["gzip, gzip", "gzip", "deflate", "br", "gzip,identity"])
def test_an_answer_that_unpacks_into_more_than_asked_for(
    hostile: tuple[str, type[_Hostile]], packing: str
) -> None:
    """No client unpacks twice, or far beyond its limit, however little the answer is packed into."""
    url, handler = hostile
    handler.packing = packing
    handler.body = ONCE if packing == "gzip" else BOMB
    tracemalloc.start()
    try:
        for ask in asked(url):
            with pytest.raises((InvalidInput, Unavailable)):
                ask()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (
        peak < 3 * control_client.MAX_ANSWER
    )  # the largest limit; a chunk is unpacked beside what is there


def test_an_answer_that_comes_drop_by_drop(
    hostile: tuple[str, type[_Hostile]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A witness that sends a byte now and then keeps nobody longer than one answer may take."""
    url, handler = hostile
    handler.packing, handler.body, handler.pause_s = "identity", bytes(1000), 0.05
    monkeypatch.setattr(witness_client, "WHOLE_S", 0.3)
    start = time.monotonic()
    with pytest.raises(Unavailable, match=r"did not arrive|timed out|took too long"):
        HttpWitness(url).add_checkpoint(0, [], b"note")
    assert time.monotonic() - start < 5


def test_a_packed_answer_that_was_cut_off(hostile: tuple[str, type[_Hostile]]) -> None:
    """Half of a packed file is no file."""
    url, handler = hostile
    handler.packing, handler.body = "gzip", gzip.compress(b"whole" * 1000)[:-4]
    with pytest.raises(SekishoError):
        HttpTileStore(url).read("checkpoint", 1 << 20)


def test_what_is_packed_soundly_is_read(hostile: tuple[str, type[_Hostile]]) -> None:
    """One layer of gzip up to the limit, to the byte."""
    url, handler = hostile
    handler.packing, handler.body = "gzip", gzip.compress(b"a" * 1000)
    assert HttpTileStore(url).read("checkpoint", 1000) == b"a" * 1000
    with pytest.raises(InvalidInput, match="longer"):
        HttpTileStore(url).read("checkpoint", 999)
    assert "deflate" not in httpx.Headers(bounded_body.ACCEPTED)["accept-encoding"]
