"""The API server's door: a small https server that answers AdmissionReviews from the gate's picture, and nothing else.

A process of its own, and so a composition root of its own. It holds no key but its TLS key, no token and no memory:
the picture is a file that the agent writes and this process reads anew at each review. Where it is down, the API server
decides by the webhook configuration's failurePolicy, which is `Fail` for pods that reach devices and asks for no other.
Bodies are at most 3 MiB; its other bounds are the server's own (adapters.transport.bounded_server). TLS files are read
again when they change, since certificates are renewed under a running server.
"""

from __future__ import annotations

import ipaddress
import signal
import socket
import ssl
import threading
from pathlib import Path
from typing import Final

import msgspec

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.schedulers.kubernetes.admission import (
    MAX_REVIEW,
    answer_review,
    judge_admission,
    parse_review,
)
from sekisho.adapters.schedulers.kubernetes.gate_config import parse_picture
from sekisho.adapters.transport.bounded_server import Answer, BoundedServer, Bounds
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.model.wire import canonical
from sekisho.ports.clock import Clock
from sekisho.ports.driver_settings import AcceleratorRules
from sekisho.ports.gate import GatePicture

__all__ = ["Webhook", "WebhookSettings", "load_gate", "run_webhook"]

PLACE: Final = "/admit"
READY: Final = "/ready"
MAX_GATE: Final = 1 << 20


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
        _require_address(settings.bind)
        place, bounds = (settings.bind, settings.port), Bounds(body=MAX_REVIEW)
        try:
            self._server = BoundedServer(place, self._answer, bounds, wrap=self._tls.wrap)
        except Unavailable as error:
            raise InvalidInput(error.message, path="bind") from None
        self.port = self._server.port

    def serve(self) -> None:
        self._server.serve()

    def end(self) -> None:
        self._server.end()

    def close(self) -> None:
        self._server.close()

    def _answer(self, method: str, path: str, body: bytes) -> Answer:
        """POST /admit answers a review, GET /ready says that we live; anything else is refused by its status."""
        asked = (method, path.partition("?")[0])
        if asked == ("GET", READY):
            return 200, b"ready\n", "text/plain"
        if asked != ("POST", PLACE):
            return 404, b"there is nothing here\n", "text/plain"
        try:
            return 200, self._review(body), "application/json"
        except InvalidInput as error:
            return 400, f"{error}\n".encode()[:1000], "text/plain"

    def _review(self, raw: bytes) -> bytes:
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

    def wrap(self, connection: socket.socket) -> socket.socket:
        """The connection under the files of now; its handshake takes place in its own thread: nobody waits for it."""
        self.renew()
        return self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)

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


def _require_address(bind: str) -> None:
    try:
        ipaddress.ip_address(bind)
    except ValueError:
        raise InvalidInput("is no IP address", path="bind", remedy="use 0.0.0.0 or ::") from None


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
