"""The end of the chips' drill: two chips' papers, judged by a process that has neither home nor keys."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from sekisho.registry.irregularity import SERIOUS
from sekisho.registry.passport import LIMITS, Passport
from sekisho.rehearsal.chip_scene import CHIPS, ELSEWHERE, HALL, ChipScene, NotAsAnnounced

__all__ = ["issue_passports", "verify_outside"]

GENUINE, DIVERTED = CHIPS[0], CHIPS[10]
_FILES: Final = {"genuine": GENUINE, "diverted": DIVERTED}
_WITHIN_S: Final = 60


def issue_passports(scene: ChipScene) -> None:
    """Both chips' papers: every line is borne out by the log; the alerts stand on the diverted one alone."""
    scene.reach(16)
    scene.settle()
    folder = scene.home.path / "passports"
    folder.mkdir()
    alerts = {}
    for name, epc in _FILES.items():
        passport = scene.regime.papers.passport(epc, now=scene.now)
        if passport is None:
            raise NotAsAnnounced(f"{epc} has no passport")
        (folder / f"{name}.json").write_bytes(passport.to_bytes())
        alerts[name] = _tell(scene, name, passport)
        scene.expect(passport.verdict, "holds", f"the passport of the {name} chip")
    scene.expect(alerts["genuine"], set(), "alerts of the genuine chip")
    scene.expect(
        alerts["diverted"], {"active-elsewhere", "other-device-key"}, "alerts of the diverted chip"
    )


def verify_outside(scene: ChipScene) -> None:
    """Copies of log, trust root and passports, elsewhere; a forged passport is found, the two real ones hold."""
    checked = scene.regime.register.check()
    scene.expect(checked.differences, 0, "the register made again from its events")
    scene.say("rebuilt", events=scene.regime.register.store.load_numbers().event)
    with tempfile.TemporaryDirectory(prefix="sekisho-outsider-") as elsewhere:
        folder = Path(elsewhere)
        shutil.copytree(scene.home.public, folder / "log")
        shutil.copytree(scene.home.path / "passports", folder / "passports")
        shutil.copy(scene.home.path / "trust.json", folder / "trust.json")
        _forge(folder)
        for name, announced in (("genuine", 0), ("diverted", 0), ("forged", 1)):
            found = _verify(folder, name, announced)
            verdict = scene.word(f"chip.verdict.{found['verdict']}")
            scene.say("judged", name=scene.word(f"chip.drill.paper.{name}"), verdict=verdict)
    scene.say("holds-means")
    for limit in LIMITS:
        scene.say("limit", limit=scene.word(f"chip.limit.{limit}"))


def _tell(scene: ChipScene, name: str, passport: Passport) -> set[str]:
    """The passport in a few lines; the codes of its serious alerts."""
    standing = passport.standing
    scene.say(
        "paper",
        name=scene.word(f"chip.drill.paper.{name}"),
        epc=passport.epc.rsplit("/", 1)[-1],
        lines=len(passport.lines),
        custodian=standing.custodian if standing is not None else "-",
        verdict=scene.word(f"chip.verdict.{passport.verdict}"),
    )
    codes: set[str] = set()
    for line in passport.lines:
        for alert in line.alerts:
            if alert.code not in SERIOUS:  # settled since, or of a mere slip
                continue
            codes.add(alert.code)
            told = scene.word(f"chip.alert.{alert.code}")
            scene.say("paper-alert", number=line.number, alert=told, detail=alert.detail)
    return codes


def _forge(folder: Path) -> None:
    """The diverted chip's papers, as if the warehouse had been the hall."""
    data = (folder / "passports" / "diverted.json").read_bytes()
    forged = data.replace(ELSEWHERE.encode(), HALL.encode())
    if forged == data:
        raise NotAsAnnounced("the passport does not name the warehouse")
    (folder / "passports" / "forged.json").write_bytes(forged)


def _verify(folder: Path, name: str, announced: int) -> dict[str, Any]:
    """`sekisho registry passport verify` in a process of its own, whose only trust is the file beside the log."""
    arguments = [
        *("registry", "passport", "verify", str(folder / "passports" / f"{name}.json")),
        *("--log", str(folder / "log"), "--policy", str(folder / "trust.json"), "--json"),
    ]
    done = _run_sekisho(folder, arguments)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        said = done.stderr.decode(errors="replace")[-500:]
        raise NotAsAnnounced(f"the verifier said of the {name} passport: {said}") from None
    if done.returncode != announced or not isinstance(found, dict):
        raise NotAsAnnounced(
            f"the verifier ended with {done.returncode} on the {name} passport: {found}"
        )
    return found


def _run_sekisho(folder: Path, arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    nowhere = {"SEKISHO_HOME": str(folder / "none"), "SEKISHO_TRUST": str(folder / "none.json")}
    try:
        return subprocess.run(
            [sys.executable, "-P", "-m", "sekisho.cli", *arguments],
            capture_output=True,
            check=False,
            cwd=folder,
            env={**os.environ, **nowhere},
            timeout=_WITHIN_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotAsAnnounced(f"the verifier's process did not answer: {error}") from None
