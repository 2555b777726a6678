"""The pages of rules in a real browser: forms that decide, compare and ask, in two languages, on paper, on a phone."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from sekisho.rules.impact import parse_answers
from tests.browser.watching import Watched

pytestmark = pytest.mark.browser


def test_a_transfer_is_decided_from_the_form(watched: Watched, address: str) -> None:
    """From the navigation to the form, several packs and days, the answer, and a trace that opens."""
    page = watched.page
    page.goto("/")
    page.get_by_role("link", name="Rules", exact=True).click()
    page.get_by_role("link", name="Decide", exact=True).click()
    page.get_by_label("Chip", exact=True).fill("H100 SXM5")
    page.get_by_label("How many").fill("8")
    page.get_by_label("To (country code)").fill("CN")
    page.get_by_label("Days, several with commas").fill("2022-10-01, 2025-06-01")
    page.get_by_label("us-ear", exact=True).check()
    page.get_by_label("jp-export", exact=True).check()
    page.get_by_role("button", name="Decide").click()
    answer = page.locator("#answer")
    expect(answer.get_by_role("row")).to_have_count(3)
    expect(answer.get_by_text("Licence", exact=True).first).to_be_visible()
    expect(page.get_by_role("heading", name="Why the days differ")).to_be_visible()
    decision = page.locator("#d-us-ear-2025-06-01")
    expect(decision.get_by_role("table")).to_be_hidden()
    decision.get_by_text("Trace: every rule, every limb").click()
    expect(decision.get_by_role("table")).to_be_visible()
    assert watched.complaints == []
    assert {urlsplit(url).netloc for url in watched.asked} == {urlsplit(address).netloc}


def test_an_unsure_answer_is_filled_in_and_asked_again(watched: Watched) -> None:
    """Answer, fill what is marked as missing, answer: a shipment to Malaysia ends permitted."""
    page = watched.page
    page.goto("/rules/decide")
    page.get_by_label("Chip", exact=True).fill("H100 SXM5")
    page.get_by_label("How many").fill("8")
    page.locator("main select[name=activity]").select_option("export")
    page.locator("main input[name=origin]").fill("US")
    page.locator("main input[name=destination]").fill("MY")
    page.locator("main input[name=dates]").fill("2026-06-01")
    page.get_by_role("button", name="Decide").click()
    expect(page.locator("#gaps")).to_be_visible()
    for field in ("country", "headquarters", "parent"):
        page.locator(f"main input[name=consignee_{field}]").fill("MY")
    page.locator("main select[name=end_user_is_consignee]").select_option("yes")
    page.locator("main select[name=consignee_listed]").select_option("no")
    page.locator("main input[name=consignee_owner_share]").fill("0")
    page.locator("main select[name=end_use]").select_option("commercial")
    page.locator("main select[name=fact-red-flags-resolved]").select_option("yes")
    page.get_by_role("button", name="Decide").click()
    expect(page.locator("#d-us-ear-2026-06-01 header")).to_contain_text("Permit")
    expect(page.locator("#gaps")).to_have_count(0)
    assert watched.complaints == []


def test_a_posted_form_keeps_its_answer_when_the_language_changes(watched: Watched) -> None:
    """The switch asks the same again in the other language."""
    page = watched.page
    page.goto("/rules/decide?form=training-run")
    page.get_by_label("Planned FLOP (1e25)").fill("2e24")
    page.get_by_role("button", name="Decide").click()
    expect(page.locator("#answer")).to_be_visible()
    page.get_by_role("button", name="日本語").click()
    expect(page.get_by_role("heading", name="判定", exact=True)).to_be_visible()
    expect(page.locator("main input[name=planned_flop]")).to_have_value("2e24")
    assert watched.complaints == []


def test_a_reform_is_compared_with_its_charts(watched: Watched) -> None:
    """Two sides, a made-up population; each drawing is seen, and the policy of the page lets it stand."""
    page = watched.page
    page.goto("/rules/what-if")
    page.locator("select[name=a_pack]").select_option("us-ear")
    page.locator("select[name=b_pack]").select_option("us-diffusion-tightened")
    for side in ("a", "b"):
        page.locator(f"input[name={side}_at]").fill("2027-06-01")
    page.get_by_role("button", name="Compare").click()
    chart = page.locator("#chart-flows-1 svg")
    expect(chart).to_be_visible()
    box = chart.bounding_box()
    assert box is not None
    assert box["width"] > 300
    expect(page.locator("#chart-load-1 svg")).to_be_visible()
    assert watched.complaints == []


def test_ones_own_population_is_uploaded(watched: Watched, tmp_path: Path) -> None:
    """A file of requests takes the place of the made-up population."""
    file = tmp_path / "asked.jsonl"
    file.write_text(
        '{"kind":"transfer","id":"mine","item":{"chip":"H100 SXM5"},"destination":"CN"}\n'
    )
    page = watched.page
    page.goto("/rules/what-if")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#answer")).to_contain_text("1")
    expect(page.locator("#h-flows")).to_be_visible()
    assert watched.complaints == []


def _go_on(page: Page) -> None:
    page.get_by_role("button", name="次へ").click()


def test_the_questionnaire_leads_to_a_pdf_in_japanese(
    browser: Browser, address: str, tmp_path: Path
) -> None:
    """A firm in Japan that fine-tunes on a cloud: section by section to the answer, its PDF and its answers."""
    context = browser.new_context(base_url=address, locale="ja-JP", accept_downloads=True)
    watched = Watched(context.new_page())
    page = watched.page
    page.goto("/impact")
    expect(page.get_by_role("heading", name="会社について")).to_be_visible()
    page.locator("#f-country").fill("日本")
    _go_on(page)
    _go_on(page)  # 法人番号 is left out
    expect(page.get_by_role("heading", name="AIと計算資源")).to_be_visible()
    page.locator("input[name=q-use][value=fine-tune]").check()
    _go_on(page)
    page.locator("input[name=q-compute][value=cloud]").check()
    page.locator("#f-chip").fill("H100 SXM5")
    page.locator("#f-chip_count").fill("６４")  # full width, as people type it
    page.locator("#f-hours").fill("100")
    page.get_by_role("button", name="ここまでの回答で診断する").click()
    expect(page.locator("#answer")).to_be_visible()
    expect(page.get_by_role("heading", name="費用").first).to_be_visible()
    for name, start in (("診断書（PDF・A4）", b"%PDF"), ("回答ファイル", b"{")):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        download.value.save_as(tmp_path / "file")
        assert (tmp_path / "file").read_bytes().startswith(start)
    given = parse_answers((tmp_path / "file").read_bytes(), "f").given
    assert (given["country"], given["use"], given["chip_count"]) == ("JP", "fine-tune", "64")
    assert [word for word in watched.complaints if "download" not in word.lower()] == []
    context.close()


def test_the_pages_work_without_scripts(browser: Browser, address: str) -> None:
    """Forms are plain forms: with scripts off a request is decided and a pack is read on a date."""
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/rules/decide?form=json&lang=en")
    page.locator("textarea").fill('{"id":"r","planned_flop":"1","origin":"scratch"}')
    page.get_by_role("button", name="Decide").click()
    expect(page.locator("#answer")).to_be_visible()
    page.goto("/rules/us-eo14110?lang=en")
    page.locator("input[name=at]").fill("2024-06-01")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="What it says on 2024-06-01")).to_be_visible()
    context.close()


@pytest.mark.parametrize(("width", "language"), [(390, "ja"), (1280, "en")])
@pytest.mark.parametrize(
    "path",
    [
        "/rules",
        "/rules/us-ear",
        "/rules/loop-2026",
        "/rules/decide",
        "/rules/classify",
        "/rules/what-if",
        "/impact",
    ],
)
def test_no_page_is_wider_than_its_window(
    browser: Browser, address: str, path: str, width: int, language: str
) -> None:
    """On a phone and on a desk nothing but a table of its own scrolls sideways."""
    context = browser.new_context(
        base_url=address, viewport={"width": width, "height": 800}, color_scheme="dark"
    )
    watched = Watched(context.new_page())
    watched.page.goto(f"{path}?lang={language}")
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
    assert watched.complaints == []
    context.close()
