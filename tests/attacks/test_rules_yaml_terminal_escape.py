"""Attack: a pack whose words move the cursor of whoever reads it on a terminal, or pose as our own lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.cli import main
from sekisho.settings import Settings
from tests.written_packs import FULL

SETTINGS = Settings(home=Path("/nowhere"), trust_file=Path("/nowhere/trust.json"))


@pytest.mark.parametrize(
    "hidden", ['"\\e[2Kpermit"', '"\\u202etimrep"', "\u202etimrep", "per\u200bmit"]
)
@pytest.mark.parametrize(
    "field", ["title: A pack with everything", "duty: apply for a licence", "cite: Art. 5"]
)
def test_what_would_move_a_cursor_or_turn_text_round_is_no_pack(
    field: str, hidden: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it is, or written as an escape; the refusal does not repeat it."""
    file = tmp_path / "p.yaml"
    file.write_text(
        FULL.replace(field, f"{field.split(':', maxsplit=1)[0]}: {hidden}"), encoding="utf-8"
    )
    for command in (["show"], ["check"], ["show", "--text"]):
        assert main.call(["rules", *command, str(file)], SETTINGS) == 2
        told = "".join(capsys.readouterr())
        assert "nobody sees" in told
        assert not set(told) & {"\x1b", "\u202e", "\u200b"}


def test_a_field_of_many_lines_cannot_pose_as_lines_of_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Line ends inside a text are shown as numbers."""
    text = FULL.replace("duty: apply for a licence", 'duty: "x\\n  another-rule: permit"')
    file = tmp_path / "p.yaml"
    file.write_text(text, encoding="utf-8")
    assert main.call(["rules", "show", "--lang", "en", str(file)], SETTINGS) == 0
    shown = capsys.readouterr().out
    assert "x\\u{a}" in shown
    assert not [line for line in shown.split("\n") if line.strip().startswith("another-rule")]
