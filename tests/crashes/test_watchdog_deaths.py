"""Deaths around the watchdog: its own, the work's, its client's; and what it does when nobody says anything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.local_sockets import ask_line
from sekisho.adapters.schedulers import ProcessDriver, WatchdogLink, spawn_watchdog
from sekisho.adapters.schedulers.process_files import list_processes, read_process, tree_below
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.ports.driver import Permit, Workload

ENVIRONMENT = {"PATH": os.environ["PATH"]}
CANARY = (sys.executable, "-m", "sekisho.canary", "--seed", "1", "--pace", "0.3", "--out")
DEAF_FOREST = """
import os, signal
for number in (signal.SIGTERM, signal.SIGUSR1): signal.signal(number, signal.SIG_IGN)
if os.fork() == 0: os.setsid()
os.fork()
while True: pass
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder whose watchdog, if one lives there after the test, is told to end."""
    place = tmp_path / "watchdog"
    yield place
    for process in list_processes():
        if f"--dir {place}" in _command_of(process.pid):
            os.kill(process.pid, signal.SIGTERM)
            _wait_for_end(process.pid)


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() + " "
    except OSError:
        return ""


def _pid_of_watchdog(folder: Path) -> int:
    found = [
        p.pid
        for p in list_processes()
        if f"watchdog --detach --dir {folder} " in _command_of(p.pid)
    ]
    assert len(found) == 1
    return found[0]


def _wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _is_alive(pid: int) -> bool:
    process = read_process(pid)
    return process is not None and process.is_alive


def _wait_for_end(pid: int) -> None:
    _wait_until(lambda: not _is_alive(pid))


def _permit(
    until: float, then: Literal["freeze", "kill"] = "kill", checkpoint: float | None = None
) -> Permit:
    now = SystemClock().elapsed_s()
    ask = until if checkpoint is None else checkpoint
    return Permit(checkpoint_at_s=now + ask, until_s=now + until, then=then)


def _start(folder: Path, code: str, given: Permit | None = None) -> tuple[WatchdogLink, Workload]:
    link = spawn_watchdog(folder)
    link.permit(given or _permit(60))
    return link, link.start("run-1", (sys.executable, "-S", "-c", code), ENVIRONMENT)


def _journal(folder: Path) -> list[dict[str, Any]]:
    path = folder / "watchdog.log"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_kill_9_of_the_watchdog_ends_the_work_and_its_children(folder: Path) -> None:
    """The work is bound to the watchdog's life: root, children and a detached grandchild die with it."""
    link, work = _start(folder, DEAF_FOREST)
    _wait_until(lambda: link.read().processes == 4)
    pids = [p.pid for p in tree_below(_pid_of_watchdog(folder), list_processes())]
    assert len(pids) == 5  # the keeper and four
    os.kill(_pid_of_watchdog(folder), signal.SIGKILL)
    _wait_until(lambda: not any(_is_alive(pid) for pid in pids))
    with pytest.raises(Unavailable):
        link.read()
    again = spawn_watchdog(folder)
    assert again.held() is None
    assert again.read().state == "ended"
    assert not work.cgroup or not Path(f"/proc/{work.root_pid}").exists()


def test_kill_9_of_watchdog_and_keeper_at_once_leaves_nothing_past_the_next_start(
    folder: Path,
) -> None:
    """If both guards die in one blow, the root dies by the kernel's hand and a new watchdog ends the rest."""
    link, work = _start(folder, "import os; os.fork(); os.fork()\nwhile True: pass")
    _wait_until(lambda: link.read().processes == 4)
    guard = _pid_of_watchdog(folder)
    below = tree_below(guard, list_processes())
    keeper = next(p.pid for p in below if p.parent == guard)
    os.kill(guard, signal.SIGSTOP)  # so that neither sees the other go
    os.kill(keeper, signal.SIGKILL)
    os.kill(guard, signal.SIGKILL)
    _wait_until(lambda: not _is_alive(work.root_pid))
    spawn_watchdog(folder)
    assert not any(_is_alive(p.pid) for p in below)
    assert "dead watchdog left" in _journal(folder)[-1]["what"]


def test_kill_9_of_the_workload_is_told(folder: Path) -> None:
    """A workload killed from outside has ended; the watchdog lives, holds nothing, and may start another."""
    link, work = _start(folder, "while True: pass")
    os.kill(work.root_pid, signal.SIGKILL)
    _wait_until(lambda: link.read().state == "ended")
    assert link.read().exit_code == -signal.SIGKILL
    assert link.held() is None
    link.permit(_permit(60))
    assert link.start("run-2", (sys.executable, "-S", "-c", "pass"), ENVIRONMENT).run == "run-2"


