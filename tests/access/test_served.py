"""The whole of it on loopback: an access point, a toy model behind a real uvicorn, a control plane with witnesses."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from sekisho.access import AccessGate, PictureFile, UserClass
from sekisho.model.statements import AccessTerms
from tests.access.serving import ToyModel, point_home, served_app, until, write_home
from tests.factory import AUTHORITY, HOST, VERIFIER
from tests.fake_control import FakeControl
from tests.regime import LiveRegime, live_regime
from tests.served import SystemFakeClock, served
from tests.web.serving import serving

SESSIONS = {b"a": "XA", b"b": "XB"}


def by_session(scope: Any) -> UserClass:
    token = dict(scope["headers"]).get(b"authorization", b"")
    return UserClass(nationality=SESSIONS.get(token), asserted_by="kyc")


def gated(app: Any, home: Path, **more: Any) -> AccessGate:
    return AccessGate(
        app,
        picture=PictureFile(home / "access.json", HOST.public),
        classify=by_session,
        model=lambda _: "model-1",
        counts=home / "counts",
        period_s=60,
        **more,
    )


@contextmanager
def point(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`sekisho access serve`, ready, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sekisho.cli", "access", "serve", "--home", str(home)],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        ready = json.loads(process.stdout.readline())
        assert ready["ready"] is True
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        process.stdout.close()


def ask(address: str, token: str, path: str = "/v1/chat") -> httpx.Response:
    with httpx.Client(trust_env=False) as client:
        return client.get(f"{address}{path}", headers={"authorization": token})


def ask_door(home: Path, method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
    """One question over the access point's unix socket."""
    transport = httpx.HTTPTransport(uds=str(home / "access.sock"))
    with httpx.Client(transport=transport, trust_env=False) as client:
        answer = client.request(method, f"http://point{path}", content=body)
    return answer.status_code, answer.json()


class Stream:
    """A user's open stream: what came, and how it ended."""

    def __init__(self, address: str, token: str, path: str) -> None:
        self.received = b""
        self.ended: str = ""
        self._place = (address.removeprefix("http://"), token, path)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        address, token, path = self._place
        connection = http.client.HTTPConnection(address, timeout=60)
        try:
            connection.request("GET", path, headers={"authorization": token})
            answer = connection.getresponse()
            while part := answer.read1(4096):
                self.received += part
            self.ended = "whole"
        except (http.client.HTTPException, OSError) as error:
            self.ended = type(error).__name__
        finally:
            connection.close()

    def wait(self) -> str:
        until(lambda: bool(self.ended))
        return self.ended


@pytest.fixture
def control() -> FakeControl:
    made = FakeControl(SystemFakeClock())
    made.state_heads()
    return made


def suspend(control: FakeControl, terms: AccessTerms | None = None) -> None:
    order = control.order(
        kind="suspend-access",
        effect="suspend-access",
        access=terms or AccessTerms(nationalities=("XA",), unknown="serve"),
    )
    control.issue(order)


def test_a_suspended_class_is_refused_and_the_rest_served_by_a_real_server(
    tmp_path: Path, control: FakeControl
) -> None:
    """451 for the one, the model's answer for the other; both streams are open before, one is cut."""
    model = ToyModel()
    with served(control) as url:
        home = point_home(tmp_path, control, url, period_s=60)
        with point(home), served_app(gated(model, home)) as address:
            until(lambda: ask(address, "a").status_code == 200)
            cut, events = Stream(address, "a", "/v1/stream"), Stream(address, "a", "/v1/events")
            kept = Stream(address, "b", "/v1/stream")
            until(lambda: b"token 5" in cut.received and b"token 5" in kept.received)
            suspend(control)
            assert cut.wait() == "IncompleteRead"
            assert events.wait() == "whole"
            assert events.received.rstrip().split(b"\n")[-2] == b"event: access-suspended"
            refused = ask(address, "a")
            assert refused.status_code == 451
            assert refused.json()["orders"][0]["appeal"] == "in writing within 14 days"
            assert ask(address, "b").text == "a toy answer\n"
            assert ask(address, "nobody").status_code == 200
            size = len(kept.received)
            until(lambda: len(kept.received) > size)
            assert (kept.ended, model.cut) == ("", 2)


