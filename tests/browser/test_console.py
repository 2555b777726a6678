"""The console in a real browser: it is live, it speaks both languages, and it loads nothing from elsewhere."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.watching import Watched
from tests.regime import LiveRegime

pytestmark = pytest.mark.browser


def test_an_order_appears_live_and_is_followed_to_its_halt(
    watched: Watched, regime: LiveRegime, address: str
) -> None:
    """Without a reload the overview shows the pause once it is issued, and the halt once it is judged."""
    page = watched.page
    page.goto("/")
    expect(page.get_by_role("heading", name="No pause in force")).to_be_visible()
    order = regime.issue(regime.order())
    expect(page.get_by_role("heading", name="Paused: 1 restricting order")).to_be_visible()
    receipt = regime.take("halted", host="host-2", order=order, state="frozen")
    seen = regime.observe(order, "host-2", receipt)
    regime.judge(order, "host-2", "verified", (receipt, seen))
    tile = page.locator("li.tile", has_text="host-2")
    expect(tile).to_contain_text("Halted: verified")
    expect(tile).to_contain_text("emulated")
    tile.get_by_role("link", name="Pause order").click()
    expect(page.locator("ol.steps li.done")).to_have_count(5)
    regime.lift(order)
    expect(page.get_by_text("Lifted, not resumed").first).to_be_visible()
    assert watched.complaints == []
    assert {urlsplit(url).netloc for url in watched.asked} == {urlsplit(address).netloc}


def test_the_language_is_switched_by_keyboard_and_stays(watched: Watched) -> None:
    """The switch is reached with Tab alone; the next page and the live part stay in Japanese."""
    page = watched.page
    page.goto("/")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.hreflang") == "ja":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="拠点とホスト")).to_be_visible()
    with page.expect_response(lambda answer: "hx-request" in answer.request.headers):
        pass
    expect(page.get_by_role("heading", name="拠点とホスト")).to_be_visible()
    page.get_by_role("link", name="命令", exact=True).click()
    expect(page.get_by_role("heading", name="登録簿")).to_be_visible()
    assert watched.complaints == []


def test_a_page_that_is_no_longer_renewed_says_so(watched: Watched) -> None:
    """When the server is gone the page marks itself as stale and does not go on looking alive."""
    page = watched.page
    page.goto("/")
    expect(page.locator("#stale")).to_be_hidden()
    page.context.set_offline(True)
    expect(page.locator("#stale")).to_be_visible(timeout=10_000)
    page.context.set_offline(False)
    expect(page.locator("#stale")).to_be_hidden(timeout=10_000)


def test_the_page_reads_without_scripts(browser: Browser, address: str) -> None:
    """With scripts switched off everything is there, and the page says that it does not renew itself."""
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/?lang=en")
    expect(page.get_by_role("heading", name="Sites and hosts")).to_be_visible()
    assert "does not renew itself" in page.content()
    context.close()


@pytest.mark.parametrize(
    "path", ["/", "/orders", "/log", "/proof", "/hosts/host-2", "/licences/LIC-1"]
)
def test_no_page_is_wider_than_a_phone(browser: Browser, address: str, path: str) -> None:
    """At 390 pixels nothing but a table of its own scrolls sideways, and no page breaks its policy."""
    context = browser.new_context(
        base_url=address, viewport={"width": 390, "height": 800}, color_scheme="dark"
    )
    watched = Watched(context.new_page())
    watched.page.goto(path)
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert watched.complaints == []
    context.close()


def test_what_is_typed_into_a_search_survives_the_pages_renewal(watched: Watched) -> None:
    """The list renews itself under the typing hand and leaves the form alone."""
    page = watched.page
    page.goto("/hosts?lang=en")
    page.fill("input[name=q]", "host-")
    before = page.text_content(".asof")
    page.wait_for_function(
        "before => document.querySelector('.asof').textContent !== before", arg=before
    )
    assert page.input_value("input[name=q]") == "host-"
    page.click("form[role=search] button")
    assert "host-1" in (page.text_content("tbody") or "")
    assert watched.complaints == []
