"""`sekisho registry export` and `alerts`: what an auditor is handed, and why an event took no effect."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from sekisho.cli import main
from sekisho.settings import Settings
from tests.capturing import chip, commissioned, document, endorsed, enrolled, key_of, received
from tests.factory import AUTHORITY
from tests.regime import LiveRegime, live_regime

Capture = pytest.CaptureFixture[str]
CHIP = chip(8_001)


@pytest.fixture
def regime(tmp_path: Path) -> Any:
    with live_regime(tmp_path) as live:
        live.settle(live.submit(enrolled("maker", key_of("maker")), AUTHORITY[0]))
        yield live


def call(regime: LiveRegime, *arguments: str | Path) -> int:
    home = regime.control.home.path
    settings = Settings(home=home, trust_file=home / "own-trust.json")
    return main.call([str(a) for a in arguments], settings)


def answer(capsys: Capture, regime: LiveRegime, *arguments: str | Path, code: int = 0) -> Any:
    capsys.readouterr()
    assert call(regime, *arguments, "--json") == code
    return json.loads(capsys.readouterr().out)


def capture(regime: LiveRegime) -> None:
    """A registration, and a receipt of what nobody registered: it waits."""
    made = document(commissioned(CHIP), received("maker", f"{CHIP}-unknown"))
    row = regime.control.register.capture(made, endorsed(made, "maker"))
    assert (row.taken, row.waiting) == (1, 1)
    regime.control.chips.committer.complete()  # with its tags
    regime.control.publisher.wait_witnessed(regime.control.desk.state.size - 1, 60)


def exported(regime: LiveRegime, tmp_path: Path, capsys: Capture) -> tuple[Path, Any]:
    """A bundle that holds every event, once witnesses have seen them."""
    for attempt in range(100):
        folder = tmp_path / f"bundle-{attempt}"
        told = answer(capsys, regime, "registry", "export", folder)
        if told["events"] == told["captured"]:
            return folder, told
        time.sleep(0.1)
    raise AssertionError("the witnesses never saw the events")


def test_an_auditor_gets_the_register_of_a_home_that_is_served(
    regime: LiveRegime, tmp_path: Path, capsys: Capture
) -> None:
    """Events and standings are judged; a folder that holds something is left alone, and nobody else may enter."""
    capture(regime)
    folder, told = exported(regime, tmp_path, capsys)
    assert (told["events"], Path(told["tar"]).is_file()) == (2, True)
    assert folder.stat().st_mode & 0o077 == 0
    assert Path(told["tar"]).stat().st_mode & 0o077 == 0
    policy = regime.control.home.path / "trust.json"
    for place in (folder, told["tar"]):
        accepted = ("--accept", "witnessed")  # both witnesses are one owner's here
        report = answer(capsys, regime, "audit", place, "--policy", policy, *accepted)
        checks = {check["name"]: check for check in report["checks"]}
        assert checks["standings"]["verdict"] == "holds"
        assert checks["custody"]["detail"].startswith("2 events")
    again = answer(capsys, regime, "registry", "export", folder, code=1)
    assert (again["error"]["code"], again["error"]["remedy"]) == (
        "state-conflict",
        "name a new folder",
    )


def test_a_changed_event_in_the_bundle_fails_the_audit(
    regime: LiveRegime, tmp_path: Path, capsys: Capture
) -> None:
    """What was exported cannot be edited afterwards."""
    capture(regime)
    folder, _ = exported(regime, tmp_path, capsys)
    file = folder / "custody" / "events.jsonl"
    file.write_bytes(file.read_bytes().replace(b"commissioning", b"decommissionin"))
    policy = regime.control.home.path / "trust.json"
    assert call(regime, "audit", folder, "--policy", policy) == 1


def test_a_home_without_a_regime_exports_nothing(tmp_path: Path, capsys: Capture) -> None:
    """It says so, and makes no folder."""
    settings = Settings(home=tmp_path / "none", trust_file=tmp_path / "trust.json")
    assert main.call(["registry", "export", str(tmp_path / "out")], settings) == 2
    assert not (tmp_path / "out").exists()
    assert "what to do" in capsys.readouterr().err


def test_why_an_event_waits_is_told(regime: LiveRegime, capsys: Capture) -> None:
    """By the event's number, newest first, of one EPC where that is asked; nothing is told as nothing."""
    capture(regime)
    found = answer(capsys, regime, "registry", "alerts")["alerts"]
    assert {(row["number"], row["code"]) for row in found} == {(2, "unknown-id")}
    assert answer(capsys, regime, "registry", "alerts", f"{CHIP}-unknown")["alerts"] == found
    capsys.readouterr()
    assert call(regime, "registry", "alerts", CHIP) == 0
    assert capsys.readouterr().out.strip() == "No alert."
    call(regime, "registry", "alerts", "--limit", "1")
    assert f"--before {found[0]['place']}" in capsys.readouterr().out
