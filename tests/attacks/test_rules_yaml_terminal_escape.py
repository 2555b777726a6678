"""Attack: a pack whose words move the cursor of whoever reads it on a terminal, or pose as our own lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.cli import main
from sekisho.settings import Settings
from tests.written_packs import FULL

SETTINGS = Settings(home=Path("/nowhere"), trust_file=Path("/nowhere/trust.json"))
ESCAPE = '"\\e[2Kpermit \\u202etimrep"'


@pytest.mark.parametrize(
    "command", [["show"], ["show", "--text"], ["show", "--lang", "ja"], ["check"]]
)
def test_escapes_in_a_pack_are_shown_as_numbers(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Titles, notes, duties, conditions and citations alike."""
    text = FULL
    for old in (
        "note: for tests",
        "title: A pack with everything",
        "cite: Art. 5",
        "binding: exporters",
    ):
        text = text.replace(old, f"{old.split(':')[0]}: {ESCAPE}")
    for old in ("duty: apply for a licence", "says: at most 100 chips", "title: Low volume"):
        text = text.replace(old, f"{old.split(':')[0]}: {ESCAPE}")
    file = tmp_path / "p.yaml"
    file.write_text(text.replace("    duty-ja: 許可を申請する\n", ""), encoding="utf-8")
    main.call(["rules", *command, str(file)], SETTINGS)
    shown = capsys.readouterr().out
    assert shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
