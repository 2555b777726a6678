"""The process driver, by control groups where this host has them and by signals everywhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sekisho.adapters.schedulers import ProcessDriver
from sekisho.adapters.schedulers.cgroups import find_cgroup_home
from sekisho.adapters.schedulers.process_files import read_process, send_signal
from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.ports.driver import Workload
from tests.lateness import measured_lateness

ENVIRONMENT = {"PATH": os.environ["PATH"]}
SPIN = "while True: pass"
# Four processes, one of them twice forked and in a session of its own, all deaf to SIGTERM and SIGUSR1.
FOREST = """
import os, signal, time
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1): signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True: pass
    os._exit(0)
os.fork()
while True:
    if os.fork() == 0:
        time.sleep(0.05); os._exit(0)
    os.wait()
"""


def _host_has_groups() -> bool:
    home = find_cgroup_home(f"sekisho-probe-{os.getpid()}")
    if home:
        home.remove()
    return home is not None


@pytest.fixture(
    params=[True, False] if _host_has_groups() else [False],
    ids=lambda g: "group" if g else "signals",
)
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ProcessDriver]:
    """A driver with groups and one without, its work ended after the test."""
    made = ProcessDriver(tmp_path / "driver", cgroups=request.param)
    yield made
    made.kill()
    made.close()


def _by_group(driver: ProcessDriver) -> bool:
    return driver._home is not None


def _python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", code)


def _wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _is_alive(pid: int) -> bool:
    process = read_process(pid)
    return process is not None and process.is_alive


def _members(driver: ProcessDriver) -> list[int]:
    assert driver._kept is not None
    return [process.pid for process in driver._members(driver._kept) if process.is_alive]


def test_a_work_lives_and_ends_by_itself(driver: ProcessDriver) -> None:
    """A command runs with the environment given and no other; its exit code and CPU time are kept."""
    code = "import os,sys; sum(range(3_000_000)); sys.exit(len(os.environ['WORD']) + ('HOME' in os.environ))"
    work = driver.start("run-1", _python(code), ENVIRONMENT | {"WORD": "five!"})
    assert work.run == "run-1"
    assert bool(work.cgroup) == _by_group(driver)
    _wait_until(driver.is_over)
    reading = driver.read()
    assert (reading.state, reading.processes, reading.exit_code) == ("ended", 0, 5)
    assert reading.cpu_s > 0.02
    assert [driver.freeze(), driver.thaw(), driver.kill()] == ["none", "none", "none"]


def test_nothing_started_reads_as_ended(driver: ProcessDriver) -> None:
    """Before any start there is nothing to stop and nothing used; a checkpoint cannot be asked for."""
    assert driver.read().state == "ended"
    assert driver.read().cpu_s == 0
    assert driver.kill() == "none"
    with pytest.raises(StateConflict):
        driver.request_checkpoint()


def test_frozen_work_uses_no_processor_time(driver: ProcessDriver) -> None:
    """Freezing stops every process, twice is as once, thawing lets them go on; the means are named."""
    driver.start("run-1", _python("import os; os.fork(); os.fork()\n" + SPIN), ENVIRONMENT)
    _wait_until(lambda: driver.read().processes == 4)
    means = "cgroup-v2-freeze" if _by_group(driver) else "signal-stop"
    assert [driver.freeze(), driver.freeze()] == [means, means]
    before = driver.read()
    time.sleep(0.2)
    after = driver.read()
    assert (before.state, after.state, after.processes) == ("frozen", "frozen", 4)
    assert after.cpu_s - before.cpu_s < 0.011
    assert driver.thaw() == means
    assert driver.read().state == "running"
    _wait_until(lambda: driver.read().cpu_s > after.cpu_s + 0.05)


def test_killing_leaves_no_child_behind(driver: ProcessDriver) -> None:
    """Work that ignores SIGTERM, forks without end and detaches a child is killed to the last process."""
    driver.start("run-1", _python(FOREST), ENVIRONMENT)
    _wait_until(lambda: driver.read().processes >= 4)
    pids = _members(driver)
    with measured_lateness() as busy:
        began = time.monotonic()
        assert driver.kill() == ("cgroup-v2-kill" if _by_group(driver) else "signal-kill")
        assert time.monotonic() - began < driver.stop_time_s + busy.total_s
    assert not any(_is_alive(pid) for pid in pids)
    reading = driver.read()
    assert (reading.state, reading.exit_code) == ("ended", -signal.SIGKILL)
    assert reading.cpu_s > 0


def test_a_freeze_holds_a_forking_forest(driver: ProcessDriver) -> None:
    """A freeze catches work that keeps forking, the detached child included, and a kill ends it frozen."""
    driver.start("run-1", _python(FOREST), ENVIRONMENT)
    _wait_until(lambda: driver.read().processes >= 4)
    driver.freeze()
    before, seen = driver.read(), set(_members(driver))
    time.sleep(0.15)
    assert driver.read().state == "frozen"
    assert set(_members(driver)) == seen
    assert driver.read().cpu_s - before.cpu_s < 0.011
    assert driver.kill() != "none"
    assert not any(_is_alive(pid) for pid in seen)


def test_children_that_are_gone_stay_counted(driver: ProcessDriver) -> None:
    """CPU time of children that ended counts, and the sum never falls."""
    burn = "[None for _ in range(6_000_000)]; os._exit(0)"
    code = f"import os, time\nif os.fork() == 0:\n    {burn}\nos.wait(); time.sleep(30)"
    driver.start("run-1", _python(code), ENVIRONMENT)
    _wait_until(lambda: driver.read().processes == 2 or driver.read().cpu_s > 0.1)
    _wait_until(lambda: driver.read().processes == 1)
    assert driver.read().cpu_s > 0.08
    last = driver.read().cpu_s
    driver.kill()
    assert driver.read().cpu_s >= last


def test_an_unready_work_survives_a_request_for_a_checkpoint(
    driver: ProcessDriver, tmp_path: Path
) -> None:
    """SIGUSR1 goes to the root process alone, and before it listens the signal is ignored instead of killing it."""
    out = tmp_path / "heard"
    code = f"""
