"""Real control groups for tests: one of each kind that this host lets us make, and work to put into them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sekisho.adapters.schedulers.cgroups import find_cgroup_mount
from sekisho.adapters.schedulers.process_files import read_process

SPIN = "while True: pass"
NOBODY = 65534


def may_make(version: str) -> bool:
    """Whether this host lets us make a group of that version."""
    mount = find_cgroup_mount(None if version == "v2" else "freezer")
    return mount is not None and os.access(mount, os.W_OK)


VERSIONS = [version for version in ("v2", "v1") if may_make(version)] or ["v2"]


def mounts_of(version: str) -> list[Path]:
    wanted = [None] if version == "v2" else ["freezer", "cpuacct"]
    return [mount for name in wanted if (mount := find_cgroup_mount(name)) is not None]


class OthersGroup:
    """A group that somebody else made, with work that somebody else started in it."""

    def __init__(self, version: str, label: str) -> None:
        self.version = version
        self.name = f"/{label}-{os.getpid()}"
        self.folders = [mount / self.name.lstrip("/") for mount in mounts_of(version)]
        for folder in self.folders:
            folder.mkdir()
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, code: str, user: int | None = None) -> subprocess.Popen[bytes]:
        """Work that enters the group before it runs `code`, as `user` where one is given."""
        enter = "".join(
            f"open({str(f / 'cgroup.procs')!r}, 'w').write('0')\n" for f in self.folders
        )
        drop = (
            f"import os; os.setgroups([]); os.setgid({user}); os.setuid({user})\n" if user else ""
        )
        started = subprocess.Popen([sys.executable, "-S", "-c", enter + drop + code])
        self.started.append(started)
        wait_until(lambda: started.pid in self.pids() or started.poll() is not None)
        return started

    def pids(self) -> set[int]:
        return set(map(int, (self.folders[0] / "cgroup.procs").read_text().split()))

    def is_frozen(self) -> bool:
        if self.version == "v2":
            return "frozen 1" in (self.folders[0] / "cgroup.events").read_text()
        return (self.folders[0] / "freezer.state").read_text().strip() == "FROZEN"

    def thaw(self) -> None:
        word = ("cgroup.freeze", "0") if self.version == "v2" else ("freezer.state", "THAWED")
        (self.folders[0] / word[0]).write_text(word[1])

    def remove(self) -> None:
        with contextlib.suppress(OSError):
            self.thaw()
        for process in self.started:
            process.kill()
            process.wait()
        for folder in self.folders:
            for _ in range(200):
                with contextlib.suppress(OSError):
                    folder.rmdir()
                if not folder.exists():
                    break
                time.sleep(0.01)


@contextlib.contextmanager
def others_group(version: str, label: str = "sekisho-test") -> Iterator[OthersGroup]:
    """Removed at the end, with whatever runs in it."""
    group = OthersGroup(version, label)
    try:
        yield group
    finally:
        group.remove()


def wait_until(true: Callable[[], bool], timeout_s: float = 60.0) -> float:
    """Seconds until `true`; fails the test where it never is."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < timeout_s, "it never happened"
        time.sleep(0.003)
    return time.monotonic() - begun


def is_alive(pid: int) -> bool:
    process = read_process(pid)
    return process is not None and process.is_alive


def cpu_of(pids: set[int]) -> float:
    """User and system seconds of these processes."""
    return sum(process.cpu_s for pid in pids if (process := read_process(pid)) is not None)
