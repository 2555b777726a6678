"""Telemetry over HTTP into a real store: what each sender sends is there, under its site, once."""

from __future__ import annotations

import errno
import gzip
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it comes without types
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.app.inventories import PushPlan, TokenPlan, new_push_token, new_token
from sekisho.app.running_telemetry import RunningTelemetry
from sekisho.model.instants import Instant
from tests.exporter_bodies import as_text, as_write_1, as_write_2, dcgm_series, dcgm_values
from tests.otlp_bodies import JSON, PROTOBUF, Point, as_json, request
from tests.regime import LiveRegime
from tests.web.agents import Agent

UUID = "GPU-0a1b2c3d-0000-4000-8000-000000000001"
FLEET_RESOURCE = {
    "service.name": "fleet-intelligence-agent",
    "machine.id": "node-77",
    "host.name": "gpu-77",
}


@pytest.fixture
def telemetry(
    regime: LiveRegime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningTelemetry]:
    """A store of this test's own behind the running regime."""
    running = RunningTelemetry(str(tmp_path / "telemetry"), regime.control.clock)
    monkeypatch.setattr(regime.control, "telemetry", running)
    monkeypatch.setattr(regime.control.inventories.pushers, "_read_s", -1e9)
    yield running
    running.stop()


def pushing(regime: LiveRegime, site: str, **headers: str) -> dict[str, str]:
    """The headers of a sender with a token for the site."""
    token = new_push_token(regime.control.home, PushPlan(site=site))[0]
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return {"authorization": f"Bearer {token}", **named}


def kept(telemetry: RunningTelemetry) -> dict[tuple[str, str], list[Mapping[str, object]]]:
    """Rows by site and device."""
    found: dict[tuple[str, str], list[Mapping[str, object]]] = {}
    for part in telemetry.store.partitions(Instant(0), Instant.parse("2100-01-01T00:00:00Z")):
        for file in part.readings:
            for row in pq.read_table(file.address).to_pylist():
                found.setdefault((part.site, row["device"]), []).append(row)
    return found


@pytest.mark.parametrize("version", [1, 2])
def test_what_a_prometheus_sends_is_kept(
    client: TestClient[Litestar],
    regime: LiveRegime,
    telemetry: RunningTelemetry,
    version: int,
) -> None:
    """Both versions of the protocol; the same body again is known already and counts as written."""
    series = dcgm_series(1, gpus=2)
    at_ms = int(regime.now.seconds * 1000)
    samples = [[(0.5 if "_PROF_" in name else 90.0, at_ms)] for name, _ in series]
    body = (as_write_1 if version == 1 else as_write_2)(series, samples)
    kind = "application/x-protobuf" + (
        ";proto=io.prometheus.write.v2.Request" if version == 2 else ""
    )
    headers = pushing(regime, "osaka-1", content_type=kind, content_encoding="snappy")
    answers = [client.post("/api/v1/write", content=body, headers=headers) for _ in range(2)]
    for answer in answers:
        assert answer.status_code == 204, answer.text
        assert answer.headers["x-prometheus-remote-write-samples-written"] == str(len(series))
    rows = kept(telemetry)
    assert {site for site, _ in rows} == {"osaka-1"}
    assert [len(found) for found in rows.values()] == [1, 1]
    assert telemetry.tally.duplicates == telemetry.tally.taken > 0


def fleet_points(regime: LiveRegime, count: int) -> list[Point]:
    """Gauges as the agent converts them: one metric for each, unit 1 whatever they are, labels as attributes."""
    begin = regime.now.plus(-60 * count)
    names = {
        "accelerator_nvidia_gpm_gpu_any_tensor_util_percent": 51.0,
        "dcgm_fi_dev_sm_clock": 1755.0,
    }
    return [
        Point(
            name=name,
            value=value,
            unit="1",
            time=begin.plus(60 * minute).us * 1000,
            attributes={"uuid": UUID, "gpu": "0"},
        )
        for minute in range(count)
        for name, value in names.items()
    ]


def test_an_enrolled_agents_metrics_are_kept_under_its_tokens_site(
    client: TestClient[Litestar], regime: LiveRegime, telemetry: RunningTelemetry
) -> None:
    """Enrol, send the inventory, post metrics with the assertion: the readings stand with tensor activity and clock."""
    agent = Agent(client, "node-77")
    assert agent.enroll(new_token(regime.control.home, TokenPlan(site="tokyo-2"))[0]).is_success
    assert agent.report(7).is_success
    body = request(
        fleet_points(regime, 5), resource=FLEET_RESOURCE, scope="fleetint-exporter"
    ).SerializeToString()
    answer = client.post(
        "/v1/metrics",
        content=body,
        headers={
            "authorization": f"Bearer {agent.jwt}",
            "content-type": PROTOBUF,
            "user-agent": "fleetint-exporter",
            "x-machine-id": "node-77",
            "x-data-type": "metrics",
            "x-agent-mode": "direct-inventory-write",
        },
    )
    assert (answer.status_code, answer.content) == (200, b"")
    [((site, device), rows)] = kept(telemetry).items()
    assert (site, device, len(rows)) == ("tokyo-2", UUID, 5)
    assert {row["tensor_ppm"] for row in rows} == {510_000}
    assert {row["sm_clock_khz"] for row in rows} == {1_755_000}


