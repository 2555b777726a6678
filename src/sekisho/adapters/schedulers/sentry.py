"""The process that stops a group when its watchdog is gone, where the watchdog did not start the work itself.

Run by path with `python -I -S`, like the keeper. Order of work:

1. Read one JSON line from standard input: the group's folder, `v1` or `v2`, and `freeze` or `kill`.
2. Wait. A second line means that the watchdog leaves in order and has seen to the work itself.
3. Standard input at its end without one means that the watchdog is dead: stop the group. What cannot be frozen is
   killed. A frozen group stays frozen, whatever the watchdog was about to do with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  # before pathlib
    from process_files import (  # type: ignore[import-not-found]  # beside this file when run by path
        Process,
        kill_all,
        read_process,
    )
else:
    from sekisho.adapters.schedulers.process_files import Process, kill_all, read_process

__all__ = ["main", "stop_group"]

FREEZE_TIMEOUT_S = 2.0
KILL_TIMEOUT_S = 30.0


def main() -> int:
    """Stand by one group until its watchdog leaves or dies."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # whoever ends the watchdog must not end us first
    said = bytearray()
    while chunk := os.read(0, 4096):
        said += chunk
        if said.count(b"\n") > 1:
            return 0
    order, found, _ = bytes(said).partition(b"\n")
    if not found:
        return 1
    asked = json.loads(order)
    stop_group(asked["group"], version=asked["version"], then=asked["then"])
    return 0


def stop_group(folder: str, *, version: str, then: str) -> None:
    """Freeze the group, or kill it where that was asked for or the freeze does not come."""
    with contextlib.suppress(OSError):
        _write_freeze(folder, version, frozen=True)
        if then == "freeze" and _is_frozen_within(folder, version, FREEZE_TIMEOUT_S):
            return
    _kill(folder, version)


def _kill(folder: str, version: str) -> None:
    if version == "v2":
        with contextlib.suppress(OSError), open(f"{folder}/cgroup.kill", "w") as file:  # noqa: PTH123  # quick start
            file.write("1")
            return
    # Thawed once more: version 1 lets no signal arrive in the frozen. kill_all stops whoever is about to fork.
    with contextlib.suppress(OSError):
        _write_freeze(folder, version, frozen=False)
    kill_all(lambda: _members(folder), timeout_s=KILL_TIMEOUT_S)


def _write_freeze(folder: str, version: str, *, frozen: bool) -> None:
    name, words = (
        ("cgroup.freeze", ("0", "1"))
        if version == "v2"
        else ("freezer.state", ("THAWED", "FROZEN"))
    )
    with open(f"{folder}/{name}", "w") as file:  # noqa: PTH123  # quick start
        file.write(words[frozen])


def _is_frozen_within(folder: str, version: str, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    name, wanted = ("cgroup.events", "frozen 1") if version == "v2" else ("freezer.state", "FROZEN")
    while time.monotonic() < deadline:
        with open(f"{folder}/{name}") as file:  # noqa: PTH123  # quick start
            if wanted in file.read().splitlines():
                return True
        time.sleep(0.002)
        if version == "v1":
            _write_freeze(folder, version, frozen=True)
    return False


def _members(folder: str) -> list[Process]:
    found = []
    for place, _, files in os.walk(folder):
        if "cgroup.procs" in files:
            with open(f"{place}/cgroup.procs") as file:  # noqa: PTH123  # quick start
                found += [read_process(int(pid)) for pid in file.read().split()]
    # Whoever moved this process into the group would else have it stop itself before it kills the others.
    return [process for process in found if process and process.pid != os.getpid()]


if __name__ == "__main__":
    sys.exit(main())
