"""`sekisho rules timeline`: the same request on several dates, with the differences explained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sekisho.catalogue import Language
from sekisho.cli import main
from sekisho.cli.rules_timeline import DATES
from sekisho.settings import Settings
from tests.rule_packs import pack_text, rule_text

TRANSFER = {
    "kind": "transfer",
    "id": "t",
    "activity": "export",
    "item": {"chip": "H20"},
    "count": 100,
    "origin": "US",
    "destination": "CN",
    "end_use": ["inference"],
    "facts": {"supercomputer": False},
}
OVER = "{quantity: run_flop, op: '>', parameter: x, unit: FLOP}"


def called(file: Path, *flags: str, language: Language = "en") -> int:
    """The exit code of the command."""
    settings = Settings(
        home=Path("/nowhere"), trust_file=Path("/nowhere/trust.json"), language=language
    )
    return main.call(["rules", "timeline", str(file), *flags], settings)


def written(folder: Path, *requests: object) -> Path:
    """The requests in a file."""
    file = folder / "requests.json"
    file.write_text("\n".join(json.dumps(one) for one in requests), encoding="utf-8")
    return file


def test_the_six_dates_are_answered_and_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For a transfer under US law: a change of law with its cite between each two dates."""
    called(written(tmp_path, TRANSFER), "--json")
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document["policy"]["name"] == "us-ear"
    rows = document["dates"]
    assert [row["at"] for row in rows] == [f"{date}T00:00:00Z" for date in DATES]
    assert rows[0]["differences"] == []
    assert all(row["differences"] for row in rows[1:])
    words = {row["decision"] for row in rows}
    assert len(words) > 1
    for change in (change for row in rows for change in row["differences"]):
        assert change["says"]
        assert change["says_ja"]


def test_a_table_shows_each_date_and_what_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A threshold that falls makes a permit a deny; the exit code is that of the worst date."""
    pack = tmp_path / "own.yaml"
    pack.write_text(pack_text(rule_text("r0", "deny", OVER)), encoding="utf-8")
    file = written(tmp_path, {"id": "r", "planned_flop": str(5 * 10**23)})
    flags = ["--pack", str(pack), "--at", "2025-06-01", "--at", "2024-06-01"]
    assert called(file, *flags) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "r: p 1"
    assert lines[1] == "  2024-06-01  permit  no rule"
    assert lines[2] == "  2025-06-01  deny    r0"
    assert lines[3].startswith(f"    - x: {10**24} FLOP, then {10**23} FLOP on 2025-01-01")
    assert called(file, *flags, language="ja") == 1
    assert "2025-01-01 に" in capsys.readouterr().out


def test_several_requests_and_packs_give_a_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One row for each request and pack; a bad row is answered in its place."""
    file = written(tmp_path, {"id": "a"}, {"id": "b", "kind": "nothing"})
    flags = ["--pack", "loop-2026", "--pack", "eu-ai-act", "--at", "2026-02-01", "--json"]
    assert called(file, *flags) == 2
    rows = json.loads(capsys.readouterr().out)
    assert [row.get("policy", {}).get("name") for row in rows] == ["loop-2026", "eu-ai-act", None]
    assert rows[2]["line"] == 2


@pytest.mark.parametrize(
    "flags", [["--at", "2026-02-30"], ["--at", ""], ["--reading", "wished"], ["--pack", "nope"]]
)
def test_a_bad_flag_is_bad_input(tmp_path: Path, flags: list[str]) -> None:
    """Exit 2."""
    assert called(written(tmp_path, {"id": "r"}), *flags) == 2
    assert main.call(["rules", "timeline"], Settings(home=tmp_path, trust_file=tmp_path)) == 2
