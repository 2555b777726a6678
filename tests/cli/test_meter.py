"""`sekisho meter`: outputs and exit codes that people script."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from sekisho.cli import main
from sekisho.settings import Settings

SETTINGS = Settings(home=Path("/nowhere"), trust_file=Path("/nowhere/trust.json"))
HEADER = "run_id,chip,chips,seconds,benchmark,declared"
GOOD = "good,NVIDIA H100-SXM5-80GB,512,3000,gpt3,1.25e21"
UNKNOWN = "unknown,AMD Radeon RX 7900 XTX,6,3000,resnet,"
LIE = "lie,NVIDIA H100-SXM5-80GB,8,60,gpt3,1e24"
BAD = "bad,NVIDIA H100-SXM5-80GB,8,NaN,,"
KEYS = [
    "run_id",
    "bound_low",
    "bound_high",
    "estimate_low",
    "estimate_best",
    "estimate_high",
    "tier",
    "method",
    "declared",
]
Call: TypeAlias = Callable[..., tuple[int, Any]]


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Writes a run table, meters it, and gives code and JSON document."""

    def meter(*lines: str, header: str = HEADER) -> tuple[int, Any]:
        file = tmp_path / "runs.csv"
        file.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
        code = main.call(["meter", "runs", str(file), "--json"], SETTINGS)
        return code, json.loads(capsys.readouterr().out)

    return meter


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([GOOD], 0),
        ([GOOD, UNKNOWN], 3),
        ([GOOD, UNKNOWN, LIE], 1),
        ([GOOD, UNKNOWN, LIE, BAD], 2),
        ([LIE], 1),
        ([BAD], 2),
    ],
)
def test_rows_end_with_the_first_present_code(call: Call, lines: list[str], code: int) -> None:
    """2 for a bad row, 1 for a finding, 3 for a row that is not measured, else 0."""
    ended, document = call(*lines)
    assert ended == code
    assert len(document) == len(lines)


def test_a_measured_row_has_the_keys_of_the_contract(call: Call) -> None:
    """FLOP as decimal strings."""
    (row,) = call(GOOD)[1]
    assert list(row)[: len(KEYS)] == KEYS
    assert row["bound_low"] == "0"
    assert row["bound_high"] == str(512 * 3000 * 1979 * 10**12)
    assert int(row["estimate_low"]) < int(row["estimate_best"]) < int(row["estimate_high"])
    assert row["declared"] == "1250000000000000000000"
    assert row["declared_check"] == "within"


def test_a_row_that_is_not_measured_says_so_and_has_no_zero(call: Call) -> None:
    """Null, with the reason in the method."""
    (row,) = call(UNKNOWN)[1]
    assert row["bound_low"] is None
    assert row["method"].startswith("not measured: unknown chip")


def test_a_bad_row_names_its_line_and_the_rest_is_answered(call: Call) -> None:
    """Also where only the figure is too large to write."""
    huge = "huge,H100,8,60,gpt3,"
    header = HEADER.replace("declared", "params,tokens")
    ended, document = call(huge + "1e30,1e30", "ok,H100,8,60,gpt3,,", header=header)
    assert ended == 2
    assert document[0]["line"] == 2
    assert "38 digits" in document[0]["error"]
    assert document[1]["run_id"] == "ok"


@pytest.mark.parametrize("header", ["run_id,chip,chips", HEADER + ",chips"])
def test_a_bad_file_is_bad_input(call: Call, header: str) -> None:
    """Exit 2 with file and line."""
    ended, document = call(GOOD, header=header)
    assert ended == 2
    assert "runs.csv:1" in document["error"]["message"]


def test_a_missing_file_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    """Named, with what to do."""
    assert main.call(["meter", "runs", "/nowhere/runs.csv", "--json"], SETTINGS) == 2
    assert "/nowhere/runs.csv" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_a_person_reads_bound_estimate_and_method(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three digits, and every row in order."""
    file = tmp_path / "runs.csv"
    file.write_text(f"{HEADER}\n{GOOD}\n{UNKNOWN}\n{BAD}", encoding="utf-8")
    assert main.call(["meter", "runs", str(file)], SETTINGS) == 2
    printed = capsys.readouterr().out
    assert "good: at most 3.04e21 FLOP, about 1.2" in printed
    assert "unknown: not measured" in printed
    assert "line 4: seconds" in printed


def test_accuracy_names_population_split_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """Every figure with its n."""
    assert main.call(["meter", "accuracy", "--json"], SETTINGS) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["split"] for row in document] == ["system", "scale", "chip"]
    assert all(row["runs"] == 15 and row["held_by_bound"] == 15 for row in document)
    assert main.call(["meter", "accuracy"], SETTINGS) == 0
    assert "n = 15, 5 groups" in capsys.readouterr().out
