"""Agent, watchdog and work as three users, and as one without root: licences, stops, deaths and hangs, for real."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sekisho.adapters.schedulers.process_files import list_processes, read_process, tree_below
from sekisho.adapters.schedulers.watchdog_link import WatchdogLink
from sekisho.agent.units import WATCHDOG_UNIT, UnitsPlace, make_units
from sekisho.model.errors import SekishoError, Unavailable
from sekisho.model.wire import canonical
from tests.adapters.schedulers.groups import VERSIONS, is_alive, others_group, wait_until
from tests.agent.homes import RUN, license_now, write_home
from tests.fakes import FakeControl
from tests.served import SystemFakeClock, served
from tests.users import (
    AGENT,
    PYTHON,
    WORKER,
    identity_of,
    open_folder,
    package_environment,
)
from tests.watchdogs import permit_for, privileged, start_line

GRACE_S = 2
SPIN = "while True: pass"
# Deaf to what asks politely, and always a new process to catch: two hundred at most, each short.
BOMB = """
import os, signal, time
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(number, signal.SIG_IGN)
def burst():
    while True:
        for _ in range(5):
            if os.fork() == 0:
                if os.fork() == 0: os.setsid(); time.sleep(0.05)
                os._exit(0)
        for _ in range(5): os.wait()
for _ in range(3):
    if os.fork() == 0: burst()
burst()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users may enter."""
    with open_folder() as made:
        yield made


@pytest.fixture
def control() -> Iterator[tuple[FakeControl, str]]:
    """A control plane with a licence that holds now, and its address."""
    made = FakeControl(SystemFakeClock())
    license_now(made, grace_s=GRACE_S)
    with served(made) as url:
        yield made, url


def write_agent(folder: Path, control: tuple[FakeControl, str], **changes: Any) -> Path:
    """The home of an agent that is a user of its own; its work, a canary, writes into a folder of the worker's."""
    home, out = folder / "home", folder / "out"
    write_home(home, *control)
    settings = json.loads((home / "agent.json").read_bytes())
    work = [PYTHON, "-m", "sekisho.canary", "--out", str(out), "--seed", "7", "--run", RUN]
    settings |= {
        "command": [*work, "--pace", "0.3"],
        "environment": package_environment(),
        "out": str(out),
        **changes,
    }
    (home / "agent.json").write_bytes(canonical(settings))
    out.mkdir(mode=0o755)
    if os.geteuid() == 0:
        os.chown(out, WORKER if "watchdog" in settings else AGENT, -1)
        for path in (home, *home.iterdir()):
            os.chown(path, AGENT, AGENT)
    return home


