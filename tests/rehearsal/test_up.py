"""`sekisho up`: what a person meets when a home cannot be served, and what a kill leaves behind."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sekisho.adapters.processes import ChildProcess
from sekisho.app import Home
from sekisho.model.errors import Unavailable
from tests.rehearsal.test_drill import sekisho


def start(folder: Path, name: str = "control") -> ChildProcess:
    return ChildProcess.start(
        name,
        [
            "sekisho.rehearsal.control",
            *("--home", str(folder / "home"), "--port", "0", "--parent", str(os.getpid())),
        ],
        log=folder / f"{name}.log",
    )


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, ChildProcess]]:
    child = start(tmp_path)
    yield tmp_path, child
    child.stop()


def size_of(child: ChildProcess) -> int:
    state = httpx.get(f"{child.text('address')}/api/v1/state", timeout=10).json()
    return int(state["log"]["size"])


def test_two_up_on_one_home_the_second_is_refused(served: tuple[Path, ChildProcess]) -> None:
    """A log has one writer: the second one ends with a clear word and the first goes on."""
    folder, child = served
    with pytest.raises(Unavailable, match="another up holds"):
        start(folder, "second")
    assert size_of(child) > 0


def test_port_taken_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    """Exit 4, the port named, no traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = sekisho(tmp_path, "up", "--home", str(tmp_path / "home"), "--port", port)
    assert done.returncode == 4
    assert port.encode() in done.stderr
    assert b"Traceback" not in done.stderr


def test_home_not_writable_is_told(tmp_path: Path) -> None:
    """A file where the home should be: exit 2, the path and the remedy named."""
    (tmp_path / "home").write_text("not a folder")
    done = sekisho(tmp_path, "up", "--home", str(tmp_path / "home"))
    assert done.returncode == 2
    assert b"--home" in done.stderr


def test_up_once_ends_after_the_first_page(tmp_path: Path) -> None:
    """A new home is founded, served, trusted, and left."""
    done = sekisho(tmp_path, "up", "--home", str(tmp_path / "home"), "--port", "0", "--once")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "trust.json").exists()


def test_kill_of_the_control_plane_loses_no_entry(served: tuple[Path, ChildProcess]) -> None:
    """After kill -9 the log is the same and grows on."""
    folder, child = served
    before = size_of(child)
    os.kill(child.pid, signal.SIGKILL)
    child.kill()
    again = start(folder, "again")
    try:
        assert size_of(again) >= before
    finally:
        again.stop()


def test_kill_of_a_witness_brings_it_back_and_the_log_goes_on(
    served: tuple[Path, ChildProcess],
) -> None:
    """A killed witness is started again at its address, with its key and memory; new entries get witnessed."""
    folder, child = served
    home = Home(path=folder / "home")
    before = _witness_pid(home)
    os.kill(before, signal.SIGKILL)
    deadline = time.monotonic() + 90
    size = size_of(child)
    while time.monotonic() < deadline:
        state = httpx.get(f"{child.text('address')}/api/v1/state", timeout=10).json()
        # The registers' heartbeat makes the log grow; both witnesses must cosign for it to be witnessed.
        if state["log"]["witnessed_size"] > size:
            break
        time.sleep(0.5)
    assert state["log"]["witnessed_size"] > size
    assert _witness_pid(home) != before


def _witness_pid(home: Home) -> int:
    folder = str(home.path / "witnesses" / "w1").encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if folder in command and b"sekisho.witness.main" in command:
                return int(entry.name)
    raise AssertionError("the witness is not running")