def test_the_door_decides_and_shows_its_picture_and_takes_nothing_else(
    tmp_path: Path, control: FakeControl
) -> None:
    """POST /v1/decide and GET /v1/picture on the unix socket; bad questions are named, others not found."""
    with served(control) as url:
        suspend(control)
        home = point_home(tmp_path, control, url)
        with point(home):

            def decided(**asked: str) -> dict[str, Any]:
                body = json.dumps({"model": "model-1", **asked}).encode()
                status, told = ask_door(home, "POST", "/v1/decide", body)
                assert status == 200
                return dict(told)

            until(lambda: decided(nationality="XB", asserted_by="kyc")["serve"])
            refused = decided(nationality="XA", asserted_by="kyc")
            assert (refused["code"], refused["status"]) == ("access-suspended", 451)
            assert refused["problem"]["detail_ja"].startswith("命令 suspend-access/JP 1")
            assert decided(model="model-9")["code"] == "model-not-served"
            assert ask_door(home, "GET", "/v1/picture")[1]["payloadType"].endswith("picture+json")
            for body in (b"", b"[]", b'{"model":"model-1","user":"me"}', b'{"nationality":"XA"}'):
                assert ask_door(home, "POST", "/v1/decide", body)[0] == 422
            assert ask_door(home, "POST", "/v1/decide", b"x" * 5_000)[0] == 413
            assert ask_door(home, "GET", "/v1/anything")[0] == 404
            assert (home / "access.sock").stat().st_mode & 0o077 == 0
            assert (home / "access.json").stat().st_mode & 0o222 == 0o200


def test_a_second_point_on_one_home_is_refused(tmp_path: Path, control: FakeControl) -> None:
    """One home, one process; a broken home names its file."""
    with served(control) as url:
        home = point_home(tmp_path, control, url)
        with point(home):
            second = subprocess.run(
                [sys.executable, "-m", "sekisho.cli", "access", "serve", "--home", str(home)],
                capture_output=True,
                check=False,
            )
            assert (second.returncode, b"another access holds" in second.stderr) == (1, True)
    (home / "point.json").write_text("{}")
    broken = subprocess.run(
        [sys.executable, "-m", "sekisho.cli", "access", "serve", "--home", str(home)],
        capture_output=True,
        check=False,
    )
    assert broken.returncode == 2
    assert b"point.json" in broken.stderr


def test_a_gate_goes_on_while_its_access_point_is_restarted(
    tmp_path: Path, control: FakeControl
) -> None:
    """The picture lasts; the one drawn after the restart has a higher number, and is taken."""
    with served(control) as url:
        suspend(control)
        home = point_home(tmp_path, control, url)
        source = PictureFile(home / "access.json", HOST.public)
        gate = gated(ToyModel(), home)
        with point(home):
            until(lambda: gate.decide(UserClass(nationality="XB"), "model-1").serve)
        before = source.current()
        assert before is not None
        assert gate.decide(UserClass(nationality="XB"), "model-1").serve
        assert gate.decide(UserClass(nationality="XA"), "model-1").code == "access-suspended"
        with point(home):

            def is_newer() -> bool:
                found = source.current()
                return found is not None and found.sequence > before.sequence

            until(is_newer)
            assert gate.decide(UserClass(nationality="XA"), "model-1").code == "access-suspended"


# --- with the real control plane -------------------------------------------------------------


@pytest.fixture(scope="module")
def regime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegime]:
    with live_regime(tmp_path_factory.mktemp("regime")) as running:
        yield running


def sekisho(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "sekisho.cli", *arguments],
        capture_output=True,
        check=False,
        env={**os.environ, "SEKISHO_LANG": "en", **environment},
    )


def test_a_drafted_suspension_reaches_the_gate_and_its_resume_too(
    tmp_path: Path, regime: LiveRegime
) -> None:
    """Drafted by command, signed by its quorum, issued; refused, and lifted by a resume; its period remembers it."""
    home = str(regime.control.home.path)
    draft = tmp_path / "order.json"
    told = sekisho(
        *("order", "draft", "--kind", "suspend-access", "--model", "model-1"),
        *("--nationality", "XA", "--unknown", "serve", "--scope", "site=site-1"),
        *("--legal-basis", "Test act", "--appeal", "in writing", "--out", str(draft)),
        *("--home", home, "--json"),
    )
    assert told.returncode == 0, told.stderr
    from sekisho.model.statements import OrderReference, parse_payload
    from sekisho.signing import sign_payload

    statement = parse_payload(draft.read_bytes())
    with serving(regime.control) as url:
        point_at = write_home(tmp_path / "point", regime.control.root, url, period_s=60)
        with point(point_at):
            gate = gated(ToyModel(), point_at)
            until(lambda: gate.decide(UserClass(nationality="XA"), "model-1").serve)
            signed = sign_payload(draft.read_bytes(), [*AUTHORITY[:3], VERIFIER[0]])
            admitted = regime.control.submit(signed.raw)
            until(lambda: not gate.decide(UserClass(nationality="XA"), "model-1").serve)
            assert gate.decide(UserClass(nationality="XB"), "model-1").serve
            assert gate.decide(UserClass(nationality="XA"), "model-2").serve
            fact: Any = statement.predicate
            lifted = OrderReference(
                register=fact.register, number=fact.number, digest=admitted.digest
            )
            regime.lift(lifted)
            until(lambda: gate.decide(UserClass(nationality="XA"), "model-1").serve)
            periods = json.loads((point_at / "periods.json").read_bytes())
            assert periods[0]["states"]["model-1"] == "restricted"
