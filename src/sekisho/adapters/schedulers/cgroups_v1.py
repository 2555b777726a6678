"""Control groups, version 1: the freezer for hosts that have nothing newer, with cpuacct to count.

Source: the kernel's Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst and cpuacct.rst. There is no kill here:
the group is frozen, so that nothing forks past us, every process gets SIGKILL, and the thaw lets it arrive.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from sekisho.adapters.schedulers.process_files import read_process, send_signal
from sekisho.model.errors import Unavailable
from sekisho.ports.driver import StopMeans

__all__ = ["FreezerGroup"]

_LOOK_EVERY_S = 0.001


class FreezerGroup:
    """One group of the freezer hierarchy, with the group of the same name in cpuacct where that stands.

    The same methods as `Cgroup`.
    """

    freeze_means: StopMeans = "cgroup-v1-freeze"
    kill_means: StopMeans = "signal-kill"

    def __init__(self, folder: Path, name: str, accounts: Path | None) -> None:
        self.folder = folder
        self.name = name
        self._accounts = accounts
        self._uncounted_s: dict[tuple[int, int], float] = {}

    @property
    def entrances(self) -> tuple[Path, ...]:
        """The folders into whose cgroup.procs a process writes itself to be in this group."""
        return (self.folder, self._accounts) if self._accounts else (self.folder,)

    @property
    def hierarchies(self) -> tuple[tuple[str, Path], ...]:
        """Its folders by controller."""
        return tuple(zip(("freezer", "cpuacct"), self.entrances, strict=False))

    def pids(self) -> set[int]:
        """All processes in this group and below it."""
        return _pids_below(self.folder)

    def cpu_s(self) -> float:
        """User and system seconds of all that ran here.

        Whoever stands here and not in the cpuacct group of the same name is counted by its own figures: of such
        processes those are missing that came and went between two looks.
        """
        counted: set[int] = set()
        used_s = 0.0
        if self._accounts is not None:
            with contextlib.suppress(FileNotFoundError):
                used_s = int((self._accounts / "cpuacct.usage").read_text()) / 1e9
                counted = _pids_below(self._accounts)
        for process in [read_process(pid) for pid in self.pids() - counted]:
            if process:
                key = (process.pid, process.start_ticks)
                self._uncounted_s[key] = process.cpu_s + process.reaped_cpu_s
        return used_s + sum(self._uncounted_s.values())

    def is_populated(self) -> bool:
        return bool(self.pids())

    def is_frozen(self) -> bool:
        return self._state() == "FROZEN"

    def freeze(self, *, timeout_s: float) -> None:
        """Stop every process here. Raises Unavailable where the kernel does not say FROZEN in time."""
        deadline = time.monotonic() + timeout_s
        while True:
            # A task that was not ready leaves the group FREEZING: the write is what makes the kernel look again.
            (self.folder / "freezer.state").write_text("FROZEN")
            if self.is_frozen():
                return
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"{self.name} did not freeze within {timeout_s} s", remedy="kill it"
                )
            time.sleep(_LOOK_EVERY_S)

    def thaw(self) -> None:
        (self.folder / "freezer.state").write_text("THAWED")

    def kill(self, *, timeout_s: float) -> bool:
        """Kill every process here, the frozen ones too; False where some are left."""
        deadline = time.monotonic() + timeout_s
        while True:
            with contextlib.suppress(Unavailable, FileNotFoundError):
                self.freeze(timeout_s=timeout_s / 10)
            for process in [read_process(pid) for pid in self.pids()]:
                if process:
                    with contextlib.suppress(PermissionError):
                        send_signal(process.pid, process.start_ticks, signal.SIGKILL)
            with contextlib.suppress(FileNotFoundError):
                self.thaw()
            if self._is_empty_within(0.02):
                return True
            if time.monotonic() > deadline:
                return False

    def remove(self) -> None:
        """Take the empty group away in both hierarchies."""
        for entrance in self.entrances:
            for folder, _, _ in os.walk(entrance, topdown=False):
                with contextlib.suppress(OSError):  # still populated: it stays
                    Path(folder).rmdir()

    def _state(self) -> str:
        with contextlib.suppress(OSError):
            return (self.folder / "freezer.state").read_text().strip()
        return ""

    def _is_empty_within(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while self.is_populated():
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_EVERY_S)
        return True


def _pids_below(folder: Path) -> set[int]:
    found: set[int] = set()
    for place, _, files in os.walk(folder):
        if "cgroup.procs" in files:
            with contextlib.suppress(OSError):
                found.update(map(int, Path(place, "cgroup.procs").read_text().split()))
    return found
