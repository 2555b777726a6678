"""The cgroup driver: whatever runs in one control group of this host, whoever started it.

The group stands already (a slice, a scope, a container's group) or is made for the run. Freeze, kill and the count of
processor time are the kernel's own, by version 2 where the group stands there, else by version 1's freezer and cpuacct.
A process that was seen in the group and is found outside it later is still held, with all that it forked: only work
that runs as root, or that an administrator moves, can get there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from sekisho.adapters.durable_files import create_private_folder
from sekisho.adapters.schedulers import process_files
from sekisho.adapters.schedulers.cgroups import Cgroup, find_cgroup_mount
from sekisho.adapters.schedulers.cgroups_v1 import FreezerGroup
from sekisho.adapters.schedulers.process import STOP_TIME_S, ProcessDriver
from sekisho.adapters.schedulers.process_files import (
    Process,
    list_processes,
    read_process,
    tree_below,
)
from sekisho.adapters.schedulers.throttle import GroupThrottle, Slowed
from sekisho.adapters.schedulers.ways_out import WaysOut
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.ports.driver import CapMeans, StopMeans, Workload, WorkloadReading
from sekisho.ports.driver_settings import CgroupSettings

__all__ = ["CgroupDriver", "find_group"]

SENTRY = Path(__file__).with_name("sentry.py")
FREEZE_TIMEOUT_S = 2.0
MOMENT_S = 0.2
ADOPTED = "adopted"
"""The run that work is called by which others have started: the agent knows which licence it falls under."""

Group = Cgroup | FreezerGroup


class CgroupDriver:
    """Implements ports.HeldDriver and ports.Throttle for one group; its own files lie in `root`.

    `user` is the uid that work started here drops to. When this process dies, a sentry freezes the group, or kills
    it where the settings say so; work that was started here dies with its keeper besides.
    """

    name = "cgroup"
    stop_time_s = STOP_TIME_S

    def __init__(self, root: Path, settings: CgroupSettings, user: int | None = None) -> None:
        """Raises InvalidInput for a group that is not there, is the root or holds this process; Unavailable."""
        create_private_folder(root)
        self._settings = settings
        self._group = find_group(settings)
        self._ways_out = WaysOut(self._group.hierarchies)
        self._is_barred = False  # somebody put us into the group, and we cannot leave
        self._seen: dict[tuple[int, int], Process] = {}
        self._cpu_s = 0.0
        self._stray_cpu_s: dict[tuple[int, int], float] = {}
        self._origin_s = 0.0
        self._lock = (
            threading.RLock()
        )  # a cap's turns look at the processes from a thread of their own
        self._refuse_own()
        self._own = ProcessDriver(
            root,
            user,
            cgroups=False,
            home=self._group if isinstance(self._group, Cgroup) else None,
            enter=() if isinstance(self._group, Cgroup) else self._group.entrances,
        )
        label = "sekisho-" + hashlib.sha256(settings.group.encode()).hexdigest()[:12]
        self._throttle = GroupThrottle(
            Slowed(folder=self._folder, pids=self._pids, halt=self._halt, let_go=self._let_go),
            f"{label}-cap",
        )
        self._throttle.recover()
        self._sentry = self._post_sentry()

    # --- work -------------------------------------------------------------------------------

    @property
    def workload(self) -> Workload | None:
        """What was started here while it runs, else the eldest process of the group."""
        if not self._own.is_over():
            return self._own.workload
        alive = sorted(self._members(), key=lambda process: (process.start_ticks, process.pid))
        if not alive:
            return self._own.workload
        eldest = alive[0]
        return Workload(
            run=ADOPTED,
            root_pid=eldest.pid,
            root_start_ticks=eldest.start_ticks,
            cgroup=self._group.name,
            user=_user_of(eldest.pid),
        )

    def start(self, run: str, command: tuple[str, ...], environment: dict[str, str]) -> Workload:
        """Start `command` in the group. Raises StateConflict while anything runs there, InvalidInput."""
        if not self.is_over():
            raise StateConflict("work is running in the group already", remedy="end it first")
        self._forget()
        return self._own.start(run, command, environment)

    def read(self) -> WorkloadReading:
        """What the group is doing; its count is over all that ran there since the last start of ours, or ever."""
        self._keep_sentry()
        self._throttle.tighten()
        alive = self._members()
        own = self._own.read()
        inside = self._inside()
        self._count(alive, inside)
        is_over = not alive and own.state == "ended"
        return WorkloadReading(
            state="ended" if is_over else self._state(alive, inside),
            processes=len(alive),
            cpu_s=self._cpu_s,
            exit_code=own.exit_code,
        )

    def is_over(self) -> bool:
        """Whether nothing runs in the group, and nothing that was seen there runs elsewhere."""
        return not self._members() and self._own.is_over()  # its keeper still has its end to tell

    def request_checkpoint(self) -> None:
        """SIGUSR1 to what was started here; of other work to those that handle it and whose parent is not inside.

        Raises StateConflict where nobody listens: the signal would kill whoever does not handle it.
        """
        if not self._own.is_over():
            self._own.request_checkpoint()
            return
        inside = self._inside()
        heads = [p for p in self._members() if p.parent not in inside and _handles(p.pid)]
        told = [process_files.send_signal(p.pid, p.start_ticks, signal.SIGUSR1) for p in heads]
        if not any(told):
            raise StateConflict("nothing in the group listens for a checkpoint signal")

    # --- stopping ---------------------------------------------------------------------------

    def freeze(self) -> StopMeans:
        """Stop all of it. Raises Unavailable where some cannot be stopped."""
        if self.is_over():
            return "none"
        self._throttle.hold()
        return self._stop(FREEZE_TIMEOUT_S)

    def thaw(self) -> StopMeans:
        """Let it go on; the means are those that had stopped it."""
        if self.is_over():
            return "none"
        means = self._wake()
        self._throttle.release()
        return means

    def kill(self) -> StopMeans:
        """End all of it, the frozen too. Raises Unavailable where some outlive `stop_time_s`."""
        if self.is_over():
            return "none"
        self._throttle.hold()
        by_group = self._step_aside() and self._group.kill(timeout_s=STOP_TIME_S / 2)
        strays = any(process.is_alive for process in self._strays())
        if strays or not by_group:
            process_files.kill_all(self._members, timeout_s=STOP_TIME_S / 2)
        self._own.kill()
        left = len(self._members())
        if left:
            raise Unavailable(
                f"{left} processes outlived {STOP_TIME_S} s", remedy="they may wait for a device"
            )
        self._ease()
        return self._group.kill_means if by_group and not strays else "signal-kill"

    def cap(self, share_ppm: int) -> CapMeans:
        """Implements ports.Throttle."""
        return self._throttle.cap(share_ppm)

    def reap_leftovers(self) -> tuple[str, ...]:
        """What others started stays, and is frozen until there is a permit; what a dead watchdog started is killed."""
        return self._own.reap_leftovers()

    def close(self) -> None:
        """Leave the group as it stands; one that was made for the run goes when it is empty."""
        self._dismiss_sentry()
        self._throttle.end()
        with contextlib.suppress(StateConflict):  # work that we leave frozen
            self._own.close()
        if self._settings.make and self.is_over():
            self._group.remove()

    # --- within -----------------------------------------------------------------------------

    def _members(self) -> list[Process]:
        """Whoever lives in the group, and whoever was seen there and lives elsewhere, with what it forked."""
        with self._lock:
            inside = self._inside()
            found = {(p.pid, p.start_ticks): p for p in self._living(inside)}
            self._seen = {key: p for key, p in self._seen.items() if _is_still(p)} | found
            return [*found.values(), *self._find_strays(inside)]

    def _strays(self) -> list[Process]:
        with self._lock:
            return self._find_strays(self._inside())

    def _inside(self) -> set[int]:
        """Who is in the group, ourselves and our sentry left out: whoever put us there has made us no work."""
        return self._group.pids() - self._own_pids()

    def _own_pids(self) -> set[int]:
        return {os.getpid(), self._sentry.pid} if hasattr(self, "_sentry") else {os.getpid()}

    def _find_strays(self, inside: set[int]) -> list[Process]:
        gone = [p for p in self._seen.values() if p.pid not in inside and _is_still(p)]
        if not gone:
            return []
        processes, own = list_processes(), self._own_pids()
        found: dict[int, Process] = {}
        for process in gone:
            for member in (read_process(process.pid), *tree_below(process.pid, processes)):
                if member and member.is_alive and member.pid not in inside | own:
                    found[member.pid] = member
        self._seen |= {(p.pid, p.start_ticks): p for p in found.values()}
        return list(found.values())

    @staticmethod
    def _living(pids: set[int]) -> list[Process]:
        return [p for pid in pids if (p := read_process(pid)) is not None and p.is_alive]

    def _state(self, alive: list[Process], inside: set[int]) -> Literal["running", "frozen"]:
        if self._throttle.is_cycling:
            return "running"  # stopped for a moment of a cap, not by anybody's word
        by_signal = alive if self._is_barred else [p for p in alive if p.pid not in inside]
        held = self._group.is_frozen() or not inside or self._is_barred
        return "frozen" if alive and held and all(p.is_stopped for p in by_signal) else "running"

    def _count(self, alive: list[Process], inside: set[int]) -> None:
        """Never less than before: a group that was removed takes its count with it, and strays end uncounted."""
        for process in alive:
            if process.pid not in inside:
                key = (process.pid, process.start_ticks)
                self._stray_cpu_s[key] = process.cpu_s + process.reaped_cpu_s
        with contextlib.suppress(OSError):
            used_s = self._group.cpu_s() + sum(self._stray_cpu_s.values()) - self._origin_s
            self._cpu_s = max(self._cpu_s, used_s)

    def _stop(self, timeout_s: float) -> StopMeans:
        if not self._step_aside():
            return self._stop_by_signal(self._members, timeout_s)
        self._group.freeze(timeout_s=timeout_s)
        if not self._strays():
            return self._group.freeze_means
        return self._stop_by_signal(self._strays, timeout_s)

    @staticmethod
    def _stop_by_signal(members: Callable[[], list[Process]], timeout_s: float) -> StopMeans:
        """Returns once all are seen stopped: one that runs on another processor takes the signal a moment later."""
        process_files.stop_all(members)
        deadline = time.monotonic() + timeout_s
        while any(not process.is_stopped for process in members()):
            if time.monotonic() > deadline:
                raise Unavailable(f"some did not stop within {timeout_s} s", remedy="kill them")
            time.sleep(0.002)
        return "signal-stop"

    def _wake(self) -> StopMeans:
        ours = self._members() if self._is_barred else self._strays()
        stopped = [p for p in ours if p.is_stopped]
        for process in stopped:
            process_files.send_signal(process.pid, process.start_ticks, signal.SIGCONT)
        self._group.thaw()
        return "signal-stop" if stopped else self._group.freeze_means

    def _ease(self) -> None:
        """An empty group that stays frozen would stop whoever comes next without anybody's word."""
        with contextlib.suppress(OSError):
            self._group.thaw()
        self._throttle.release()

    def _forget(self) -> None:
        """What is started here is counted from here: the kernel's own count goes on over all that ever ran."""
        self._ease()
        with self._lock:
            self._seen.clear()
        self._stray_cpu_s.clear()
        self._cpu_s, self._origin_s = 0.0, self._group.cpu_s()

    def _folder(self) -> Path | None:
        return self._group.folder if isinstance(self._group, Cgroup) else None

    def _pids(self) -> set[int]:
        return {process.pid for process in self._members()}

    def _halt(self) -> None:
        self._stop(MOMENT_S)

    def _let_go(self) -> None:
        self._wake()

    def _refuse_own(self) -> None:
        inside = self._group.pids()
        if inside & {os.getpid(), os.getppid() or os.getpid(), 1}:
            raise InvalidInput(
                "holds this watchdog, who started it, or the host's first process: it would freeze them",
                path=f"cgroup.group {self._group.name}",
                remedy="name a group of the work alone",
            )

    def _step_aside(self) -> bool:
        """Whether none of us is in the group: a freeze would stop the one that must thaw it, a kill end it.

        Whoever put us there since may have barred the ways out as well. The work is then stopped process by process.
        """
        for pid in self._own_pids() & self._group.pids():
            self._ways_out.let_out(pid)
        self._is_barred = not self._own_pids().isdisjoint(self._group.pids())
        return not self._is_barred

    # --- the sentry -------------------------------------------------------------------------

    def _post_sentry(self) -> subprocess.Popen[bytes]:
        sentry = subprocess.Popen(
            [sys.executable, "-I", "-S", str(SENTRY)],
            stdin=subprocess.PIPE,
            # It says nothing, and must not hold open what somebody reads of a watchdog that detaches.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={},
        )
        order = {
            "group": str(self._group.folder),
            "version": "v2" if isinstance(self._group, Cgroup) else "v1",
            "then": self._settings.at_end,
        }
        if sentry.stdin is None:
            raise Unavailable("the sentry has no pipe")
        sentry.stdin.write(json.dumps(order).encode() + b"\n")
        sentry.stdin.flush()
        return sentry

    def _keep_sentry(self) -> None:
        if self._sentry.poll() is not None:
            self._close_pipe()
            self._sentry = self._post_sentry()

    def _dismiss_sentry(self) -> None:
        with contextlib.suppress(OSError):
            if self._sentry.stdin:
                self._sentry.stdin.write(b"leave\n")
                self._sentry.stdin.flush()
        self._close_pipe()
        self._sentry.wait(STOP_TIME_S)

    def _close_pipe(self) -> None:
        if self._sentry.stdin:
            with contextlib.suppress(OSError):
                self._sentry.stdin.close()


