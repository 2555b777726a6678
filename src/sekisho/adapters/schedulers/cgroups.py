"""Control groups, version 2: a set of processes that the kernel freezes and kills as one.

Source: the kernel's Documentation/admin-guide/cgroup-v2.rst (cgroup.freeze, cgroup.kill, cgroup.events, cpu.stat).
Only the core files are used, no controller, so that hybrid hosts (v2 at /sys/fs/cgroup/unified) serve as well.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from pathlib import Path

from sekisho.model.errors import Unavailable
from sekisho.ports.driver import StopMeans

__all__ = ["Cgroup", "find_cgroup_home", "find_cgroup_mount"]

_MOUNTS = Path("/proc/self/mountinfo")
_OWN = Path("/proc/self/cgroup")


class Cgroup:
    """One group: `folder` in the file system, `name` as /proc/PID/cgroup shows it."""

    freeze_means: StopMeans = "cgroup-v2-freeze"
    kill_means: StopMeans = "cgroup-v2-kill"

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name

    @property
    def entrances(self) -> tuple[Path, ...]:
        """The folders into whose cgroup.procs a process writes itself to be in this group."""
        return (self.folder,)

    @property
    def hierarchies(self) -> tuple[tuple[str, Path], ...]:
        """Its folder in version 2, whose controller has no name."""
        return (("", self.folder),)

    def child(self, name: str) -> Cgroup:
        """A group below this one, made where it is not there. Raises OSError where the host does not allow it."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return Cgroup(folder, f"{self.name.rstrip('/')}/{name}")

    def children(self) -> list[Cgroup]:
        with contextlib.suppress(FileNotFoundError):
            return [
                Cgroup(entry, f"{self.name.rstrip('/')}/{entry.name}")
                for entry in sorted(self.folder.iterdir())
                if entry.is_dir()
            ]
        return []

    def pids(self) -> set[int]:
        """All processes in this group and below it."""
        found: set[int] = set()
        for folder, _, files in os.walk(self.folder):
            if "cgroup.procs" in files:
                with contextlib.suppress(OSError):
                    found.update(map(int, Path(folder, "cgroup.procs").read_text().split()))
        return found

    def cpu_s(self) -> float:
        """User and system seconds of all that ever ran here, the dead included; exact to a microsecond."""
        for line in (self.folder / "cpu.stat").read_text().splitlines():
            key, _, value = line.partition(" ")
            if key == "usage_usec":
                return int(value) / 1_000_000
        raise Unavailable(f"{self.folder}/cpu.stat has no usage_usec")

    def is_populated(self) -> bool:
        return self._events().get("populated") == "1"

    def is_frozen(self) -> bool:
        return self._events().get("frozen") == "1"

    def freeze(self, *, timeout_s: float) -> None:
        """Stop every process here; returns once the kernel says that all are stopped. Raises Unavailable if late."""
        (self.folder / "cgroup.freeze").write_text("1")
        if not self._wait_for("frozen", "1", timeout_s):
            raise Unavailable(f"{self.name} did not freeze within {timeout_s} s", remedy="kill it")

    def thaw(self) -> None:
        (self.folder / "cgroup.freeze").write_text("0")

    def kill(self, *, timeout_s: float) -> bool:
        """Kill every process here, the frozen ones too; False where some are left or the kernel is older than 5.14."""
        try:
            (self.folder / "cgroup.kill").write_text("1")
        except FileNotFoundError:
            return not self.folder.exists()
        return self._wait_for("populated", "0", timeout_s)

    def remove(self) -> None:
        """Take the empty group away, and those that the work made below it."""
        for folder, _, _ in os.walk(self.folder, topdown=False):
            with contextlib.suppress(
                OSError
            ):  # a group that is still populated stays, and is reaped at next start
                Path(folder).rmdir()

    def _events(self) -> dict[str, str]:
        try:
            return _parse_events((self.folder / "cgroup.events").read_text())
        except (FileNotFoundError, OSError):
            return {}

    def _wait_for(self, key: str, value: str, timeout_s: float) -> bool:
        """Sleep on the kernel's own notice (POLLPRI) instead of asking again and again."""
        deadline = time.monotonic() + timeout_s
        try:
            events = os.open(self.folder / "cgroup.events", os.O_RDONLY)
        except FileNotFoundError:
            return key == "populated"
        try:
            notice = select.poll()
            notice.register(events, select.POLLPRI)
            while _parse_events(os.pread(events, 4096, 0).decode()).get(key) != value:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                notice.poll(min(left, 0.1) * 1000)
        finally:
            os.close(events)
        return True


def find_cgroup_home(label: str) -> Cgroup | None:
    """A group of our own called `label` that we may freeze, or None where the host allows none.

    Tried below our own group first (what a delegated user has), then at the root of the hierarchy.
    """
    mount = find_cgroup_mount()
    if mount is None:
        return None
    own = _own_name()
    for name in dict.fromkeys([own, "/"]):
        if "/.." in name:
            continue  # our own group lies outside this namespace
        parent = Cgroup(mount / name.lstrip("/"), name)
        with contextlib.suppress(OSError):
            home = parent.child(label)
            if _may_use(home):
                return home
    return None


def find_cgroup_mount(controller: str | None = None) -> Path | None:
    """Where version 2 is mounted, or the version 1 hierarchy of a controller; None where it is not.

    Field 5 of mountinfo is the place, the first after ` - ` the type, the last the options (proc_pid_mountinfo(5)).
    """
    for line in _MOUNTS.read_text().splitlines():
        head, _, tail = line.partition(" - ")
        kind, _, rest = tail.partition(" ")
        options = rest.rpartition(" ")[2].split(",")
        if (
            (kind == "cgroup2")
            if controller is None
            else (kind == "cgroup" and controller in options)
        ):
            return Path(head.split(" ")[4])
    return None


def _own_name() -> str:
    for line in _OWN.read_text().splitlines():
        if line.startswith("0::"):
            return line[3:]
    return "/"


def _may_use(home: Cgroup) -> bool:
    return (
        all(os.access(home.folder / name, os.W_OK) for name in ("cgroup.freeze", "cgroup.procs"))
        and (home.folder / "cpu.stat").exists()
    )


def _parse_events(text: str) -> dict[str, str]:
    return dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
