"""The fake control plane behind a real HTTP server, for tests that run real processes against it."""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sekisho.model.errors import InvalidInput, NotAuthorised, SekishoError, Unavailable
from sekisho.model.instants import Instant
from sekisho.model.wire import canonical, encode_base64, to_plain
from sekisho.ports.control import FeedItem
from tests.fakes import FakeClock, FakeControl


class SystemFakeClock(FakeClock):
    """The real time, for control planes that real agents talk to."""

    def now(self) -> Instant:
        from sekisho.adapters.clocks import SystemClock

        return SystemClock().now()


@contextmanager
def served(control: FakeControl) -> Iterator[str]:
    """The control plane's base URL for as long as the block lasts."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.control = control
    thread = threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        with control.lock:
            control.is_silent = True
            control.lock.notify_all()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    control: FakeControl


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Silence."""

    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        parts = [urllib.parse.unquote(part) for part in url.path.split("/")[3:]]
        query = {
            key: int(v[0]) for key, v in urllib.parse.parse_qs(url.query).items() if v[0].isdigit()
        }
        self._answer(lambda control: _get(control, parts, query))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self._answer(lambda control: _post(control, self.path.split("/")[3], body))

    def _answer(self, act: Callable[[FakeControl], Any]) -> None:
        server = self.server
        assert isinstance(server, _Server)
        try:
            status, document = 200, act(server.control)
        except Unavailable as error:
            status, document = 503, _problem(error)
        except NotAuthorised as error:
            status, document = 403, _problem(error)
        except InvalidInput as error:
            status, document = 422, _problem(error)
        except SekishoError as error:
            status, document = 409, _problem(error)
        body = json.dumps(document).encode()
        try:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the one who asked was killed


def _get(control: FakeControl, parts: list[str], query: dict[str, int]) -> Any:  # JSON
    if parts[0] == "hosts":
        feed = control.fetch_feed(parts[1], query["after"], query["wait_s"])
        items = [_item(item) for item in feed.items]
        return {"next": feed.next, "items": items, "checkpoint": feed.checkpoint}
    if parts[0] == "orders":
        return _item(control.fetch_order(parts[1].replace("~", "/"), int(parts[2])))
    if parts[0] == "halts":
        return json.loads(canonical(list(control.fetch_halts())))
    stored = control.fetch_statement(parts[1])
    return {
        "envelope": encode_base64(stored.envelope),
        "index": stored.index,
        "leaf": stored.leaf,
        "proof": stored.proof,
    }


def _post(control: FakeControl, door: str, body: bytes) -> Any:  # JSON
    if door == "leases":
        answer = control.send_request(body)
        return {
            "envelope": encode_base64(answer.envelope),
            "proof": answer.proof,
            "disclosures": list(answer.disclosures),
        }
    if door == "receipts":
        told = control.send_receipt(body)
        return {"acknowledgement": None if told is None else encode_base64(told)}
    control.send_statement(body)
    return {"index": 0, "leaf": "0" * 64, "digest": "0" * 64, "fresh": True}


def _item(item: FeedItem) -> dict[str, Any]:  # JSON
    shown = None if item.membership is None else to_plain(item.membership)
    return {"envelope": encode_base64(item.envelope), "proof": item.proof, "membership": shown}


def _problem(error: SekishoError) -> dict[str, str]:
    return {"code": error.code, "detail": str(error)}
