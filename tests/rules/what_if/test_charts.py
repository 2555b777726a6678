"""Charts, tables and the page: well-formed, told twice, bounded, in both languages, and never green."""

from __future__ import annotations

import colorsys
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from sekisho.catalogue import Language
from sekisho.catalogue.what_if import MESSAGES
from sekisho.rules.what_if import Diff, diff, render_charts, render_page, render_tables
from sekisho.rules.what_if.charts import MOST_BARS
from tests.rules.what_if.small_packs import shipment, side, small_pack

SVG = "{http://www.w3.org/2000/svg}"
LANGUAGES: tuple[Language, ...] = ("en", "ja")
BOTH = pytest.mark.parametrize("language", LANGUAGES)


def some_diff() -> Diff:
    """Caught, freed and unsure requests of many countries, and some close below the threshold."""
    rows = [
        shipment(f"t{n}", 75 if n % 3 else 99, to=f"{chr(65 + n // 26)}{chr(65 + n % 26)}")
        for n in range(40)
    ]
    rows += [shipment("u", None), shipment("v", 95)]
    return diff(rows, side(small_pack(100)), side(small_pack(50, name="strict", rate=True)))


@BOTH
def test_every_chart_is_well_formed_and_says_what_it_shows(language: Language) -> None:
    """Title and description are named by the drawing, and no two charts of a page share an id."""
    seen: set[str] = set()
    for name, drawn in render_charts(some_diff(), language).items():
        root = ET.fromstring(drawn)  # our own text
        assert root.get("role") == "img", name
        named = (root.get("aria-labelledby") or "").split()
        told = {e.get("id"): e.text for e in root if e.tag in (f"{SVG}title", f"{SVG}desc")}
        assert [bool(told.get(one)) for one in named] == [True, True], name
        ids = {e.get("id") for e in root.iter() if e.get("id")}
        assert not ids & seen
        seen |= {str(one) for one in ids}


def test_no_chart_has_a_green_or_a_script_or_fetches_anything() -> None:
    """What is unknown is never green, and neither is anything else; a drawing stands alone."""
    for name, drawn in render_charts(some_diff(), "en").items():
        for colour in re.findall(r"#[0-9a-f]{6}", drawn):
            red, green, blue = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
            hue, _, saturation = colorsys.rgb_to_hls(red, green, blue)
            assert saturation < 0.2 or not 70 / 360 < hue < 170 / 360, (name, colour)
        assert "<script" not in drawn
        assert "href" not in drawn
        assert [
            part for part in re.findall(r"https?://[^\"]+", drawn) if "w3.org" not in part
        ] == []


def test_bars_are_bounded_and_the_rest_stands_together() -> None:
    """Twelve names, then all others with their number; the table twin has the same sums."""
    found = some_diff()
    drawn = ET.fromstring(render_charts(found, "en")["by-country"])  # our own text
    labels = [e.text or "" for e in drawn.iter(f"{SVG}text")]
    others = [label for label in labels if label.startswith("others")]
    assert others == [f"others ({41 - MOST_BARS})"]
    (table,) = [t for t in render_tables(found, "en") if t.name == "by-country"]
    caught = table.head.index("newly caught")
    assert sum(int(row[caught]) for row in table.rows) == found.changed("newly-caught")


def test_unsure_has_a_pattern_and_a_sign_of_its_own() -> None:
    """So that it is told without its colour; a count without it has no such shape."""
    charts = render_charts(some_diff(), "en")
    assert "url(#load-unsure)" in charts["load"]
    assert "1?" in charts["load"]
    known = diff([shipment("a", 75)], side(small_pack(100)), side(small_pack(50)))
    assert "url(#load-unsure)" not in render_charts(known, "en")["load"]


def test_the_histogram_has_the_threshold_line_and_its_figures() -> None:
    """One line of the rule, and what the test compares."""
    charts = render_charts(some_diff(), "en")
    drawn = next(d for n, d in charts.items() if n.startswith("margin") and "100 chips" in d)
    assert drawn.count('class="wi-rule"') == 1
    assert "Within 5 %: 14 below, 0 above, p = 6.1e-05" in drawn


@BOTH
def test_each_row_of_a_table_has_a_cell_for_each_head(language: Language) -> None:
    """In every table of the comparison."""
    for table in render_tables(some_diff(), language):
        assert table.title
        assert {len(row) for row in table.rows} <= {len(table.head)}, table.name


class Marks(HTMLParser):
    """The elements of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.language = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "html":
            self.language = dict(attrs).get("lang") or ""


@BOTH
def test_the_page_has_every_chart_and_table_and_no_script(language: Language) -> None:
    """One static page in its language, whose policy would let no script run."""
    found = some_diff()
    page = render_page(found, language)
    marks = Marks()
    marks.feed(page)
    assert marks.language == language
    assert marks.tags.count("svg") == len(render_charts(found, language))
    assert marks.tags.count("table") == len(render_tables(found, language))
    assert "script" not in marks.tags
    assert "default-src 'none'" in page


def test_an_empty_comparison_draws() -> None:
    """Nothing judged, nothing divided by."""
    found = diff([], side(small_pack()), side(small_pack()))
    assert "margin-1" not in render_charts(found, "en")
    assert "<h1>" in render_page(found, "ja")


def test_every_message_of_the_face_is_used() -> None:
    """By its whole key, or by a key that is put together from a known beginning."""
    from pathlib import Path

    root = Path(__file__).parents[3] / "src" / "sekisho"
    names = ("rules_diff.py", "rules_diff_text.py")
    files = [*(root / "rules" / "what_if").glob("*.py"), *[root / "cli" / name for name in names]]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    begun = tuple(re.findall(r'f"(what-if\.[a-z.-]+)\{', text))
    heads = set(re.findall(r'"([a-z-]+)"', text))
    unused = []
    for key in MESSAGES:
        is_head = key.startswith("what-if.head.") and key.rpartition(".")[2] in heads
        is_begun = key.startswith(begun) and not key.startswith("what-if.head.")
        if not (f'"{key}"' in text or f"'{key}'" in text or is_head or is_begun):
            unused.append(key)
    assert unused == []
