"""The process driver: a run as a process tree of this host, in a control group where the host allows one.

Below the group stands a second net: the keeper is the subreaper of all that the work forks, so a process that left
the group, or a host without groups, is still found, stopped and killed by signals.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Literal

import msgspec

from sekisho.adapters.durable_files import create_private_folder
from sekisho.adapters.schedulers import process_files
from sekisho.adapters.schedulers.cgroups import Cgroup, find_cgroup_home
from sekisho.adapters.schedulers.launching import (
    GroupRefused,
    KeptWork,
    Order,
    forget_work,
    launch,
    reap_recorded,
    record_work,
)
from sekisho.adapters.schedulers.process_files import (
    Process,
    list_processes,
    read_process,
    tree_below,
)
from sekisho.adapters.schedulers.throttle import GroupThrottle, Slowed
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.ports.driver import CapMeans, StopMeans, Workload, WorkloadReading

__all__ = ["ProcessDriver"]

FREEZE_TIMEOUT_S = 2.0
MOMENT_S = 0.2  # how long a turn of a cap waits for processes that do not stop at once
STOP_TIME_S = 5.0
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}")


class ProcessDriver:
    """Implements ports.Driver for one run at a time under `root`, a folder of this driver alone.

    `user` is the uid that the work drops to, None to keep ours. `cgroups=False` leaves only signals. The work's life
    is bound to this process's: when it ends, however it ends, the keeper kills the work. Work that runs as this same
    user could kill its keeper and its watchdog both: give it a user of its own.
    """

    name = "process"
    stop_time_s = STOP_TIME_S

    def __init__(  # each says where the work stands
        self,
        root: Path,
        user: int | None = None,
        *,
        cgroups: bool = True,
        home: Cgroup | None = None,
        enter: tuple[Path, ...] = (),
    ) -> None:
        """`home` is the group to make the work's group in, in place of one of our own; `enter` are joined besides."""
        create_private_folder(root)
        self._root = root.resolve()
        self._user = user
        self._enter = enter
        label = "sekisho-" + hashlib.sha256(os.fsencode(self._root)).hexdigest()[:12]
        self._home = home or (find_cgroup_home(label) if cgroups else None)
        self._owns_home = home is None
        self._kept: KeptWork | None = None
        self._throttle = GroupThrottle(
            Slowed(folder=self._folder, pids=self._pids, halt=self._halt, let_go=self._let_go),
            f"{label}-cap",
        )

    @property
    def workload(self) -> Workload | None:
        """The work that was started last, ended or not."""
        return self._kept.workload if self._kept else None

    def start(self, run: str, command: tuple[str, ...], environment: dict[str, str]) -> Workload:
        """Start `command` with exactly `environment`; returns once it runs.

        A cap that stands holds for it too. Raises StateConflict while earlier work runs, InvalidInput for a command
        that cannot be run.
        """
        if not _RUN.fullmatch(run) or not command:
            raise InvalidInput("needs a plain name and a command", path=f"run {run[:40]!r}")
        if not self.is_over():
            raise StateConflict("work is running already", remedy="end it first")
        share_ppm = self._throttle.share_ppm
        self._throttle.end()  # it was of the work before
        self._kept = None
        order = Order(
            command=command,
            environment=environment,
            output=self._root / "work.log",
            user=self._user,
            group=self._make_group(run),
            enter=self._enter,
        )
        try:
            self._kept = launch(run, order)
        except GroupRefused:
            self._kept = launch(run, msgspec.structs.replace(order, group=None))
        self._throttle.cap(share_ppm)
        workload = self._kept.workload
        if workload is None:
            raise Unavailable("the work ended before it could be seen")
        record_work(self._root, workload)
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
        self._throttle.tighten()
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
        self._throttle.hold()
        return self._stop(kept, FREEZE_TIMEOUT_S)

    def thaw(self) -> StopMeans:
        """Let the work go on; the means are those that had stopped it."""
        kept = self._running()
        if kept is None:
            return "none"
        means = self._wake(kept)
        self._throttle.release()
        return means

    def cap(self, share_ppm: int) -> CapMeans:
        """Implements ports.Throttle; without work the cap waits for the next start, and says `none` until then."""
        return self._throttle.cap(share_ppm)

    def _stop(self, kept: KeptWork, timeout_s: float) -> StopMeans:
        if kept.group is None:
            self._stop_by_signals(kept, timeout_s)
            return "signal-stop"
        kept.group.freeze(timeout_s=timeout_s)
        if self._strays(kept, self._members(kept)):
            self._stop_by_signals(kept, timeout_s)
            return "signal-stop"
        return "cgroup-v2-freeze"

    def _wake(self, kept: KeptWork) -> StopMeans:
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
        self._throttle.hold()
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
        groups = self._reap_groups() if self._owns_home else []
        found = [*groups, *reap_recorded(self._root, STOP_TIME_S)]
        forget_work(self._root)
        return tuple(found)

    def close(self) -> None:
        """Remove our group from the host. Raises StateConflict while work runs."""
        if not self.is_over():
            raise StateConflict("work is running", remedy="end it first")
        self._throttle.end()
        if self._home and self._owns_home:
            self._home.remove()

    # --- capping ----------------------------------------------------------------------------

    def _folder(self) -> Path | None:
        return self._kept.group.folder if self._kept and self._kept.group else None

    def _pids(self) -> set[int]:
        if self._kept is None or self._kept.ended:
            return set()
        return {process.pid for process in self._members(self._kept) if process.is_alive}

    def _halt(self) -> None:
        if self._kept and not self._kept.ended:  # an ended work's numbers may be somebody else's
            self._stop(self._kept, MOMENT_S)

    def _let_go(self) -> None:
        if self._kept and not self._kept.ended:
            self._wake(self._kept)

    # --- starting ---------------------------------------------------------------------------

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

    # --- looking ----------------------------------------------------------------------------

    def _members(self, kept: KeptWork) -> list[Process]:
        """The union of three views: below the keeper, in the work's session, in the work's group."""
        session = kept.workload.root_pid if kept.workload else -1
        inside = kept.group.pids() if kept.group else set()
        processes = list_processes()
        found = {process.pid: process for process in tree_below(kept.keeper.pid, processes)}
        for process in processes:
            if process.session == session or process.pid in inside:
                found[process.pid] = process
        return list(found.values())

    def _strays(self, kept: KeptWork, members: list[Process]) -> list[Process]:
        """Living members that are not in the group: work that runs as root can leave it."""
        inside = kept.group.pids() if kept.group else set()
        return [p for p in members if p.is_alive and p.pid not in inside]

    def _used(self, kept: KeptWork, alive: list[Process], strays: list[Process]) -> float:
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
        self, kept: KeptWork, alive: list[Process], strays: list[Process]
    ) -> Literal["running", "frozen"]:
        if self._throttle.is_cycling:
            return "running"  # stopped for a moment of a cap, not by anybody's word
        if kept.group and kept.group.is_frozen():
            return "frozen" if all(process.is_stopped for process in strays) else "running"
        return "frozen" if alive and all(process.is_stopped for process in alive) else "running"

    # --- ending -----------------------------------------------------------------------------

    def _running(self) -> KeptWork | None:
        if self._kept is None:
            return None
        self._listen(self._kept)
        return None if self._kept.ended else self._kept

    def _stop_by_signals(self, kept: KeptWork, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        inside = kept.group.pids() if kept.group else set()
        process_files.stop_all(lambda: self._members(kept))
        while any(
            p.is_alive and not p.is_stopped and p.pid not in inside for p in self._members(kept)
        ):
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"some processes did not stop within {timeout_s} s", remedy="kill them"
                )
            time.sleep(0.001)
            process_files.stop_all(lambda: self._members(kept))

    def _await_end(self, kept: KeptWork, deadline: float) -> None:
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

    def _listen(self, kept: KeptWork) -> None:
        """Take in what the keeper told; settle the books once it is gone."""
        if kept.ended:
            return
        gone = kept.keeper.poll() is not None
        kept.hear()
        if gone:
            self._settle(kept)

    def _settle(self, kept: KeptWork) -> None:
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
        kept.close_pipes()
        kept.ended = True
        forget_work(self._root)

    # --- leftovers --------------------------------------------------------------------------

    def _reap_groups(self) -> list[str]:
        found = []
        for group in self._home.children() if self._home else []:
            if group.is_populated():
                found.append(group.name)
                group.kill(timeout_s=STOP_TIME_S)
            group.remove()
        return found
