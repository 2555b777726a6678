"""A receiver of webhooks on loopback, and one in memory, that take, refuse and redirect as they are told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sekisho.model.errors import Unavailable
from sekisho.ports.subscriptions import Delivery

__all__ = ["FakeWebhooks", "Receiver", "receiving"]


class Receiver:
    """What came, and what is answered to it."""

    def __init__(self) -> None:
        self.came: list[tuple[str, Mapping[str, str], bytes]] = []
        self.status = 204
        self.headers: dict[str, str] = {}
        self.body = b""
        self.address = ""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """An HTTP server on 127.0.0.1 for as long as the block lasts."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Silence."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.came.append((self.path, dict(self.headers.items()), body))
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(receiver.body)))
            self.end_headers()
            self.wfile.write(receiver.body)

        def do_GET(self) -> None:
            self.do_POST()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class FakeWebhooks:
    """Implements ports.Webhooks; `fault` may raise."""

    def __init__(self) -> None:
        self.came: list[Delivery] = []
        self.fault: Callable[[Delivery], None] = lambda _: None

    def check(self, url: str) -> None:
        """Any address will do."""

    def deliver(self, delivery: Delivery) -> None:
        self.fault(delivery)
        self.came.append(delivery)

    def refuse(self) -> None:
        def fault(_: Delivery) -> None:
            raise Unavailable("answered 503")

        self.fault = fault

    def accept(self) -> None:
        self.fault = lambda _: None
