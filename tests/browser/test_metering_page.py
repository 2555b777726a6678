"""The page of metering in a real browser: it keeps the pages' policy, fits a phone, and draws the unknown apart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from sekisho.model.telemetry import DeviceSeen
from sekisho.operations.fleet_picture import FleetPicture, SiteDay
from tests.browser.watching import Watched
from tests.regime import LiveRegime, live_regime

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def regime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegime]:
    with live_regime(tmp_path_factory.mktemp("metering")) as running:
        now = running.now
        devices = [
            DeviceSeen(
                device=f"GPU-{n:08x}-0000-4000-8000-000000000000",
                site="osaka-1",
                chip="NVIDIA H100 80GB HBM3",
                host=f"gpu-node-{n}.cluster.example",
                last=now.plus(-n * 200),
            )
            for n in range(12)
        ]
        running.control.telemetry.picture = FleetPicture(
            at=now,
            devices=(*devices, DeviceSeen(device="GPU-never", site="osaka-1")),
            days=(
                SiteDay(
                    site="osaka-1",
                    day=str(now)[:10],
                    measured_ms=5 * 10**8,
                    gap_ms=2 * 10**8,
                    unattributed_ms=10**8,
                ),
            ),
            gaps=3,
            gap_s=7200,
        )
        yield running


def test_the_page_is_found_from_the_navigation(watched: Watched) -> None:
    """One click from the front page, without a complaint of the browser."""
    page = watched.page
    page.goto("/")
    page.get_by_role("link", name="Metering", exact=True).click()
    expect(page.get_by_role("heading", name="Device time by site and day")).to_be_visible()
    expect(page.get_by_role("img", name="measured 138.8, gap 55.5")).to_be_visible()
    assert watched.complaints == []


def test_the_unknown_has_its_own_colour_and_shape(watched: Watched) -> None:
    """A gap is an empty, dashed outline; no colour of it is the one of verified, and silence is marked in words."""
    page = watched.page
    page.goto("/metering")
    verified = page.evaluate(
        "() => getComputedStyle(document.documentElement).getPropertyValue('--verified').trim()"
    )
    unknown = page.evaluate(
        "() => getComputedStyle(document.documentElement).getPropertyValue('--unknown').trim()"
    )
    assert verified != unknown
    style = page.locator("svg.stretches .gap").evaluate(
        "e => ({fill: getComputedStyle(e).fill, dash: getComputedStyle(e).strokeDasharray})"
    )
    assert (style["fill"], style["dash"]) == ("none", "6px, 4px")
    first = page.locator("section[aria-labelledby=h-devices] tbody tr").first
    expect(first).to_contain_text("GPU-never")
    expect(first.locator(".s-unverifiable svg")).to_be_visible()


def test_a_phone_scrolls_tables_and_not_the_page(browser: Browser, address: str) -> None:
    """Nothing is wider than the screen but what scrolls by itself, in both languages."""
    for locale in ("en-GB", "ja-JP"):
        context = browser.new_context(
            base_url=address, locale=locale, viewport={"width": 390, "height": 844}
        )
        page = context.new_page()
        page.goto("/metering")
        width = page.evaluate("() => document.documentElement.scrollWidth")
        context.close()
        assert width <= 390


def test_japanese_is_one_click_away(watched: Watched) -> None:
    """The same page with its words."""
    page = watched.page
    page.goto("/metering")
    page.get_by_role("link", name="日本語").click()
    expect(page.get_by_role("heading", name="拠点と日ごとの装置時間")).to_be_visible()
    expect(page.get_by_text("欠測: 計測なし").first).to_be_visible()
