"""Attacks on the intake of telemetry: strangers, other sites' tokens, bombs, slow bodies, floods, secrets in logs."""

from __future__ import annotations

import base64
import gzip
import json
import logging
import select
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import httpx
import pytest

from sekisho.adapters.storage.fleet_sqlite import FleetSqlite
from sekisho.app.inventories import (
    PushPlan,
    PushToken,
    TokenPlan,
    end_push_token,
    list_push_tokens,
    new_push_token,
    new_token,
)
from sekisho.web import epcis_bodies
from tests import factory as f
from tests.fake_telemetry import FakeTelemetry
from tests.regime import LiveRegime, live_regime
from tests.remote_write_bodies import pack_snappy, write_request
from tests.web.serving import serving

REMOTE_WRITE = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
OTLP = {"content-type": "application/x-protobuf"}


@pytest.fixture(scope="module")
def regime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegime]:
    with live_regime(tmp_path_factory.mktemp("regime")) as running:
        yield running


@pytest.fixture(scope="module")
def address(regime: LiveRegime) -> Iterator[str]:
    with serving(regime.control) as served:
        yield served


@pytest.fixture
def fake(regime: LiveRegime) -> Iterator[FakeTelemetry]:
    """A store that keeps nothing but what came."""
    telemetry, before = regime.control.telemetry, regime.control.telemetry._store
    store = FakeTelemetry()
    telemetry._store = store  # type: ignore[assignment]  # it keeps the same port
    yield store
    telemetry._store = before


@pytest.fixture(scope="module")
def token(regime: LiveRegime) -> str:
    return new_push_token(regime.control.home, PushPlan(site="osaka-1"))[0]


@pytest.fixture(autouse=True)
def _fresh_tokens(regime: LiveRegime) -> None:
    """Tokens are read anew once a second; a test does not wait for that."""
    regime.control.inventories.pushers._read_s = -1e9


