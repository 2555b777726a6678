"""The page of metering: what is unknown is said as unknown, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.model.instants import Instant
from sekisho.model.telemetry import DeviceSeen, Usage
from sekisho.operations.fleet_picture import SiteDay, draw_site_days, judge_device
from sekisho.ports.telemetry import Gap
from sekisho.web.metering_views import draw_bars
from tests.fake_telemetry import FakeTelemetry
from tests.regime import LiveRegime

DAY = Instant.parse("2026-06-01T00:00:00Z")


def usage(job: str, chip_ms: int, **sums: Any) -> Usage:
    return Usage(
        job=job, site="osaka-1", chip="H100", start=DAY, end=DAY, devices=1, chip_ms=chip_ms, **sums
    )


@pytest.fixture
def store(regime: LiveRegime) -> Iterator[FakeTelemetry]:
    telemetry = regime.control.telemetry
    fake = FakeTelemetry()
    telemetry._store = fake  # type: ignore[assignment]  # it keeps the same port
    yield fake
    telemetry._store = None
    telemetry.picture = None


def test_device_time_is_measured_gap_or_unattributed() -> None:
    """Of what was measured the widest kind counts, never more than the device time itself."""
    [day] = draw_site_days(
        [
            usage("job-1", 1_000, tensor_ms=200, util_ms=700),
            usage("job-2", 100, power_ms=900),
            usage("", 50, util_ms=50),
        ]
    )
    assert (day.measured_ms, day.gap_ms, day.unattributed_ms) == (800, 300, 50)
    assert day.day == "2026-06-01"


@pytest.mark.parametrize(
    ("silent_s", "period_us", "state"),
    [
        (299, 10_000_000, "reporting"),
        (301, 10_000_000, "stale"),
        (899, 300_000_000, "reporting"),
        (901, 300_000_000, "stale"),
        (-5, 0, "reporting"),
    ],
)
def test_a_device_is_stale_after_three_periods(silent_s: int, period_us: int, state: str) -> None:
    """But not within five minutes, since senders batch; a clock ahead of ours is not silence."""
    device = DeviceSeen(device="GPU-a", site="s", last=DAY.plus(-silent_s), period_us=period_us)
    assert judge_device(device, DAY).state == state
    assert judge_device(DeviceSeen(device="GPU-b", site="s"), DAY).state == "never"


def test_a_sliver_is_still_seen() -> None:
    """A bar's part that is not nought is at least one thousandth wide, and no part stands outside."""
    days = [
        SiteDay(site="s", day="d", measured_ms=10**9, gap_ms=1, unattributed_ms=1),
        SiteDay(site="s", day="e", measured_ms=0, gap_ms=0, unattributed_ms=0),
    ]
    full, empty = draw_bars(days)
    assert [part.kind for part in full.stretches] == ["measured", "gap", "unattributed"]
    assert all(part.width >= 1 and part.x < 1000 for part in full.stretches)
    assert empty.stretches == ()
    assert full.hours["measured"] == "277.7"


def test_before_anything_was_sent_the_page_says_so(client: TestClient[Litestar]) -> None:
    """And that no device reported says nothing about what runs."""
    text = client.get("/metering").text
    assert "No telemetry has been kept yet" in text
    assert "That says nothing about what runs" in text
    assert "s-verified" not in text


def test_before_the_first_look_the_picture_is_unknown(
    client: TestClient[Litestar], store: FakeTelemetry
) -> None:
    """Unknown has its own shape and colour."""
    text = client.get("/metering").text
    assert "The picture is not drawn yet" in text
    assert "s-unverifiable" in text


def test_the_picture_is_drawn_and_dated(
    client: TestClient[Litestar], store: FakeTelemetry, regime: LiveRegime
) -> None:
    """Bars with their table, silent devices first, refusals by reason; what strangers wrote is text."""
    now = regime.now
    store.usages = (usage("job-1", 7_200_000, util_ms=3_600_000),)
    store.devices = (
        DeviceSeen(device="GPU-fresh", site="osaka-1", last=now, chip="H100"),
        DeviceSeen(device="<script>", site="osaka-1", last=now.plus(-4000)),
    )
    store.gaps = (Gap(device="GPU-fresh", site="osaka-1", start=now.plus(-60), end=now),)
    regime.control.telemetry.draw()
    text = client.get("/metering").text
    assert "osaka-1, 2026-06-01: measured 1.0, gap 1.0, unattributed 0.0" in text
    assert 'class="gap"' in text
    assert "1 reporting, 1 silent, 0 never read" in text
    assert text.index("&lt;script&gt;") < text.index("GPU-fresh")
    assert "Unknown: silent for 1 h 6 min" in text
    assert "1 gaps in the last 24 hours, 1 min of device time" in text
    japanese = client.get("/metering?lang=ja").text
    assert "不明: 1 時間 6 分 報告なし" in japanese or "報告なし" in japanese
    client.cookies.clear()


def test_a_store_that_does_not_answer_is_told(
    client: TestClient[Litestar], regime: LiveRegime
) -> None:
    """The page says why, marked unknown, and the front page lists it among the problems."""
    telemetry = regime.control.telemetry
    telemetry.problem = "the disk is full"
    try:
        assert "Telemetry cannot be read: the disk is full" in client.get("/metering").text
        assert regime.control.problems["telemetry"] == "the disk is full"
    finally:
        telemetry.problem = ""


def test_the_upkeep_goes_on_after_a_fault(
    regime: LiveRegime, store: FakeTelemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody foresaw is told without its insides, and does not end the thread's loop."""
    from sekisho.app import running_telemetry

    def fail() -> None:
        raise ZeroDivisionError("secret")

    told = running_telemetry._told(fail)
    assert "secret" not in told
    assert "server's log" in told
    regime.control.telemetry.compact()
    assert store.compactions == 1
