"""An agent that says halted while its work goes on in disguise: real processes, and the observer's own looks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.observer.past import PastProcesses
from sekisho.observer.process_table import ProcessRow, ProcessTable, read_process_table
from sekisho.observer.seeing import Surveyor
from sekisho.observer.settings import ObserverSettings, Strangers
from sekisho.observer.strangers import find_strangers
from sekisho.observer.work_tree import TreeSelectors, judge_tree
from sekisho.ports.work_finder import WorkMarks
from tests.fakes import Rig
from tests.observing import (
    cpu_ticks,
    halted_rig,
    judged,
    observe_with,
    spinning,
    stop_and_wait,
    wait_until,
)
from tests.served import SystemFakeClock

RUN = "disguised-run-8147"
# The launcher starts the work under the run's name; told to, the work drops its name, its session and its user, and
# the launcher ends, so that the work's parent is init.
LAUNCHER = """
import os, signal, sys
told, tell = os.pipe()
child = os.fork()
if child == 0:
    os.read(told, 1)
    os.setsid()
    if os.geteuid() == 0:
        os.setgid(65534); os.setuid(65534)
    os.execv("/bin/sh", ["[kworker/0:1]", "-c", "while :; do :; done"])
print(child, flush=True)
sys.stdin.readline()
os.write(tell, b"x")
"""


@pytest.fixture
def rig() -> Rig:
    return halted_rig(RUN)


@pytest.fixture
def launcher() -> Iterator[subprocess.Popen[str]]:
    """The launcher with its child, both ended by their ids."""
    command = [sys.executable, "-S", "-c", LAUNCHER, "--run", RUN]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as made:
        assert made.stdout is not None
        child = int(made.stdout.readline())
        yield made
        os.kill(child, signal.SIGKILL)
        made.kill()


def disguise(launcher: subprocess.Popen[str]) -> int:
    """Tell the work to disguise itself and its launcher to end; the pid of what computes on under another name."""
    (child,) = (row.pid for row in read_process_table().rows if row.parent == launcher.pid)
    assert launcher.stdin is not None
    launcher.stdin.write("\n")
    launcher.stdin.flush()
    launcher.wait(30)
    wait_until(lambda: b"kworker" in read_command(child))
    start = cpu_ticks(child)
    wait_until(lambda: cpu_ticks(child) > start)
    return child


def read_command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_work_renamed_and_orphaned_under_another_user_is_contradicted(
    rig: Rig, launcher: subprocess.Popen[str]
) -> None:
    """It is the process that it was: whoever was seen under the run's name stays its work for as long as it lives."""
    surveyor = Surveyor(read_process_table)
    surveyor.look(SystemFakeClock().now())
    disguise(launcher)

    made = observe_with(rig, surveyor)

    assert made.work_cpu_ms > 0
    assert judged(rig, made).degree == "contradicted"


def test_an_observer_that_began_later_needs_the_strangers_rule(
    rig: Rig, launcher: subprocess.Popen[str]
) -> None:
    """Without a memory of it nothing names the process; where the site counts busy strangers, it is work."""
    child = disguise(launcher)
    blind = observe_with(rig, Surveyor(read_process_table))
    assert blind.work_cpu_ms == 0

    table = read_process_table()
    before = cpu_ticks(child)
    wait_until(lambda: cpu_ticks(child) > before + 20)
    rule = Strangers(reason="nothing else computes on this host", percent="1")
    found = find_strangers(
        (table, read_process_table()), (), rule, interval_s=0.3, others=frozenset({os.getpid()})
    )
    assert child in {pid for pid, _ in found}


def test_work_stopped_during_the_first_look_only_is_contradicted(rig: Rig) -> None:
    """Continued after the first look, it is seen running in those that follow."""
    with spinning("--run", RUN) as work:
        stop_and_wait(work.pid)
        looks = 0

        def read() -> ProcessTable:
            nonlocal looks
            table = read_process_table()
            looks += 1
            if looks == 1:
                os.kill(work.pid, signal.SIGCONT)
            return table

        made = observe_with(rig, Surveyor(read))

    assert made.readings[0].running == 0
    assert made.readings[-1].running == 1
    assert judged(rig, made).degree == "contradicted"


def test_work_stopped_at_both_looks_and_running_between_them_is_contradicted(rig: Rig) -> None:
    """Its processor time says what its state hides."""
    with spinning("--run", RUN) as work:
        stop_and_wait(work.pid)

        def read() -> ProcessTable:
            stop_and_wait(work.pid)
            table = read_process_table()
            start = cpu_ticks(work.pid)
            os.kill(work.pid, signal.SIGCONT)
            wait_until(lambda: cpu_ticks(work.pid) > start + 1)
            return table

        made = observe_with(rig, Surveyor(read))

    assert {reading.running for reading in made.readings} == {0}
    assert made.work_cpu_ms > 0
    assert judged(rig, made).degree == "contradicted"


