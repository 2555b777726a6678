"""The observer's own look at the host, and what two looks prove against a lying agent."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.adapters.schedulers import ProcessDriver
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.observer import (
    ProcessRow,
    ProcessTable,
    TreeSelectors,
    judge_tree,
    read_process_table,
)

ENVIRONMENT = {"PATH": os.environ["PATH"]}


def _row(pid: int, parent: int = 1, **more: object) -> ProcessRow:
    plain = ProcessRow(
        pid=pid,
        parent=parent,
        session=pid,
        user=0,
        start_ticks=pid * 10,
        state="S",
        cpu_s=1.0,
        reaped_cpu_s=0.0,
        command="python work.py",
        cgroup="",
    )
    return msgspec.structs.replace(plain, **more)


def _table(*rows: ProcessRow, busy: float = 0.0) -> ProcessTable:
    return ProcessTable(rows=rows, host_busy_s=busy)


def _found(*rows: ProcessRow, **selectors: object) -> int:
    chosen = msgspec.structs.replace(TreeSelectors(run="run-1"), **selectors)
    return judge_tree(_table(*rows), _table(*rows), chosen, interval_s=5).processes


def test_each_sign_alone_is_enough() -> None:
    """Group, root, root's session, descent from it and the run's name on a command line each make a process work."""
    other = _row(5)
    assert _found(other) == 0
    assert _found(other, _row(6, cgroup="/s/run-run-1"), cgroup="/s/run-run-1") == 1
    assert _found(other, _row(6, cgroup="/s/run-run-1/inner"), cgroup="/s/run-run-1/") == 1
    assert _found(other, _row(6, cgroup="/s/run-run-12"), cgroup="/s/run-run-1") == 0
    assert _found(other, _row(6), root_pid=6) == 1
    assert _found(other, _row(6, session=7), root_pid=7) == 1
    assert _found(other, _row(6), _row(8, parent=6), _row(9, parent=8), root_pid=6) == 3
    assert _found(other, _row(6, command="python -m x --run run-1 --pace 1")) == 1
    assert _found(other, _row(6, command="python -m x --run=run-1")) == 1
    assert _found(other, _row(6, command="python -m x --run run-12")) == 0


def test_a_wrong_pid_hides_nothing() -> None:
    """An agent that names an idle process and an empty group is seen through by the run's name, children included."""
    decoy = _row(6, session=6)
    work = _row(40, command="trainer run-1", state="R")
    child = _row(41, parent=40, command="worker")
    before = _table(decoy, work, child)
    after = _table(
        decoy, msgspec.structs.replace(work, cpu_s=3.0), msgspec.structs.replace(child, cpu_s=2.5)
    )
    lied = TreeSelectors(run="run-1", root_pid=6, cgroup="/empty")
    reading = judge_tree(before, after, lied, interval_s=5)
    assert (reading.processes, reading.running) == (3, 3)
    assert reading.cpu_s_between == pytest.approx(3.5)


def test_the_observer_itself_is_not_the_work() -> None:
    """Processes that the observer names as others are left out although they name the run."""
    mine = _row(6, command="observer --run run-1")
    assert _found(mine) == 1
    assert _found(mine, others=frozenset({6})) == 0


def test_a_pid_of_another_process_is_not_the_root() -> None:
    """After the root is gone, a later process with its pid is nobody's work where the start ticks are known."""
    later = _row(6, start_ticks=999)
    assert _found(later, root_pid=6, root_start_ticks=60) == 0
    assert _found(later, root_pid=6, root_start_ticks=999) == 1


def test_frozen_and_stopped_are_not_running() -> None:
    """A process in a frozen group or stopped is frozen, a dead one is none, all others are running."""
    rows = (
        _row(1, group_frozen=True),
        _row(2, state="T"),
        _row(3, state="Z"),
        _row(4, state="D"),
        _row(5, state="S"),
    )
    named = [msgspec.structs.replace(r, command="run-1") for r in rows]
    reading = judge_tree(_table(*named), _table(*named), TreeSelectors(run="run-1"), interval_s=5)
    assert (reading.processes, reading.frozen, reading.running) == (4, 2, 2)
    assert reading.new_processes == 0


def test_time_of_new_and_of_ended_children_counts() -> None:
    """A process that began between the looks counts whole; one that ended counts through the parent that waited."""
    parent = _row(6, cpu_s=1.0, reaped_cpu_s=0.0)
    gone = _row(7, parent=6, cpu_s=2.0)
    fresh = _row(8, parent=6, cpu_s=0.5)
    after = msgspec.structs.replace(parent, cpu_s=1.1, reaped_cpu_s=2.4)
    chosen = TreeSelectors(run="run-1", root_pid=6)
    reading = judge_tree(
        _table(parent, gone, busy=10), _table(after, fresh, busy=13), chosen, interval_s=5
    )
    assert reading.cpu_s_between == pytest.approx(0.1 + 0.4 + 0.5)
    assert reading.new_processes == 1
    assert reading.host_busy_s == 3
    unwaited = msgspec.structs.replace(parent, cpu_s=1.1)
    least = judge_tree(_table(parent, gone), _table(unwaited, fresh), chosen, interval_s=5)
    assert least.cpu_s_between == pytest.approx(0.6)


def test_nonsense_is_refused(tmp_path: Path) -> None:
    """No run name, no interval, and a folder that is no /proc are errors, never a quiet host."""
    with pytest.raises(InvalidInput):
        judge_tree(_table(), _table(), TreeSelectors(run=""), interval_s=5)
    with pytest.raises(InvalidInput):
        judge_tree(_table(), _table(), TreeSelectors(run="run-1"), interval_s=0)
    with pytest.raises(Unavailable):
        read_process_table(tmp_path)


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[ProcessDriver]:
    """A driver whose work is ended after the test."""
    made = ProcessDriver(tmp_path / "driver")
    yield made
    made.kill()
    made.close()


def test_a_real_work_is_seen_running_then_frozen_then_gone(driver: ProcessDriver) -> None:
    """The looks at this host agree with what the driver did, though they share no code with it."""
    spin = "import os; os.fork()\nwhile True: pass"
    work = driver.start("run-77", (sys.executable, "-S", "-c", spin), ENVIRONMENT)
    while driver.read().processes < 2:
        time.sleep(0.01)
    by_root = TreeSelectors(run="run-77", root_pid=work.root_pid, cgroup=work.cgroup)
    first = read_process_table()
    time.sleep(0.3)
    second = read_process_table()
    reading = judge_tree(first, second, by_root, interval_s=0.3)
    assert (reading.processes, reading.running) == (2, 2)
    assert reading.cpu_s_between > 0.05
    assert reading.host_busy_s >= reading.cpu_s_between - 0.05

    driver.freeze()
    first = read_process_table()
    time.sleep(0.2)
    reading = judge_tree(first, read_process_table(), by_root, interval_s=0.2)
    assert (reading.processes, reading.frozen, reading.running) == (2, 2, 0)
    assert reading.cpu_s_between == 0

    driver.kill()
    assert judge_tree(first, read_process_table(), by_root, interval_s=0.2).processes == 0


def test_this_process_is_read_whole() -> None:
    """One look holds the reader itself with its parent, user, session and command."""
    me = next(r for r in read_process_table().rows if r.pid == os.getpid())
    assert me.parent == os.getppid()
    assert me.user == os.geteuid()
    assert me.session == os.getsid(0)
    assert me.command == " ".join(sys.orig_argv)
    assert me.state == "R"
    assert not me.is_frozen
