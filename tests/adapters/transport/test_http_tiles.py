"""A log's public files over HTTP: bounded, safe addresses only, never followed elsewhere."""

from __future__ import annotations

import functools
import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sekisho.adapters.transport.http_tiles import HttpTileStore, check_url
from sekisho.ceremony import open_log, read_log
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.ports.tile_store import NotStored
from tests.cli.ceremonies import LICENSED, sealed_until
from tests.factory_bundle import write_folder


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Silence."""


class _Odd(BaseHTTPRequestHandler):
    """A server that redirects, packs bombs, and fails."""

    def do_GET(self) -> None:
        if self.path == "/moved":
            self._send(302, b"", location="/bomb")
        elif self.path == "/bomb":
            self._send(200, gzip.compress(bytes(10_000_000)), **{"content-encoding": "gzip"})
        else:
            self._send(500, b"")

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Silence."""


def serving(handler: Any) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=lambda: server.serve_forever(0.01))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[str]:
    write_folder(tmp_path, sealed_until(LICENSED).files)
    yield from serving(functools.partial(_Quiet, directory=str(tmp_path)))


@pytest.fixture
def odd() -> Iterator[str]:
    yield from serving(_Odd)


def test_a_log_reads_the_same_over_http(folder: str, tmp_path: Path) -> None:
    """Folder and address give one state; an address may name the log or what is above it."""
    root = sealed_until(LICENSED).root
    here = read_log(open_log(str(tmp_path)), root)
    for url in (folder, f"{folder}/", f"{folder}/log"):
        there = read_log(open_log(url), root)
        assert there.state.size == here.state.size
        assert there.cosigned.checkpoint == here.cosigned.checkpoint


def test_what_is_not_there_is_not_stored(folder: str) -> None:
    """A missing file is said to be missing, and an address without a log is bad input."""
    store = HttpTileStore(f"{folder}/log")
    with pytest.raises(NotStored):
        store.read("tile/0/999", 100)
    assert not store.exists("tile/0/999")
    assert store.exists("checkpoint")
    with pytest.raises(InvalidInput, match="no log here"):
        open_log(f"{folder}/packs")
    store.close()


def test_answers_are_bounded_after_unpacking(odd: str) -> None:
    """A small answer that unpacks into a large one is refused, redirects are not followed, 5xx is try again."""
    store = HttpTileStore(odd)
    with pytest.raises(InvalidInput, match="longer than 1000"):
        store.read("bomb", 1000)
    for path in ("moved", "broken"):
        with pytest.raises(Unavailable):
            store.read(path, 10**9)
    assert not store.exists("moved")
    with pytest.raises(Unavailable):
        store.exists("broken")
    store.close()


def test_nobody_answers(folder: str) -> None:
    """A closed port is Unavailable."""
    store = HttpTileStore("http://127.0.0.1:9/log")
    with pytest.raises(Unavailable):
        store.read("checkpoint", 100)
    with pytest.raises(Unavailable):
        store.exists("checkpoint")
    store.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://log.example/log",
        "http://127.0.0.1.example/log",
        "http://169.254.169.254/",
        "ftp://127.0.0.1/log",
        "file:///etc/passwd",
        "https://user:secret@log.example",
        "https://log.example/?x=1",
        "https://",
        "http://[::1",
    ],
)
def test_only_https_or_this_machine(url: str) -> None:
    """Plain HTTP goes nowhere but to the loopback; addresses carry no user and no query."""
    with pytest.raises(InvalidInput):
        check_url(url)


def test_safe_addresses_pass() -> None:
    """Anywhere over https, on this machine by any of its names over http."""
    for url in (
        "https://log.example/log",
        "http://127.0.0.1:8/",
        "http://[::1]:8",
        "http://localhost:1",
    ):
        assert check_url(url) == url.rstrip("/")


@pytest.mark.parametrize("path", ["../secret", "a//b", "a/./b", "%2e%2e/x", "a?b", "a#b", "a\\b"])
def test_no_path_leaves_the_log(path: str) -> None:
    """Paths that a server could read otherwise than we do are refused before they are sent."""
    store = HttpTileStore("https://log.example/log")
    with pytest.raises(InvalidInput):
        store.read(path, 10)
    with pytest.raises(StateConflict):
        store.write("checkpoint", b"")
    store.close()
