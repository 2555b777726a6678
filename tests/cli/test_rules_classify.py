"""`sekisho rules classify`: names, sheets, the whole table; documents and exit codes that people script."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest

from sekisho.catalogue import Language
from sekisho.cli import main
from sekisho.cli.plain_text import columns
from sekisho.settings import Settings

SETTINGS = Settings(home=Path("/nowhere"), trust_file=Path("/nowhere/trust.json"))
AT = ["--at", "2026-02-01"]
Call: TypeAlias = Callable[..., tuple[int, Any]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Classifies at a fixed date, and gives code and JSON document."""

    def classify(*flags: str) -> tuple[int, Any]:
        code = main.call(["rules", "classify", "--json", *AT, *flags], SETTINGS)
        return code, json.loads(capsys.readouterr().out)

    return classify


@pytest.mark.parametrize(
    ("chip", "word", "code"),
    [("A100", "3A090.a", 0), ("A40", "3A090.b", 0), ("H20", "none", 0), ("TPU v3", "unsure", 3)],
)
def test_a_chip_of_the_table_has_its_class(call: Call, chip: str, word: str, code: int) -> None:
    """A class is an answer and ends with 0; unsure ends with 3."""
    found, document = call("--chip", chip)
    assert (found, document["class"]) == (code, word)


def test_the_document_has_the_keys_that_people_script(call: Call) -> None:
    """Figures as decimal strings, what is unknown as null, the trace as a list."""
    _, document = call("--chip", "A40")
    assert {
        name: document[name]
        for name in ("tpp", "tpp_bits", "performance_density", "class", "h100e")
    } == {
        "tpp": "2395.2",
        "tpp_bits": 16,
        "performance_density": "3.814013",
        "class": "3A090.b",
        "h100e": "0.151289",
    }
    assert [step["truth"] for step in document["trace"] if step.get("label") == "3A090.b"] == [
        "true"
    ]
    _, document = call("--chip", "TPU v3")
    assert document["performance_density"] is None
    assert document["missing"] == ["item.die_mm2 of TPU v3"]


def test_the_whole_table_is_a_list(call: Call) -> None:
    """Every chip once; some are unsure, so the code is 3."""
    code, document = call("--all")
    assert (code, len(document)) == (3, 72)


def test_a_sheet_is_one_document_and_several_are_a_list(call: Call, tmp_path: Path) -> None:
    """Each row answers; a bad one says where, and the rest are answered."""
    file = tmp_path / "sheet.json"
    file.write_text('{"name":"X1","fp16_dense_tflops":300,"datacenter":true}')
    code, document = call("--spec", str(file))
    assert (code, document["name"], document["class"], document["tpp"]) == (
        0,
        "X1",
        "3A090.a",
        "4800",
    )
    file.write_text('{"name":"X1","fp16_dense_tflops":300,"datacenter":true}\n{"die_mm2":-1}\n')
    code, document = call("--spec", str(file))
    assert code == 2
    assert document[0]["class"] == "3A090.a"
    assert document[1]["line"] == 2
    assert "die_mm2" in document[1]["error"]


def test_the_law_is_that_of_the_day(call: Call) -> None:
    """A800 before and after 2023-11-17; the later flag counts."""
    assert call("--chip", "A800", "--at", "2023-11-16")[1]["class"] == "none"
    assert call("--chip", "A800", "--at", "2023-11-17")[1]["class"] == "3A090.a"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--chip", "H1000"], "did you mean H100 SXM5?"),
        (["--chip", "abacus"], "--spec"),
        ([], "--chip, --spec and --all"),
        (["--chip", "A100", "--all"], "--chip, --spec and --all"),
        (["--chip", "A100", "--pack", "loop-2026"], "has no classes"),
        (["--chip", "A100", "--at", "2026-02-30"], "--at"),
        (["--spec", "/nowhere/sheet.json"], "/nowhere/sheet.json"),
    ],
    ids=str,
)
def test_bad_input_is_named_with_its_remedy(call: Call, flags: list[str], words: str) -> None:
    """Exit code 2, and what to do."""
    code, document = call(*flags)
    assert code == 2
    assert words in json.dumps(document["error"])


def test_a_person_reads_class_figures_and_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    """One chip with its limbs, a table for several, and no claim to be official."""
    assert main.call(["rules", "classify", *AT, "--chip", "RTX 4090 D"], SETTINGS) == 0
    said = capsys.readouterr().out
    assert said.startswith("GeForce RTX 4090 D: none\n  TPP 4704 at 16 bits\n")
    assert "Note 2 to 3A090" in said
    assert "no official classification" in said
    assert main.call(["rules", "classify", *AT, "--all"], SETTINGS) == 3
    said = capsys.readouterr().out
    assert "missing: item.die_mm2 of MTT S4000" in said
    assert len(said.splitlines()) == 73


def test_a_name_on_a_sheet_cannot_move_the_cursor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What somebody else wrote is printed as text."""
    file = tmp_path / "sheet.json"
    file.write_text(json.dumps({"name": "X\x1b[2J\nY: none", "fp16_dense_tflops": 300}))
    main.call(["rules", "classify", *AT, "--spec", str(file)], SETTINGS)
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert not any(line.startswith("Y") for line in said.splitlines())


def test_a_japanese_reader_reads_japanese_labels(capsys: pytest.CaptureFixture[str]) -> None:
    """Labels and truths; what scripts know too stands in brackets, and the document stays the same."""
    told = [_printed(capsys, language, "--chip", "TPU v3") for language in ("en", "ja")]
    assert told[0].startswith("TPU v3: unsure\n")
    assert told[1].startswith("TPU v3: 判断不能 (unsure)\n")
    assert "  不足している事実: item.die_mm2 of TPU v3\n" in told[1]
    assert ": 不成立 (" in told[1]
    assert "公的な該非判定でも法的助言でもありません" in told[1]
    english = ("performance density", "missing:", ": true", ": false", "no legal advice")
    assert [word for word in english if word in told[1]] == []
    assert [word for word in english if word not in told[0]] == []
    documents = {_printed(capsys, one, "--chip", "TPU v3", "--json") for one in ("en", "ja")}
    assert len(documents) == 1


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_columns_of_the_table_stand_below_each_other(
    capsys: pytest.CaptureFixture[str], language: Language
) -> None:
    """Wide characters count as two."""
    head, *rows = _printed(capsys, language, "--all").splitlines()
    assert len({columns(row.split("  missing:")[0].split("  不足")[0]) for row in rows}) == 1
    assert columns(head) == columns(rows[0])


def _printed(capsys: pytest.CaptureFixture[str], language: Language, *flags: str) -> str:
    settings = msgspec.structs.replace(SETTINGS, language=language)
    main.call(["rules", "classify", *AT, *flags], settings)
    return capsys.readouterr().out