CLIENT = """
import os, sys
from pathlib import Path
from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.schedulers import spawn_watchdog
from sekisho.ports.driver import Permit
folder, then, *command = sys.argv[1:]
link = spawn_watchdog(Path(folder))
now = SystemClock().elapsed_s()
link.permit(Permit(checkpoint_at_s=now + 1.5, until_s=now + 2.2, then=then))
link.start("run-1", tuple(command), dict(os.environ))
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("then", ["freeze", "kill"])
def test_kill_9_of_the_client_leaves_the_permit_in_force(
    folder: Path, tmp_path: Path, then: Literal["freeze", "kill"]
) -> None:
    """With its client dead the work still checkpoints and ends on time, by the watchdog alone, which notes both."""
    out = tmp_path / "out"
    command = [sys.executable, "-c", CLIENT, str(folder), then, *CANARY, str(out)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    link = WatchdogLink(folder)
    held = link.held()
    assert held is not None
    work, given = held
    assert (work.run, given.then) == ("run-1", then)
    over = "frozen" if then == "freeze" else "ended"
    _wait_until(lambda: link.read().state == over)
    at = SystemClock().elapsed_s()
    assert given.until_s <= at < given.until_s + 2
    assert (out / "checkpoint.json").exists()
    first, second = _journal(folder)
    assert (first["what"], first["means"]) == ("checkpoint asked", "signal")
    assert given.checkpoint_at_s <= first["at_elapsed_s"] < given.checkpoint_at_s + 0.6
    assert second["what"] == f"permit ran out, {then}"
    assert second["means"] != "none"
    assert given.until_s <= second["at_elapsed_s"] < given.until_s + 1


def test_frozen_work_goes_on_only_under_a_live_permit(folder: Path) -> None:
    """Thawing without a live permit is refused; with a new one the work goes on until that ends."""
    link, _ = _start(folder, "while True: pass", _permit(1.5, "freeze"))
    _wait_until(lambda: link.read().state == "frozen")
    with pytest.raises(StateConflict, match="run out"):
        link.thaw()
    assert link.read().state == "frozen"
    link.permit(_permit(60, "freeze"))
    assert link.thaw() != "none"
    assert link.read().state == "running"


def test_work_thawed_behind_the_watchdogs_back_is_frozen_again(folder: Path) -> None:
    """Out of permit, work that somebody woke is stopped again within the watchdog's next looks."""
    link, work = _start(folder, "while True: pass", _permit(1.5, "freeze"))
    _wait_until(lambda: link.read().state == "frozen")
    _wake(work)
    _wait_until(
        lambda: [row["what"] for row in _journal(folder)].count("permit ran out, freeze") == 2
    )
    assert link.read().state == "frozen"


def _wake(work: Workload) -> None:
    mount = Path("/sys/fs/cgroup/unified")
    mount = mount if mount.exists() else Path("/sys/fs/cgroup")
    if work.cgroup:
        (mount / work.cgroup.lstrip("/") / "cgroup.freeze").write_text("0")
    else:
        os.kill(work.root_pid, signal.SIGCONT)


def test_a_start_needs_a_permit_in_the_future(folder: Path) -> None:
    """No permit, one that has run out and one whose checkpoint lies after its end start nothing."""
    link = spawn_watchdog(folder)
    command = (sys.executable, "-S", "-c", "pass")
    with pytest.raises(StateConflict, match="no permit"):
        link.start("run-1", command, ENVIRONMENT)
    link.permit(_permit(-1))
    with pytest.raises(StateConflict, match="run out"):
        link.start("run-1", command, ENVIRONMENT)
    with pytest.raises(InvalidInput, match="after the end"):
        link.permit(_permit(10, checkpoint=11))
    assert link.read().state == "ended"


def test_a_permit_on_ended_work_is_harmless(folder: Path) -> None:
    """A permit that comes too late changes nothing and is no error."""
    link, _ = _start(folder, "pass")
    _wait_until(lambda: link.read().state == "ended")
    link.permit(_permit(60))
    assert link.held() is None