def post(address: str, path: str, token: str, content: bytes, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    bearer = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.post(f"{address}{path}", content=content, headers={**bearer, **named}, timeout=60)


def write(address: str, token: str, content: bytes, **headers: str) -> httpx.Response:
    return post(
        address,
        "/api/v1/write",
        token,
        content,
        content_type="application/x-protobuf",
        content_encoding="snappy",
        **headers,
    )


# --- who


def test_a_stranger_is_refused_before_his_body_is_read(address: str, fake: FakeTelemetry) -> None:
    """No token: 401, while ten megabytes are only announced."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as line:
        line.sendall(
            b"POST /api/v1/write HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 10000000\r\n"
            b"content-type: application/x-protobuf\r\n\r\n"
        )
        assert line.recv(4096).startswith(b"HTTP/1.1 401 ")
    assert fake.taken == []


def test_a_body_stands_under_its_tokens_site_whatever_it_says(
    regime: LiveRegime, address: str, fake: FakeTelemetry, token: str
) -> None:
    """The token of one site cannot report for another: a site in labels, headers or the address is not looked at."""
    body = write_request({"site": "tokyo-9", "UUID": "GPU-1"}, [(1.0, 1)])
    write(address, token, pack_snappy(body), x_scope_orgid="tokyo-9")
    post(address, "/api/v1/telemetry?format=csv&site=tokyo-9", token, b"site\ntokyo-9\n")
    assert [delivery.site for delivery, _ in fake.taken] == ["osaka-1", "osaka-1"]


def test_a_revoked_token_is_refused(regime: LiveRegime, address: str, fake: FakeTelemetry) -> None:
    """From the next second on, and nothing more is taken under it."""
    mine = new_push_token(regime.control.home, PushPlan(site="osaka-1"))[0]
    regime.control.inventories.pushers._read_s = -1e9
    assert write(address, mine, b"x").status_code == 204
    end_push_token(regime.control.home, sha256(mine.encode()).hexdigest())
    regime.control.inventories.pushers._read_s -= 1
    assert write(address, mine, b"x").status_code == 403
    assert len(fake.taken) == 1


def test_a_token_that_is_over_is_refused(
    regime: LiveRegime, address: str, fake: FakeTelemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last instant does not count any more."""
    mine = new_push_token(regime.control.home, PushPlan(site="osaka-1", lasts_s=60))[0]
    regime.control.inventories.pushers._read_s = -1e9
    later = regime.control.clock.now().plus(60)
    monkeypatch.setattr(regime.control.clock, "now", lambda: later)
    assert write(address, mine, b"x").status_code == 403


def test_an_enrolment_token_pushes_nothing(
    regime: LiveRegime, address: str, fake: FakeTelemetry
) -> None:
    """It is for enrolling: what follows from it has to be shown."""
    text = new_token(regime.control.home, TokenPlan(site="osaka-1"))[0]
    assert post(address, "/v1/metrics", text, b"", **_named(OTLP)).status_code == 401


def test_a_forged_assertion_pushes_nothing(
    regime: LiveRegime, address: str, fake: FakeTelemetry
) -> None:
    """Neither one without an algorithm nor one whose claims were changed."""
    text = new_token(regime.control.home, TokenPlan(site="osaka-1"))[0]
    enrolled = httpx.post(
        f"{address}/v1/agent/enroll", headers={"authorization": f"Bearer {text}"}
    ).json()["jwtAssertion"]
    header, claims, signature = enrolled.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    changed = base64.urlsafe_b64decode(claims + "==").replace(b'"aud":"fleet"', b'"aud":"other"')
    other = base64.urlsafe_b64encode(changed).decode().rstrip("=")
    for forged in (f"{none}.{claims}.", f"{header}.{other}.{signature}", f"{header}.{claims}.AA"):
        answer = post(address, "/v1/metrics", forged, b"", **_named(OTLP))
        assert answer.status_code == 401
    assert fake.taken == []


def test_the_assertion_of_a_released_enrolment_pushes_nothing(
    regime: LiveRegime, address: str, fake: FakeTelemetry
) -> None:
    """Its token was revoked, and every enrolment under it with it."""
    text, made = new_token(regime.control.home, TokenPlan(site="osaka-1"))
    enrolled = httpx.post(
        f"{address}/v1/agent/enroll", headers={"authorization": f"Bearer {text}"}
    ).json()["jwtAssertion"]
    store = regime.control.inventories.fleet.store
    assert isinstance(store, FleetSqlite)
    store.revoke_token(made.digest)
    assert post(address, "/v1/metrics", enrolled, b"", **_named(OTLP)).status_code == 403


def test_a_page_of_another_site_pushes_nothing(
    address: str, fake: FakeTelemetry, token: str
) -> None:
    """Even with a token that it got hold of: a browser says where it comes from."""
    assert write(address, token, b"x", origin="http://evil.example").status_code == 403
    assert fake.taken == []


def test_a_flood_of_wrong_tokens_costs_no_look_into_the_database(
    regime: LiveRegime,
    address: str,
    fake: FakeTelemetry,
    token: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The few tokens are held in memory, and the right one is taken all the while."""
    pushers, looks = regime.control.inventories.pushers, []
    before = pushers._store.load_push_tokens

    def count() -> tuple[PushToken, ...]:
        looks.append(1)
        return before()

    assert write(address, token, b"x").status_code == 204
    monkeypatch.setattr(pushers._store, "load_push_tokens", count)
    with httpx.Client(base_url=address, headers=REMOTE_WRITE) as client:
        for number in range(200):
            wrong = {"authorization": f"Bearer skm_{number:064x}"}
            assert client.post("/api/v1/write", content=b"", headers=wrong).status_code == 401
    assert write(address, token, b"x").status_code == 204
    assert len(looks) <= 10


def test_a_token_is_in_no_log_no_error_and_no_file(
    regime: LiveRegime, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a right nor a wrong one, at any level of logging, and not where the tokens are kept."""
    mine = new_push_token(regime.control.home, PushPlan(site="osaka-1"))[0]
    wrong = "skm_" + "ab" * 32
    telemetry = regime.control.telemetry
    before, store = telemetry._store, FakeTelemetry()
    store.answer = ZeroDivisionError("told")
    telemetry._store = store  # type: ignore[assignment]  # it keeps the same port
    regime.control.inventories.pushers._read_s = -1e9
    try:
        with caplog.at_level(logging.DEBUG):
            answers = [write(address, mine, b"x"), write(address, wrong, b"x")]
    finally:
        telemetry._store = before
    assert [answer.status_code for answer in answers] == [500, 401]
    told = caplog.text + "".join(answer.text for answer in answers)
    assert "told" in told
    for secret in (mine, wrong):
        assert secret not in told
        assert secret[4:] not in told
    kept = (regime.control.home.path / "inventories.sqlite").read_bytes()
    assert mine[4:].encode() not in kept
    assert sha256(mine.encode()).hexdigest() in {
        t.digest for t in list_push_tokens(regime.control.home)
    }


# --- what


def test_a_snappy_bomb_is_refused_and_costs_no_memory(
    regime: LiveRegime, address: str, token: str
) -> None:
    """A body that says that it unpacks to four gigabytes, and one that does unpack to hundreds of megabytes."""
    claims = b"\xff\xff\xff\xff\x0f" + b"\x00a"
    real = pack_snappy(bytes(400 << 20))
    assert len(real) < 32 << 20
    tracemalloc.start()
    try:
        answers = [write(address, token, claims), write(address, token, real)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [answer.status_code in (400, 413) for answer in answers] == [True, True]
    assert peak < 300 << 20


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/metrics", OTLP),
        ("/v1/metrics", {"content-type": "application/json"}),
        ("/api/v1/telemetry?format=prometheus", {}),
    ],
)
def test_a_gzip_bomb_is_refused(
    address: str, token: str, path: str, headers: dict[str, str]
) -> None:
    """Three hundred megabytes of nothing in one of packing."""
    packed = gzip.compress(bytes(300 << 20), 1)
    answer = post(address, path, token, packed, **_named({**headers, "content-encoding": "gzip"}))
    assert answer.status_code in (400, 413, 422)


def test_half_a_body_is_refused_whole(address: str, token: str) -> None:
    """Cut anywhere it is 400: nothing of it is guessed."""
    body = write_request({"__name__": "DCGM_FI_DEV_GPU_UTIL", "UUID": "GPU-1"}, [(1.0, 1)] * 50)
    for cut in (1, len(body) // 2, len(body) - 1):
        assert write(address, token, pack_snappy(body[:cut])).status_code == 400
    assert write(address, token, pack_snappy(body)[:-3]).status_code == 400
    assert write(address, token, body).status_code == 400


def test_the_wrong_message_under_a_content_type_is_refused_or_empty(
    address: str, token: str
) -> None:
    """A 1.0 message announced as 2.0 never becomes samples."""
    body = write_request({"__name__": "DCGM_FI_DEV_GPU_UTIL", "UUID": "GPU-1"}, [(1.0, 1)])
    answer = httpx.post(
        f"{address}/api/v1/write",
        content=pack_snappy(body),
        headers={
            "authorization": f"Bearer {token}",
            "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
            "content-encoding": "snappy",
        },
    )
    assert answer.status_code in (204, 400)
    assert answer.headers.get("x-prometheus-remote-write-samples-written", "0") == "0"


def test_huge_label_sets_are_taken_or_refused_in_bounded_memory(
    regime: LiveRegime, address: str, token: str
) -> None:
    """Ten thousand labels on one series, a label of a megabyte, fifty thousand series that are not ours."""
    many = write_request({"__name__": "up", **{f"l{n}": "x" for n in range(10_000)}}, [(1.0, 1)])
    long = write_request({"__name__": "up", "l": "y" * (1 << 20)}, [(1.0, 1)])
    wide = b"".join(
        write_request({"__name__": "up", "n": str(n)}, [(1.0, 1)]) for n in range(50_000)
    )
    for body in (many, long, wide):
        assert write(address, token, pack_snappy(body)).status_code in (204, 400)
    kept = regime.control.telemetry.store
    assert kept.load_devices() == ()


def test_more_than_the_limit_is_413_before_it_is_read(
    address: str, fake: FakeTelemetry, token: str
) -> None:
    """What announces itself as larger is not read; a sender is to make smaller bodies."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as line:
        line.sendall(
            f"POST /api/v1/write HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n"
            "content-type: application/x-protobuf\r\ncontent-encoding: snappy\r\n"
            f"content-length: {17 << 20}\r\n\r\n".encode()
        )
        assert line.recv(4096).startswith(b"HTTP/1.1 413 ")
    assert fake.taken == []


# --- how much, how slowly


def test_a_slow_body_is_let_go_and_keeps_nobody_waiting(
    address: str, fake: FakeTelemetry, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty senders that send a byte now and then: others are taken at once, and the slow ones get 503, not 408."""
    monkeypatch.setattr(epcis_bodies, "BODY_WITHIN_S", 4.0)
    host, port = address.removeprefix("http://").split(":")
    head = (
        f"POST /api/v1/write HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n"
        "content-type: application/x-protobuf\r\ncontent-encoding: snappy\r\n"
        "content-length: 100000\r\n\r\nx"
    )
    lines = [socket.create_connection((host, int(port)), timeout=60) for _ in range(20)]
    try:
        for line in lines:
            line.sendall(head.encode())
        assert write(address, token, b"quick").status_code == 204
        assert not select.select(lines, [], [], 0)[0]  # none of them has been answered yet
        for line in lines:
            answer = line.recv(4096)
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after: " in answer.lower()
    finally:
        for line in lines:
            line.close()
    assert [body for _, body in fake.taken] == [b"quick"]


def test_a_flood_waits_or_is_told_to_come_again_and_keeps_no_order_out(
    regime: LiveRegime, address: str, fake: FakeTelemetry, token: str
) -> None:
    """Eighty bodies of two megabytes while the disk stands still: some wait, the rest is 503; a pause gets in."""
    fake.gate = threading.Event()
    order = f.signed(regime.order(), *f.AUTHORITY[:3], f.VERIFIER[0]).raw
    with ThreadPoolExecutor(80) as pool:
        try:
            sent = [pool.submit(write, address, token, bytes(2 << 20)) for _ in range(80)]
            time.sleep(1.5)
            paused = post(address, "/api/v1/statements", "", order)
            stood_still = not fake.taken
        finally:
            fake.gate.set()
        answers = [future.result() for future in sent]
    assert (paused.status_code, stood_still) == (200, True)
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {204, 503}
    assert statuses.count(204) == len(fake.taken) >= 40
    assert all("retry-after" in a.headers for a in answers if a.status_code == 503)


def test_who_hangs_up_in_the_middle_leaves_nothing_behind(
    regime: LiveRegime,
    address: str,
    fake: FakeTelemetry,
    token: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Half a body is never handed on, the room is free again, and the log is not filled with traces."""
    host, port = address.removeprefix("http://").split(":")
    for _ in range(10):
        with socket.create_connection((host, int(port)), timeout=5) as line:
            line.sendall(
                f"POST /api/v1/write HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n"
                "content-type: application/x-protobuf\r\ncontent-encoding: snappy\r\n"
                "content-length: 1000\r\n\r\nhalf".encode()
            )
    time.sleep(0.3)
    assert write(address, token, b"whole").status_code == 204
    assert [body for _, body in fake.taken] == [b"whole"]
    assert "Traceback" not in caplog.text


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("-", "_"): text for name, text in headers.items()}


def test_json_of_otlp_that_nests_without_end_is_refused(address: str, token: str) -> None:
    """A hundred thousand brackets are 400, not a crash of the parser."""
    body = b'{"resourceMetrics":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    answer = post(address, "/v1/metrics", token, body, content_type="application/json")
    assert answer.status_code == 400
    assert json.loads(answer.content)["code"] == 3
