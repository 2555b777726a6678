"""/metrics: OpenMetrics that the reference parser reads, with nothing said of what is not known, and no names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from sekisho.app.running_telemetry import IntakeTally, Upkeep
from sekisho.model.instants import Instant
from sekisho.model.telemetry import DeviceSeen
from sekisho.operations.fleet_picture import FleetPicture, SiteDay
from sekisho.web.open_metrics import CONTENT_TYPE, Family, Sample, write_families
from sekisho.web.own_metrics import own_families
from sekisho.web.snapshot import Snapshot
from tests.regime import LiveRegime

DASHBOARD = Path(__file__).parents[2] / "dashboards" / "sekisho.json"
WORD = re.compile(r"\bsekisho_[a-z_]+\b")


def parsed(text: str) -> dict[str, Metric]:
    assert text.endswith("# EOF\n")
    return {family.name: family for family in text_string_to_metric_families(text)}  # type: ignore[no-untyped-call]  # it comes half typed


@pytest.fixture
def pictured(regime: LiveRegime) -> Iterator[FleetPicture]:
    """A fleet of three devices, one of them silent and one never read."""
    telemetry, now = regime.control.telemetry, regime.now
    day = str(now)[:10]
    devices = (
        DeviceSeen(device="GPU-a", site="osaka-1", last=now, period_us=10_000_000),
        DeviceSeen(device="GPU-b", site="osaka-1", last=now.plus(-900), period_us=10_000_000),
        DeviceSeen(device="GPU-c", site="osaka-1"),
    )
    picture = FleetPicture(
        at=now,
        devices=devices,
        days=(
            SiteDay(
                site="osaka-1", day=day, measured_ms=5_000, gap_ms=2_000, unattributed_ms=1_000
            ),
            SiteDay(site="osaka-1", day="2020-01-01", measured_ms=9, gap_ms=9, unattributed_ms=9),
        ),
        gaps=2,
        gap_s=1.5,
    )
    telemetry.picture = picture
    telemetry.upkeep = Upkeep(segments=3, lag_s=12.5, last=now)
    yield picture
    telemetry.picture = None
    telemetry.upkeep = Upkeep()


def test_the_reference_parser_reads_it(
    client: TestClient[Litestar], pictured: FleetPicture
) -> None:
    """Right type, right end, and the figures of the regime."""
    answer = client.get("/metrics")
    assert answer.headers["content-type"] == CONTENT_TYPE
    families = parsed(answer.text)
    assert families["sekisho_log_entries"].type == "counter"
    assert families["sekisho_log_entries"].samples[0].name == "sekisho_log_entries_total"
    assert families["sekisho_log_entries"].samples[0].value > 0
    assert families["sekisho_checkpoint_age_seconds"].unit == "seconds"
    assert {s.labels["account"] for s in families["sekisho_budget_flop"].samples} == {
        "available",
        "leased",
        "consumed",
        "forfeited",
    }
    assert {s.labels["witness"] for s in families["sekisho_witness_problem"].samples} == {
        "w1.example/test",
        "w2.example/test",
    }
    assert sum(s.value for s in families["sekisho_hosts"].samples) == 2
    assert families["sekisho_telemetry_compaction_lag_seconds"].samples[0].value == 12.5


def test_the_picture_is_told_by_what_is_known_of_each_device(
    client: TestClient[Litestar], pictured: FleetPicture
) -> None:
    """Reporting, stale and never are three states, and device time is today's alone."""
    families = parsed(client.get("/metrics").text)
    states = {s.labels["state"]: s.value for s in families["sekisho_devices"].samples}
    assert states == {"reporting": 1, "stale": 1, "never": 1}
    kinds = {s.labels["kind"]: s.value for s in families["sekisho_device_time_seconds"].samples}
    assert kinds == {"measured": 5, "gap": 2, "unattributed": 1}
    assert families["sekisho_telemetry_gap_seconds"].samples[0].value == 1.5


def test_what_is_not_known_has_no_sample(client: TestClient[Litestar]) -> None:
    """Before the first look there is no nought of devices, of lag or of gaps."""
    families = parsed(client.get("/metrics").text)
    for name in ("devices", "telemetry_gaps", "telemetry_compaction_lag_seconds", "device_time"):
        assert not any(family.startswith(f"sekisho_{name}") for family in families)


