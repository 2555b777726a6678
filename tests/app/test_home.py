"""A home that is none is named as such, and is not made by asking it something."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.app import (
    Home,
    begin_log_rotation,
    erase_disclosures,
    finish_log_rotation,
    rebuild_log,
    reveal_field,
)
from sekisho.cli.main import call
from sekisho.model.errors import InvalidInput
from sekisho.settings import load_settings


@pytest.mark.parametrize(
    "ask",
    [
        begin_log_rotation,
        finish_log_rotation,
        rebuild_log,
        lambda home: reveal_field(home, "0" * 64, "allowance_flop"),
        lambda home: erase_disclosures(home, "0" * 64, "law", lambda _: None),
    ],
)
def test_upkeep_of_a_folder_without_a_regime_says_so(tmp_path: Path, ask: object) -> None:
    """Each names the folder and the remedy, and leaves nothing there."""
    assert callable(ask)
    with pytest.raises(InvalidInput, match="no regime is founded here; sekisho up"):
        ask(Home(path=tmp_path / "none"))
    assert list(tmp_path.iterdir()) == []


def test_log_rotate_makes_no_home_of_a_mistyped_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command ends with bad input, and the folder that was meant otherwise is not there."""
    place = tmp_path / "none"
    assert call(["log", "rotate", "--home", str(place)], load_settings({})) == 2
    assert "no regime is founded here" in capsys.readouterr().err
    assert not place.exists()
