"""The access point's door: two small answers over a unix socket, and over 127.0.0.1 where a port is named.

`POST /v1/decide` takes {model, nationality?, jurisdiction?, asserted_by?} and answers with the decision; `GET
/v1/picture` gives the signed picture. Nothing that is asked is kept or logged. Bodies are at most 4 KiB, connections at
most 64 at a time, each with a time limit.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import BaseServer, ThreadingMixIn
from typing import Annotated, Any, Final

import msgspec

from sekisho.access.answers import STATUS, Refusal, problem_of
from sekisho.access.picture import AccessDecision, UserClass
from sekisho.model.errors import InvalidInput, SekishoError, Unavailable
from sekisho.model.statements.shapes import Jurisdiction, Name
from sekisho.model.wire import canonical, from_json, parse_json

__all__ = ["Asked", "Door", "open_doors"]

MAX_BODY: Final = 4_096
MAX_CONNECTIONS: Final = 64
PATIENCE_S: Final = 5.0
MAX_SOCKET_NAME: Final = 100


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question at the door: a class of users and a model; no user."""

    model: Name
    nationality: Jurisdiction | None = None
    jurisdiction: Jurisdiction | None = None
    asserted_by: Annotated[str, msgspec.Meta(max_length=128)] = ""

    @property
    def user(self) -> UserClass:
        return UserClass(
            nationality=self.nationality,
            jurisdiction=self.jurisdiction,
            asserted_by=self.asserted_by,
        )


class _Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    serve: bool
    code: str
    status: int
    model: str
    reasons: tuple[str, ...] = ()
    problem: Refusal | None = None


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """What the door answers with."""

    decide: Callable[[Asked], AccessDecision]
    picture: Callable[[], bytes | None]


def open_doors(door: Door, path: Path, port: int | None) -> list[_Server]:
    """The servers, bound and not serving yet. Raises Unavailable where a place is taken."""
    servers: list[_Server] = []
    try:
        servers.append(_UnixServer(path, door))
        if port is not None:
            servers.append(_LoopbackServer(port, door))
    except OSError as error:
        for server in servers:
            server.server_close()
        raise Unavailable(
            f"the door cannot be opened: {error.strerror}", remedy="name another"
        ) from None
    return servers


class _Server(ThreadingMixIn, HTTPServer):
    """One thread a connection, bounded."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128
    door: Door

    def __init__(self, place: Any, door: Door) -> None:
        self.door = door
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(place, _Handler)

    def server_bind(self) -> None:
        """Without asking a name service who we are."""
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "localhost", 0

    def process_request(self, request: Any, client_address: Any) -> None:
        """Turn away what is one too many."""
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


class _UnixServer(_Server):
    """On a socket that its owner may use; the folder's lock says that no other process holds it."""

    address_family = socket.AF_UNIX

    def __init__(self, path: Path, door: Door) -> None:
        if len(os.fsencode(path)) > MAX_SOCKET_NAME:
            raise InvalidInput(
                f"is longer than {MAX_SOCKET_NAME} bytes",
                path=str(path),
                remedy="use a shorter home",
            )
        self._path = path
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        mask = os.umask(0o177)
        try:
            super().__init__(str(path), door)
        finally:
            os.umask(mask)

    def server_close(self) -> None:
        super().server_close()
        with contextlib.suppress(OSError):
            self._path.unlink()


class _LoopbackServer(_Server):
    def __init__(self, port: int, door: Door) -> None:
        super().__init__(("127.0.0.1", port), door)
        self.port: int = self.socket.getsockname()[1]


class _Handler(BaseHTTPRequestHandler):
    """Two routes; anything else is refused by its status."""

    server: BaseServer
    protocol_version = "HTTP/1.1"
    server_version = "sekisho"
    sys_version = ""
    timeout = PATIENCE_S
    wbufsize = 65_536

    def do_GET(self) -> None:  # http.server names it
        if self.path != "/v1/picture":
            self._say(404, {"code": "not-found"})
            return
        raw = self._door.picture()
        if raw is None:
            self._say(503, {"code": "picture-stale"})
        else:
            self._send(200, raw, "application/json")

    def do_POST(self) -> None:  # http.server names it
        if self.path != "/v1/decide":
            self._say(404, {"code": "not-found"})
            return
        raw = self._read()
        if raw is None:
            return
        try:
            asked = from_json(Asked, parse_json(raw, limit=MAX_BODY), path="body")
            decision = self._door.decide(asked)
        except InvalidInput as error:
            self._say(422, {"code": error.code, "detail": error.message})
        except SekishoError as error:
            self._say(503, {"code": error.code, "detail": error.message})
        else:
            self._say(200, _told(decision))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server names it
        """Nothing of what is asked goes to a log."""

    @property
    def _door(self) -> Door:
        if not isinstance(self.server, _Server):
            raise TypeError("served by another server")
        return self.server.door

    def _read(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            self._say(411, {"code": "length-required"})
            return None
        if len(length) > 9 or int(length) > MAX_BODY:
            self._say(413, {"code": "too-large"})
            return None
        try:
            raw = self.rfile.read(int(length))
        except TimeoutError:
            self.close_connection = True
            return None
        return raw if len(raw) == int(length) else None

    def _say(self, status: int, told: object) -> None:
        self._send(status, canonical(told), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        # What was not read of a refused body would be taken for the next request.
        self.close_connection = self.close_connection or status != 200
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def _told(decision: AccessDecision) -> _Told:
    return _Told(
        serve=decision.serve,
        code=decision.code,
        status=STATUS[decision.code],
        model=decision.model,
        reasons=decision.reasons,
        problem=None if decision.serve else problem_of(decision),
    )
