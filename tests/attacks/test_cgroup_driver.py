"""Attacks on the cgroup driver: who holds the group is put into it and barred from leaving; a pid changes hands."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.adapters.schedulers.cgroup import CgroupDriver
from sekisho.adapters.schedulers.process_files import read_process
from sekisho.adapters.schedulers.ways_out import WaysOut
from sekisho.model.errors import InvalidInput
from tests.adapters.schedulers.groups import (
    SPIN,
    VERSIONS,
    OthersGroup,
    is_alive,
    others_group,
    wait_until,
)
from tests.adapters.schedulers.test_cgroup import enter, is_so_in_a_child, make, settings_of

pytestmark = pytest.mark.groups


@pytest.fixture(params=VERSIONS)
def group(request: pytest.FixtureRequest) -> Iterator[OthersGroup]:
    with others_group(request.param) as made:
        yield made


def put(pid: int, group: OthersGroup) -> None:
    for folder in group.folders:
        (folder / "cgroup.procs").write_text(str(pid))


def test_a_watchdog_started_from_within_the_works_group_is_refused(
    group: OthersGroup, tmp_path: Path
) -> None:
    """Its starter lies in the group: a pause would stop that one, and with it whoever is to end the pause."""

    def is_refused() -> bool:
        enter(group)
        child = os.fork()
        if child:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        for folder in group.folders:
            (folder.parent / "cgroup.procs").write_text(str(os.getpid()))
        try:
            CgroupDriver(tmp_path / "driver", settings_of(group))
        except InvalidInput:
            os._exit(0)
        os._exit(1)

    assert is_so_in_a_child(is_refused)


def test_a_watchdog_that_was_put_into_the_group_ends_the_work_and_not_itself(
    group: OthersGroup, tmp_path: Path
) -> None:
    """Watchdog and sentry both, right before the kill: the work is gone, they are not, and nothing of them counts."""
    work = group.start(SPIN)

    def outlives_the_kill() -> bool:
        driver = make(group, tmp_path)
        sentry = driver._sentry.pid
        enter(group)
        put(sentry, group)
        alone = driver.read().processes == 1
        driver.kill()
        is_so = alone and is_alive(sentry) and driver.is_over()
        driver.close()
        return is_so

    assert is_so_in_a_child(outlives_the_kill)
    assert work.wait(60) == -signal.SIGKILL


def test_a_watchdog_that_cannot_leave_the_group_stops_the_work_by_signal(
    group: OthersGroup, tmp_path: Path
) -> None:
    """Every way out is barred: the work is stopped, let go on and killed one process after the other."""
    work = group.start("import os; os.fork()\n" + SPIN)
    wait_until(lambda: len(group.pids()) == 2)

    def stops_it() -> bool:
        driver = make(group, tmp_path)
        driver._ways_out = WaysOut(())  # all are barred
        enter(group)
        frozen = driver.freeze() == "signal-stop" and all_stopped(group, but=os.getpid())
        frozen = frozen and driver.read().state == "frozen"
        went_on = driver.thaw() == "signal-stop" and driver.read().state == "running"
        killed = driver.kill() == "signal-kill" and driver.is_over()
        for folder in group.folders:
            (folder.parent / "cgroup.procs").write_text(str(os.getpid()))
        driver.close()
        return frozen and went_on and killed

    assert is_so_in_a_child(stops_it)
    assert work.wait(60) == -signal.SIGKILL


def all_stopped(group: OthersGroup, *, but: int) -> bool:
    found = [read_process(pid) for pid in group.pids() - {but}]
    return len(found) == 2 and all(process and process.is_stopped for process in found)


def test_a_pid_that_passed_to_a_stranger_is_not_taken_for_work_that_left(
    group: OthersGroup, tmp_path: Path
) -> None:
    """Work that was seen in the group ended, and another's process now has its number: it is not touched."""
    with others_group(group.version, "sekisho-stranger") as elsewhere:
        stranger = elsewhere.start(SPIN)
        now = read_process(stranger.pid)
        assert now is not None
        before = now._replace(start_ticks=now.start_ticks - 1)
        driver = make(group, tmp_path)
        try:
            driver._seen[before.pid, before.start_ticks] = before
            assert driver._strays() == []
            driver.freeze()
            driver.kill()
        finally:
            driver.close()
        assert is_alive(stranger.pid)
        assert stranger.poll() is None
