"""A real regime on loopback to measure at: control plane, two witnesses, and the hosts of the drill, licensed.

Everything is a process of its own, as in the drill; only the observer and the emulated host's work are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sekisho.adapters.durable_files import replace_file
from sekisho.adapters.processes import ChildProcess
from sekisho.adapters.schedulers.process_files import list_processes
from sekisho.adapters.schedulers.watchdog_link import WatchdogLink
from sekisho.app import Home
from sekisho.model.errors import SekishoError
from sekisho.model.statements import LeaseTerms
from sekisho.model.wire import canonical, parse_json
from sekisho.rehearsal import opening
from sekisho.rehearsal.scene import CPU_HOST, EMULATED_HOST, Scene
from sekisho.rehearsal.stage import Stage

__all__ = [
    "IDLE_HOST",
    "WORKING_HOST",
    "end_host",
    "is_in_state",
    "licensed_regime",
    "start_host",
    "watchdog_folder",
    "watchdog_pid",
]

WORKING_HOST = CPU_HOST
IDLE_HOST = EMULATED_HOST


@contextmanager
def licensed_regime(folder: Path, terms: LeaseTerms = opening.TERMS) -> Iterator[Scene]:
    """The drill's opening up to the licences, of these terms; all that it started ends with it."""
    with Stage(Home.open(folder)) as stage:
        scene = Scene(stage.home, stage, lambda _: None)
        for step in (
            opening.found,
            opening.enrol,
            opening.declare_and_decide,
        ):
            step(scene)
        opening.issue_licences(scene, terms)
        try:
            yield scene
        finally:
            stage.end_agents()
            stage.end_work()


def start_host(scene: Scene, host: str, *, work: bool) -> ChildProcess:
    """The host's agent, which brings up its watchdog; with `work` once its canary runs."""
    if scene.root is None:
        raise RuntimeError("no regime is founded")
    scene.stage.prepare_host(scene.plans[host], scene.address, scene.root)
    if not work:
        file = scene.stage.host_folder(host) / "agent.json"
        settings = parse_json(file.read_bytes(), path=str(file))
        if isinstance(settings, dict):
            replace_file(file, canonical({**settings, "command": []}) + b"\n")
    agent = scene.stage.start_agent(host)
    if work:
        scene.wait_for(f"{host} to run", lambda: is_in_state(scene, host, "running"), within_s=30)
    return agent


def end_host(scene: Scene, host: str, agent: ChildProcess) -> None:
    """End an agent that was started here, and the watchdog that outlives it by design."""
    scene.stage.end(agent)
    link = WatchdogLink(watchdog_folder(scene, host))
    with suppress(SekishoError):
        link.kill()
        link.quit()


def is_in_state(scene: Scene, host: str, state: str) -> bool | None:
    """True where the watchdog says so; None where it says something else, or is not up yet."""
    try:
        return WatchdogLink(watchdog_folder(scene, host)).read().state == state or None
    except SekishoError:
        return None


def watchdog_folder(scene: Scene, host: str) -> Path:
    """Where the host's watchdog listens."""
    return scene.stage.host_folder(host) / "watchdog"


def watchdog_pid(scene: Scene, host: str) -> int:
    """The process that serves the host's watchdog folder."""
    wanted = str(watchdog_folder(scene, host)).encode()
    for process in list_processes():
        with suppress(OSError):
            words = Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
            if b"sekisho.agent.watchdog" in words and wanted in words:
                return process.pid
    raise RuntimeError(f"{host} has no watchdog")
