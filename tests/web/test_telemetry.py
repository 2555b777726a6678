"""Telemetry over HTTP: which status tells which sender what, and what of a body is handed on."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2

from sekisho.app.inventories import PushPlan, TokenPlan, end_push_token, new_push_token, new_token
from sekisho.ledger.line import Overloaded
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.model.telemetry import Intake, Refusals
from sekisho.web.otlp_answers import JSON, PROTOBUF, write_failure, write_success
from tests.fake_telemetry import FakeTelemetry
from tests.regime import LiveRegime

REMOTE_WRITE = {
    "content-type": "application/x-protobuf",
    "content-encoding": "snappy",
    "x-prometheus-remote-write-version": "0.1.0",
}
V2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
PARTIAL = Intake(
    taken=3,
    passed_over=2,
    duplicates=1,
    refused=(
        Refusals(reason="negative", count=4, first="DCGM_FI_DEV_POWER_USAGE = -3", remedy="none"),
    ),
)
BLANK = Intake(
    taken=3, refused=(Refusals(reason="blank", count=4, first="DCGM_FI_DEV_POWER_USAGE = 9.2e18"),)
)


@pytest.fixture
def store(regime: LiveRegime) -> Iterator[FakeTelemetry]:
    telemetry = regime.control.telemetry
    fake = FakeTelemetry()
    telemetry._store = fake  # type: ignore[assignment]  # it keeps the same port
    yield fake
    telemetry._store = None


@pytest.fixture
def token(regime: LiveRegime) -> str:
    return new_push_token(regime.control.home, PushPlan(site="site-1"))[0]


class Sender:
    """Posts with one bearer token."""

    def __init__(self, client: TestClient[Litestar], token: str) -> None:
        self._client = client
        self._token = token

    def post(self, path: str, content: bytes = b"x", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return self._client.post(
            path, content=content, headers={"authorization": f"Bearer {self._token}", **named}
        )

    def write(self, content: bytes = b"x", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return self.post("/api/v1/write", content, **{**REMOTE_WRITE, **named})


@pytest.fixture
def sender(client: TestClient[Litestar], token: str) -> Sender:
    # Tokens are read anew once a second; a test does not wait for that.
    return Sender(client, token)


@pytest.fixture(autouse=True)
def _fresh_tokens(regime: LiveRegime) -> None:
    regime.control.inventories.pushers._read_s = -1e9


# --- remote-write


def test_what_was_taken_is_204_with_the_written_headers(
    sender: Sender, store: FakeTelemetry
) -> None:
    """Samples that metering has no use for, and those known already, count as written."""
    store.answer = Intake(taken=3, passed_over=2, duplicates=1)
    answer = sender.write(b"body")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["x-prometheus-remote-write-samples-written"] == "6"
    assert answer.headers["x-prometheus-remote-write-histograms-written"] == "0"
    assert answer.headers["x-prometheus-remote-write-exemplars-written"] == "0"
    [(delivery, body)] = store.taken
    assert (delivery.kind, delivery.site, body) == ("remote-write", "site-1", b"body")


@pytest.mark.parametrize(
    ("content_type", "message"),
    [
        ("application/x-protobuf", "prometheus.WriteRequest"),
        ("application/x-protobuf;proto=prometheus.WriteRequest", "prometheus.WriteRequest"),
        (V2, "io.prometheus.write.v2.Request"),
        (
            'Application/X-Protobuf; proto="io.prometheus.write.v2.Request"; charset=x',
            "io.prometheus.write.v2.Request",
        ),
    ],
)
def test_the_message_is_chosen_by_its_content_type(
    sender: Sender, store: FakeTelemetry, content_type: str, message: str
) -> None:
    """As 2.0 asks: without `proto` it is 1.0's message."""
    assert sender.write(content_type=content_type).status_code == 204
    assert store.taken[0][0].content_type == f"application/x-protobuf;proto={message}"


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "application/json"},
        {"content_type": "application/x-protobuf;proto=io.prometheus.write.v3.Request"},
        {"content_type": ""},
        {"content_encoding": "br"},
        {"content_encoding": "snappy, gzip"},
    ],
)
def test_what_cannot_be_read_here_is_415(
    sender: Sender, store: FakeTelemetry, headers: dict[str, str]
) -> None:
    """The sender may try another message or packing; nothing was looked at."""
    answer = sender.write(b"x", **headers)
    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported-media-type"
    assert store.taken == []


def test_a_partial_write_is_400_and_says_what_was_refused(
    sender: Sender, store: FakeTelemetry
) -> None:
    """The good samples stay; the sender learns how many did not, why, and the first of them."""
    store.answer = PARTIAL
    answer = sender.write()
    assert answer.status_code == 400
    assert answer.headers["x-prometheus-remote-write-samples-written"] == "6"
    detail = answer.json()["detail"]
    assert "4 of 10 samples were refused" in detail
    assert "4 negative (first: DCGM_FI_DEV_POWER_USAGE = -3)" in detail


