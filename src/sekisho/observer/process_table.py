"""The host's processes as the observer sees them, in one look. Source: proc(5)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from sekisho.model.errors import Unavailable

__all__ = [
    "ProcessRow",
    "ProcessTable",
    "read_process_table",
]

MAX_PROCESSES = 100_000
MAX_COMMAND = 4096
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_DEAD = "ZXx"
_STOPPED = "Tt"


class ProcessRow(msgspec.Struct, frozen=True, kw_only=True):
    """One process. `start_ticks` tells it from a later one with its pid; times in seconds of CPU, user + system.

    `reaped_cpu_s` is that of the children it has waited for. `cgroup` is its v2 group ('' where the host has none),
    `groups` every group that it is in, of v1 too; `group_frozen` whether the kernel says that its group is
    frozen: such a process looks asleep otherwise.
    """

    pid: int
    parent: int
    session: int
    user: int
    start_ticks: int
    state: str
    cpu_s: float
    reaped_cpu_s: float
    command: str
    cgroup: str
    group_frozen: bool = False
    groups: tuple[str, ...] = ()

    @property
    def identity(self) -> tuple[int, int]:
        return self.pid, self.start_ticks

    @property
    def is_alive(self) -> bool:
        return self.state not in _DEAD

    @property
    def is_frozen(self) -> bool:
        return self.group_frozen or self.state in _STOPPED


class ProcessTable(msgspec.Struct, frozen=True, kw_only=True):
    """All processes at one look, and the seconds that all processors together were busy since boot."""

    rows: tuple[ProcessRow, ...]
    host_busy_s: float


def read_process_table(proc: Path = Path("/proc")) -> ProcessTable:
    """One look at the whole host. Raises Unavailable where /proc does not show it or holds more than 100,000."""
    try:
        busy = _read_busy_s(proc / "stat")
        pids = [name for name in os.listdir(proc) if name.isdigit()]  # noqa: PTH208  # names alone, no Path for each
    except OSError as error:
        raise Unavailable(f"{proc} cannot be read: {error.strerror}") from None
    if len(pids) > MAX_PROCESSES:
        raise Unavailable(f"{len(pids)} processes are more than can be read in one look")
    frozen = _FrozenGroups(proc)
    rows = (_read_row(proc / pid, frozen) for pid in pids)
    return ProcessTable(rows=tuple(row for row in rows if row), host_busy_s=busy)


def _read_busy_s(path: Path) -> float:
    """User, nice, system, irq, softirq and steal of the `cpu` line; guest time is in user already (proc_stat(5))."""
    with path.open("rb") as file:
        fields = file.readline(4096).split()
    numbers = [int(field) for field in fields[1:9]]
    return (sum(numbers) - numbers[3] - numbers[4]) / _TICKS_PER_S  # without idle and iowait


def _read_row(folder: Path, frozen: _FrozenGroups) -> ProcessRow | None:
    """One process, or None where it vanished while we looked."""
    try:
        text = _read_bounded(folder / "stat")
        command = _read_bounded(folder / "cmdline").replace(b"\0", b" ").decode(errors="replace")
        groups = _parse_groups(_read_bounded(folder / "cgroup").decode(errors="replace"))
        user = folder.stat().st_uid
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    # The command's name may hold spaces and brackets: fields are counted after the last bracket (proc_pid_stat(5)).
    fields = text[text.rindex(b")") + 2 :].split()
    return ProcessRow(
        pid=int(folder.name),
        parent=int(fields[1]),
        session=int(fields[3]),
        user=user,
        start_ticks=int(fields[19]),
        state=fields[0].decode(),
        cpu_s=(int(fields[11]) + int(fields[12])) / _TICKS_PER_S,
        reaped_cpu_s=(int(fields[13]) + int(fields[14])) / _TICKS_PER_S,
        command=command.strip(),
        cgroup=groups.get("", ""),
        group_frozen=frozen.is_frozen(groups),
        groups=tuple(dict.fromkeys(name for name in groups.values() if name != "/")),
    )


class _FrozenGroups:
    """Whether a group is frozen, asked of the kernel once per group and look: of v2, and of v1's freezer."""

    def __init__(self, proc: Path) -> None:
        self._v2, self._v1 = _find_mounts(proc)
        self._known: dict[tuple[str, str], bool] = {}

    def is_frozen(self, groups: Mapping[str, str]) -> bool:
        return self._ask("", groups.get("", "")) or self._ask("freezer", groups.get("freezer", ""))

    def _ask(self, controller: str, name: str) -> bool:
        if name in ("", "/") or ".." in name.split("/"):
            return False
        key = (controller, name)
        if key not in self._known:
            mount, file = (self._v1, "freezer.state") if controller else (self._v2, "cgroup.events")
            self._known[key] = mount is not None and _says_frozen(mount / name.lstrip("/") / file)
        return self._known[key]


def _says_frozen(file: Path) -> bool:
    try:
        lines = _read_bounded(file).splitlines()
    except OSError:
        return False
    return b"frozen 1" in lines or lines == [b"FROZEN"]


def _find_mounts(proc: Path) -> tuple[Path | None, Path | None]:
    """Where v2's groups are mounted, and v1's freezer."""
    try:
        lines = (proc / "self" / "mountinfo").read_text().splitlines()
    except OSError:
        return None, None
    unified, freezer = None, None
    for line in lines:
        head, _, tail = line.partition(" - ")
        words = tail.split(" ")
        if words[0] == "cgroup2":
            unified = unified or Path(head.split(" ")[4])
        elif words[0] == "cgroup" and "freezer" in words[-1].split(","):
            freezer = freezer or Path(head.split(" ")[4])
    return unified, freezer


def _parse_groups(text: str) -> dict[str, str]:
    """Group by controller, v2's under the empty name (cgroups(7): hierarchy, controllers, path)."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        hierarchy, _, rest = line.partition(":")
        controllers, _, name = rest.partition(":")
        if name:
            for controller in ("",) if hierarchy == "0" else controllers.split(","):
                found.setdefault(controller or "unnamed" if hierarchy != "0" else "", name)
    return found


def _read_bounded(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_COMMAND)
