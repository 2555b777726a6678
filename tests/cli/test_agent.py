"""`sekisho agent run`: words for what cannot be run."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.cli.main import call
from sekisho.settings import Settings


def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, trust_file=tmp_path / "trust.json")


def test_a_driver_that_is_not_there_yet_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and the remedy."""
    arguments = ["agent", "run", "--driver", "slurm", "--home", str(tmp_path)]

    assert call(arguments, settings(tmp_path)) == 2
    assert "slurm" in capsys.readouterr().err


def test_a_home_without_an_agent_in_it_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and the file that is missing."""
    arguments = ["agent", "run", "--home", str(tmp_path)]

    assert call(arguments, settings(tmp_path)) == 2
    assert "agent.json" in capsys.readouterr().err