@contextlib.contextmanager
def agent_on_duty(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An agent of the agent's user in the foreground."""
    command = [PYTHON, "-P", "-m", "sekisho.agent.main", "--home", str(home)]
    agent = subprocess.Popen(
        command, cwd="/", env=package_environment(), start_new_session=True, **identity_of(AGENT)
    )
    try:
        yield agent
    finally:
        agent.kill()
        agent.wait()


def held_pid(link: WatchdogLink) -> int:
    with contextlib.suppress(SekishoError):
        held = link.held()
        return held[0].root_pid if held and link.read().state == "running" else 0
    return 0


def user_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


@pytest.mark.users
@pytest.mark.slow
def test_a_licence_is_kept_by_three_users(folder: Path, control: tuple[FakeControl, str]) -> None:
    """Leased, spent, frozen by an order, and ended at the permit's end once the agent is killed."""
    regime = control[0]
    with privileged(folder, driver="process") as watchdog:
        home = write_agent(folder, control, watchdog={"socket": str(watchdog.socket)})
        with agent_on_duty(home) as agent:
            wait_until(lambda: held_pid(watchdog.link) > 0)
            work = held_pid(watchdog.link)
            assert [user_of(pid) for pid in (agent.pid, work)] == [AGENT, WORKER]
            wait_until(lambda: regime.stages().count("quantum") >= 2)
            regime.issue(regime.order())
            wait_until(lambda: watchdog.link.read().state == "frozen")
            wait_until(lambda: regime.stages()[-1:] == ["final"])
            lifted = regime.book.orders["pause/JP"][1].reference
            regime.issue(
                regime.order(kind="resume", effect="lift", lifts=[lifted], on_expiry="lapse")
            )
            wait_until(lambda: watchdog.link.read().state == "running")
            agent.kill()
            held = watchdog.link.held()
            assert held is not None
            assert wait_until(lambda: not is_alive(work)) < GRACE_S + 3
            wait_until(lambda: "permit ran out, kill" in watchdog.journal())
        assert regime.codes() == []


@pytest.mark.users
@pytest.mark.slow
def test_a_stopped_agent_stops_nothing_of_the_watchdog(
    folder: Path, control: tuple[FakeControl, str]
) -> None:
    """An agent under SIGSTOP gives no more permits: the work is asked for a checkpoint and ends after the grace."""
    with privileged(folder) as watchdog:
        home = write_agent(folder, control, watchdog={"socket": str(watchdog.socket)})
        with agent_on_duty(home) as agent:
            wait_until(lambda: held_pid(watchdog.link) > 0)
            work = held_pid(watchdog.link)
            agent.send_signal(signal.SIGSTOP)
            assert wait_until(lambda: not is_alive(work)) < GRACE_S + 3
            wait_until(lambda: watchdog.journal()[-1:] == ["permit ran out, kill"])
            assert watchdog.journal()[0] == "checkpoint asked"


def as_the_unit_leaves_it() -> tuple[str, ...]:
    """A command that runs another with the capabilities of the watchdog's unit, and no new ones ever."""
    unit = make_units(UnitsPlace())[WATCHDOG_UNIT]
    line = next(row for row in unit.splitlines() if row.startswith("CapabilityBoundingSet="))
    kept = [f"+{name.removeprefix('CAP_').lower()}" for name in line.partition("=")[2].split()]
    return ("setpriv", "--no-new-privs", "--bounding-set", ",".join(["-all", *kept]), "--")


@pytest.mark.groups
@pytest.mark.users
def test_the_capabilities_of_the_unit_are_enough(folder: Path) -> None:
    """With them alone work of another user is started, slowed, frozen, asked for a checkpoint and killed."""
    with privileged(folder, under=as_the_unit_leaves_it()) as watchdog:
        told = watchdog.ask(AGENT, start_line(BOMB))
        assert user_of(json.loads(told[0])["workload"]["root_pid"]) == WORKER
        wait_until(lambda: watchdog.link.read().processes >= 8)
        assert watchdog.link.cap(500_000) != "none"
        assert watchdog.link.freeze() != "none"
        watchdog.link.request_checkpoint()
        watchdog.link.thaw()
        assert watchdog.link.kill() != "none"
        wait_until(lambda: not any(is_workers(p.pid) for p in list_processes() if p.is_alive))
    for version in VERSIONS:
        with others_group(version, "sekisho-caps") as group:
            settings = {"group": group.name, "version": version}
            with privileged(
                folder, under=as_the_unit_leaves_it(), driver="cgroup", cgroup=settings
            ) as watchdog:
                work = group.start(SPIN, WORKER)
                wait_until(group.is_frozen)
                watchdog.link.permit(permit_for(60.0))
                watchdog.link.thaw()
                assert watchdog.link.cap(500_000) != "none"
                watchdog.link.kill()
                assert work.wait(30) == -signal.SIGKILL


@pytest.mark.users
def test_killing_the_watchdog_kills_the_work_of_another_user(folder: Path) -> None:
    """SIGKILL of the privileged part: root process, children and detached children of the third user are gone."""
    code = "import os\nif os.fork() == 0: os.setsid(); os.fork()\n" + SPIN
    with privileged(folder) as watchdog:
        watchdog.ask(AGENT, start_line(code))
        wait_until(lambda: watchdog.link.read().processes == 3)
        pids = [p.pid for p in tree_below(watchdog.process.pid, list_processes())]
        assert {user_of(pid) for pid in pids} == {0, WORKER}  # the keeper is ours
        watchdog.process.kill()
        wait_until(lambda: not any(is_alive(pid) for pid in pids))


@pytest.mark.plain_user
@pytest.mark.slow
def test_without_root_a_licence_is_kept_too(folder: Path, control: tuple[FakeControl, str]) -> None:
    """Everything as one plain user: leased, frozen, resumed, and ended when agent and permit are gone."""
    regime = control[0]
    home = write_agent(folder, control)
    link = WatchdogLink(home / "watchdog", user=AGENT)
    with agent_on_duty(home) as agent:
        wait_until(lambda: held_pid(link) > 0)
        work = held_pid(link)
        assert user_of(work) == user_of(agent.pid) != 0
        wait_until(lambda: regime.stages().count("quantum") >= 2)
        regime.issue(regime.order())
        wait_until(lambda: link.read().state == "frozen")
        lifted = regime.book.orders["pause/JP"][1].reference
        regime.issue(regime.order(kind="resume", effect="lift", lifts=[lifted], on_expiry="lapse"))
        wait_until(lambda: link.read().state == "running")
        agent.kill()
        assert wait_until(lambda: not is_alive(work)) < GRACE_S + 3
    wait_until(lambda: link.read().state == "ended")
    link.quit()
    assert regime.codes() == []


@pytest.mark.users
@pytest.mark.parametrize("then", ["freeze", "kill"])
def test_a_fork_bomb_is_caught_whole(folder: Path, then: str) -> None:
    """Work that forks without end, detaches and ignores every polite signal is stopped to the last process."""
    with privileged(folder) as watchdog:
        watchdog.ask(AGENT, start_line(BOMB))
        wait_until(lambda: watchdog.link.read().processes >= 8)
        if then == "freeze":
            watchdog.link.freeze()
            before = {p.pid for p in list_processes() if is_workers(p.pid)}
            time.sleep(0.2)
            assert {p.pid for p in list_processes() if is_workers(p.pid)} == before
            assert watchdog.link.read().state == "frozen"
        watchdog.link.kill()  # or it says that some outlived its stop time
        assert not any(is_workers(p.pid) for p in list_processes() if p.is_alive)


def is_workers(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return user_of(pid) == WORKER
    return False


@pytest.mark.groups
@pytest.mark.users
@pytest.mark.parametrize("version", VERSIONS)
def test_a_group_without_a_permit_stands_still(folder: Path, version: str) -> None:
    """Work that others start is frozen until there is a permit, when that has run out, and when the watchdog dies."""
    with others_group(version, "sekisho-priv") as group:
        settings = {"group": group.name, "version": version}
        with privileged(folder, driver="cgroup", cgroup=settings) as watchdog:
            assert watchdog.link.name == "cgroup"
            work = group.start(SPIN, WORKER)
            wait_until(group.is_frozen)
            assert watchdog.link.held() is None
            watchdog.link.permit(permit_for(5.0, then="freeze"))
            assert watchdog.link.thaw() == f"cgroup-{version}-freeze"
            assert watchdog.link.read().state == "running"
            wait_until(group.is_frozen)
            wait_until(lambda: watchdog.journal()[-1:] == ["permit ran out, freeze"])
            watchdog.link.permit(permit_for(60.0))
            watchdog.link.thaw()
            assert watchdog.link.cap(300_000) != "none"
            watchdog.process.kill()
            wait_until(group.is_frozen)
            time.sleep(0.3)
            assert group.is_frozen()
            watchdog.restart()
            time.sleep(0.3)
            assert group.is_frozen()
            assert work.poll() is None
            assert watchdog.link.cap(1_000_000) == "none"
            assert "-cap" not in Path(f"/proc/{work.pid}/cgroup").read_text()
            watchdog.link.kill()
            assert work.wait(30) == -signal.SIGKILL


@pytest.mark.groups
@pytest.mark.users
def test_a_cap_outlives_the_agent_and_not_the_permit(folder: Path) -> None:
    """The cap is the watchdog's: the agent's end changes nothing, and at the permit's end the capped work stands."""
    with privileged(folder) as watchdog:
        watchdog.ask(
            AGENT, start_line(SPIN, 60.0, then="freeze"), b'{"do":"cap","share_ppm":100000}'
        )
        wait_until(lambda: watchdog.link.read().processes == 1)
        cores = os.cpu_count() or 1
        before, begun = watchdog.link.read().cpu_s, time.monotonic()
        time.sleep(1.0)
        used = watchdog.link.read().cpu_s - before
        assert 0 < used <= (0.1 * cores + 0.1) * (time.monotonic() - begun)
        watchdog.link.permit(permit_for(0.5, then="freeze"))
        wait_until(lambda: watchdog.link.read().state == "frozen")
        stands = watchdog.link.read().cpu_s
        time.sleep(0.3)
        assert watchdog.link.read().cpu_s - stands < 0.011


@pytest.mark.mounts
@pytest.mark.users
@pytest.mark.slow
def test_work_that_waits_for_a_device_is_never_called_stopped(folder: Path) -> None:
    """An uninterruptible wait outlives freeze and kill: both say so, and the work counts as running until it goes."""
    with hanging_mount(folder) as place, privileged(folder) as watchdog:
        code = f"import os\nprint(1, flush=True)\nos.stat({str(place / 'x')!r})"
        held = json.loads(watchdog.ask(AGENT, start_line(code))[0])["workload"]
        wait_until(lambda: (watchdog.home / "work.log").read_text() == "1\n")
        time.sleep(0.1)
        with pytest.raises(Unavailable, match="freeze"):
            watchdog.link.freeze()
        with pytest.raises(Unavailable, match="outlived"):
            watchdog.link.kill()
        assert (watchdog.link.read().state, watchdog.link.read().processes) == ("running", 1)
        assert state_of(held["root_pid"]) == "D"
        place.with_name("answer").touch()
        wait_until(lambda: watchdog.link.read().state == "ended")


def state_of(pid: int) -> str:
    process = read_process(pid)
    return process.state if process else ""


SERVER = """
import os, struct, subprocess, sys, time
place, answer = sys.argv[1:]
server = os.open("/dev/fuse", os.O_RDWR)
os.set_inheritable(server, True)
options = f"fd={server},rootmode=40000,user_id=0,group_id=0,allow_other"
subprocess.run(["mount", "-i", "-t", "fuse", "-o", options, "hangs", place], check=True, pass_fds=(server,))
asked = os.read(server, 1 << 17)
_, opcode, unique = struct.unpack_from("=IIQ", asked)
assert opcode == 26  # FUSE_INIT, the one request that is answered (linux/fuse.h)
about = struct.pack("=IIIIHHIIHHI7I", 7, 31, 0, 0, 8, 8, 4096, 1, 1, 0, 0, *[0] * 7)
os.write(server, struct.pack("=IiQ", 16 + len(about), 0, unique) + about)
print("there", flush=True)
os.set_blocking(server, False)
while not os.path.exists(answer):
    try:
        os.read(server, 1 << 17)  # taken from the kernel, and never answered
    except OSError:
        time.sleep(0.01)
"""


@contextlib.contextmanager
def hanging_mount(folder: Path) -> Iterator[Path]:
    """A FUSE file system that takes every request and answers none until there is a file `answer` beside it."""
    place = folder / "hangs"
    place.mkdir()
    command = [sys.executable, "-I", "-S", "-c", SERVER, str(place), str(folder / "answer")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == b"there\n"
            yield place
        finally:
            server.kill()  # ends the connection: whoever waits for it is let go
            server.wait()
            subprocess.run(["umount", "-l", str(place)], check=False)
