"""The API server's door: a small https server that answers AdmissionReviews from the gate's picture, and nothing else.

A process of its own, and so a composition root of its own. It holds no key but its TLS key, no token and no memory:
the picture is a file that the agent writes and this process reads anew at each review. Where it is down, the API server
decides by the webhook configuration's failurePolicy, which is `Fail` for pods that reach devices and asks for no other.
Bodies are at most 3 MiB, connections at most 64 at a time, each with a time limit; TLS files are read again when they
change, since certificates are renewed under a running server.
"""

from __future__ import annotations

import ipaddress
import signal
import socket
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any, Final

import msgspec

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.schedulers.kubernetes.admission import (
    MAX_REVIEW,
    answer_review,
    judge_admission,
    parse_review,
)
from sekisho.adapters.schedulers.kubernetes.gate_config import parse_picture
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import canonical
from sekisho.ports.clock import Clock
from sekisho.ports.driver_settings import AcceleratorRules
from sekisho.ports.gate import GatePicture

__all__ = ["Webhook", "WebhookSettings", "load_gate", "run_webhook"]

PLACE: Final = "/admit"
READY: Final = "/ready"
MAX_GATE: Final = 1 << 20
MAX_CONNECTIONS: Final = 64
PATIENCE_S: Final = 5.0


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the picture and the TLS files are; `client_ca` asks callers for a certificate; `advise` refuses nothing."""

    gate: Path
    cert: Path
    key: Path
    client_ca: Path | None = None
    bind: str = "127.0.0.1"
    port: int = 8443
    advise: bool = False
    rules: AcceleratorRules = AcceleratorRules()


class Webhook:
    """The server, bound; `serve` answers until `end`. Raises InvalidInput for TLS files or an address that are none."""

    def __init__(self, settings: WebhookSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._tls = _Tls(settings)
        family = _family(settings.bind)
        try:
            self._server = _Server(family, (settings.bind, settings.port), self._answer, self._tls)
        except OSError as error:
            raise InvalidInput(
                f"cannot listen on {settings.bind}:{settings.port}: {error.strerror}", path="bind"
            ) from None
        self.port: int = self._server.server_address[1]

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.2)

    def end(self) -> None:
        self._server.shutdown()

    def close(self) -> None:
        self._server.server_close()

    def _answer(self, raw: bytes) -> bytes:
        """The answer to one review. Raises InvalidInput for what is no review: the API server then fails closed."""
        request = parse_review(raw)
        verdict = judge_admission(
            request,
            load_gate(self._settings.gate),
            self._clock.now(),
            self._settings.rules,
            advise=self._settings.advise,
        )
        return canonical(answer_review(request, verdict))


def load_gate(path: Path) -> GatePicture | None:
    """The picture, None where there is none that can be read: then no pod that reaches devices is let in."""
    try:
        with path.open("rb") as file:
            return parse_picture(file.read(MAX_GATE))
    except (OSError, InvalidInput):
        return None


class _Tls:
    """The server's side of TLS, loaded again when a file has changed; a broken pair leaves the old one in place."""

    def __init__(self, settings: WebhookSettings) -> None:
        self._files = (settings.cert, settings.key)
        self._lock = threading.Lock()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            self._stamp = self._look()
            self.context.load_cert_chain(*self._files)
            if settings.client_ca is not None:
                self.context.load_verify_locations(settings.client_ca)
                self.context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ssl.SSLError) as error:
            raise InvalidInput(
                f"no certificate and key of one pair: {error}", path=str(settings.cert)
            ) from None

    def renew(self) -> None:
        with self._lock:
            try:
                stamp = self._look()
                if stamp != self._stamp:
                    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*self._files)
                    self.context.load_cert_chain(*self._files)
                    self._stamp = stamp
            except (OSError, ssl.SSLError):
                return  # half-way through a renewal; looked at again with the next connection

    def _look(self) -> tuple[tuple[int, int], ...]:
        return tuple((file.stat().st_mtime_ns, file.stat().st_ino) for file in self._files)


class _Server(ThreadingMixIn, HTTPServer):
    """One thread a connection, bounded; a handshake takes place in its own thread, so that nobody waits for it."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self,
        family: socket.AddressFamily,
        place: tuple[str, int],
        answer: Callable[[bytes], bytes],
        tls: _Tls,
    ) -> None:
        self.address_family = family
        self.answer = answer
        self._tls = tls
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(place, _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, place = super().get_request()
        connection.settimeout(PATIENCE_S)
        self._tls.renew()
        wrapped = self._tls.context.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        )
        return wrapped, place

    def process_request(self, request: Any, client_address: Any) -> None:
        """Turn away what is one too many: the API server tries again or fails closed."""
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


class _Handler(BaseHTTPRequestHandler):
    """POST /admit answers a review, GET /ready says that we live; anything else is refused by its status."""

    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "sekisho"
    sys_version = ""
    timeout = PATIENCE_S
    # An answer is one write: head and body apart would wait 40 ms for each other's acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = 65_536

    def do_GET(self) -> None:  # http.server names it
        if self.path.partition("?")[0] == READY:
            self._say(200, b"ready\n", "text/plain")
        else:
            self._say(404, b"there is nothing here\n", "text/plain")

    def do_POST(self) -> None:  # http.server names it
        if self.path.partition("?")[0] != PLACE:
            self._say(404, b"there is nothing here\n", "text/plain")
            return
        raw = self._read()
        if raw is None:
            return
        try:
            self._say(200, self.server.answer(raw), "application/json")
        except InvalidInput as error:
            self._say(400, f"{error}\n".encode()[:1000], "text/plain")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server names it
        """Nothing of what is asked goes to a log: reviews carry other people's environments."""

    def _read(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            self._say(411, b"say how long the review is\n", "text/plain")
            return None
        if len(length) > 9 or int(length) > MAX_REVIEW:
            self._say(413, f"a review has at most {MAX_REVIEW} bytes\n".encode(), "text/plain")
            return None
        try:
            raw = self.rfile.read(int(length))
        except TimeoutError:
            self.close_connection = True
            return None
        return raw if len(raw) == int(length) else None

    def _say(self, status: int, body: bytes, kind: str) -> None:
        # What was not read of a refused body would be taken for the next request.
        self.close_connection = self.close_connection or status != 200
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def _family(bind: str) -> socket.AddressFamily:
    try:
        version = ipaddress.ip_address(bind).version
    except ValueError:
        raise InvalidInput("is no IP address", path="bind", remedy="use 0.0.0.0 or ::") from None
    return socket.AF_INET6 if version == 6 else socket.AF_INET


def run_webhook(settings: WebhookSettings) -> None:
    """Answer until SIGTERM or SIGINT; one line on standard output says that it serves, and where."""
    webhook = Webhook(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        # shutdown() waits for the loop that this very handler interrupts: another thread asks for it.
        signal.signal(number, lambda *_: threading.Thread(target=webhook.end).start())
    ready = {"ready": True, "port": webhook.port}
    print(canonical(ready).decode(), flush=True)  # noqa: T201  # the ready line is this command's output
    try:
        webhook.serve()
    finally:
        webhook.close()
