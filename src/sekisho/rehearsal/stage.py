"""The processes of a rehearsed regime: witnesses, control plane, device, agents, observer. Each ended by its id."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from sekisho.adapters.durable_files import create_private_folder, replace_file
from sekisho.adapters.held_folders import await_release
from sekisho.adapters.keys import load_or_create_key
from sekisho.adapters.processes import ChildProcess
from sekisho.adapters.schedulers.watchdog_link import WatchdogLink
from sekisho.app import Home
from sekisho.model.errors import SekishoError, Unavailable
from sekisho.model.wire import JsonValue, canonical, parse_json
from sekisho.rehearsal.cast import WITNESSES, origin_of
from sekisho.signing import Ed25519Signer, TrustRoot

__all__ = ["HostPlan", "Stage", "observer_user"]

_NOBODY = 65_534
_TEND_S = 1.0
_HANDOVER_S = 15.0
"""How long what a killed control plane had started may take to end, when its standby starts their successors."""


class HostPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One rehearsed host: its name, the run of its canary, and the folder of its device if that is emulated."""

    host: str
    run: str
    pace: str = "0.5"
    seed: int = 1
    device: Path | None = None


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """A child with what it was started by, so that it can be started again."""

    child: ChildProcess
    module: str
    arguments: tuple[str, ...]