def test_no_label_names_a_customer_a_site_or_a_device(
    client: TestClient[Litestar], regime: LiveRegime, pictured: FleetPicture
) -> None:
    """Unless the scraper asks for names, and never a device."""
    number = next(iter(regime.control.desk.state.licences.licences.values())).licence.number
    plain = client.get("/metrics").text
    for name in (number, "osaka-1", "site-1", "host-1", "GPU-"):
        assert name not in plain
    named = client.get("/metrics?names=yes").text
    families = parsed(named)
    assert families["sekisho_licence_budget_flop"].samples[0].labels["licence"] == number
    assert families["sekisho_site_devices"].samples[0].labels["site"] == "osaka-1"
    assert "GPU-" not in named


def test_what_was_refused_is_counted_by_reason(regime: LiveRegime) -> None:
    """With the instant from which the counters count."""
    tally = IntakeTally(
        since=Instant.from_seconds(1000),
        bodies={"remote-write": 2},
        unreadable=1,
        taken=5,
        passed_over=3,
        duplicates=0,
        refused={"blank": 7},
        examples={},
    )

    class Told:
        upkeep = Upkeep()
        picture = None

        def __init__(self) -> None:
            self.tally = tally

    control = regime.control
    from sekisho.web.journal import Journal

    look = Snapshot.take(control, Journal(control))
    told: Any = Told()
    families = parsed(write_families(own_families(look, told, names=False)).decode())
    refused = {s.name: s for s in families["sekisho_telemetry_refused"].samples}
    assert refused["sekisho_telemetry_refused_total"].labels == {"reason": "blank"}
    assert refused["sekisho_telemetry_refused_total"].value == 7
    assert refused["sekisho_telemetry_refused_created"].value == 1000
    fates = families["sekisho_telemetry_samples"].samples
    assert {s.labels["fate"]: s.value for s in fates if s.name.endswith("_total")} == {
        "taken": 5,
        "passed over": 3,
        "duplicate": 0,
    }


def test_labels_and_help_are_escaped() -> None:
    """Quotes, backslashes and line ends come back as they were."""
    hostile = 'a"b\\c\nd}'
    family = Family(
        name="sekisho_x",
        type="gauge",
        help=hostile,
        samples=[Sample(value=1, labels={"w": hostile})],
    )
    [read] = parsed(write_families([family]).decode()).values()
    assert (read.documentation, read.samples[0].labels["w"]) == (hostile, hostile)


def test_a_budget_beyond_53_bits_is_written_whole() -> None:
    """The text is exact; what a scraper makes of it is the scraper's."""
    family = Family(
        name="sekisho_y_flop",
        type="gauge",
        unit="flop",
        help="y",
        samples=[Sample(value=10**25 + 1)],
    )
    assert b"sekisho_y_flop 10000000000000000000000001\n" in write_families([family])


def test_every_expression_of_the_dashboard_names_a_metric_that_exists(
    client: TestClient[Litestar], pictured: FleetPicture, regime: LiveRegime
) -> None:
    """A panel over a name that nobody writes would be empty for ever, and look calm."""
    regime.control.telemetry._counts._refused["blank"] += 1
    regime.control.telemetry._counts._bodies["remote-write"] += 1
    families = parsed(client.get("/metrics").text).values()
    known = {sample.name for family in families for sample in family.samples}
    # Of the findings and standings some come only with an event.
    known |= {"sekisho_findings_total"}
    expressions = [
        target["expr"]
        for panel in json.loads(DASHBOARD.read_bytes())["panels"]
        for target in panel.get("targets", ())
    ]
    named = {name for expression in expressions for name in WORD.findall(expression)}
    assert len(expressions) > 12
    assert named - known == set()
    assert {n for n in named if n.endswith("_bucket")} == set()


def test_the_dashboard_shows_silence_as_silence() -> None:
    """No panel connects over a hole, and each says what an empty one means."""
    panels = json.loads(DASHBOARD.read_bytes())["panels"]
    for panel in panels:
        defaults = panel.get("fieldConfig", {}).get("defaults", {})
        if panel["type"] == "timeseries":
            assert defaults["custom"]["spanNulls"] is False
        if panel["type"] in ("timeseries", "stat"):
            assert defaults["noValue"] == "unknown"