import os, signal, time
time.sleep(0.1)
def heard(*_): open({str(out)!r}, "a").write(f"{{os.getpid()}}\\n")
signal.signal(signal.SIGUSR1, heard)
os.fork()
open({str(out)!r} + ".ready", "w").close()
while True: time.sleep(0.01)
"""
    work = driver.start("run-1", _python(code), ENVIRONMENT)
    driver.request_checkpoint()
    _wait_until(Path(f"{out}.ready").exists)
    assert driver.read().state == "running"
    driver.request_checkpoint()
    _wait_until(out.exists)
    time.sleep(0.05)
    assert out.read_text() == f"{work.root_pid}\n"


def test_a_root_that_leaves_children_has_not_ended(driver: ProcessDriver) -> None:
    """While a child lives on the work is running, though the command itself has ended."""
    driver.start(
        "run-1", _python("import os, time\nif os.fork() == 0: time.sleep(30)"), ENVIRONMENT
    )
    _wait_until(lambda: driver.read().exit_code == 0)
    assert (driver.read().state, driver.read().processes) == ("running", 1)
    with pytest.raises(StateConflict, match="running already"):
        driver.start("run-2", _python(SPIN), ENVIRONMENT)
    driver.kill()
    assert driver.read().state == "ended"


def test_killing_the_workload_from_outside_is_seen(driver: ProcessDriver) -> None:
    """A workload killed by somebody else has ended with that signal, and another may start."""
    work = driver.start("run-1", _python(SPIN), ENVIRONMENT)
    os.kill(work.root_pid, signal.SIGKILL)
    _wait_until(driver.is_over)
    assert driver.read().exit_code == -signal.SIGKILL
    assert driver.start("run-2", _python(SPIN), ENVIRONMENT).run == "run-2"


def test_killing_the_keeper_ends_the_work(driver: ProcessDriver) -> None:
    """With the keeper gone the root dies by the kernel's hand and the driver ends the rest at its next look."""
    driver.start("run-1", _python("import os; os.fork()\n" + SPIN), ENVIRONMENT)
    _wait_until(lambda: driver.read().processes == 2)
    pids = _members(driver)
    assert driver._kept is not None
    os.kill(driver._kept.keeper.pid, signal.SIGKILL)
    _wait_until(driver.is_over)
    assert not any(_is_alive(pid) for pid in pids)


def test_a_command_that_cannot_run_is_bad_input(driver: ProcessDriver) -> None:
    """A missing program, an empty command and a run name with a slash at its start are refused; nothing is left."""
    with pytest.raises(InvalidInput, match="No such file"):
        driver.start("run-1", ("no-such-program",), ENVIRONMENT)
    with pytest.raises(InvalidInput):
        driver.start("run-1", (), ENVIRONMENT)
    with pytest.raises(InvalidInput):
        driver.start("../escape", _python(SPIN), ENVIRONMENT)
    assert driver.read().state == "ended"
    assert driver.start("site/run:1", _python("pass"), ENVIRONMENT).run == "site/run:1"
    _wait_until(driver.is_over)


def test_the_work_drops_to_its_user(tmp_path: Path) -> None:
    """Work given a user runs as that user, with no group of ours."""
    user = 65534 if os.geteuid() == 0 else os.geteuid()
    driver = ProcessDriver(tmp_path / "driver", user)
    work = driver.start("run-1", ("id",), {"PATH": "/usr/bin:/bin"})
    _wait_until(driver.is_over)
    driver.close()
    told = (tmp_path / "driver" / "work.log").read_text()
    assert work.user == user
    assert told.startswith(f"uid={user}")
    assert "root" not in told or os.geteuid() != 0 or user == 0


def test_a_signal_never_reaches_a_later_process() -> None:
    """A pid with other start ticks belongs to somebody else and is left alone."""
    with subprocess.Popen(["sleep", "30"]) as sleeper:
        process = read_process(sleeper.pid)
        assert process is not None
        assert not send_signal(sleeper.pid, process.start_ticks - 1, signal.SIGKILL)
        assert sleeper.poll() is None
        assert send_signal(sleeper.pid, process.start_ticks, signal.SIGKILL)
        assert sleeper.wait() == -signal.SIGKILL
        assert not send_signal(sleeper.pid, process.start_ticks, signal.SIGKILL)


def test_groups_are_gone_after_the_end(driver: ProcessDriver) -> None:
    """An ended work leaves no control group on the host."""
    work: Workload = driver.start("run-1", _python("pass"), ENVIRONMENT)
    _wait_until(driver.is_over)
    assert driver._home is None or driver._home.children() == []
    assert work.root_pid > 0
