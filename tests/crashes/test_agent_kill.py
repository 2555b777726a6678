"""kill -9 of a real agent, its watchdog and its work, one after the other: the run survives each."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from sekisho.model.errors import SekishoError
from tests.agent.homes import Living, license_now, living, wait_until, write_home
from tests.fakes import FakeControl
from tests.lateness import measured_lateness
from tests.served import SystemFakeClock, served


def watchdog_pid(alive: Living) -> int:
    """The process that holds the watchdog's folder, found by its command line."""
    folder = str(alive.home / "watchdog").encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_bytes()
                if b"sekisho.agent.watchdog" in command and folder in command:
                    return int(entry.name)
    raise AssertionError("there is no watchdog")


def is_alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    return False


def running_pid(alive: Living) -> int:
    """The work's root process once there is one; 0 before."""
    with contextlib.suppress(SekishoError, AssertionError):
        return alive.root_pid() if alive.state() == "running" else 0
    return 0


@pytest.mark.slow
def test_kill_9_of_agent_watchdog_and_work(tmp_path: Path) -> None:
    """Agent: its work lives on and is taken over. Work: started again. Watchdog: the work dies, both come back."""
    control = FakeControl(SystemFakeClock())
    license_now(control, grace_s=4)
    with served(control) as url:
        write_home(tmp_path / "home", control, url)
        with living(tmp_path / "home") as alive:
            wait_until(lambda: running_pid(alive) > 0)
            work = alive.root_pid()

            alive.kill_agent()
            assert is_alive(work)
            alive.restart()
            before = control.stages().count("quantum")
            wait_until(lambda: control.stages().count("quantum") >= before + 2)
            assert running_pid(alive) == work

            os.kill(work, signal.SIGKILL)
            wait_until(lambda: running_pid(alive) not in (0, work))
            work = running_pid(alive)

            os.kill(watchdog_pid(alive), signal.SIGKILL)
            wait_until(lambda: not is_alive(work))
            wait_until(lambda: running_pid(alive) not in (0, work), timeout_s=20)
            assert [r.sequence for r in control.receipts] == list(
                range(1, len(control.receipts) + 1)
            )
            assert set(control.codes()) <= {"watchdog-lost"}


@pytest.mark.slow
def test_without_an_agent_the_watchdog_ends_the_work(tmp_path: Path) -> None:
    """Nobody extends the permit: the work is over one quantum and its grace after the agent's death."""
    control = FakeControl(SystemFakeClock())
    license_now(control, grace_s=1)
    with served(control) as url:
        write_home(tmp_path / "home", control, url)
        with living(tmp_path / "home") as alive:
            wait_until(lambda: running_pid(alive) > 0)
            work = alive.root_pid()
            with measured_lateness() as busy:
                alive.kill_agent()
                died = time.monotonic()
                wait_until(lambda: not is_alive(work))
                # Quantum, grace and stated stop time.
                assert time.monotonic() - died < 1 + 1 + 5.0 + 0.5 + busy.total_s
