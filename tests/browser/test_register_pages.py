"""The pages of chips in a real browser: they keep the pages' policy, fit a phone, and show their proofs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from sekisho.registry.passport import parse_passport
from tests.browser.watching import Watched
from tests.chip_stories import GPU, HOSTILE, chip_regime
from tests.regime import LiveRegime

pytestmark = pytest.mark.browser
PASSPORT = "/chips/passport?epc=" + quote(GPU[0], safe="")


@pytest.fixture(scope="module")
def regime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegime]:
    with chip_regime(tmp_path_factory.mktemp("chips")) as running:
        yield running


def test_a_chip_is_searched_and_its_proof_opened(watched: Watched, address: str) -> None:
    """From the navigation by a serial to the passport, and there to the proof and the log's entry."""
    page = watched.page
    page.goto("/")
    page.get_by_role("link", name="Chips", exact=True).click()
    page.get_by_label("Identifier, device key, serial").fill("GPU-0000")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=GPU[0]).click()
    expect(page.get_by_role("heading", name="Chip passport")).to_be_visible()
    line = page.locator("li.event").first
    expect(line.get_by_text("Salt", exact=True)).to_be_hidden()
    line.locator("summary").click()
    expect(line.get_by_text("Salt", exact=True)).to_be_visible()
    line.locator("a[href^='/proof']").click()
    expect(page.get_by_role("heading", name="Proof").first).to_be_visible()
    assert watched.complaints == []
    assert {urlsplit(url).netloc for url in watched.asked} == {urlsplit(address).netloc}


def test_the_file_that_is_downloaded_is_the_passport(watched: Watched, tmp_path: Path) -> None:
    """The link gives a file that reads back as this chip's proven passport."""
    page = watched.page
    page.goto(PASSPORT)
    with page.expect_download() as download:
        page.get_by_role("link", name="Passport as JSON").click()
    download.value.save_as(tmp_path / "p.json")
    passport = parse_passport((tmp_path / "p.json").read_bytes())
    assert (passport.epc, passport.verdict) == (GPU[0], "holds")


def test_the_code_is_seen_and_holds_no_script(watched: Watched) -> None:
    """The QR code is drawn in the page itself, dark on light, large enough to be read."""
    watched.page.goto(PASSPORT)
    code = watched.page.locator("svg.qr")
    expect(code).to_be_visible()
    box = code.bounding_box()
    assert box is not None
    assert box["width"] >= 120
    assert watched.complaints == []


def test_a_hostile_identifier_runs_nothing(watched: Watched) -> None:
    """Scripts in serials, models and identifiers stay letters; no dialog opens, no policy is broken."""
    for path in ("/chips", "/chips/passport?epc=" + quote(HOSTILE, safe=""), "/chips/clusters"):
        watched.page.goto(path)
        watched.page.wait_for_load_state("networkidle")
    assert watched.complaints == []


def test_the_passport_reads_without_scripts(browser: Browser, address: str) -> None:
    """With scripts switched off everything is there, the proofs included."""
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto(PASSPORT + "&lang=ja")
    expect(page.get_by_role("heading", name="チップパスポート")).to_be_visible()
    page.locator("li.event summary").first.click()
    expect(page.get_by_text("確約値", exact=True).first).to_be_visible()
    context.close()


@pytest.mark.parametrize(("width", "language"), [(390, "ja"), (1280, "en")])
@pytest.mark.parametrize(
    "path", ["/chips", PASSPORT, "/chips/holdings", "/chips/clusters", "/chips/alerts"]
)
def test_no_page_is_wider_than_its_window(
    browser: Browser, address: str, path: str, width: int, language: str
) -> None:
    """On a phone and on a desk nothing but a table of its own scrolls sideways."""
    context = browser.new_context(
        base_url=address, viewport={"width": width, "height": 800}, color_scheme="dark"
    )
    watched = Watched(context.new_page())
    watched.page.goto(f"{path}{'&' if '?' in path else '?'}lang={language}")
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
    assert watched.complaints == []
    context.close()


def test_the_passport_prints_without_its_forms(browser: Browser, address: str) -> None:
    """On paper there is no navigation and no form, and the timeline is whole."""
    context = browser.new_context(base_url=address)
    page = context.new_page()
    page.goto(PASSPORT + "&lang=en")
    page.emulate_media(media="print")
    expect(page.locator(".top nav")).to_be_hidden()
    expect(page.locator("form").first).to_be_hidden()
    expect(page.locator("li.event").last).to_be_visible()
    context.close()
