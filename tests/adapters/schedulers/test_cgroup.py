"""The cgroup driver over groups of either version that somebody else made and fills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, cast

import pytest

from sekisho.adapters.schedulers.cgroup import CgroupDriver, find_group
from sekisho.adapters.schedulers.cgroups import find_cgroup_mount
from sekisho.adapters.schedulers.drivers import make_driver
from sekisho.adapters.schedulers.process_files import read_process
from sekisho.adapters.schedulers.watchdog_link import spawn_watchdog
from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.ports.driver_settings import CgroupSettings, DriverSettings
from tests.adapters.schedulers.groups import (
    SPIN,
    VERSIONS,
    OthersGroup,
    cpu_of,
    is_alive,
    others_group,
    wait_until,
)
from tests.lateness import measured_lateness
from tests.users import AGENT, PYTHON, identity_of, open_folder, package_environment

pytestmark = pytest.mark.groups

FORKS = "import os; os.fork(); os.fork()\n"
LISTENS = """
import os, signal, time
def heard(*_): open({out!r}, "a").write("heard\\n")
signal.signal(signal.SIGUSR1, heard)
open({out!r}, "w").close()
while True: time.sleep(0.01)
"""


@pytest.fixture(params=VERSIONS)
def group(request: pytest.FixtureRequest) -> Iterator[OthersGroup]:
    """A group of each version that this host has."""
    with others_group(request.param) as made:
        yield made


@pytest.fixture
def driver(group: OthersGroup, tmp_path: Path) -> Iterator[CgroupDriver]:
    """A driver over the group, its work ended after the test."""
    made = make(group, tmp_path)
    yield made
    made.kill()
    made.close()


def make(
    group: OthersGroup, tmp_path: Path, *, at_end: Literal["freeze", "kill"] = "freeze"
) -> CgroupDriver:
    return CgroupDriver(tmp_path / "driver", settings_of(group, at_end=at_end))


def settings_of(
    group: OthersGroup, *, at_end: Literal["freeze", "kill"] = "freeze"
) -> CgroupSettings:
    version = cast("Literal['v1', 'v2']", group.version)
    return CgroupSettings(group=group.name, version=version, at_end=at_end)


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", code)


def test_work_that_others_started_is_adopted(group: OthersGroup, driver: CgroupDriver) -> None:
    """An empty group reads as ended; whoever comes to run in it is work, named by its eldest process."""
    assert (driver.read().state, driver.read().processes, driver.workload) == ("ended", 0, None)
    assert driver.kill() == "none"
    eldest = group.start(FORKS + SPIN)
    wait_until(lambda: driver.read().processes == 4)
    work = driver.workload
    assert work is not None
    assert (work.run, work.root_pid, work.cgroup) == ("adopted", eldest.pid, group.name)
    assert driver.read().state == "running"


def test_a_freeze_stops_all_of_it_and_a_thaw_lets_it_go_on(
    group: OthersGroup, driver: CgroupDriver
) -> None:
    """Frozen processes use no processor time, twice is as once, and the means name the version."""
    group.start(FORKS + SPIN)
    wait_until(lambda: driver.read().processes == 4)
    means = f"cgroup-{group.version}-freeze"
    assert [driver.freeze(), driver.freeze()] == [means, means]
    before, pids = driver.read(), group.pids()
    spent = cpu_of(pids)
    time.sleep(0.2)
    assert (driver.read().state, driver.read().processes) == ("frozen", 4)
    assert driver.read().cpu_s - before.cpu_s < 0.011
    assert cpu_of(pids) - spent < 0.011
    assert driver.thaw() == means
    assert driver.read().state == "running"
    wait_until(lambda: driver.read().cpu_s > before.cpu_s + 0.05)


def test_a_kill_ends_the_frozen_and_the_deaf(group: OthersGroup, driver: CgroupDriver) -> None:
    """Work that ignores SIGTERM, forks on and detaches is killed though it is frozen; the next comer is not frozen."""
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    detached = "import os\nif os.fork() == 0: os.setsid(); os.fork()\n"
    group.start(deaf + detached + SPIN)
    wait_until(lambda: driver.read().processes == 3)
    driver.freeze()
    pids = group.pids()
    with measured_lateness() as busy:
        begun = time.monotonic()
        assert driver.kill() == ("cgroup-v2-kill" if group.version == "v2" else "signal-kill")
        assert time.monotonic() - begun < driver.stop_time_s + busy.total_s
    assert not any(is_alive(pid) for pid in pids)
    group.start(SPIN)
    wait_until(lambda: driver.read().state == "running")


def test_the_dead_stay_counted(group: OthersGroup, driver: CgroupDriver) -> None:
    """Processor time of a child that came and went is in the kernel's count."""
    burn = "[None for _ in range(6_000_000)]; os._exit(0)"
    group.start(f"import os, time\nif os.fork() == 0:\n    {burn}\nos.wait(); time.sleep(30)")
    wait_until(lambda: driver.read().cpu_s > 0.08)
    wait_until(lambda: driver.read().processes == 1)
    assert driver.read().cpu_s > 0.08


