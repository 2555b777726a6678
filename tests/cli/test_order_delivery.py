"""`sekisho order status`: how orders get to hosts beside how far they came, and no end of hosts."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from sekisho.catalogue import Language
from sekisho.cli.order_delivery import delivery_text
from sekisho.cli.words import lives
from sekisho.operations.delivery import Delivery, Pushes, SilentAddress
from tests.cli.ceremonies import KeyHolder

Capture = pytest.CaptureFixture[str]
AT = "2026-11-22T09:01:00Z"
SILENT = {"host": "host-7", "failed_in_a_row": 4, "problem": "no answer\x1b[2J"}
TOLD = {
    "at": AT,
    "waiting": 2,
    "push": {"reached": 1, "untried": 0, "silent": 2, "rows": [SILENT]},
}


@contextmanager
def telling(document: object, status: int = 200) -> Iterator[str]:
    """A control plane that answers every GET in one way."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silence."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=lambda: server.serve_forever(0.01))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def paused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    return KeyHolder(tmp_path, monkeypatch, second=21)


def test_status_tells_who_is_pushed_to_and_silent(paused: KeyHolder, capsys: Capture) -> None:
    """As data beside the orders, and in words; what an address said cannot move the terminal's cursor."""
    with telling(TOLD) as control:
        asked = ("order", "status", "--log", paused.log, "--control", control)
        found = paused.answer(capsys, *asked)
        assert found["delivery"]["push"]["silent"] == 2
        assert found["orders"][0]["register"] == "pause/JP"
        assert paused.call(*asked) == 0
    text = capsys.readouterr().out
    assert "host-7 does not answer, 4 times in a row" in text
    assert "and 1 more silent addresses" in text
    assert "\x1b" not in text


def test_status_without_a_control_plane_tells_what_it_told_before(
    paused: KeyHolder, capsys: Capture
) -> None:
    """The rows of a script stay a list."""
    (row,) = paused.answer(capsys, "order", "status", "--log", paused.log)
    assert row["register"] == "pause/JP"


@pytest.mark.parametrize(
    ("document", "status", "code"),
    [
        (b"<html>", 200, 2),
        (b"[" * 100_000, 200, 2),
        ({"at": AT}, 200, 2),
        ({"at": AT, "waiting": "two"}, 200, 2),
        ({}, 404, 4),
        ({}, 503, 4),
    ],
)
def test_a_control_plane_that_answers_nonsense_is_named(
    paused: KeyHolder, capsys: Capture, document: object, status: int, code: int
) -> None:
    """Garbage, depth, missing and wrong fields: the address and no trace."""
    with telling(document, status) as control:
        assert paused.call("order", "status", "--log", paused.log, "--control", control) == code
        assert control in capsys.readouterr().err


@pytest.mark.parametrize(
    ("language", "word"), [("en", "pushed to nobody"), ("ja", "プッシュの宛先はありません")]
)
def test_nobody_pushed_to_is_not_nobody_silent(language: Language, word: str) -> None:
    """Each says so in its own words."""
    assert word in delivery_text(Delivery(at=AT, waiting=0), language)
    row = SilentAddress(host="h", failed_in_a_row=1, problem="-")
    pushes = Pushes(reached=0, untried=0, silent=1, rows=(row,))
    assert word not in delivery_text(Delivery(at=AT, waiting=0, push=pushes), language)


def test_status_in_lines_ends_and_says_so(
    paused: KeyHolder, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten thousand hosts are no page for a person; data has them all."""
    monkeypatch.setattr(lives, "_HOSTS", 0)
    assert paused.call("order", "status", "--log", paused.log) == 0
    assert "and 1 more hosts: --site S shows one site, --json all" in capsys.readouterr().out
    (row,) = paused.answer(capsys, "order", "status", "--log", paused.log)
    assert len(row["hosts"]) == 1


def test_lists_of_orders_are_japanese(paused: KeyHolder, capsys: Capture) -> None:
    """The effect is a word, not a code of the wire."""
    paused.language = "ja"
    assert paused.call("order", "list", "--log", paused.log) == 0
    told = capsys.readouterr().out
    assert "保存のうえ停止" in told
    assert "checkpoint-then-stop" not in told
