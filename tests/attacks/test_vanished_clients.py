"""Clients that ask and vanish: their polls and leases stay behind for a while, and keep no pause out and none back."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from sekisho.adapters.transport.control_client import ControlClient
from sekisho.ledger import Cosigned
from sekisho.model.errors import Unavailable
from sekisho.signing import parse_envelope
from sekisho.web.server import raise_open_files
from tests import factory as f
from tests.regime import LiveRegime, live_regime
from tests.web.serving import serving

POLLS = 2_000
LEASES = 300
WAIT_S = 60
"""The longest poll: within it nothing of those that vanished has ended by itself."""


@pytest.fixture(scope="module")
def regime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegime]:
    raise_open_files()
    with live_regime(tmp_path_factory.mktemp("regime")) as running:
        yield running


@contextlib.contextmanager
def asking(address: str, requests: list[bytes]) -> Iterator[list[socket.socket]]:
    """Connections that have asked and wait for their answers; at the end each is reset, as by a power cut."""
    url = httpx.URL(address)
    connections: list[socket.socket] = []
    try:
        for request in requests:
            connections.append(socket.create_connection((url.host, url.port or 80), timeout=30))
            connections[-1].sendall(request)
        yield connections
    finally:
        for connection in connections:
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            connection.close()


def poll(host: str, after: int) -> bytes:
    path = f"/api/v1/hosts/{host}/feed?after={after}&wait_s={WAIT_S}"
    return f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode()


def lease(raw: bytes) -> bytes:
    head = "POST /api/v1/leases HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(raw)}\r\n\r\n".encode() + raw


def issue(regime: LiveRegime, address: str) -> tuple[int, str]:
    """Post a pause; the status, and its payload digest."""
    raw = f.signed(regime.order(), *f.AUTHORITY[:3], f.VERIFIER[0]).raw
    answer = httpx.post(
        f"{address}/api/v1/statements", content=raw, timeout=WAIT_S, trust_env=False
    )
    return answer.status_code, parse_envelope(raw).digest


def told_until(client: ControlClient, after: int) -> set[str]:
    """What a host is told until its feed brings a pause that stands behind `after`: payload digests."""
    told: set[str] = set()
    ends = time.monotonic() + WAIT_S
    while time.monotonic() < ends:
        feed = client.fetch_feed("host-1", after, WAIT_S)
        told |= {parse_envelope(item.envelope).digest for item in feed.items}
        if any(
            item.proof is None for item in feed.items
        ):  # what acts on sight comes first without its proof
            break
        after = feed.next
    return told


def test_vanished_requests_for_leases_keep_no_pause_out(
    regime: LiveRegime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would wait for witnesses that are silent: threads are bounded, and the pause is in the log meanwhile.

    The first test of this file, since no lease is granted once its pause is in force.
    """
    released = threading.Event()
    waiting = threading.Semaphore(0)

    def wait(index: int, timeout: float) -> Cosigned:
        waiting.release()
        released.wait(timeout)
        raise Unavailable(f"entry {index} is not witnessed")

    request = lease(regime.lease_request().raw)
    with serving(regime.control) as address, contextlib.ExitStack() as ends:
        ends.callback(released.set)
        silent = ends.enter_context(monkeypatch.context())
        silent.setattr(regime.control.publisher, "wait_witnessed", wait)
        with asking(address, [request] * LEASES):
            assert waiting.acquire(timeout=WAIT_S)
            threads = threading.active_count()
        status, _ = issue(regime, address)
    assert status == 200
    assert threads < LEASES // 2


def test_two_thousand_vanished_polls_keep_no_pause_from_a_host(regime: LiveRegime) -> None:
    """The pause is taken, and a host that is there is told of it, while all of the others still wait at the server."""
    with serving(regime.control) as address:
        client = ControlClient(address)
        after = client.fetch_feed("host-1", 0, 0).next
        began = time.monotonic()
        with asking(address, [poll(f"gone-{n}", after) for n in range(POLLS)]):
            client.fetch_feed("host-2", after, 0)  # behind all of theirs
        threads = threading.active_count()
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(told_until, client, after)
            status, digest = issue(regime, address)
            told = asked.result()
        took_s = time.monotonic() - began
        client.close()
    assert status == 200
    assert digest in told
    assert took_s < WAIT_S
    assert threads < POLLS // 10
