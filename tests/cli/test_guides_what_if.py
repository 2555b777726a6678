"""The commands of docs/guide/what-if.md, as they stand there, in their order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from sekisho.cli import main
from sekisho.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "what-if.md"
SETTINGS = Settings(home=Path("/nowhere"), trust_file=Path("/nowhere/trust.json"))


def test_the_commands_of_the_guide_do_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each ends with nought and no row is refused; the charts and the list are there afterwards."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines() if line]
    assert len(lines) >= 5
    for line in lines:
        words = shlex.split(line)
        assert words[0] == "sekisho"
        assert main.call(words[1:], SETTINGS) == 0, line
        said = capsys.readouterr().out
        assert "diff" not in words or ", 0 rows refused" in said, line
    assert (tmp_path / "charts" / "index.html").is_file()
    assert (tmp_path / "changed.csv").read_bytes().startswith(b"\xef\xbb\xbf")
