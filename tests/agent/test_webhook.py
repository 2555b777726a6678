"""The webhook's door over real TLS: answers, refusals, bounds, renewed certificates."""

from __future__ import annotations

import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from sekisho.adapters.schedulers.kubernetes.admission import MAX_REVIEW
from sekisho.agent import webhook as webhook_module
from sekisho.agent.webhook import Webhook, WebhookSettings, load_gate
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import canonical
from tests.certificates import write_certificate
from tests.clusters import ClusterClock
from tests.reviews import NOW, bare, picture, review_of


class Now(ClusterClock):
    def now(self) -> Any:
        return NOW


class Door:
    """A served webhook and how to knock at it."""

    def __init__(self, folder: Path, **given: Any) -> None:
        self.folder = folder
        self.gate = folder / "picture.json"
        write_certificate(folder / "tls.crt", folder / "tls.key")
        self.gate.write_bytes(canonical(picture()))
        settings = WebhookSettings(
            gate=self.gate, cert=folder / "tls.crt", key=folder / "tls.key", port=0, **given
        )
        self.webhook = Webhook(settings, Now())

    def connect(self) -> http.client.HTTPSConnection:
        trust = ssl.create_default_context(cafile=str(self.folder / "tls.crt"))
        return http.client.HTTPSConnection("127.0.0.1", self.webhook.port, timeout=5, context=trust)

    def ask(self, raw: bytes, path: str = "/admit?timeout=5s") -> tuple[int, Any]:
        with closing(self.connect()) as connection:
            connection.request("POST", path, raw, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = answer.read()
            return answer.status, json.loads(body) if answer.status == 200 else body.decode()

    def allows(self, raw: bytes) -> bool:
        status, answer = self.ask(raw)
        assert status == 200
        return bool(answer["response"]["allowed"])


@contextmanager
def served(folder: Path, **given: Any) -> Iterator[Door]:
    door = Door(folder, **given)
    thread = threading.Thread(target=door.webhook.serve, daemon=True)
    thread.start()
    try:
        yield door
    finally:
        door.webhook.end()
        thread.join(5)
        door.webhook.close()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with served(tmp_path) as one:
        yield one


def test_a_review_is_answered_by_the_picture_that_is_shown_now(door: Door) -> None:
    """The file is read at each review: a gate that shuts, shuts at once; one that is gone lets no device in."""
    assert door.allows(review_of(bare()))
    door.gate.write_bytes(canonical(picture(runs=())))
    assert not door.allows(review_of(bare()))
    door.gate.unlink()
    status, answer = door.ask(review_of(bare(), uid="u-7"))
    assert (status, answer["response"]["uid"]) == (200, "u-7")
    assert answer["response"]["status"]["message"].startswith("sekisho gate/no-picture")
    assert door.allows(review_of(bare(run=None, gpus=0)))


def test_a_stale_or_broken_picture_refuses_devices(door: Door) -> None:
    """Half a file, another format, a picture from before."""
    for shown in (canonical(picture(until=NOW)), b'{"host":', b"open all"):
        door.gate.write_bytes(shown)
        assert not door.allows(review_of(bare()))


def test_advise_refuses_nothing(tmp_path: Path) -> None:
    """Not even without a picture."""
    with served(tmp_path, advise=True) as door:
        door.gate.unlink()
        _, answer = door.ask(review_of(bare()))
        assert answer["response"]["allowed"] is True
        assert answer["response"]["warnings"]


@pytest.mark.parametrize(
    ("raw", "status"),
    [(b"{}", 400), (b'{"a":1,"a":2}', 400), (b"\xff", 400), (b"[" * 100_000, 400)],
    ids=["no-review", "twice", "bytes", "deep"],
)
def test_what_is_no_review_is_refused_by_status(door: Door, raw: bytes, status: int) -> None:
    """The API server counts that as a webhook that failed."""
    assert door.ask(raw)[0] == status
    assert door.allows(review_of(bare()))


def test_a_body_over_three_mebibytes_is_refused_before_it_is_read(door: Door) -> None:
    """By its stated length."""
    with closing(door.connect()) as connection:
        connection.putrequest("POST", "/admit")
        connection.putheader("Content-Length", str(MAX_REVIEW + 1))
        connection.endheaders()
        assert connection.getresponse().status == 413


def test_only_the_one_place_answers(door: Door) -> None:
    """And /ready says that we live."""
    assert door.ask(review_of(bare()), "/other")[0] == 404
    for path, status in (("/ready", 200), ("/", 404), ("/admit", 404)):
        with closing(door.connect()) as connection:
            connection.request("GET", path)
            assert connection.getresponse().status == status


def test_a_renewed_certificate_is_taken_without_a_restart(door: Door) -> None:
    """A half-written pair leaves the old one in place."""
    assert door.allows(review_of(bare()))
    old = (door.folder / "tls.crt").read_bytes()
    (door.folder / "tls.crt").write_bytes(b"half")
    with pytest.raises(ssl.SSLError):
        door.connect()  # our own trust reads the same file
    (door.folder / "tls.crt").write_bytes(old)
    assert door.allows(review_of(bare()))
    write_certificate(door.folder / "tls.crt", door.folder / "tls.key")
    os.utime(door.folder / "tls.crt", (1, 1))
    assert door.allows(review_of(bare()))  # trusted by the new one alone


def test_a_caller_without_a_certificate_is_turned_away_where_one_is_asked_for(
    tmp_path: Path,
) -> None:
    """The API server shows its own where it is configured to."""
    write_certificate(tmp_path / "ca.crt", tmp_path / "ca.key")
    with served(tmp_path, client_ca=tmp_path / "ca.crt") as door:
        with pytest.raises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
            door.ask(review_of(bare()))
        connection = door.connect()
        trust = ssl.create_default_context(cafile=str(tmp_path / "tls.crt"))
        trust.load_cert_chain(tmp_path / "ca.crt", tmp_path / "ca.key")
        connection = http.client.HTTPSConnection(
            "127.0.0.1", door.webhook.port, timeout=5, context=trust
        )
        with closing(connection):
            connection.request("POST", "/admit", review_of(bare()))
            assert connection.getresponse().status == 200


def test_settings_that_cannot_serve_are_bad_input(tmp_path: Path) -> None:
    """Keys that do not fit, files that are not there, an address that is none."""
    write_certificate(tmp_path / "a.crt", tmp_path / "a.key")
    write_certificate(tmp_path / "b.crt", tmp_path / "b.key")
    good = WebhookSettings(
        gate=tmp_path / "g", cert=tmp_path / "a.crt", key=tmp_path / "a.key", port=0
    )
    import msgspec

    for change, says in (
        ({"key": tmp_path / "b.key"}, "no certificate and key of one pair"),
        ({"cert": tmp_path / "none"}, "no certificate and key of one pair"),
        ({"bind": "localhost"}, "is no IP address"),
        ({"bind": "192.0.2.1"}, "cannot listen"),
    ):
        with pytest.raises(InvalidInput, match=says):
            Webhook(msgspec.structs.replace(good, **change))


def test_a_gate_file_is_read_within_bounds(tmp_path: Path) -> None:
    """A picture that never ends is none."""
    path = tmp_path / "picture.json"
    path.write_bytes(canonical(picture()) + b" " * webhook_module.MAX_GATE)
    assert load_gate(path) is None
    path.write_bytes(canonical(picture()))
    assert load_gate(path) == picture()


def test_the_command_serves_until_it_is_told_to_leave(tmp_path: Path) -> None:
    """One ready line with its port; SIGTERM ends it with 0."""
    write_certificate(tmp_path / "tls.crt", tmp_path / "tls.key")
    (tmp_path / "picture.json").write_bytes(canonical(picture()))
    place = ["--gate", "picture.json", "--cert", "tls.crt", "--key", "tls.key", "--port", "0"]
    command = [sys.executable, "-m", "sekisho.cli", "agent", "webhook", *place]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        trust = ssl.create_default_context(cafile=str(tmp_path / "tls.crt"))
        connection = http.client.HTTPSConnection(
            "127.0.0.1", ready["port"], timeout=5, context=trust
        )
        with closing(connection):
            connection.request("POST", "/admit", review_of(bare()))
            answer = json.loads(connection.getresponse().read())
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    # The picture was written for another day than the system's: it is stale by now.
    assert answer["response"]["status"]["message"].startswith("sekisho gate/stale")
