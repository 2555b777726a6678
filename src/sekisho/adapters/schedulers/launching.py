"""Bringing a work to life through its keeper, and finding what a dead watchdog's keeper left."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import select
import subprocess
import sys
from pathlib import Path

import msgspec

from sekisho.adapters.durable_files import replace_file
from sekisho.adapters.schedulers import process_files
from sekisho.adapters.schedulers.cgroups import Cgroup
from sekisho.adapters.schedulers.process_files import (
    Process,
    list_processes,
    read_process,
    tree_below,
)
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.model.wire import canonical, from_json, parse_json
from sekisho.ports.driver import Workload

__all__ = [
    "GroupRefused",
    "KeptWork",
    "Order",
    "forget_work",
    "launch",
    "reap_recorded",
    "record_work",
]

KEEPER = Path(__file__).with_name("keeper.py")
START_TIMEOUT_S = 10.0
_RECORD = "workload.json"


class GroupRefused(Exception):
    """The host does not let the work into its control group."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a keeper is told: the command, its environment, its user, and the groups to enter.

    `cgroup` is the work's own group, killed with the work; `enter` are further groups that it only joins.
    """

    command: tuple[str, ...]
    environment: dict[str, str]
    output: Path
    user: int | None = None
    group: Cgroup | None = None
    enter: tuple[Path, ...] = ()

    def line(self) -> bytes:
        row = {
            "cgroup": str(self.group.folder) if self.group else "",
            "enter": [str(folder) for folder in self.enter],
            "command": list(self.command),
            "environment": self.environment,
            "output": str(self.output),
            "user": self.user,
            "gid": _group_of(self.user),
        }
        return json.dumps(row).encode() + b"\n"


class KeptWork:
    """The work at hand: its keeper, its group, and what the keeper has told of it."""

    def __init__(self, keeper: subprocess.Popen[bytes], group: Cgroup | None) -> None:
        self.keeper = keeper
        self.group = group
        self.workload: Workload | None = None
        self.exit_code: int | None = None
        self.cpu_s = 0.0
        self.ended = False

    def hear(self) -> None:
        """Take in what the keeper told since."""
        told = self.keeper.stdout.read() if self.keeper.stdout else None
        for line in (told or b"").decode().splitlines():
            word, _, value = line.partition(" ")
            if word == "exited":
                self.exit_code = int(value)
            elif word == "ended":
                self.cpu_s = max(self.cpu_s, float(value))

    def close_pipes(self) -> None:
        for pipe in (self.keeper.stdin, self.keeper.stdout):
            if pipe:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    """`workload.json`: what a later watchdog needs to find the work of a dead one. Pids mean nothing after a boot."""

    boot: str
    workload: Workload


def launch(run: str, order: Order) -> KeptWork:
    """Start a keeper, and by it the command; returns once that runs.

    Raises GroupRefused, InvalidInput for a command that cannot be run, Unavailable.
    """
    keeper = subprocess.Popen(
        [sys.executable, "-I", "-S", str(KEEPER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        env={},
    )
    kept = KeptWork(keeper, order.group)
    pid = _await_start(kept, order.line())
    root = read_process(pid)
    kept.workload = Workload(
        run=run,
        root_pid=pid,
        root_start_ticks=root.start_ticks if root else 0,
        cgroup=order.group.name if order.group else "",
        user=os.geteuid() if order.user is None else order.user,
    )
    return kept


def record_work(folder: Path, workload: Workload) -> None:
    """Note the work durably. Crash before this: the keeper sees the watchdog's end and kills what it started."""
    replace_file(folder / _RECORD, canonical(_Record(boot=_boot_id(), workload=workload)))


def forget_work(folder: Path) -> None:
    """The work is over, or was reaped."""
    (folder / _RECORD).unlink(missing_ok=True)


def reap_recorded(folder: Path, timeout_s: float) -> list[str]:
    """Where there was no group: kill the recorded root, its tree and its session, if the boot is the same."""
    path = folder / _RECORD
    try:
        record = from_json(_Record, parse_json(path.read_bytes(), path=str(path)))
    except FileNotFoundError:
        return []
    except InvalidInput:
        return ["workload.json was unreadable"]  # a hint only: groups and keepers do not need it
    work = record.workload
    root = read_process(work.root_pid)
    if record.boot != _boot_id() or (root and root.start_ticks != work.root_start_ticks):
        return []
    if not any(process.is_alive for process in _recorded_members(work)):
        return []
    process_files.kill_all(lambda: _recorded_members(work), timeout_s=timeout_s)
    return [f"run {work.run}"]


def _await_start(kept: KeptWork, order: bytes) -> int:
    """Hand over the order and wait for the pid."""
    keeper = kept.keeper
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
    _give_up(kept)
    if rest.startswith("cgroup:"):
        raise GroupRefused
    if word == "refused":
        raise InvalidInput(f"the command cannot be run: {rest}", path="command")
    raise Unavailable("the keeper did not start the work")


def _give_up(kept: KeptWork) -> None:
    kept.keeper.kill()
    kept.keeper.wait()
    kept.close_pipes()
    if kept.group:
        kept.group.kill(timeout_s=START_TIMEOUT_S / 2)
        kept.group.remove()


def _group_of(user: int | None) -> int | None:
    """The user's own group; the number of the user where nobody is known by it, as containers have it."""
    if user is None:
        return None
    try:
        return pwd.getpwuid(user).pw_gid
    except KeyError:
        return user


def _recorded_members(work: Workload) -> list[Process]:
    processes = list_processes()
    found = {p.pid: p for p in tree_below(work.root_pid, processes)}
    found.update({p.pid: p for p in processes if work.root_pid in (p.pid, p.session)})
    return list(found.values())


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