def row(pid: int, **more: object) -> ProcessRow:
    plain = ProcessRow(
        pid=pid,
        parent=1,
        session=pid,
        user=1000,
        start_ticks=pid * 10,
        state="R",
        cpu_s=1.0,
        reaped_cpu_s=0.0,
        command="worker",
        cgroup="",
    )
    return msgspec.structs.replace(plain, **more)


def table(*rows: ProcessRow) -> ProcessTable:
    return ProcessTable(rows=rows, host_busy_s=0.0)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"command": "train --run run-1"}, {"command": "[kworker/0:1]"}),
        ({"cgroup": "/s/run-run-1"}, {"cgroup": "/user.slice"}),
        ({"groups": ("/slurm/uid_1000/job_77/step_0",)}, {"groups": ("/",), "session": 1}),
        ({"parent": 5}, {"parent": 1, "user": 33}),
    ],
    ids=["renamed", "other control group", "left its Slurm job", "orphaned under another user"],
)
def test_work_seen_once_stays_work(before: dict[str, object], after: dict[str, object]) -> None:
    """By name, group, job or parent: what it was counts, not what it looks like now."""
    past = PastProcesses()
    starter = row(5, command="starter --run run-1")
    past.note(table(row(1, command="init", parent=0), starter, row(9, **before)))
    past.note(table(row(1, command="init", parent=0), row(9, **after)))
    signs = TreeSelectors(run="run-1", marks=WorkMarks(jobs=(77,)))
    known = past.work(signs)

    assert (9, 90) in known
    now = table(row(9, **after))
    seen = judge_tree(now, now, msgspec.structs.replace(signs, known=known), interval_s=5)
    assert seen.running == 1


def test_a_later_process_with_the_pid_of_former_work_is_not_it() -> None:
    """Identity is pid and start: a stranger that got the number later is not contradicted for it."""
    past = PastProcesses()
    past.note(table(row(9, command="train run-1")))
    past.note(table(row(9, start_ticks=777)))

    assert past.work(TreeSelectors(run="run-1")) == frozenset()


@pytest.mark.parametrize(
    "group",
    [
        "/kubepods/burstable/pod0a1b-22/abc",
        "/kubepods.slice/kubepods-pod0a1b_22.slice/cri-containerd-abc.scope",
    ],
    ids=["v1 cgroupfs", "v2 systemd"],
)
def test_a_pods_processes_are_found_by_its_uid(group: str) -> None:
    """Whatever they call themselves: the kubelet's group bears the pod's uid in one of two spellings."""
    marks = WorkMarks(groups=("pod0a1b-22",))
    now = table(row(9, groups=(group,)), row(10, groups=("/kubepods/burstable/pod0a1b-2",)))

    seen = judge_tree(now, now, TreeSelectors(run="run-1", marks=marks), interval_s=5)
    assert seen.processes == 1


def test_a_slurm_jobs_processes_are_found_below_its_step_daemon() -> None:
    """Without control groups too: root's slurmstepd names the job, and its children are the job's."""
    daemon = row(7, command="slurmstepd: [77.batch]", state="S", user=0)
    now = table(daemon, row(9, parent=7), row(10, parent=9), row(11))

    named = TreeSelectors(run="run-1", marks=WorkMarks(jobs=(77,)))
    assert judge_tree(now, now, named, interval_s=5).processes == 2
    other = TreeSelectors(run="run-1", marks=WorkMarks(jobs=(7,)))
    assert judge_tree(now, now, other, interval_s=5).processes == 0
    each = TreeSelectors(run="run-1", marks=WorkMarks(every_job=True))
    assert judge_tree(now, now, each, interval_s=5).processes == 2


def test_work_that_calls_itself_a_step_daemon_is_work() -> None:
    """Only root's own is left out, which is awake while the job below it is stopped; and what it started never is."""
    mock = row(7, command="slurmstepd: [77.batch]", user=1000)
    selectors = TreeSelectors(run="run-1", marks=WorkMarks(jobs=(77,)))
    assert judge_tree(table(mock), table(mock), selectors, interval_s=5).running == 1

    past = PastProcesses()
    past.note(table(row(7, command="slurmstepd: [77.batch]", user=0), row(9, parent=7)))
    assert past.work(selectors) == {(9, 90)}


def test_whoever_holds_an_accelerator_is_work_unless_the_site_exempts_it() -> None:
    """A process that nobody licensed, on a device of a halted host."""
    now = table(row(9), row(10, user=33))
    held = find_strangers((now, now), (9, 10), None, interval_s=5, others=())
    assert held == {(9, 90), (10, 100)}

    rule = Strangers(reason="the site's exempt inference service", exempt_users=(33,))
    assert find_strangers((now, now), (9, 10), rule, interval_s=5, others=()) == {(9, 90)}


def test_an_observer_that_remembers_nothing_says_what_it_does_not_see(rig: Rig) -> None:
    """Told not to remember, it notes no process; a quiet host is stated all the same."""
    made = observe_with(
        rig, Surveyor(read_process_table, settings=ObserverSettings(remember_every_s=0))
    )
    assert made.work_cpu_ms == 0
    assert any("not remember" in limit for limit in made.limits)
