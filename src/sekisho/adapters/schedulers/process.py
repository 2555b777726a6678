"""The process driver: a run as a process tree of this host, in a control group where the host allows one.

Below the group stands a second net: the keeper is the subreaper of all that the work forks, so a process that left
the group, or a host without groups, is still found, stopped and killed by signals.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

import msgspec

from sekisho.adapters.durable_files import create_private_folder, replace_file
from sekisho.adapters.schedulers import process_files
from sekisho.adapters.schedulers.cgroups import Cgroup, find_cgroup_home
from sekisho.adapters.schedulers.process_files import (
    Process,
    list_processes,
    read_process,
    tree_below,
)
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.model.wire import canonical, from_json, parse_json
from sekisho.ports.driver import StopMeans, Workload, WorkloadReading

__all__ = ["ProcessDriver"]

KEEPER = Path(__file__).with_name("keeper.py")
START_TIMEOUT_S = 10.0
FREEZE_TIMEOUT_S = 2.0
STOP_TIME_S = 5.0
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}")


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    """`workload.json`: what a later watchdog needs to find the work of a dead one. Pids mean nothing after a boot."""

    boot: str
    workload: Workload


class _Kept:
    """The work at hand: its keeper, its group, and what the keeper has told of it."""

    def __init__(self, keeper: subprocess.Popen[bytes], group: Cgroup | None) -> None:
        self.keeper = keeper
        self.group = group
        self.workload: Workload | None = None
        self.exit_code: int | None = None
        self.cpu_s = 0.0
        self.ended = False


class ProcessDriver:
    """Implements ports.Driver for one run at a time under `root`, a folder of this driver alone.

    `user` is the uid that the work drops to, None to keep ours. `cgroups=False` leaves only signals. The work's life
    is bound to this process's: when it ends, however it ends, the keeper kills the work. Work that runs as this same
    user could kill its keeper and its watchdog both: give it a user of its own.
    """

    name = "process"
    stop_time_s = STOP_TIME_S

    def __init__(self, root: Path, user: int | None = None, *, cgroups: bool = True) -> None:
        create_private_folder(root)
        self._root = root.resolve()
        self._user = user
        label = "sekisho-" + hashlib.sha256(os.fsencode(self._root)).hexdigest()[:12]
        self._home = find_cgroup_home(label) if cgroups else None
        self._kept: _Kept | None = None

    @property
    def workload(self) -> Workload | None:
        """The work that was started last, ended or not."""
        return self._kept.workload if self._kept else None

    def start(self, run: str, command: tuple[str, ...], environment: dict[str, str]) -> Workload:
        """Start `command` with exactly `environment`; returns once it runs.

        Raises StateConflict while earlier work runs, InvalidInput for a command that cannot be run.
        """
        if not _RUN.fullmatch(run) or not command:
            raise InvalidInput("needs a plain name and a command", path=f"run {run[:40]!r}")
        if not self.is_over():
            raise StateConflict("work is running already", remedy="end it first")
        self._kept = None
        group = self._make_group(run)
        try:
            self._kept = self._launch(run, command, environment, group)
        except _GroupRefused:
            self._kept = self._launch(run, command, environment, None)
        workload = self._kept.workload
        if workload is None:
            raise Unavailable("the work ended before it could be seen")
        # A crash before this line: the keeper sees the watchdog's end and kills what it started.
        replace_file(self._record, canonical(_Record(boot=_boot_id(), workload=workload)))
        return workload

    def read(self) -> WorkloadReading:
        """What the tree is doing; `ended` with nothing used where no work was ever started."""
        kept = self._running()
        if kept is None:
            last = self._kept
            return WorkloadReading(
                state="ended",
                processes=0,
                cpu_s=last.cpu_s if last else 0.0,
                exit_code=last.exit_code if last else None,
            )
        alive = [process for process in self._members(kept) if process.is_alive]
        strays = self._strays(kept, alive)
        kept.cpu_s = max(kept.cpu_s, self._used(kept, alive, strays))
        return WorkloadReading(
            state=self._state(kept, alive, strays),
            processes=len(alive),
            cpu_s=kept.cpu_s,
            exit_code=kept.exit_code,
        )

    def is_over(self) -> bool:
        """Whether nothing is left of the work: the cheap part of `read`, without a look at the process table."""
        return self._running() is None

    def request_checkpoint(self) -> None:
        """SIGUSR1 to the root process alone. Raises StateConflict where it is gone."""
        workload = self.workload
        if workload is None or not process_files.send_signal(
            workload.root_pid, workload.root_start_ticks, signal.SIGUSR1
        ):
            raise StateConflict("no work is running that could write a checkpoint")

    def freeze(self) -> StopMeans:
        """Stop every process in its tracks. Raises Unavailable where some cannot be stopped."""
        kept = self._running()
        if kept is None:
            return "none"
        if kept.group is None:
            self._stop_by_signals(kept)
            return "signal-stop"
        kept.group.freeze(timeout_s=FREEZE_TIMEOUT_S)
        if self._strays(kept, self._members(kept)):
            self._stop_by_signals(kept)
            return "signal-stop"
        return "cgroup-v2-freeze"

    def thaw(self) -> StopMeans:
        """Let the work go on; the means are those that had stopped it."""
        kept = self._running()
        if kept is None:
            return "none"
        stopped = [process for process in self._members(kept) if process.is_stopped]
        for process in stopped:
            process_files.send_signal(process.pid, process.start_ticks, signal.SIGCONT)
        if kept.group is None:
            return "signal-stop"
        kept.group.thaw()
        return "signal-stop" if stopped else "cgroup-v2-freeze"

    def kill(self) -> StopMeans:
        """End every process, the frozen ones too. Raises Unavailable where some outlive `stop_time_s`."""
        kept = self._running()
        if kept is None:
            return "none"
        deadline = time.monotonic() + STOP_TIME_S
        by_group = kept.group is not None and kept.group.kill(timeout_s=STOP_TIME_S / 2)
        strays = any(process.is_alive for process in self._members(kept))
        if strays or not by_group:
            left = max(deadline - time.monotonic(), 0.1)
            process_files.kill_all(lambda: self._members(kept), timeout_s=left)
        self._await_end(kept, deadline)
        return "cgroup-v2-kill" if by_group and not strays else "signal-kill"

    def reap_leftovers(self) -> tuple[str, ...]:
        """Kill what a dead watchdog left under this root and remove its groups; the names of what was found.

        Only for whoever holds the root alone, before the first start.
        """
        found = [*self._reap_groups(), *self._reap_recorded()]
        self._record.unlink(missing_ok=True)
        return tuple(found)

    def close(self) -> None:
        """Remove our group from the host. Raises StateConflict while work runs."""
        if not self.is_over():
            raise StateConflict("work is running", remedy="end it first")
        if self._home:
            self._home.remove()

    # --- starting ---------------------------------------------------------------------------

    @property
    def _record(self) -> Path:
        return self._root / "workload.json"

    def _make_group(self, run: str) -> Cgroup | None:
        if self._home is None:
            return None
        safe = (
            run
            if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", run)
            else hashlib.sha256(run.encode()).hexdigest()[:16]
        )
        try:
            return self._home.child(f"run-{safe}")
        except OSError:
            return None

    def _launch(
        self, run: str, command: tuple[str, ...], environment: dict[str, str], group: Cgroup | None
    ) -> _Kept:
        keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(KEEPER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={},
        )
        order = {
            "cgroup": str(group.folder) if group else "",
            "command": list(command),
            "environment": environment,
            "output": str(self._root / "work.log"),
            "user": self._user,
        }
        kept = _Kept(keeper, group)
        pid = _await_start(keeper, json.dumps(order).encode() + b"\n", group)
        root = read_process(pid)
        kept.workload = Workload(
            run=run,
            root_pid=pid,
            root_start_ticks=root.start_ticks if root else 0,
            cgroup=group.name if group else "",
            user=os.geteuid() if self._user is None else self._user,
        )
        return kept

    # --- looking ----------------------------------------------------------------------------

    def _members(self, kept: _Kept) -> list[Process]:
        """The union of three views: below the keeper, in the work's session, in the work's group."""
        session = kept.workload.root_pid if kept.workload else -1
        inside = kept.group.pids() if kept.group else set()
        processes = list_processes()
        found = {process.pid: process for process in tree_below(kept.keeper.pid, processes)}
        for process in processes:
            if process.session == session or process.pid in inside:
                found[process.pid] = process
        return list(found.values())

    def _strays(self, kept: _Kept, members: list[Process]) -> list[Process]:
        """Living members that are not in the group: work that runs as root can leave it."""
        inside = kept.group.pids() if kept.group else set()
        return [p for p in members if p.is_alive and p.pid not in inside]

    def _used(self, kept: _Kept, alive: list[Process], strays: list[Process]) -> float:
        """CPU seconds so far. Without a group, children that nobody waits for are missing once dead (proc(5))."""
        if kept.group is None:
            keeper = read_process(kept.keeper.pid)
            reaped = keeper.reaped_cpu_s if keeper else 0.0
            return reaped + sum(process.cpu_s + process.reaped_cpu_s for process in alive)
        outside = sum(process.cpu_s + process.reaped_cpu_s for process in strays)
        with contextlib.suppress(FileNotFoundError):
            return kept.group.cpu_s() + outside
        return outside

    def _state(
        self, kept: _Kept, alive: list[Process], strays: list[Process]
    ) -> Literal["running", "frozen"]:
        if kept.group and kept.group.is_frozen():
            return "frozen" if all(process.is_stopped for process in strays) else "running"
        return "frozen" if alive and all(process.is_stopped for process in alive) else "running"

    # --- ending -----------------------------------------------------------------------------

    def _running(self) -> _Kept | None:
        if self._kept is None:
            return None
        self._listen(self._kept)
        return None if self._kept.ended else self._kept

    def _stop_by_signals(self, kept: _Kept) -> None:
        deadline = time.monotonic() + FREEZE_TIMEOUT_S
        inside = kept.group.pids() if kept.group else set()
        process_files.stop_all(lambda: self._members(kept))
        while any(
            p.is_alive and not p.is_stopped and p.pid not in inside for p in self._members(kept)
        ):
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"some processes did not stop within {FREEZE_TIMEOUT_S} s", remedy="kill them"
                )
            time.sleep(0.001)
            process_files.stop_all(lambda: self._members(kept))

    def _await_end(self, kept: _Kept, deadline: float) -> None:
        while True:
            self._listen(kept)
            if kept.ended:
                return
            if time.monotonic() > deadline:
                left = sum(process.is_alive for process in self._members(kept))
                raise Unavailable(
                    f"{left} processes outlived {STOP_TIME_S} s",
                    remedy="they may wait for a device",
                )
            with contextlib.suppress(subprocess.TimeoutExpired):
                kept.keeper.wait(0.002)

    def _listen(self, kept: _Kept) -> None:
        """Take in what the keeper told; settle the books once it is gone."""
        if kept.ended:
            return
        gone = kept.keeper.poll() is not None
        told = kept.keeper.stdout.read() if kept.keeper.stdout else None
        for line in (told or b"").decode().splitlines():
            word, _, value = line.partition(" ")
            if word == "exited":
                kept.exit_code = int(value)
            elif word == "ended":
                kept.cpu_s = max(kept.cpu_s, float(value))
        if gone:
            self._settle(kept)

    def _settle(self, kept: _Kept) -> None:
        """The keeper is gone: by itself when nothing was left, or killed; then what is left goes now."""
        if kept.keeper.returncode != 0:
            if kept.group:
                kept.group.kill(timeout_s=STOP_TIME_S)
            process_files.kill_all(lambda: self._members(kept), timeout_s=STOP_TIME_S)
        if any(process.is_alive for process in self._members(kept)):
            return  # uninterruptible: still running, and said so, until it goes
        if kept.group:
            with contextlib.suppress(FileNotFoundError):
                kept.cpu_s = max(kept.cpu_s, kept.group.cpu_s())
            kept.group.remove()
        _close_pipes(kept.keeper)
        kept.ended = True
        self._record.unlink(missing_ok=True)

    # --- leftovers --------------------------------------------------------------------------

    def _reap_groups(self) -> list[str]:
        found = []
        for group in self._home.children() if self._home else []:
            if group.is_populated():
                found.append(group.name)
                group.kill(timeout_s=STOP_TIME_S)
            group.remove()
        return found

    def _reap_recorded(self) -> list[str]:
        """Where there was no group: the recorded root, its tree and its session, if the boot is the same."""
        try:
            record = from_json(
                _Record, parse_json(self._record.read_bytes(), path=str(self._record))
            )
        except FileNotFoundError:
            return []
        except InvalidInput:
            return [
                "workload.json was unreadable"
            ]  # a hint only: groups and keepers do not need it
        work = record.workload
        root = read_process(work.root_pid)
        if record.boot != _boot_id() or (root and root.start_ticks != work.root_start_ticks):
            return []
        if not any(process.is_alive for process in _recorded_members(work)):
            return []
        process_files.kill_all(lambda: _recorded_members(work), timeout_s=STOP_TIME_S)
        return [f"run {work.run}"]


class _GroupRefused(Exception):
    pass


def _await_start(keeper: subprocess.Popen[bytes], order: bytes, group: Cgroup | None) -> int:
    """Hand over the order and wait for the pid. Raises _GroupRefused, InvalidInput or Unavailable."""
    if keeper.stdin is None or keeper.stdout is None:
        raise Unavailable("the keeper has no pipes")
    try:
        keeper.stdin.write(order)
        keeper.stdin.flush()
        ready, _, _ = select.select([keeper.stdout], [], [], START_TIMEOUT_S)
        line = keeper.stdout.readline().decode() if ready else ""
    except OSError:
        line = ""
    word, _, rest = line.strip().partition(" ")
    if word == "started":
        os.set_blocking(keeper.stdout.fileno(), False)  # the os module's own signature
        return int(rest)
    keeper.kill()
    keeper.wait()
    _close_pipes(keeper)
    if group:
        group.kill(timeout_s=STOP_TIME_S)
        group.remove()
    if rest.startswith("cgroup:"):
        raise _GroupRefused
    if word == "refused":
        raise InvalidInput(f"the command cannot be run: {rest}", path="command")
    raise Unavailable("the keeper did not start the work")


def _close_pipes(keeper: subprocess.Popen[bytes]) -> None:
    for pipe in (keeper.stdin, keeper.stdout):
        if pipe:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def _recorded_members(work: Workload) -> list[Process]:
    processes = list_processes()
    found = {p.pid: p for p in tree_below(work.root_pid, processes)}
    found.update({p.pid: p for p in processes if work.root_pid in (p.pid, p.session)})
    return list(found.values())


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
