"""What an agent and its watchdog cost a host: processor time over a window, and memory in use at its end.

Two hosts at once: one enrolled and licensed whose agent has nothing to run, and one whose canary learns under a lease.
"""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
from regime import IDLE_HOST, WORKING_HOST, watchdog_pid

from sekisho.adapters.processes import ChildProcess
from sekisho.rehearsal.scene import Scene

__all__ = ["Cost", "measure_costs"]

SETTLE_S = 1.0  # what happens at a start is no rest


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """One process over the window: its share of a core in per cent, its resident memory in MB (10^6 bytes)."""

    cpu_percent: float
    rss_mb: float


def measure_costs(
    scene: Scene, idle: ChildProcess, working: ChildProcess, window_s: float
) -> dict[str, Cost]:
    """By `agent at rest`, `watchdog at rest`, `agent with work`, `watchdog with work`."""
    pids = {
        "agent at rest": idle.pid,
        "watchdog at rest": watchdog_pid(scene, IDLE_HOST),
        "agent with work": working.pid,
        "watchdog with work": watchdog_pid(scene, WORKING_HOST),
    }
    time.sleep(SETTLE_S)
    began, before = time.monotonic(), {name: _used_s(pid) for name, pid in pids.items()}
    time.sleep(window_s)
    after, took = {name: _used_s(pid) for name, pid in pids.items()}, time.monotonic() - began
    return {
        name: Cost(cpu_percent=100 * (after[name] - before[name]) / took, rss_mb=_resident_mb(pid))
        for name, pid in pids.items()
    }


def _used_s(pid: int) -> float:
    """Seconds on a processor so far, of all threads that live, to the nanosecond (proc/PID/schedstat, first field).

    /proc/PID/stat counts in ticks of 10 ms: an agent at rest may use less than one in the whole window.
    """
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def _resident_mb(pid: int) -> float:
    """VmRSS of proc_pid_status(5), pages shared with other processes included."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key == "VmRSS":
            return int(value.split()[0]) * 1024 / 1e6
    raise RuntimeError(f"process {pid} has ended")