def test_a_checkpoint_is_asked_of_those_who_listen(
    group: OthersGroup, driver: CgroupDriver, tmp_path: Path
) -> None:
    """SIGUSR1 would kill who does not handle it: such work lives on, and the asking is refused."""
    deaf = group.start("import time; time.sleep(30)")
    with pytest.raises(StateConflict, match="listens"):
        driver.request_checkpoint()
    out = tmp_path / "heard"
    group.start(LISTENS.format(out=str(out)))
    wait_until(out.exists)
    driver.request_checkpoint()
    wait_until(lambda: out.read_text() == "heard\n")
    assert deaf.poll() is None


def test_started_work_is_counted_from_its_start_and_ends_with_its_keeper(
    group: OthersGroup, driver: CgroupDriver
) -> None:
    """A command runs inside the group, under the run's name, with its exit code."""
    group.start("sum(range(6_000_000))").wait()
    wait_until(driver.is_over)
    assert driver.read().cpu_s > 0.05
    work = driver.start("run-1", python("import sys; sys.exit(3)"), {"PATH": os.environ["PATH"]})
    assert work.run == "run-1"
    wait_until(driver.is_over)
    assert driver.read().exit_code == 3
    assert driver.read().cpu_s < 0.05
    driver.start("run-2", python(SPIN), {})
    assert driver.read().processes == 1
    with pytest.raises(StateConflict, match="running"):
        driver.start("run-3", python(SPIN), {})


def test_work_that_left_the_group_is_still_held(group: OthersGroup, driver: CgroupDriver) -> None:
    """A process that was seen inside is stopped and killed outside too, with the child that it had there."""
    left = group.start("import os, time; time.sleep(0.3); os.fork()\n" + SPIN)
    wait_until(lambda: driver.read().processes == 1)
    for folder in group.folders:
        (folder.parent / "cgroup.procs").write_text(str(left.pid))
    assert group.pids() == set()
    wait_until(lambda: driver.read().processes == 2)
    assert driver.freeze() == "signal-stop"
    wait_until(lambda: driver.read().state == "frozen")
    assert driver.thaw() == "signal-stop"
    assert driver.kill() == "signal-kill"
    assert left.wait(60) == -signal.SIGKILL


def test_the_sentry_stops_what_a_dead_watchdog_leaves(group: OthersGroup, tmp_path: Path) -> None:
    """When the process that holds the driver is killed, the group is frozen; where the settings say so, killed."""
    for at_end in ("freeze", "kill"):
        work = group.start(SPIN)
        holder = hold_in_a_process(group, tmp_path / at_end, at_end)
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)
        if at_end == "freeze":
            wait_until(group.is_frozen)
            assert work.poll() is None
            work.kill()
            group.thaw()
        assert work.wait(60) == -signal.SIGKILL


def hold_in_a_process(group: OthersGroup, folder: Path, at_end: str) -> int:
    """A process of its own that holds a driver until it is killed; its pid."""
    heard, said = os.pipe()
    child = os.fork()
    if child == 0:
        settings = settings_of(group, at_end=cast("Literal['freeze', 'kill']", at_end))
        kept = CgroupDriver(folder, settings)
        os.write(said, b"x" if kept.read().processes else b"-")
        signal.pause()
    os.close(said)
    assert os.read(heard, 1) == b"x"
    os.close(heard)
    return child


def test_a_sentry_that_was_killed_is_replaced(group: OthersGroup, driver: CgroupDriver) -> None:
    """The next look finds it gone and posts another."""
    first = driver._sentry
    first.kill()
    first.wait()
    driver.read()
    assert driver._sentry is not first
    assert driver._sentry.poll() is None


def test_a_group_is_made_for_the_run_and_taken_away(tmp_path: Path) -> None:
    """`make` asks the host for the group, in the newest version that it has."""
    name = f"/sekisho-made-{os.getpid()}"
    settings = DriverSettings(driver="cgroup", cgroup=CgroupSettings(group=name, make=True))
    driver = make_driver("cgroup", settings, tmp_path / "driver")
    mount = find_cgroup_mount(None if VERSIONS[0] == "v2" else "freezer")
    assert mount is not None
    assert (mount / name[1:]).is_dir()
    assert driver.start("run-1", python(SPIN), {}).cgroup.startswith(
        name if "v2" in VERSIONS else ""
    )
    driver.kill()
    driver.close()
    assert not (mount / name[1:]).exists()