def test_blanks_alone_are_no_fault_of_the_sender(sender: Sender, store: FakeTelemetry) -> None:
    """An exporter that says "not measured" is answered 204; over OTLP nothing counts as rejected, and it is said."""
    store.answer = BLANK
    answer = sender.write()
    assert answer.status_code == 204
    assert answer.headers["x-prometheus-remote-write-samples-written"] == "7"
    said = sender.post("/v1/metrics", content_type=JSON).json()["partialSuccess"]
    assert said.get("rejectedDataPoints", "0") == "0"
    assert "4 blank" in said["errorMessage"]


def test_an_unreadable_body_is_400(
    sender: Sender, store: FakeTelemetry, regime: LiveRegime
) -> None:
    """It would never be read, so the sender is to drop it; it is counted."""
    before = regime.control.telemetry.tally.unreadable
    store.answer = InvalidInput("ends within a sample", path="byte 7")
    answer = sender.write()
    assert answer.status_code == 400
    assert answer.json()["detail"] == "byte 7: ends within a sample"
    assert regime.control.telemetry.tally.unreadable == before + 1


@pytest.mark.parametrize(
    "error",
    [Unavailable("no space left on the disk"), Overloaded("too much at once", retry_after_s=5)],
)
def test_what_we_cannot_do_now_is_503_and_never_429(
    sender: Sender, store: FakeTelemetry, error: Exception
) -> None:
    """Prometheus keeps its samples at 503 and drops them at 429 unless it is told otherwise."""
    store.answer = error
    answer = sender.write()
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"


def test_a_fault_of_ours_is_500_so_that_nothing_is_dropped(
    sender: Sender, store: FakeTelemetry, caplog: pytest.LogCaptureFixture
) -> None:
    """The sender comes again; our insides stay here."""
    store.answer = ZeroDivisionError("secret")
    answer = sender.write()
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "secret" in caplog.text


