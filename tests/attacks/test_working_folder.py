"""Modules planted in the folder that somebody works in: an unpacked bundle, /tmp. None is ever run."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.adapters.processes import ChildProcess
from sekisho.adapters.schedulers.watchdog_link import spawn_watchdog
from sekisho.auditor.main import AuditPlan, audit_apart
from sekisho.model.errors import SekishoError
from sekisho.signing.notes import NoteSigner
from tests import factory as f


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The marker that a planted module would leave, in the folder that is now the working one."""
    folder, marker = tmp_path / "planted", tmp_path / "marker"
    folder.mkdir()
    for name in ("msgspec", "json", "argparse", "uvicorn", "http"):
        (folder / f"{name}.py").write_text(
            f"open({str(marker)!r}, 'w').close()\nraise SystemExit(0)\n"
        )
    monkeypatch.chdir(folder)
    return marker


def test_an_audit_from_within_an_unpacked_bundle_runs_nothing_of_it(planted: Path) -> None:
    """The auditor's process answers for itself; a planted module that says holds is not even read."""
    plan = AuditPlan(path=str(planted.parent / "planted"), trust_file=planted.parent / "trust.json")
    with pytest.raises(SekishoError, match="neither a bundle"):
        audit_apart(plan)
    assert not planted.exists()


def test_a_watchdog_started_from_a_hostile_folder_runs_nothing_of_it(planted: Path) -> None:
    """The privileged part of a host is Sekisho's own code, wherever the agent was started."""
    spawn_watchdog(planted.parent / "watchdog").quit()
    assert not planted.exists()


def test_a_process_started_from_a_hostile_folder_runs_nothing_of_it(planted: Path) -> None:
    """A witness keeps its key to itself, wherever `up` was started."""
    folder = planted.parent
    log = f.signer("log").private
    arguments = ["sekisho.witness.main", "--dir", str(folder / "w"), "--port", "0"]
    arguments += ["--name", "w1.example/one", "--log", NoteSigner(f.ORIGIN, log).verifier.to_text()]
    child = ChildProcess.start("witness", arguments, log=folder / "w.log")
    child.stop()
    assert not planted.exists()
