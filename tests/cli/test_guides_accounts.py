"""The commands of docs/guide/accounts.md, as they stand there, in their order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from sekisho.cli import main
from sekisho.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "accounts.md"
SETTINGS = Settings(home=Path("/nowhere"), trust_file=Path("/nowhere/trust.json"))
FILE = re.compile(r"^`([a-z]+\.csv)`.*?```csv\n(.*?)^```", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)


def test_the_commands_of_the_guide_do_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No customer crosses; the owner does in a sliding window; the two jobs are one run."""
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text("utf-8")
    for name, content in FILE.findall(text):
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["jobs.csv", "owners.csv"]
    said = []
    for line in (line for block in BLOCK.findall(text) for line in block.splitlines() if line):
        words = shlex.split(line)
        assert words[0] == "sekisho"
        assert main.call(words[1:], SETTINGS) == 0, line
        said.append(capsys.readouterr().out)
    by_customer, by_owner, by_run = said
    assert "met 1.60e23 FLOP" not in by_customer
    assert "met 1.60e23 FLOP at 2026-02-01" in by_owner
    assert "gpt: at most" in by_run
    assert "a2:" not in by_run
