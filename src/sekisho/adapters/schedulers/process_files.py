"""What /proc says about processes, and signals that reach exactly the process that was meant.

Standard library only: `keeper.py` runs it without the package around it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

__all__ = ["Process", "kill_all", "list_processes", "read_process", "send_signal", "tree_below"]

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_DEAD = "ZXx"


class Process(NamedTuple):
    """One row of /proc: `start_ticks` tells it from a later process that got the same pid.

    `cpu_s` is its own user + system time, `reaped_cpu_s` that of the children it has waited for.
    """

    pid: int
    parent: int
    session: int
    state: str
    start_ticks: int
    cpu_s: float
    reaped_cpu_s: float

    @property
    def is_alive(self) -> bool:
        return self.state not in _DEAD

    @property
    def is_stopped(self) -> bool:
        return self.state in "Tt"


def read_process(pid: int) -> Process | None:
    """The process now behind `pid`, or None where there is none (proc(5), /proc/PID/stat)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123  # pathlib costs the keeper its quick start
            text = file.read(4096)
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command's name may hold spaces and brackets: fields are counted after the last bracket.
    fields = text[text.rindex(b")") + 2 :].split()
    return Process(
        pid=pid,
        parent=int(fields[1]),
        session=int(fields[3]),
        state=fields[0].decode(),
        start_ticks=int(fields[19]),
        cpu_s=(int(fields[11]) + int(fields[12])) / TICKS_PER_S,
        reaped_cpu_s=(int(fields[13]) + int(fields[14])) / TICKS_PER_S,
    )


def list_processes() -> list[Process]:
    """All processes that this process may see, the vanishing ones left out."""
    found = (read_process(int(name)) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208  # as above
    return [process for process in found if process]


def tree_below(pid: int, processes: Iterable[Process]) -> list[Process]:
    """All descendants of `pid`, itself left out."""
    children: dict[int, list[Process]] = {}
    for process in processes:
        children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    pending = [pid]
    while pending:
        below = children.pop(pending.pop(), [])
        found += below
        pending += [process.pid for process in below]
    return found


def send_signal(pid: int, start_ticks: int, number: int) -> bool:
    """Signal the process that had `pid` at `start_ticks`, never a later one; False where it is gone.

    The handle is taken first and checked after: from then on the pid cannot change its owner under us (pidfd_open(2),
    Linux 5.3; where it is refused, check and signal follow each other as closely as may be).
    """
    handle = _open_handle(pid)
    try:
        process = read_process(pid)
        if process is None or process.start_ticks != start_ticks or not process.is_alive:
            return False
        if handle is None:
            os.kill(pid, number)
        else:
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return False
    finally:
        if handle is not None:
            os.close(handle)
    return True


def _open_handle(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def kill_all(members: Callable[[], list[Process]], *, timeout_s: float) -> bool:
    """Stop every member so that none can fork past us, kill them, and wait; False where some do not go."""
    deadline = time.monotonic() + timeout_s
    while True:
        stop_all(members)
        for process in members():
            with contextlib.suppress(PermissionError):
                send_signal(process.pid, process.start_ticks, signal.SIGKILL)
        if not any(process.is_alive for process in members()):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)


def stop_all(members: Callable[[], list[Process]], *, rounds: int = 50) -> bool:
    """SIGSTOP all members until two looks in a row find nobody new; False where that does not settle."""
    seen: set[tuple[int, int]] = set()
    for _ in range(rounds):
        found = {(p.pid, p.start_ticks) for p in members() if p.is_alive}
        new = found - seen
        if not new:
            return True
        for pid, start_ticks in new:
            with contextlib.suppress(PermissionError):
                send_signal(pid, start_ticks, signal.SIGSTOP)
        seen |= found
    return False
