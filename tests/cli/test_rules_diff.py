"""`sekisho rules diff` and `sample-population`: outputs, files and exit codes that people script."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from sekisho.cli import main, rules_population
from sekisho.rules.what_if import sample_population
from sekisho.settings import Settings
from tests.rules.what_if.small_packs import pack_text

SETTINGS = Settings(home=Path("/nowhere"), trust_file=Path("/nowhere/trust.json"))
Call: TypeAlias = Callable[..., tuple[int, Any]]
KEYS = {
    *("a", "b", "requests", "refused", "changes", "unchanged", "same_answer_other_rules", "matrix"),
    *("rules", "by_kind", "by_country", "by_owner", "by_chip", "load", "margins", "splits"),
    *("examples", "refused_rows"),
}


def row(number: int, count: int | None) -> str:
    """One shipment as a line of JSON."""
    told: dict[str, object] = {"count": count} if count is not None else {}
    shipped = {
        "kind": "transfer",
        "id": f"t{number}",
        "item": {"chip": "H100"},
        "destination": "JP",
    }
    return json.dumps({**shipped, **told})


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Compares two small packs over a file of lines, and gives code and JSON document."""
    for name, cap in (("a", 100), ("b", 50)):
        (tmp_path / f"{name}.yaml").write_text(pack_text(cap, name=name), encoding="utf-8")

    def compare(lines: Sequence[str] | Path, *flags: str) -> tuple[int, Any]:
        file = lines if isinstance(lines, Path) else tmp_path / "population.jsonl"
        if not isinstance(lines, Path):
            file.write_text("\n".join(lines), encoding="utf-8")
        packs = [str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")]
        arguments = ["rules", "diff", *packs, "--over", str(file), "--at", "2026-09-01", "--json"]
        code = main.call([*arguments, *flags], SETTINGS)
        return code, json.loads(capsys.readouterr().out)

    return compare


def test_a_comparison_counts_and_lists_and_ends_with_nought(call: Call) -> None:
    """Every part of the document is there; caught requests are no failure of the command."""
    code, found = call([row(1, 60), row(2, 120), row(3, 10)])
    assert code == 0
    assert found.keys() == KEYS
    assert found["changes"]["newly-caught"] == 1
    assert found["matrix"]["permit"]["licence"] == 1
    assert found["rules"][0]["rule"] == "big"
    assert [one["id"] for one in found["examples"]["newly-caught"]] == ["t1"]
    assert found["a"]["at"] == "2026-09-01T00:00:00Z"


def test_a_bad_row_is_counted_with_its_line_and_ends_with_two(call: Call) -> None:
    """Blank lines are passed over and numbered; the other rows are answered."""
    code, found = call([row(1, 60), "", "{oops", '{"kind":"ship","id":"x"}', row(5, 10)])
    assert code == 2
    assert (found["requests"], found["refused"]) == (2, 2)
    assert [one["line"] for one in found["refused_rows"]] == [3, 4]
    assert "population.jsonl:4" in found["refused_rows"][1]["error"]


def test_a_population_of_which_nothing_is_decided_ends_with_three(call: Call) -> None:
    """Not one request had an answer; one that has is enough for nought."""
    assert call([row(1, None)])[0] == 3
    assert call([row(1, None), row(2, 10)])[0] == 0


def test_an_empty_file_is_bad_input(call: Call) -> None:
    """It says what a row is."""
    code, found = call(["", ""])
    assert code == 2
    assert "holds no request" in found["error"]["message"]


def test_a_list_of_requests_is_read_too(call: Call) -> None:
    """One document that begins with a bracket."""
    code, found = call([f"[{row(1, 60)},", f"{row(2, 10)}]"])
    assert (code, found["requests"]) == (0, 2)


def test_gzip_and_standard_input_are_the_same_population(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte the same document."""
    lines = [row(1, 60), row(2, 120)]
    packed = tmp_path / "p.jsonl.gz"
    packed.write_bytes(gzip.compress("\n".join(lines).encode()))
    plain = call(lines)
    assert call(packed) == plain
    stream = io.TextIOWrapper(io.BufferedReader(io.BytesIO("\n".join(lines).encode())))
    monkeypatch.setattr(sys, "stdin", stream)
    assert call(Path("-")) == plain


def test_broken_gzip_is_bad_input(call: Call, tmp_path: Path) -> None:
    """It names the file."""
    packed = tmp_path / "p.jsonl.gz"
    packed.write_bytes(gzip.compress(row(1, 60).encode() * 1000)[:40])
    code, found = call(packed)
    assert code == 2
    assert "p.jsonl.gz" in found["error"]["message"]


def test_two_processes_say_what_one_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over several blocks, bad rows among them: the document and the rows' file are the same bytes."""
    monkeypatch.setattr(rules_population, "_BLOCK", 40_000)
    lines = [json.dumps(one) for one in sample_population(300, 2)]
    lines.insert(150, "{oops")
    file = tmp_path / "p.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    said, rows = [], []
    for count in ("1", "2"):
        place = tmp_path / f"{count}.csv"
        flags = ["--processes", count, "--csv", str(place), "--at", "2026-09-01", "--json"]
        code = main.call(
            ["rules", "diff", "loop-2026", "treaty-2511", "--over", str(file), *flags], SETTINGS
        )
        assert code == 2
        said.append(capsys.readouterr().out)
        rows.append(place.read_bytes())
    assert said[0] == said[1]
    assert rows[0] == rows[1]
    assert json.loads(said[0])["refused_rows"][0]["line"] == 151


def test_the_rows_file_lists_every_changed_and_refused_row(call: Call, tmp_path: Path) -> None:
    """Also those beyond the examples; with a byte-order mark; and a file that is there is not overwritten."""
    place = tmp_path / "rows.csv"
    lines = [row(n, 60) for n in range(1, 6)]
    call([*lines, "{oops"], "--csv", str(place), "--examples", "1")
    data = place.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert [one["change"] for one in rows] == ["newly-caught"] * 5 + ["refused"]
    assert rows[0]["decision_b"] == "licence"
    code, found = call(lines, "--csv", str(place))
    assert code == 2
    assert "there already" in found["error"]["message"]
    assert place.read_bytes() == data


def test_charts_go_to_a_new_folder_with_a_page(call: Call, tmp_path: Path) -> None:
    """In the language that was asked for; a folder with something in it is left alone."""
    folder = tmp_path / "charts"
    assert call([row(1, 60)], "--svg", str(folder), "--lang", "ja")[0] == 0
    names = {path.name for path in folder.iterdir()}
    assert {"index.html", "flows.svg", "by-country.svg", "load.svg"} <= names
    assert '<html lang="ja">' in (folder / "index.html").read_text(encoding="utf-8")
    code, found = call([row(1, 60)], "--svg", str(folder))
    assert code == 2
    assert "not empty" in found["error"]["message"]


@pytest.mark.parametrize(
    "flags", [["--reading-a", "wished"], ["--lang", "fr"], ["--at-b", "2026-02-30"]]
)
def test_a_flag_that_means_nothing_is_bad_input(call: Call, flags: list[str]) -> None:
    """It names the flag."""
    code, found = call([row(1, 60)], *flags)
    assert code == 2
    assert found["error"]["path"] == flags[0]


def test_what_went_before_is_added_up_in_the_order_of_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `--accounts` a licence-free amount is used up; without it nobody knows what went before."""
    main.call(
        ["rules", "sample-population", "--count", "400", "--year", "2027", "--pack", "us-ear"],
        SETTINGS,
    )
    file = tmp_path / "year.jsonl"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    reports = []
    for flags in ([], ["--accounts"]):
        packs = ["us-ear", "us-diffusion-tightened", "--reading-a", "codified"]
        main.call(["rules", "diff", *packs, "--over", str(file), *flags, "--json"], SETTINGS)
        found = json.loads(capsys.readouterr().out)
        assert (found["requests"], found["refused"]) == (400, 0)
        reports.append(found["load"]["b"]["reports"])
    assert reports[0] < reports[1]


def test_a_person_reads_the_same_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Counts, tables, examples and what the figures do not say, in both languages."""
    file = tmp_path / "p.jsonl"
    file.write_text(row(1, 60), encoding="utf-8")
    for language, told in (("en", "requests judged"), ("ja", "判定 1 件")):
        flags = ["--over", str(file), "--lang", language, "--at", "2026-09-01"]
        assert main.call(["rules", "diff", "treaty-2511", "loop-2026", *flags], SETTINGS) == 0
        assert told in capsys.readouterr().out


def test_a_sample_is_the_same_for_the_same_seed(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """As JSON lines."""
    said = []
    for seed in ("3", "3", "4"):
        assert (
            main.call(["rules", "sample-population", "--count", "20", "--seed", seed], SETTINGS)
            == 0
        )
        said.append(capsysbinary.readouterr().out)
    assert said[0] == said[1]
    assert said[0] != said[2]
    assert len(said[0].splitlines()) == 20
