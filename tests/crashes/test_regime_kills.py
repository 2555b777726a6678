"""kill -9 of any process of a whole regime, at any point: nothing acknowledged is lost, and an outsider's audit holds.

Each round ends one of control plane, witness, agent, watchdog or workload by its own id; whatever supervises it brings
it back. At the end the licence books, the receipt chains and the log must add up.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from sekisho.adapters.processes import ChildProcess
from sekisho.app import Home
from sekisho.auditor import Trust, audit_bundle, open_evidence
from sekisho.model.errors import SekishoError
from sekisho.model.statements import ReceiptGiven
from sekisho.rehearsal import opening
from sekisho.rehearsal.scene import CPU_HOST, Scene
from sekisho.rehearsal.serving import opened
from sekisho.rehearsal.stage import Stage

ROUNDS, SOAK_ROUNDS = 6, 60
VICTIMS = ("control plane", "witness", "agent", "watchdog", "workload")


def _pid_by_command(home: Home, *words: str) -> int | None:
    """A process of this home whose command line holds all these words."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(home.path) in command and all(word in command for word in words):
            return int(entry.name)
    return None


class Regime:
    """One licensed host under load, and hands to kill and to restore."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.port = int(scene.address.rsplit(":", 1)[1])

    def kill(self, victim: str) -> None:
        scene, stage = self.scene, self.scene.stage
        if victim == "control plane" and scene.control is not None:
            stage.kill(scene.control)
            scene.connect(self._restarted())
        elif victim == "agent":
            stage.kill(scene.agents[CPU_HOST])
            scene.agents[CPU_HOST] = stage.start_agent(CPU_HOST)
        else:
            words = {
                "witness": ("sekisho.witness.main", "witnesses/w1"),
                "watchdog": ("sekisho.agent.watchdog", CPU_HOST),
                "workload": ("sekisho.canary", CPU_HOST),
            }[victim]
            pid = _pid_by_command(scene.home, *words)
            if pid is not None:
                os.kill(pid, signal.SIGKILL)

    def wait_for_work(self) -> None:
        """Until a quantum of this moment runs again."""
        before = self.last_sequence()
        self.scene.wait_for(
            "the work to run again",
            lambda: next((r for r in self.receipts() if _runs_after(r, before)), None),
            within_s=60,
        )

    def receipts(self) -> list[ReceiptGiven]:
        return self.scene.receipts(CPU_HOST)

    def last_sequence(self) -> int:
        return max((r.sequence for r in self.receipts()), default=0)

    def _restarted(self) -> ChildProcess:
        return self.scene.stage.start_control(self.port)


def _runs_after(receipt: ReceiptGiven, sequence: int) -> bool:
    return receipt.sequence > sequence and receipt.stage == "quantum" and receipt.state == "running"


def _play(folder: Path, dice: random.Random, rounds: int) -> None:
    home = Home.open(folder / "home")
    told: list[str] = []
    with Stage(home) as stage:
        try:
            scene = _licensed(home, stage, told)
            regime = Regime(scene)
            for number in range(rounds):
                regime.wait_for_work()
                time.sleep(dice.uniform(0.0, 2.0))
                victim = VICTIMS[number % len(VICTIMS)] if rounds < 10 else dice.choice(VICTIMS)
                regime.kill(victim)
            regime.wait_for_work()
            stage.end_agents()
        finally:
            stage.end_agents()
            stage.end_work()
        if scene.control is not None:
            stage.end(scene.control)
        with opened(home, stage) as control:
            control.export_bundle(folder / "bundle")
    report = audit_bundle(
        open_evidence(folder / "bundle"),
        Trust(policy=home.load_root(), known=()),
        accepted=("witnessed",),
    )
    failed = [f"{c.name}: {c.detail}" for c in report.checks if c.verdict != "holds"]
    assert report.verdict == "holds", failed


def _licensed(home: Home, stage: Stage, told: list[str]) -> Scene:
    """A regime with one licensed host at work."""
    scene = Scene(home, stage, told.append)
    opening.found(scene)
    opening.enrol(scene)
    opening.declare_and_decide(scene)
    opening.issue_licences(scene)
    if scene.root is None:
        raise SekishoError("the regime is not founded")
    stage.prepare_host(scene.plans[CPU_HOST], scene.address, scene.root)
    scene.agents[CPU_HOST] = stage.start_agent(CPU_HOST)
    return scene


@pytest.mark.slow
def test_kill_9_of_each_process_of_a_regime_in_turn(tmp_path: Path, dice: random.Random) -> None:
    """Control plane, witness, agent, watchdog and workload, each once and one twice; then the audit holds."""
    _play(tmp_path, dice, ROUNDS)


@pytest.mark.soak
def test_kill_9_of_random_processes_of_a_regime(tmp_path: Path, dice: random.Random) -> None:
    """Sixty rounds at random moments; then the audit holds."""
    _play(tmp_path, dice, SOAK_ROUNDS)
