"""The dry run on this machine, and the unit that systemd keeps an observer with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sekisho.cli import main
from sekisho.settings import load_settings

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "sekisho-observer.service"


def check(home: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str]]:
    code = main.call(["observe", "check", "--home", str(home), "--json"], load_settings({}))
    rows = json.loads(capsys.readouterr().out)
    return code, {row["means"]: row["verdict"] for row in rows}


def test_a_dry_run_tells_three_verdicts_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Readable, unreadable, and nothing shown; without instruments it is not said that all is well."""
    code, rows = check(tmp_path, capsys)
    assert (code, rows["instruments"]) == (3, "unverifiable")

    rest = [{"quantity": "power", "value": "400", "reason": "idle over a night"}]
    files = [tmp_path / "good.json", tmp_path / "gone.csv"]
    files[0].write_text('{"at": "2999-01-31T10:00:00Z", "watts": 350}')
    kinds = ("bmc", "facility-power")
    document = {
        "instruments": [
            {"instrument": kind, "file": str(file), "at_rest": rest}
            for kind, file in zip(kinds, files, strict=True)
        ]
    }
    (tmp_path / "observer.json").write_text(json.dumps(document))
    code, rows = check(tmp_path, capsys)
    assert (code, rows["bmc"], rows["facility-power"]) == (3, "holds", "unverifiable")

    files[0].write_text('{"at": "2999-01-31T10:00:00Z", "watts": "many"}')
    code, rows = check(tmp_path, capsys)
    assert (code, rows["bmc"]) == (1, "fails")


def test_the_unit_gives_the_observer_no_right_and_leaves_it_its_sight() -> None:
    """No capability, a user of its own, and all of /proc."""
    lines = set(UNIT.read_text(encoding="utf-8").splitlines())
    assert {
        "User=sekisho-observer",
        "CapabilityBoundingSet=",
        "AmbientCapabilities=",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectProc=default",
        "ProcSubset=all",
    } <= lines


def test_a_folder_that_is_not_there_is_no_observer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistyped home is bad input, not a machine without instruments; the table speaks Japanese."""
    away = str(tmp_path / "typo")
    assert main.call(["observe", "check", "--home", away], load_settings({})) == 2
    assert away in capsys.readouterr().err
    japanese = load_settings({"SEKISHO_LANG": "ja"})
    main.call(["observe", "check", "--home", str(tmp_path)], japanese)
    assert "検証不能" in capsys.readouterr().out
