"""Which processes are a run's work, and what two looks say about them. Pure.

The observer believes nobody: work is what lies below the named root process, in its session, in a control group that
the driver or a scheduler made for the run, in a job of a scheduler, **or names the run on its command line**; and what
once was any of these, whatever it calls itself now (`known`). An agent that points at a wrong process is still seen.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.observer.process_table import ProcessRow, ProcessTable
from sekisho.ports.work_finder import WorkMarks

__all__ = ["TreeReading", "TreeSelectors", "WorkSigns", "choose_work", "judge_tree"]

_PLAIN_RUN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_JOB_GROUP = re.compile(r"job_(\d{1,10})")
_ROOT = 0
_STEP_DAEMON = re.compile(r"slurmstepd: \[(\d{1,10})\.")


class TreeSelectors(msgspec.Struct, frozen=True, kw_only=True):
    """By what the work is recognised. What is not known is left out; `run` never is.

    `root_start_ticks` keeps a later process that got the root's pid from being taken for it.
    `others` are processes that may name the run and are not it: the observer's own, by pid. `marks` is where a
    scheduler put it; `known` are processes that were found to be work by other signs, by identity.
    """

    run: str
    root_pid: int | None = None
    root_start_ticks: int | None = None
    cgroup: str = ""
    others: frozenset[int] = frozenset()
    marks: WorkMarks = WorkMarks()
    known: frozenset[tuple[int, int]] = frozenset()


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
    chosen = choose_work(first.rows, selectors) | choose_work(second.rows, selectors)
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


def choose_work(rows: Iterable[ProcessRow], selectors: TreeSelectors) -> set[tuple[int, int]]:
    """The union of the groups' and jobs' members, the root's descendants and session, and whoever names the run."""
    rows = [row for row in rows if row.pid not in selectors.others]
    signs = WorkSigns(selectors)
    chosen = {row.identity for row in rows if signs.fit(row)}
    if selectors.root_pid is not None:
        chosen |= _of_root(rows, selectors.root_pid, selectors.root_start_ticks)
    keepers = {row.identity for row in rows if signs.keeps(row)}
    return (chosen | _below(rows, {pid for pid, _ in chosen | keepers})) - keepers


class WorkSigns:
    """What a process shows of itself: its command line and its groups."""

    def __init__(self, selectors: TreeSelectors) -> None:
        run, marks = selectors.run, selectors.marks
        self._others, self._known = selectors.others, selectors.known
        self._named = re.compile(rf"(?<![A-Za-z0-9]){re.escape(run)}(?![A-Za-z0-9])")
        self._cgroup = selectors.cgroup
        self._groups = {_group_of(run), *marks.groups}
        self._jobs = {str(number) for number in marks.jobs}
        self._every_job = marks.every_job

    def fit(self, row: ProcessRow) -> bool:
        if row.pid in self._others:
            return False
        if row.identity in self._known:
            return True
        if _is_inside(row, self._cgroup) or self._named.search(row.command):
            return True
        return self._names_step(row) or any(self._fits_group(part) for part in _parts(row))

    def keeps(self, row: ProcessRow) -> bool:
        """Whether it is a step's daemon: root's, it keeps the work below it and is none; it is awake while that stops.

        Nobody but root can be taken for one: what calls itself so is work.
        """
        return row.user == _ROOT and row.pid not in self._others and self._names_step(row)

    def _names_step(self, row: ProcessRow) -> bool:
        step = _STEP_DAEMON.match(row.command)
        return step is not None and self._is_job(step[1])

    def _fits_group(self, part: str) -> bool:
        if part in self._groups:
            return True
        job = _JOB_GROUP.fullmatch(part)
        if job and self._is_job(job[1]):
            return True
        # kubelet: pod<uid> under v1's cgroupfs, kubepods-<class>-pod<uid with _ for ->.slice under systemd.
        plain = part.removesuffix(".slice").replace("_", "-")
        return any(plain.endswith(f"-{mark}") for mark in self._groups if mark.startswith("pod"))

    def _is_job(self, number: str) -> bool:
        return self._every_job or number in self._jobs


def _parts(row: ProcessRow) -> set[str]:
    return {part for group in (row.cgroup, *row.groups) for part in group.split("/") if part}


def _group_of(run: str) -> str:
    """The name that the process driver gives a run's group; its documents say so, so that others can look."""
    safe = run if _PLAIN_RUN.fullmatch(run) else hashlib.sha256(run.encode()).hexdigest()[:16]
    return f"run-{safe}"


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