class Stage:
    """Starts and ends children; on exit every child that still runs is ended, the last one first.

    With `tend`, a child that ended by itself is started again with the same arguments, at the same address.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self.meter = ""
        """Where the emulated accelerator shows how busy it is; empty while there is none."""
        self._parts: list[_Part] = []
        self._lock = threading.RLock()
        self._ending = threading.Event()
        self._tender: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop_tending()
        for part in reversed(self._parts):
            part.child.stop()

    def tend(self) -> None:
        """Begin to start again what ends by itself; a child that will not start is tried again later."""
        self._tender = threading.Thread(target=self._tend, name="stage", daemon=True)
        self._tender.start()

    def stop_tending(self) -> None:
        self._ending.set()
        if self._tender is not None:
            self._tender.join()
            self._tender = None

    def _tend(self) -> None:
        while not self._ending.wait(_TEND_S):
            with self._lock:
                dead = [part for part in self._parts if not part.child.is_running()]
            for part in dead:
                with contextlib.suppress(SekishoError):
                    self._start_again(part)

    def _start_again(self, part: _Part) -> None:
        part.child.stop()
        arguments = list(part.arguments)
        if "--port" in arguments:
            # Others know this child by its address: it must come back where it was.
            port = part.child.text("address").rsplit(":", 1)[-1]
            arguments[arguments.index("--port") + 1] = port
        child = self._launch(part.child.name, part.module, tuple(arguments))
        with self._lock:
            self._parts = [p for p in self._parts if p is not part]
            self._parts.append(_Part(child=child, module=part.module, arguments=part.arguments))

    def start_witnesses(self) -> dict[str, ChildProcess]:
        """Two witnesses with keys and processes of their own; they end when this process does."""
        log_vkey = self.home.log_signer(origin_of(self.home))[0].verifier.to_text()
        found = {}
        for name in WITNESSES:
            short = name.rsplit("/", 1)[-1]
            found[name] = self._start(
                f"witness {short}",
                "sekisho.witness.main",
                *("--dir", str(self.home.path / "witnesses" / short), "--port", "0"),
                *("--name", name, "--log", log_vkey, "--parent", str(os.getpid())),
                *("--wait", str(_HANDOVER_S)),
            )
        return found

    def start_control(self, port: int = 0) -> ChildProcess:
        """The control plane as a child of its own, with its witnesses below it."""
        return self._start(
            "control plane",
            "sekisho.rehearsal.control",
            *("--home", str(self.home.path), "--port", str(port), "--parent", str(os.getpid())),
        )

    def start_device(self, memory_mib: int = 64) -> tuple[ChildProcess, Path]:
        """The emulated accelerator, with a key that no operator's process reads."""
        folder = self.home.path / "device"
        create_private_folder(folder)
        await_release(folder, "device", _HANDOVER_S)
        child = self._start(
            "emulated accelerator",
            "sekisho.rehearsal.accelerator",
            *(
                "--dir",
                str(folder),
                "--memory-mib",
                str(memory_mib),
                "--key",
                str(folder / "device.pem"),
                "--port",
                "0",
            ),
        )
        self.meter = child.text("address")
        return child, folder

    def start_agent(self, host: str) -> ChildProcess:
        await_release(self.host_folder(host), "agent", _HANDOVER_S)
        return self._start(
            f"agent {host}", "sekisho.agent.main", "--home", str(self.host_folder(host))
        )

    def start_verifier(self, control: str) -> ChildProcess:
        """The verifier that judges what the observer saw, with a key that no other process here reads."""
        return self._start(
            "verifier",
            "sekisho.rehearsal.verifying",
            *("--home", str(self.home.path), "--control", control),
        )

    def start_observer(self, control: str, root: TrustRoot) -> ChildProcess:
        """The observer, under another user where this host allows that; with a device it reads its meter, too."""
        folder = self.home.path / "observer"
        create_private_folder(folder)
        if self.meter:
            self._name_meter(folder / "observer.json")
        replace_file(folder / "trust.json", canonical(root) + b"\n")
        key = self.home.signers / "verifier-2.pem"
        replace_file(folder / "observer.pem", key.read_bytes())
        user = observer_user()
        other = ("--user", str(user)) if user is not None else ()
        return self._start(
            "observer",
            "sekisho.observer.main",
            *("--home", str(folder), "--control", control, *other),
        )

    def _name_meter(self, file: Path) -> None:
        """Tell the observer of the meter that stands now, beside whatever else its file says."""
        before = parse_json(file.read_bytes(), path=str(file)) if file.exists() else {}
        said = before if isinstance(before, dict) else {}
        replace_file(file, canonical({**said, "instruments": [self._meter()]}) + b"\n")

    def _meter(self) -> dict[str, JsonValue]:
        rest: JsonValue = {
            "quantity": "gpu-util",
            "value": "2",
            "reason": "an emulated device that nobody holds shows 0",
        }
        found: dict[str, JsonValue] = {
            "instrument": "dcgm",
            "url": f"{self.meter}/metrics",
            "at_rest": [rest],
        }
        # One observer looks into all rehearsed hosts here: what this meter shows is of the host that has the device.
        hosts = [name for name in self.known_hosts() if self._holds_device(name)]
        return {**found, "host": hosts[0]} if len(hosts) == 1 else found

    def _holds_device(self, host: str) -> bool:
        """Whether the work of a prepared host is started as one that holds the device."""
        file = self.host_folder(host) / "agent.json"
        settings = parse_json(file.read_bytes(), path=str(file))
        command = settings.get("command") if isinstance(settings, dict) else None
        return isinstance(command, list) and str(self.home.path / "device") in command

    def known_hosts(self) -> tuple[str, ...]:
        """The hosts that this home was prepared with, by name."""
        return tuple(sorted(path.parent.name for path in self.home.path.glob("hosts/*/agent.json")))

    @property
    def has_device(self) -> bool:
        return (self.home.path / "device" / "device.pem").exists()

    def point_host(self, host: str, control: str) -> None:
        """Tell a prepared host where the control plane answers now."""
        file = self.host_folder(host) / "agent.json"
        settings = parse_json(file.read_bytes(), path=str(file))
        if isinstance(settings, dict):
            replace_file(file, canonical({**settings, "control": control}) + b"\n")

    def end_agents(self) -> None:
        """End the agents first, so that none of them brings its watchdog back."""
        self.stop_tending()
        for part in [p for p in self._parts if p.child.name.startswith("agent ")]:
            self.end(part.child)

    def end_work(self) -> None:
        """End what outlives its agent by design: the watchdogs of this home's hosts, and the work with them."""
        for host in self.known_hosts():
            folder = self.host_folder(host) / "watchdog"
            if (folder / "watchdog.sock").exists():
                with contextlib.suppress(SekishoError):
                    link = WatchdogLink(folder)
                    link.kill()
                    link.quit()

    def host_folder(self, host: str) -> Path:
        return self.home.path / "hosts" / host

    def host_key(self, host: str) -> Ed25519Signer:
        """The host's own key, drawn at its first use."""
        folder = self.host_folder(host)
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        create_private_folder(folder)
        return load_or_create_key(folder / "host.pem")

    def prepare_host(self, plan: HostPlan, control: str, root: TrustRoot) -> None:
        """Write what an agent is installed with, by hand as it were: trust root, control plane, workload."""
        folder = self.host_folder(plan.host)
        out = folder / "work"
        command = [sys.executable, "-P", "-m", "sekisho.canary"]
        if plan.device is not None:
            command = [
                sys.executable,
                "-P",
                "-m",
                "sekisho.rehearsal.occupant",
                str(plan.device),
                "--",
            ]
            command += [sys.executable, "-P", "-m", "sekisho.canary"]
        command += [
            "--out",
            str(out),
            "--seed",
            str(plan.seed),
            "--run",
            plan.run,
            "--pace",
            plan.pace,
        ]
        settings = {
            "host": plan.host,
            "control": control,
            "run": plan.run,
            "command": command,
            "environment": {},
            "out": str(out),
        }
        replace_file(folder / "trust.json", canonical(root) + b"\n")
        replace_file(folder / "agent.json", canonical(settings) + b"\n")

    def end(self, child: ChildProcess) -> None:
        child.stop()
        self._forget(child)

    def kill(self, child: ChildProcess) -> None:
        """End a child as a power cut would."""
        child.kill()
        self._forget(child)

    def check(self) -> None:
        """Raise Unavailable naming a child that has ended by itself."""
        for part in self._parts:
            if not part.child.is_running():
                raise Unavailable(f"{part.child.name} has ended", remedy=f"read {self.home.logs}")

    def _forget(self, child: ChildProcess) -> None:
        with self._lock:
            self._parts = [part for part in self._parts if part.child is not child]

    def _start(self, name: str, module: str, *arguments: str) -> ChildProcess:
        child = self._launch(name, module, arguments)
        with self._lock:
            self._parts.append(_Part(child=child, module=module, arguments=arguments))
        return child

    def _launch(self, name: str, module: str, arguments: tuple[str, ...]) -> ChildProcess:
        log = self.home.logs / f"{name.replace(' ', '-')}.log"
        return ChildProcess.start(name, [module, *arguments], log=log)


def observer_user() -> int | None:
    """Another user for the observer: nobody, where we are root; None where the host does not let us change."""
    return _NOBODY if os.geteuid() == 0 else None