def find_group(settings: CgroupSettings) -> Group:
    """The group of the settings, made where they say so.

    Raises InvalidInput where it is not there, Unavailable where this host has no such hierarchy or refuses.
    """
    if settings.version != "v1":
        found = _find_v2(settings.group, make=settings.make)
        if found:
            return found
    if settings.version != "v2":
        older = _find_v1(settings.group, make=settings.make)
        if older:
            return older
    raise InvalidInput(
        "does not stand in a hierarchy that we may freeze",
        path=f"cgroup.group {settings.group}",
        remedy='start what makes it first, or say "make": true',
    )


def _find_v2(name: str, *, make: bool) -> Cgroup | None:
    mount = find_cgroup_mount()
    if mount is None:
        return None
    folder = _made(mount / name.lstrip("/"), make=make)
    usable = all(os.access(folder / file, os.W_OK) for file in ("cgroup.freeze", "cgroup.procs"))
    return Cgroup(folder, name) if usable else None


def _find_v1(name: str, *, make: bool) -> FreezerGroup | None:
    mount = find_cgroup_mount("freezer")
    if mount is None:
        return None
    folder = _made(mount / name.lstrip("/"), make=make)
    if not os.access(folder / "freezer.state", os.W_OK):
        return None
    accounts = find_cgroup_mount("cpuacct")
    beside = _made(accounts / name.lstrip("/"), make=make) if accounts else None
    return FreezerGroup(folder, name, beside if beside and beside.is_dir() else None)


def _made(folder: Path, *, make: bool) -> Path:
    if make:
        with contextlib.suppress(OSError):  # a host that refuses is found out by what is missing
            folder.mkdir(parents=True, exist_ok=True)
    return folder


def _is_still(process: Process) -> bool:
    now = read_process(process.pid)
    return now is not None and now.is_alive and now.start_ticks == process.start_ticks


def _user_of(pid: int) -> int:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}").stat().st_uid
    return 0


def _handles(pid: int) -> bool:
    """Whether a process has a handler of its own for SIGUSR1 (proc_pid_status(5), SigCgt)."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) >> (signal.SIGUSR1 - 1) & 1)
    return False