def test_a_group_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The message names it and what to do."""
    with pytest.raises(InvalidInput, match="/no-such"):
        CgroupDriver(tmp_path / "driver", CgroupSettings(group="/no-such"))
    with pytest.raises(InvalidInput, match="names no group"):
        make_driver("cgroup", DriverSettings(driver="cgroup"), tmp_path / "driver")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_group_that_holds_the_watchdog_is_refused(version: str, tmp_path: Path) -> None:
    """Whoever freezes itself cannot thaw: such a group is never taken, and never acted on if it becomes one."""
    with others_group(version) as group:
        work = group.start(SPIN)

        def is_refused_inside() -> bool:
            enter(group)
            try:
                CgroupDriver(tmp_path / "inside", settings_of(group))
            except InvalidInput:
                return True
            return False

        def goes_out_to_freeze() -> bool:
            driver = make(group, tmp_path)
            enter(group)
            driver.freeze()
            is_so = group.is_frozen() and group.pids() == {work.pid}
            driver.kill()
            driver.close()
            return is_so

        assert is_so_in_a_child(is_refused_inside)
        assert work.poll() is None
        assert is_so_in_a_child(goes_out_to_freeze)
        assert work.wait(60) == -signal.SIGKILL


def enter(group: OthersGroup) -> None:
    for folder in group.folders:
        (folder / "cgroup.procs").write_text(str(os.getpid()))


def is_so_in_a_child(what: Callable[[], bool]) -> bool:
    """Asked in a process that has no children: those of whoever is in the group are taken for its work, and ended."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            code = 0 if what() else 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_names_that_point_elsewhere_are_refused() -> None:
    """A group's name is plain: no way up, no root."""
    import msgspec

    for name in ("/", "/../x", "/a/../b", "relative", "/a//b", "/.hidden"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"group": name}, CgroupSettings)
    assert msgspec.convert({"group": "/a.slice/b-1.scope"}, CgroupSettings).make is False


def test_the_older_version_is_found_where_the_group_stands_only_there() -> None:
    """`auto` takes version 2 where the group is there, else version 1."""
    if "v1" in VERSIONS:
        with others_group("v1", "sekisho-older") as group:
            found = find_group(CgroupSettings(group=group.name))
            assert found.freeze_means == "cgroup-v1-freeze"
    if "v2" in VERSIONS:
        with others_group("v2", "sekisho-newer") as group:
            found = find_group(CgroupSettings(group=group.name))
            assert found.freeze_means == "cgroup-v2-freeze"
    assert read_process(os.getpid()) is not None


DELEGATED = """
import sys
from pathlib import Path
from sekisho.adapters.schedulers.cgroup import CgroupDriver
from sekisho.ports.driver_settings import CgroupSettings
group, version, folder = sys.argv[1:]
driver = CgroupDriver(Path(folder), CgroupSettings(group=group, version=version))
print(driver.read().processes, driver.freeze(), driver.read().state, driver.thaw(), driver.cap(500_000), driver.kill())
"""


@pytest.mark.users
@pytest.mark.parametrize("version", VERSIONS)
def test_a_group_that_was_delegated_needs_no_root(version: str) -> None:
    """The owner of a group, a plain user, freezes, slows and ends what runs in it; without rights it is refused."""
    with others_group(version, "sekisho-lent") as group, open_folder() as folder:
        os.chown(folder, AGENT, AGENT)
        command = [PYTHON, "-c", DELEGATED, group.name, version, str(folder / "d")]
        group.start(SPIN, AGENT)

        def run() -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                command,
                env=package_environment(),
                cwd="/",
                capture_output=True,
                text=True,
                check=False,
                timeout=30,
                **identity_of(AGENT),
            )

        assert "may freeze" in run().stderr
        for place in group.folders:
            for path in (place, *place.iterdir()):
                os.chown(path, AGENT, AGENT)
        freeze, kill = f"cgroup-{version}-freeze", "cgroup-v2-kill"
        if version == "v1":
            kill = "signal-kill"
        done = run()
        assert done.stdout.split() == ["1", freeze, "frozen", freeze, "duty-cycle", kill], (
            done.stderr
        )


@pytest.mark.slow
def test_an_agent_may_bring_its_own_watchdog_to_life(tmp_path: Path) -> None:
    """Detached it is ready at once: what it posts beside the group holds nothing of its starter's open."""
    group = CgroupSettings(group=f"/sekisho-own-{os.getpid()}", make=True, version="auto")
    link = spawn_watchdog(
        tmp_path / "watchdog", settings=DriverSettings(driver="cgroup", cgroup=group)
    )
    assert link.name == "cgroup"
    link.quit()