def test_second_watchdog_on_one_folder_is_refused(folder: Path) -> None:
    """The second ends with 1 and a reason, the first serves on, and spawning attaches to it."""
    link, work = _start(folder, "while True: pass")
    command = [sys.executable, "-m", "sekisho.agent.watchdog", "--dir", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "another watchdog holds" in done.stderr
    attached = spawn_watchdog(folder)
    held = attached.held()
    assert held is not None
    assert held[0] == work
    assert link.read().state == "running"


def test_a_watchdog_leaves_only_without_work_or_on_sigterm(folder: Path) -> None:
    """`quit` is refused while work is held; SIGTERM kills the work first; the socket goes with the watchdog."""
    link, work = _start(folder, DEAF_FOREST)
    with pytest.raises(StateConflict, match="held"):
        link.quit()
    guard = _pid_of_watchdog(folder)
    os.kill(guard, signal.SIGTERM)
    _wait_until(lambda: not _is_alive(guard))
    assert not _is_alive(work.root_pid)
    assert "told to end" in _journal(folder)[-1]["what"]
    assert not (folder / "watchdog.sock").exists()
    again = spawn_watchdog(folder)
    again.quit()
    _wait_until(lambda: not again.is_alive())


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"nonsense",
        b"[]",
        b'{"do":"reboot"}',
        b'{"do":"status","more":1}',
        b'{"do":"status","do":"kill"}',
        b'{"do":"permit","permit":{"checkpoint_at_s":1,"until_s":NaN,"then":"kill"}}',
        b'{"do":"permit","permit":{"checkpoint_at_s":1,"until_s":1e400,"then":"kill"}}',
        b'{"do":"start","run":"../x","command":["a"],"environment":{},"permit":{"checkpoint_at_s":1,"until_s":2,"then":"kill"}}',
        b'{"do":"start","run":"x","command":[1],"environment":{},"permit":{"checkpoint_at_s":1,"until_s":2,"then":"kill"}}',
        b"[" * 5000,
    ],
)
def test_the_watchdog_hears_fixed_shapes_only(shared_watchdog: Path, line: bytes) -> None:
    """Anything but the nine requests in their exact shape is refused as bad input, and the watchdog serves on."""
    assert b'"code":"invalid-input"' in ask_line(
        shared_watchdog / "watchdog.sock", line, timeout_s=5
    )
    assert WatchdogLink(shared_watchdog).read().state == "ended"


@pytest.fixture(scope="module")
def shared_watchdog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One idle watchdog for all tests that start nothing, in folders closed to others."""
    place = tmp_path_factory.mktemp("shared") / "watchdog"
    link = spawn_watchdog(place)
    assert place.stat().st_mode & 0o777 == 0o700
    assert (place / "watchdog.sock").stat().st_mode & 0o777 == 0o600
    yield place
    link.quit()


def test_a_line_over_16_kib_is_not_heard(shared_watchdog: Path) -> None:
    """An overlong request is dropped unread by the watchdog and refused by the link before it is sent."""
    with pytest.raises(Unavailable):
        ask_line(shared_watchdog / "watchdog.sock", b" " * 20_000, timeout_s=5)
    link = WatchdogLink(shared_watchdog)
    link.permit(_permit(60))
    with pytest.raises(InvalidInput, match="16 KiB"):
        link.start("run-1", ("x" * 4000,) * 5, {})
    assert link.read().state == "ended"


def test_the_ready_line_is_json(tmp_path: Path) -> None:
    """In the foreground the watchdog prints one JSON line once it serves, and SIGTERM ends it with 0."""
    command = [sys.executable, "-m", "sekisho.agent.watchdog", "--dir", str(tmp_path / "w")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready == {"ready": True, "pid": process.pid, "dir": str(tmp_path / "w")}
        assert WatchdogLink(tmp_path / "w").is_alive()
        process.terminate()
        assert process.wait(30) == 0


def test_leftovers_of_another_boot_are_left_alone(tmp_path: Path) -> None:
    """A record from before a reboot names pids that now belong to others: nobody is killed for it."""
    driver = ProcessDriver(tmp_path / "d", cgroups=False)
    with subprocess.Popen(["sleep", "30"], start_new_session=True) as innocent:
        process = read_process(innocent.pid)
        assert process is not None
        record = {
            "boot": "00000000-0000-0000-0000-000000000000",
            "workload": {
                "run": "run-1",
                "root_pid": innocent.pid,
                "root_start_ticks": process.start_ticks,
                "cgroup": "",
                "user": 0,
            },
        }
        (tmp_path / "d" / "workload.json").write_text(json.dumps(record))
        assert driver.reap_leftovers() == ()
        assert innocent.poll() is None
        record["boot"] = SystemClock().boot_id()
        (tmp_path / "d" / "workload.json").write_text(json.dumps(record))
        assert driver.reap_leftovers() == ("run run-1",)
        assert innocent.wait(30) == -signal.SIGKILL
