"""Attacks on comparisons: names that would become mark-up, formulas or other lines, and files that never end."""

from __future__ import annotations

import csv
import gzip
import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from sekisho.cli import main
from sekisho.rules.what_if import (
    CSV_HEAD,
    Judged,
    Refused,
    Subject,
    csv_row,
    diff,
    render_charts,
    render_page,
)
from sekisho.settings import Settings
from tests.rules.what_if.small_packs import shipment, side, small_pack

SETTINGS = Settings(home=Path("/nowhere"), trust_file=Path("/nowhere/trust.json"))
HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror='x'>",
    "]]><svg onload=x>",
    "&lt;script&gt;",
    "a\u202egnp.exe",
    "a\x00b\x1b[2J",
    "\ufeff\ufffe",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_party_named_like_mark_up_stays_a_name(name: str) -> None:
    """In every chart and in the page: no element of its own, and the drawing stays well-formed."""
    rows = [shipment("a", 75, owner=name, chip=name)]
    found = diff(rows, side(small_pack(100)), side(small_pack(50)))
    for drawn in render_charts(found, "en").values():
        tags = {
            element.tag.rpartition("}")[2] for element in ET.fromstring(drawn).iter()
        }  # our own
        assert tags <= {
            "svg",
            "title",
            "desc",
            "style",
            "defs",
            "pattern",
            "rect",
            "text",
            "line",
            "circle",
        }
    page = render_page(found, "en")
    assert "<script" not in page
    assert "<img" not in page
    assert "onload=x>" not in page.replace("onload=x&gt;", "")
    assert not any(hidden in page for hidden in ("\u202e", "\x00", "\x1b"))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "＋", "\t=", "\r=", " ="])
def test_a_cell_that_a_spreadsheet_would_calculate_is_text(start: str) -> None:
    """As an owner, and in the error of a refused row."""
    formula = f"{start}cmd|' /C calc'!A0"
    judged = Judged(
        line=1,
        id="r",
        subject=Subject("transfer", "JP", formula, "H100"),
        a="permit",
        b="licence",
        rules_a=(),
        rules_b=("big",),
        change="newly-caught",
    )
    text = CSV_HEAD + csv_row(judged) + csv_row(Refused(line=2, error=formula))
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert rows[0]["owner"] == f"'{formula}"
    assert rows[1]["error"] == f"'{formula}"


def test_a_name_with_quotes_commas_and_lines_stays_one_cell() -> None:
    """It adds no row and no column."""
    name = 'a","b\r\n3,x'
    row = csv_row(Refused(line=2, error=name))
    (cells,) = list(csv.reader(io.StringIO(row, newline="")))
    assert (len(cells), cells[-1]) == (12, name)


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code, and what was said on standard error."""
    code = main.call(["rules", "diff", "loop-2026", "treaty-2511", *arguments], SETTINGS)
    return code, capsys.readouterr().err


def test_a_line_that_never_ends_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Gzip makes of it a few kilobytes; it is never held whole."""
    file = tmp_path / "bomb.jsonl.gz"
    with gzip.open(file, "wb") as stream:
        stream.write(b'{"kind":"transfer","id":"')
        for _ in range(64):
            stream.write(b"a" * 2**20)
    code, said = call(capsys, "--over", str(file))
    assert code == 2
    assert "bomb.jsonl.gz:1" in said
    assert "longer than" in said


def test_a_control_character_in_a_name_does_not_reach_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither as text nor as JSON."""
    row = {"kind": "transfer", "id": "a", "item": {"chip": "\x1b[2JH100"}, "destination": "JP"}
    file = tmp_path / "p.jsonl"
    file.write_text(json.dumps(row), encoding="utf-8")
    for flags in ([], ["--json"]):
        main.call(
            ["rules", "diff", "loop-2026", "treaty-2511", "--over", str(file), *flags], SETTINGS
        )
        assert "\x1b" not in capsys.readouterr().out
