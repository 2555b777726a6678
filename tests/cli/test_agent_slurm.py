"""`sekisho agent slurm`: the gate goes into a folder and out again, and a cluster that does not answer is told so."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from sekisho.adapters.schedulers.slurm.gate_file import GATE_NAME, parse_gate
from sekisho.cli.main import call as call_with
from sekisho.settings import Settings

Capture = pytest.CaptureFixture[str]
CONF = b"ClusterName=c\nSlurmctldHost=localhost\nJobSubmitPlugins=defaults"


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "slurm.conf").write_bytes(CONF)
    return folder


def sekisho(words: list[str]) -> int:
    """The command's exit code, for a user who has no home."""
    nowhere = Path("/nonexistent")
    return call_with(words, Settings(home=nowhere, trust_file=nowhere / "trust.json"))


def call(capsys: Capture, *words: object) -> tuple[int, Any]:
    """Exit code and document."""
    code = sekisho(["agent", "slurm", *map(str, words), "--json"])
    out = capsys.readouterr().out
    return code, json.loads(out) if out else None


def test_a_dry_run_says_what_would_change_and_changes_nothing(
    etc: Path, tmp_path: Path, capsys: Capture
) -> None:
    """Lines that come and go, by file; neither folder is touched."""
    gate = tmp_path / "gate"
    code, told = call(capsys, "install", "--etc", etc, "--gate", gate, "--dry-run")

    assert code == 0
    lines = told["changes"][0]["lines"]
    assert "- JobSubmitPlugins=defaults" in lines
    assert "+ JobSubmitPlugins=defaults,lua" in lines
    assert [path.name for path in etc.iterdir()] == ["slurm.conf"]
    assert not gate.exists()


def test_install_and_remove(etc: Path, tmp_path: Path, capsys: Capture) -> None:
    """Scripts that may be run, a gate that only advises; then all of it is gone but for the gate's records."""
    gate = tmp_path / "gate"
    assert call(capsys, "install", "--etc", etc, "--gate", gate)[0] == 0
    assert (etc / "sekisho-prolog").stat().st_mode & stat.S_IXOTH
    shown = parse_gate((gate / GATE_NAME).read_bytes())
    assert shown is not None
    assert shown.mode == "advise"
    assert call(capsys, "install", "--etc", etc, "--gate", gate)[0] == 1

    assert call(capsys, "remove", "--etc", etc)[0] == 0
    assert {path.name: path.read_bytes() for path in etc.iterdir()} == {"slurm.conf": CONF}
    assert call(capsys, "remove", "--etc", etc)[0] == 1


def test_a_folder_without_a_cluster(tmp_path: Path, capsys: Capture) -> None:
    """Bad input, and the flag's name."""
    code = sekisho(["agent", "slurm", "install", "--etc", str(tmp_path), "--gate", str(tmp_path)])

    assert code == 2
    assert "--etc" in capsys.readouterr().err


def test_a_check_without_a_cluster_names_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Bad input before anybody is asked."""
    monkeypatch.setenv("PATH", str(tmp_path))

    assert sekisho(["agent", "slurm", "check", "--etc", str(tmp_path / "nope")]) == 2
    assert "no slurm.conf" in capsys.readouterr().err


def test_a_cluster_that_does_not_answer(
    etc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Nothing can be asked where there is no scontrol, or nobody behind it: what the files lack, and try again."""
    monkeypatch.setenv("PATH", str(tmp_path))
    words = ["agent", "slurm", "check", "--etc", str(etc), "--gate", str(tmp_path)]

    assert sekisho(words) == 4
    told = capsys.readouterr().err
    assert "job_submit.lua is not there" in told
    assert "picture: " in told
