"""A small HTTP server that cannot be filled up: bounded in bytes, connections and time; it keeps and logs nothing.

One thread a connection, and few of them. A request's first byte may be waited for, all of it must then come within the
same patience again, however it is dripped; a connection that is kept alive is ended with an answer when it has lived
long enough, so that nobody holds a place for ever. Bodies say how long they are; what says so twice, or not, is
refused, since two readers would understand it differently.
"""

from __future__ import annotations

import contextlib
import io
import os
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any, Final, Protocol, TypeAlias

import msgspec

from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.model.wire import canonical

__all__ = ["Answer", "Answering", "BoundedServer", "Bounds"]

MAX_SOCKET_NAME: Final = 100
POLL_S: Final = 0.2

Answer: TypeAlias = tuple[int, bytes, str]
"""Status, body, content type."""


class Answering(Protocol):
    """What answers: the method (GET or POST), the path as it was asked for, the whole body. From many threads."""

    def __call__(self, method: str, path: str, body: bytes) -> Answer: ...


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of a body, connections at a time, seconds of patience for a request, seconds that a connection may live."""

    body: int
    connections: int = 64
    patience_s: float = 5.0
    life_s: float = 60.0


class BoundedServer:
    """Bound at once, serving in `serve` until `end` is called from another thread.

    `place` is an address and a port (0 is any), or the path of a unix socket, which only its owner may use then. `wrap`
    makes a connection private (TLS); its handshake must wait for the first read. Raises Unavailable where the place
    is taken or not ours, InvalidInput for a socket's path that is too long.
    """

    def __init__(
        self,
        place: tuple[str, int] | Path,
        answer: Answering,
        bounds: Bounds,
        *,
        wrap: Callable[[socket.socket], socket.socket] | None = None,
    ) -> None:
        self._path = place if isinstance(place, Path) else None
        try:
            if isinstance(place, Path):
                self._server = _at_path(place, answer, bounds)
            else:
                family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
                self._server = _Server(family, place, answer, bounds, wrap)
        except OSError as error:
            named = place if isinstance(place, Path) else f"{place[0]}:{place[1]}"
            raise Unavailable(
                f"cannot listen on {named}: {error.strerror}", remedy="name another place"
            ) from None
        told = self._server.socket.getsockname()
        self.port: int = told[1] if self._path is None else 0

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=POLL_S)

    def end(self) -> None:
        self._server.shutdown()

    def close(self) -> None:
        self._server.server_close()
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()


def _at_path(path: Path, answer: Answering, bounds: Bounds) -> _Server:
    """On a socket of mode 0600. What lies there is taken away: the caller holds the folder."""
    if len(os.fsencode(path)) > MAX_SOCKET_NAME:
        raise InvalidInput(
            f"is longer than {MAX_SOCKET_NAME} bytes", path=str(path), remedy="use a shorter home"
        )
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    mask = os.umask(0o177)
    try:
        return _Server(socket.AF_UNIX, str(path), answer, bounds, None)
    finally:
        os.umask(mask)


class _Server(ThreadingMixIn, HTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self,
        family: socket.AddressFamily,
        place: Any,
        answer: Answering,
        bounds: Bounds,
        wrap: Callable[[socket.socket], socket.socket] | None,
    ) -> None:
        self.address_family = family
        self.answer = answer
        self.bounds = bounds
        self._wrap = wrap
        self._free = threading.BoundedSemaphore(bounds.connections)
        super().__init__(place, _Handler)

    def server_bind(self) -> None:
        """Without asking a name service who we are."""
        if self.allow_reuse_address and self.address_family != socket.AF_UNIX:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "localhost", 0

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, place = super().get_request()
        connection.settimeout(self.bounds.patience_s)
        return (connection if self._wrap is None else self._wrap(connection)), place

    def process_request(self, request: Any, client_address: Any) -> None:
        """Turn away what is one too many; whoever asks tries again or fails closed."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that breaks off is nobody's fault here; nothing was changed."""


class _Patient(io.RawIOBase):
    """A connection's bytes: patience for a request's first one, and once more for all the others together."""

    def __init__(self, connection: socket.socket, patience_s: float) -> None:
        self._connection = connection
        self._patience_s = patience_s
        self._ends_s: float | None = None

    def begin(self) -> None:
        """The next byte is a request's first."""
        self._ends_s = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        now = time.monotonic()
        left = self._patience_s if self._ends_s is None else self._ends_s - now
        if left <= 0:
            raise TimeoutError("the request did not come in time")
        self._connection.settimeout(left)
        got = self._connection.recv_into(buffer)
        if self._ends_s is None:
            self._ends_s = time.monotonic() + self._patience_s
        return got


class _Handler(BaseHTTPRequestHandler):
    """GET and POST; anything else is refused by its status."""

    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "sekisho"
    sys_version = ""
    # What is refused before it is understood is told its number alone: nothing of a request is repeated.
    error_message_format = "%(code)d\n"
    error_content_type = "text/plain"
    # An answer is one write: head and body apart would wait 40 ms for each other's acknowledgement.
    wbufsize = 65_536

    def setup(self) -> None:
        super().setup()
        if self.server.address_family != socket.AF_UNIX:
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._patient = _Patient(self.connection, self.server.bounds.patience_s)
        self.rfile = io.BufferedReader(self._patient)
        self._ends_s = time.monotonic() + self.server.bounds.life_s

    def handle_one_request(self) -> None:
        self._patient.begin()
        super().handle_one_request()

    def do_GET(self) -> None:  # http.server names it
        self._answer("GET")

    def do_POST(self) -> None:  # http.server names it
        self._answer("POST")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server names it
        """Nothing of what is asked goes to a log."""

    def _answer(self, method: str) -> None:
        body = self._read(method)
        if body is not None:
            self._send(*self.server.answer(method, self.path, body))

    def _read(self, method: str) -> bytes | None:
        """The whole body; None where it was refused, or did not come."""
        lengths = self.headers.get_all("Content-Length", [])
        if method == "GET" and not lengths and "Transfer-Encoding" not in self.headers:
            return b""
        length = lengths[0] if len(lengths) == 1 else ""
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            self._refuse(411, "length-required", "say once how many bytes the body has")
            return None
        limit = self.server.bounds.body
        if len(length) > 9 or int(length) > limit:
            self._refuse(413, "too-large", f"a body has at most {limit} bytes")
            return None
        try:
            raw = self.rfile.read(int(length))
        except TimeoutError:
            self.close_connection = True
            return None
        return raw if len(raw) == int(length) else None

    def _refuse(self, status: int, code: str, detail: str) -> None:
        self._send(status, canonical({"code": code, "detail": detail}), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        # What was not read of a refused body would be taken for the next request.
        self.close_connection = (
            self.close_connection or status != 200 or time.monotonic() >= self._ends_s
        )
        self.connection.settimeout(self.server.bounds.patience_s)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
