"""A command that serves unlocked weights: it ends with the key, with all that it started, and leaves no plaintext."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from sekisho.access.command import leave_by_interrupt, run_while_held
from sekisho.access.keyring import HeldKey
from sekisho.access.locking import _new_file
from sekisho.model.errors import InvalidInput, Unavailable
from tests.access.serving import until

WORKERS = """
import os, signal, sys, time
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a worker that does not listen
    open(sys.argv[2], "w").write(str(os.getpid()))
    time.sleep(600)
open(sys.argv[1], "w").write(str(os.getpid()))
time.sleep(600)
"""
KEEPING = """
import sys
from sekisho.access.command import run_while_held
class Held:
    is_held, why = True, ""
    def look(self): return 0.05
run_while_held([sys.executable, "-c", *sys.argv[1:]], Held())
"""


class Held:
    """What the command needs of a held key."""

    def __init__(self) -> None:
        self.is_held = True
        self.why = "revoked"

    def look(self) -> float:
        return 0.02


def held() -> HeldKey:
    return cast(HeldKey, Held())


def is_running(place: Path) -> bool:
    try:
        told = (Path("/proc") / (place.read_text() or "none") / "stat").read_text()
    except OSError:
        return False
    return told.rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def places(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """Where the command and its worker write their process ids; what is left of them is ended."""
    both = (tmp_path / "leader", tmp_path / "worker")
    yield both
    for place in both:
        if is_running(place):
            os.kill(int(place.read_text()), signal.SIGKILL)


def test_the_commands_workers_end_with_the_key(places: tuple[Path, Path]) -> None:
    """Also one that ignores being asked: nobody goes on with what it has in memory."""
    holding = Held()

    def drop() -> None:
        try:
            until(lambda: all(is_running(place) for place in places))
        finally:
            holding.is_held = False

    threading.Thread(target=drop).start()
    command = [sys.executable, "-c", WORKERS, *map(str, places)]
    assert run_while_held(command, cast(HeldKey, holding)) == "revoked"
    until(lambda: not any(is_running(place) for place in places))


def test_a_worker_left_behind_by_the_command_ends_too(places: tuple[Path, Path]) -> None:
    """The command ended by itself; the plaintext's time is over for all of them."""
    script = (
        "import os, signal, sys, time\n"
        "if os.fork() == 0:\n"
        "    open(sys.argv[2], 'w').write(str(os.getpid()))\n"
        "    time.sleep(600)\n"
        "while not os.path.exists(sys.argv[2]): time.sleep(0.01)\n"
    )
    why = run_while_held([sys.executable, "-c", script, *map(str, places)], held())
    assert why == "the command ended with 0"
    until(lambda: not is_running(places[1]))


def test_whoever_holds_the_key_killed_takes_the_command_along(places: tuple[Path, Path]) -> None:
    """SIGKILL, or the kernel's out-of-memory killer: a server that nobody can end any more does not go on."""
    keeping = subprocess.Popen([sys.executable, "-c", KEEPING, WORKERS, *map(str, places)])
    try:
        until(lambda: is_running(places[0]))
    finally:
        keeping.kill()
        keeping.wait()
    until(lambda: not is_running(places[0]))


def test_a_command_that_is_none_is_bad_input() -> None:
    """By its name."""
    with pytest.raises(InvalidInput, match="cannot be run"):
        run_while_held(["/no/such/command"], held())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_told_to_leave_while_decrypting_leaves_no_plaintext(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Half a file of weights is plaintext, too."""

    def decrypt() -> None:
        with leave_by_interrupt(), _new_file(tmp_path / "plain.bin") as file:
            file.write(b"weights")
            file.flush()
            os.kill(os.getpid(), number)
            time.sleep(60)

    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        decrypt()
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(number) == before


def test_no_room_for_the_plaintext_is_told_and_leaves_none(tmp_path: Path) -> None:
    """A tmpfs that is too small: which file, why, and nothing of it stays."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, hard))
    try:
        with (
            pytest.raises(Unavailable, match=r"plain\.bin: not written: File too large"),
            _new_file(tmp_path / "plain.bin") as file,
        ):
            file.write(bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_no_core_is_dumped_of_a_process_that_holds_a_key_nor_of_what_it_starts() -> None:
    """Neither into a file, nor for another process of the same user."""
    script = (
        "import ctypes, subprocess, sys\n"
        "from sekisho.access.command import forbid_dumps\n"
        "forbid_dumps()\n"
        "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), flush=True)\n"
        "subprocess.run([sys.executable, '-c', 'import resource as r; print(r.getrlimit(r.RLIMIT_CORE))'])\n"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert told.stdout.decode().split("\n")[:2] == ["0", "(0, 0)"]
