"""The host's processes as the observer sees them, and what two looks say about one run's work.

The observer believes nobody: work is what lies below the named root process, in its session, in the named control
group, **or names the run on its command line**. An agent that points at a wrong process is still seen, unless the work
also hides its name; then the whole host's busy time, taken from /proc/stat, does not fit what the tree used.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from sekisho.model.errors import InvalidInput, Unavailable

__all__ = [
    "ProcessRow",
    "ProcessTable",
    "TreeReading",
    "TreeSelectors",
    "judge_tree",
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
    `group_frozen` whether the kernel says that this group is frozen: such a process looks asleep otherwise.
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


class TreeSelectors(msgspec.Struct, frozen=True, kw_only=True):
    """By what the work is recognised. What is not known is left out; `run` never is.

    `root_start_ticks` keeps a later process that got the root's pid from being taken for it.
    `others` are processes that may name the run and are not it: the observer's own, by pid.
    """

    run: str
    root_pid: int | None = None
    root_start_ticks: int | None = None
    cgroup: str = ""
    others: frozenset[int] = frozenset()


class TreeReading(msgspec.Struct, frozen=True, kw_only=True):
    """What two looks `interval_s` apart say. `running` counts processes of the second look that are not frozen.

    `cpu_s_between` counts what the work used from the first look to the second, the children that ended included
    where somebody waited for them; `new_processes` are in the second look only; `host_busy_s` is all processors'.
    """

    processes: int
    running: int
    frozen: int
    cpu_s_between: float
    new_processes: int
    host_busy_s: float
    interval_s: float


def judge_tree(
    first: ProcessTable, second: ProcessTable, selectors: TreeSelectors, *, interval_s: float
) -> TreeReading:
    """Compare two looks at the host. Raises InvalidInput for an empty run name or an interval that is not positive."""
    if not selectors.run or interval_s <= 0:
        raise InvalidInput("needs the run's name and a positive interval", path="selectors")
    chosen = _choose(first.rows, selectors) | _choose(second.rows, selectors)
    before = {row.identity: row for row in first.rows if row.identity in chosen}
    after = {row.identity: row for row in second.rows if row.identity in chosen}
    alive = [row for row in after.values() if row.is_alive]
    frozen = sum(row.is_frozen for row in alive)
    return TreeReading(
        processes=len(alive),
        running=len(alive) - frozen,
        frozen=frozen,
        cpu_s_between=_used_between(before, after),
        new_processes=len(after.keys() - before.keys()),
        host_busy_s=max(second.host_busy_s - first.host_busy_s, 0.0),
        interval_s=interval_s,
    )


def read_process_table(proc: Path = Path("/proc")) -> ProcessTable:
    """One look at the whole host. Raises Unavailable where /proc does not show it or holds more than 100,000."""
    try:
        busy = _read_busy_s(proc / "stat")
        pids = [name for name in os.listdir(proc) if name.isdigit()]  # noqa: PTH208  # names alone, no Path for each
    except OSError as error:
        raise Unavailable(f"{proc} cannot be read: {error.strerror}") from None
    if len(pids) > MAX_PROCESSES:
        raise Unavailable(f"{len(pids)} processes are more than can be read in one look")
    groups = _FrozenGroups(proc)
    rows = (_read_row(proc / pid, groups) for pid in pids)
    return ProcessTable(rows=tuple(row for row in rows if row), host_busy_s=busy)


def _choose(rows: Iterable[ProcessRow], selectors: TreeSelectors) -> set[tuple[int, int]]:
    """The union of the group's members, the root's descendants and session, and whoever names the run."""
    rows = [row for row in rows if row.pid not in selectors.others]
    named = re.compile(rf"(?<![A-Za-z0-9]){re.escape(selectors.run)}(?![A-Za-z0-9])")
    chosen = {
        row.identity
        for row in rows
        if _is_inside(row, selectors.cgroup) or named.search(row.command)
    }
    if selectors.root_pid is not None:
        chosen |= _of_root(rows, selectors.root_pid, selectors.root_start_ticks)
    return chosen | _below(rows, {pid for pid, _ in chosen})


def _of_root(rows: list[ProcessRow], pid: int, start_ticks: int | None) -> set[tuple[int, int]]:
    """The root and its session, the session also where the root itself is gone; nobody if its pid is another's now."""
    root = next((row for row in rows if row.pid == pid), None)
    if root and start_ticks is not None and root.start_ticks != start_ticks:
        return set()
    # The driver gives every work a session of its own; what shares a login's session with a root is not its work.
    return {row.identity for row in rows if row.session == pid or row is root}


