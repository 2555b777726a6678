"""The control room in a real browser: live, narrow enough for a phone, and loading nothing from elsewhere."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.watching import Watched
from tests.regime import LiveRegime

pytestmark = pytest.mark.browser


def test_a_site_is_followed_live_from_its_receipt_to_its_verdict(
    watched: Watched, regime: LiveRegime, address: str
) -> None:
    """Without a reload the picture and the counts follow; the lane of corroboration has its mark."""
    order = regime.issue(regime.order())
    page = watched.page
    page.goto(f"/orders/pause~JP/{order.number}?lang=en")
    expect(page.get_by_text("2 devices at 2 hosts")).to_be_visible()
    expect(page.locator(".lanes .l-halted.tick")).to_have_count(0)
    receipt = regime.take("halted", host="host-2", order=order, state="frozen")
    expect(page.locator(".lanes .l-halted.tick")).to_have_count(1)
    seen = regime.observe(order, "host-2", receipt)
    regime.judge(order, "host-2", "verified", (receipt, seen))
    expect(page.locator(".lanes .l-verified.tick")).to_have_count(1)
    expect(page.get_by_text("1 hosts, 1 devices (50 %)").first).to_be_visible()
    assert watched.complaints == []
    assert {urlsplit(url).netloc for url in watched.asked} == {urlsplit(address).netloc}


def test_an_order_is_supposed_by_keyboard(watched: Watched) -> None:
    """The form asks and the bars answer; the log page that follows is as it was."""
    page = watched.page
    page.goto("/control-room?lang=en")
    page.get_by_role("link", name="What an order would do").click()
    page.locator('select[name="by"]').select_option("sites")
    page.locator('input[name="names"]').fill("site-1")
    page.locator('input[name="names"]').press("Enter")
    expect(page.get_by_role("heading", name="Whom it touches, and what is lost")).to_be_visible()
    expect(page.locator("svg.bar rect").first).to_be_visible()
    assert watched.complaints == []


@pytest.mark.parametrize(
    "path",
    ["/control-room", "/access", "/reach?by=sites&names=site-1", "/orders/pause~JP/1"],
)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_no_page_of_the_room_is_wider_than_a_phone(
    browser: Browser, address: str, path: str, language: str
) -> None:
    """At 390 pixels nothing but a table of its own scrolls sideways, and no page breaks its policy."""
    context = browser.new_context(
        base_url=address, viewport={"width": 390, "height": 800}, color_scheme="dark"
    )
    watched = Watched(context.new_page())
    sign = "&" if "?" in path else "?"
    watched.page.goto(f"{path}{sign}lang={language}")
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert watched.complaints == []
    context.close()