def test_a_collectors_json_in_gzip_is_kept(
    client: TestClient[Litestar], regime: LiveRegime, telemetry: RunningTelemetry
) -> None:
    """A point that is out of range comes back as rejected, the others are there."""
    at = regime.now.plus(-30).us * 1000
    points = [
        Point(value=412.0, time=at, attributes={"hw.id": UUID, "hw.type": "gpu"}),
        Point(value=-4.0, time=at + 10**9, attributes={"hw.id": UUID, "hw.type": "gpu"}),
    ]
    answer = client.post(
        "/v1/metrics",
        content=gzip.compress(as_json(request(points))),
        headers=pushing(regime, "osaka-1", content_type=JSON, content_encoding="gzip"),
    )
    said = answer.json()["partialSuccess"]
    assert (answer.status_code, said["rejectedDataPoints"]) == (200, "1")
    assert "negative" in said["errorMessage"]
    [rows] = kept(telemetry).values()
    assert [row["power_mw"] for row in rows] == [412_000]


def test_an_exporters_page_and_a_table_are_kept(
    client: TestClient[Litestar],
    regime: LiveRegime,
    telemetry: RunningTelemetry,
    dice: random.Random,
) -> None:
    """Pushed as they are, packed or not; what could not be read is named with its reason."""
    series = dcgm_series(1, gpus=1)
    page = as_text(series, dcgm_values(len(series), dice))
    headers = pushing(regime, "osaka-1", content_encoding="gzip")
    text = client.post(
        "/api/v1/telemetry?format=prometheus", content=gzip.compress(page), headers=headers
    )
    assert text.json()["taken"] > 0, text.text
    table = f"timestamp,device,power_w,gpu_util\n{regime.now},{UUID},300.5,40\nsoon,{UUID},1,1\n"
    csv = _post_csv(client, regime, table)
    assert csv.json()["taken"] == 2
    assert csv.json()["refused"][0]["reason"] == "no time"
    assert {site for site, _ in kept(telemetry)} == {"osaka-1"}
    assert len(kept(telemetry)) == 2


def _post_csv(client: TestClient[Litestar], regime: LiveRegime, table: str) -> httpx.Response:
    regime.control.inventories.pushers._read_s = -1e9
    return client.post(
        "/api/v1/telemetry?format=csv",
        content=table.encode(),
        headers=pushing(regime, "osaka-1", content_type="text/csv"),
    )


def test_the_picture_comes_from_what_was_kept(
    client: TestClient[Litestar], regime: LiveRegime, telemetry: RunningTelemetry
) -> None:
    """Compacted and drawn: the device reports, its time is unattributed, nothing waits any longer."""
    body = request(fleet_points(regime, 4), resource=FLEET_RESOURCE).SerializeToString()
    client.post(
        "/v1/metrics", content=body, headers=pushing(regime, "osaka-1", content_type=PROTOBUF)
    )
    assert telemetry.store.backlog().segments == 1
    telemetry.compact()
    picture = telemetry.draw()
    assert picture is not None
    [device] = picture.devices
    assert (device.device, device.site) == (UUID, "osaka-1")
    assert sum(day.unattributed_ms for day in picture.days) > 0
    assert sum(day.measured_ms for day in picture.days) == 0
    assert telemetry.store.backlog().segments == 0
    text = client.get("/metering").text
    assert UUID in text
    assert "1 reporting, 0 silent" in text
    families = client.get("/metrics").text
    assert 'sekisho_devices{state="reporting"} 1\n' in families


def test_a_full_disk_is_503_and_nothing_is_half_there(
    client: TestClient[Litestar],
    regime: LiveRegime,
    telemetry: RunningTelemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sender comes again once there is room, and its samples are there once."""
    at = regime.now.us * 1000
    body = request(
        [Point(value=400.0, time=at, attributes={"hw.id": UUID, "hw.type": "gpu"})]
    ).SerializeToString()
    headers = pushing(regime, "osaka-1", content_type=PROTOBUF)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as small:
        small.setattr("sekisho.adapters.telemetry.store.files.os.write", full)
        refused = client.post("/v1/metrics", content=body, headers=headers)
    assert refused.status_code == 503
    assert "retry-after" in refused.headers
    assert client.post("/v1/metrics", content=body, headers=headers).status_code == 200
    [rows] = kept(telemetry).values()
    assert len(rows) == 1