def _below(rows: list[ProcessRow], roots: set[int]) -> set[tuple[int, int]]:
    children: dict[int, list[ProcessRow]] = {}
    for row in rows:
        children.setdefault(row.parent, []).append(row)
    found: set[tuple[int, int]] = set()
    pending = list(roots)
    while pending:
        for row in children.pop(pending.pop(), []):
            found.add(row.identity)
            pending.append(row.pid)
    return found


def _is_inside(row: ProcessRow, cgroup: str) -> bool:
    """In the group or in one below it. The whole host's group names nobody."""
    group = cgroup.rstrip("/")
    return bool(group) and (row.cgroup == group or row.cgroup.startswith(group + "/"))


def _used_between(
    before: dict[tuple[int, int], ProcessRow], after: dict[tuple[int, int], ProcessRow]
) -> float:
    """The larger of two counts, each of which can miss something but invent nothing.

    One takes only processes seen in the second look, by themselves. The other takes the sums with children waited
    for: a child that ended appears there in its parent's, but one that nobody waited for is missing.
    """
    by_themselves = sum(
        row.cpu_s - (before[key].cpu_s if key in before else 0.0) for key, row in after.items()
    )
    in_sum = sum(row.cpu_s + row.reaped_cpu_s for row in after.values()) - sum(
        row.cpu_s + row.reaped_cpu_s for row in before.values()
    )
    return max(by_themselves, in_sum, 0.0)


def _read_busy_s(path: Path) -> float:
    """User, nice, system, irq, softirq and steal of the `cpu` line; guest time is in user already (proc_stat(5))."""
    with path.open("rb") as file:
        fields = file.readline(4096).split()
    numbers = [int(field) for field in fields[1:9]]
    return (sum(numbers) - numbers[3] - numbers[4]) / _TICKS_PER_S  # without idle and iowait


def _read_row(folder: Path, groups: _FrozenGroups) -> ProcessRow | None:
    """One process, or None where it vanished while we looked."""
    try:
        text = _read_bounded(folder / "stat")
        command = _read_bounded(folder / "cmdline").replace(b"\0", b" ").decode(errors="replace")
        cgroup = _parse_cgroup(_read_bounded(folder / "cgroup").decode(errors="replace"))
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
        cgroup=cgroup,
        group_frozen=groups.is_frozen(cgroup),
    )


class _FrozenGroups:
    """Whether a group is frozen, asked of the kernel once per group and look."""

    def __init__(self, proc: Path) -> None:
        self._mount = _find_mount(proc)
        self._known: dict[str, bool] = {"": False, "/": False}

    def is_frozen(self, cgroup: str) -> bool:
        if cgroup not in self._known:
            self._known[cgroup] = self._ask(cgroup)
        return self._known[cgroup]

    def _ask(self, cgroup: str) -> bool:
        if self._mount is None or ".." in cgroup.split("/"):
            return False
        try:
            events = _read_bounded(self._mount / cgroup.lstrip("/") / "cgroup.events")
        except OSError:
            return False
        return b"frozen 1" in events.splitlines()


def _find_mount(proc: Path) -> Path | None:
    try:
        lines = (proc / "self" / "mountinfo").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        head, _, tail = line.partition(" - ")
        if tail.split(" ", 1)[0] == "cgroup2":
            return Path(head.split(" ")[4])
    return None


def _parse_cgroup(text: str) -> str:
    return next((line[3:] for line in text.splitlines() if line.startswith("0::")), "")


def _read_bounded(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_COMMAND)
