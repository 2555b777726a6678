"""Sheets as PDF: A4, font embedded, text that can be read back, the same bytes for the same sheet."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from sekisho.adapters.paper import FONT_PACKAGE, find_font, print_sheet
from sekisho.model.errors import Unavailable
from sekisho.model.instants import Instant
from sekisho.model.sheets import Bar, Bars, Code, Heading, Sheet, Table, Text
from tests.adapters.paper.reading_back import box_font, streams_of, text_of

AT = Instant.parse("2026-08-01T00:00:00Z")
SHEET = Sheet(
    language="ja",
    title="影響診断書",
    subtitle="2026-08-01 時点",
    parts=(
        Heading("1. 範囲"),
        Text("影響なし", "good"),
        Text("A note that is long enough to be folded over more than one line of a sheet, " * 3),
        Table(
            head=("規則", "理由"),
            rows=(("EU", "below the threshold"), ("日本", "許可が必要")),
            widths=(1, 2),
            tones=("good", "bad"),
        ),
        Bars(bars=(Bar(label="申請", low=10, best=200, high=1000, text="20万円"),)),
        Code(text="sekisho:impact:sha256:" + "a" * 64, says="check it"),
    ),
    page="Page {page} of {pages}",
    created=AT,
)


@pytest.fixture
def font(tmp_path: Path) -> Path:
    return box_font(tmp_path, SHEET)


def test_a_sheet_is_a4_with_its_font_embedded(font: Path) -> None:
    """One subset font, its program in the file, and every page 210 by 297 millimetres."""
    data = print_sheet(SHEET, font)
    boxes = re.findall(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]", data)
    assert boxes
    assert all((round(float(w)), round(float(h))) == (595, 842) for w, h in boxes)
    assert data.count(b"/FontFile2") == 1
    assert b"/ToUnicode" in data
    assert not re.search(rb"/BaseFont /(Helvetica|Times|Courier|Arial)", data)


def test_the_text_is_read_back_through_to_unicode(font: Path) -> None:
    """Both scripts, in order, with the signs that say what colours repeat."""
    text = text_of(print_sheet(SHEET, font))
    for part in (
        "影響診断書",
        "1.範囲",
        "○影響なし",
        "○EU",
        "●日本",
        "許可が必要",
        "20万円",
        "Page1of1",
    ):
        assert part in text
    assert "sekisho:impact:sha256:" in text


def test_the_same_sheet_is_the_same_file_and_another_is_not(font: Path) -> None:
    """The creation date is the sheet's own."""
    data = print_sheet(SHEET, font)
    assert print_sheet(SHEET, font) == data
    assert b"20260801" in data
    other = msgspec.structs.replace(SHEET, title="自己申告書")
    assert print_sheet(other, box_font(font.parent, other)) != data


def test_a_long_table_goes_over_pages_with_its_head_again(tmp_path: Path) -> None:
    """Every page numbered, no row lost."""
    rows = tuple((f"row-{n}", "words " * 30) for n in range(60))
    table = Table(head=("headline", "why"), rows=rows, widths=(1, 3))
    sheet = msgspec.structs.replace(SHEET, parts=(table,))
    data = print_sheet(sheet, box_font(tmp_path, sheet))
    text = text_of(data)
    pages = len(re.findall(rb"/Type /Page\b", data))
    assert pages > 2
    assert text.count("headline") == pages
    assert f"Page{pages}of{pages}" in text
    assert all(f"row-{n}" in text for n in range(60))


def test_a_cell_higher_than_a_page_is_parted_and_not_lost(tmp_path: Path) -> None:
    """A thousand words in one cell."""
    long = " ".join(f"word{n}." for n in range(3000))
    table = Table(head=("a", "b"), rows=((long, "x"),), widths=(1, 1))
    sheet = msgspec.structs.replace(SHEET, parts=(table,))
    text = text_of(print_sheet(sheet, box_font(tmp_path, sheet)))
    assert "word0." in text
    assert "word2999." in text


def test_no_stream_runs_anything(font: Path) -> None:
    """Text, lines, boxes: no script, no form, no link."""
    data = print_sheet(SHEET, font)
    assert not re.search(rb"/(JavaScript|JS|AcroForm|Annots|URI|Launch|EmbeddedFile)\b", data)
    assert all(b"/JavaScript" not in stream for stream in streams_of(data))


def test_a_missing_font_is_named_with_its_package() -> None:
    """Exit 4, and what to install."""
    with pytest.raises(Unavailable, match=FONT_PACKAGE):
        find_font("影響", [])


def test_a_font_that_lacks_a_character_is_not_taken(tmp_path: Path) -> None:
    """A sheet with holes is worse than none; of several fonts the first that holds all is taken."""
    plain = box_font(tmp_path, msgspec.structs.replace(SHEET, title="x", subtitle="", parts=()))
    full = tmp_path / "full"
    full.mkdir()
    whole = box_font(full, SHEET)
    with pytest.raises(Unavailable, match="影"):
        find_font("影", [plain])
    assert find_font("影", [tmp_path / "absent.ttf", plain, whole]) == whole
    assert find_font("abc \n", [plain, whole]) == plain