def test_without_the_extra_the_answer_is_503_with_a_remedy(
    sender: Sender, regime: LiveRegime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sends keeps what it has until somebody installs what reads it."""
    import sekisho.app.telemetry

    def missing(*_: object, **__: object) -> None:
        raise InvalidInput("telemetry needs pyarrow", remedy="pip install 'sekisho[analytics]'")

    monkeypatch.setattr(sekisho.app.telemetry, "open_telemetry", missing)
    monkeypatch.setattr(regime.control.telemetry, "_store", None)
    answer = sender.write()
    assert answer.status_code == 503
    assert answer.json()["remedy"] == "pip install 'sekisho[analytics]'"


# --- OTLP


@pytest.mark.parametrize("kind", [PROTOBUF, JSON])
def test_otlp_is_answered_in_its_own_encoding(
    sender: Sender, store: FakeTelemetry, kind: str
) -> None:
    """200, and an empty message where everything was taken."""
    answer = sender.post("/v1/metrics", content_type=kind, content_encoding="gzip")
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.content == (b"{}" if kind == JSON else b"")
    assert (store.taken[0][0].kind, store.taken[0][0].encoding) == ("otlp", "gzip")


def test_rejected_points_are_a_partial_success(sender: Sender, store: FakeTelemetry) -> None:
    """200 with the count and the reasons, readable by the reference library."""
    store.answer = PARTIAL
    answer = sender.post("/v1/metrics", content_type=PROTOBUF)
    assert answer.status_code == 200
    told = metrics_service_pb2.ExportMetricsServiceResponse.FromString(answer.content)
    assert told.partial_success.rejected_data_points == 4
    assert "4 negative" in told.partial_success.error_message
    said = sender.post("/v1/metrics", content_type=JSON).json()["partialSuccess"]
    assert said["rejectedDataPoints"] == "4"


@pytest.mark.parametrize("kind", [PROTOBUF, JSON])
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(InvalidInput("half a message"), 400, 3), (Unavailable("the disk is full"), 503, 14)],
)
def test_a_failure_is_a_status_message(
    sender: Sender, store: FakeTelemetry, kind: str, error: Exception, status: int, code: int
) -> None:
    """As OTLP/HTTP asks of every 4xx and 5xx."""
    store.answer = error
    answer = sender.post("/v1/metrics", content_type=kind)
    assert (answer.status_code, answer.headers["content-type"]) == (status, kind)
    assert _status_of(kind, answer.content) == (code, str(error))


def test_otlp_of_another_type_is_415(sender: Sender, store: FakeTelemetry) -> None:
    """Nobody knows then in which encoding to answer, so it is a problem."""
    answer = sender.post("/v1/metrics", content_type="application/grpc")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


def test_numbers_of_any_size_are_written_as_the_reference_reads_them() -> None:
    """Varints of one to nine bytes."""
    for number in (1, 127, 128, 300, 2**31, 2**62):
        told = write_success(PROTOBUF, rejected=number, message="é" * 200)
        read = metrics_service_pb2.ExportMetricsServiceResponse.FromString(told)
        assert read.partial_success.rejected_data_points == number
        assert read.partial_success.error_message == "é" * 200


def _status_of(kind: str, content: bytes) -> tuple[int, str]:
    if kind == JSON:
        said = msgspec.json.decode(content)
        return said["code"], said["message"]
    # google.rpc.Status has its code and message at the numbers of this one's count and message.
    told = metrics_service_pb2.ExportMetricsPartialSuccess.FromString(content)
    return told.rejected_data_points, told.error_message


def test_a_status_says_nothing_but_code_and_words() -> None:
    """An unforeseen status is `internal`."""
    assert _status_of(PROTOBUF, write_failure(PROTOBUF, 500, "oh")) == (13, "oh")


# --- the fleet agent


def test_an_agent_reports_with_its_assertion(
    client: TestClient[Litestar], regime: LiveRegime, store: FakeTelemetry
) -> None:
    """After `enroll` it posts protobuf to either address; its logs are answered and passed over."""
    text = new_token(regime.control.home, TokenPlan(site="site-2"))[0]
    enrolled = client.post("/v1/agent/enroll", headers={"authorization": f"Bearer {text}"})
    agent = Sender(client, enrolled.json()["jwtAssertion"])
    for path in ("/v1/metrics", "/api/v1/health/metrics"):
        answer = agent.post(path, content_type=PROTOBUF, x_agent_mode="direct-inventory-write")
        assert answer.status_code == 200
        assert "jwt_assertion" not in answer.headers
    assert [delivery.site for delivery, _ in store.taken] == ["site-2", "site-2"]
    logs = agent.post("/api/v1/health/logs", content_type=PROTOBUF)
    told = metrics_service_pb2.ExportMetricsServiceResponse.FromString(logs.content)
    assert told.partial_success.error_message == "logs are not kept here"
    assert len(store.taken) == 2


def test_an_old_assertion_is_renewed_in_the_header_that_the_agent_reads(
    client: TestClient[Litestar],
    regime: LiveRegime,
    store: FakeTelemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the half of its life on; the new one is good."""
    from sekisho.operations.register import fleet

    text = new_token(regime.control.home, TokenPlan(site="site-2"))[0]
    enrolled = client.post("/v1/agent/enroll", headers={"authorization": f"Bearer {text}"})
    monkeypatch.setattr(fleet, "RENEWED_AFTER_S", 0)
    agent = Sender(client, enrolled.json()["jwtAssertion"])
    renewed = agent.post("/v1/metrics", content_type=PROTOBUF).headers["jwt_assertion"]
    assert Sender(client, renewed).post("/v1/metrics", content_type=PROTOBUF).status_code == 200


# --- files


@pytest.mark.parametrize("kind", ["prometheus", "csv", "parquet"])
def test_a_file_is_pushed(sender: Sender, store: FakeTelemetry, kind: str) -> None:
    """The answer says what became of every sample, 200 also where some were refused: nothing retries here."""
    store.answer = PARTIAL
    answer = sender.post(f"/api/v1/telemetry?format={kind}", b"file", content_type="text/plain")
    assert answer.status_code == 200
    said = answer.json()
    assert (said["taken"], said["refused"][0]["count"]) == (3, 4)
    assert (store.taken[0][0].kind, store.taken[0][1]) == (kind, b"file")


def test_an_unknown_format_is_named(sender: Sender, store: FakeTelemetry) -> None:
    """422 with the parameter's name; without one it is 422, too."""
    answer = sender.post("/api/v1/telemetry?format=xlsx")
    assert (answer.status_code, answer.json()["path"]) == (422, "format")
    assert sender.post("/api/v1/telemetry").status_code == 422
    assert store.taken == []


def test_a_file_that_cannot_be_read_is_422(sender: Sender, store: FakeTelemetry) -> None:
    """As everywhere in our own interface."""
    store.answer = InvalidInput("is no number", path="line 3")
    answer = sender.post("/api/v1/telemetry?format=csv")
    assert (answer.status_code, answer.json()["detail"]) == (422, "line 3: is no number")


# --- tokens


ROUTES: list[tuple[str, dict[str, str]]] = [
    ("/api/v1/write", REMOTE_WRITE),
    ("/v1/metrics", {"content-type": PROTOBUF}),
    ("/api/v1/telemetry?format=csv", {}),
]


@pytest.mark.parametrize(("path", "headers"), ROUTES)
@pytest.mark.parametrize("bearer", [None, "Basic abc", "Bearer ", "Bearer skm_00", "Bearer é"])
def test_without_a_token_it_is_401(
    client: TestClient[Litestar],
    store: FakeTelemetry,
    path: str,
    headers: dict[str, str],
    bearer: str | None,
) -> None:
    """With what a client is to show, and nothing read."""
    named: dict[str, Any] = {**headers}
    if bearer is not None:
        named["authorization"] = bearer.encode()
    answer = client.post(path, content=b"x", headers=named)
    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert answer.headers["www-authenticate"] == "Bearer"
    assert store.taken == []


def test_a_revoked_token_is_403_within_a_second(
    sender: Sender, token: str, regime: LiveRegime, store: FakeTelemetry
) -> None:
    """Revoked by its digest, beside the running server."""
    from hashlib import sha256

    assert sender.write().status_code == 204
    end_push_token(regime.control.home, sha256(token.encode()).hexdigest()[:8])
    regime.control.inventories.pushers._read_s -= 1.0
    answer = sender.write()
    assert (answer.status_code, answer.json()["code"]) == (403, "token-refused")
