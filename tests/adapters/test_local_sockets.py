"""Lines over unix sockets: bounded, for the owner alone, never held up by a rude client."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.adapters.local_sockets import CLIENT_PATIENCE_S, MAX_LINE, LineServer, ask_line
from sekisho.model.errors import Unavailable


@contextlib.contextmanager
def _echoing(path: Path) -> Iterator[None]:
    server = LineServer(path, lambda line: b"heard " + line)
    ending = threading.Event()

    def serve() -> None:
        while not ending.is_set():
            server.wait(0.02)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()
        server.close()


def test_a_line_is_answered(tmp_path: Path) -> None:
    """One line in, one out; the socket is its owner's alone and is gone after the end."""
    path = tmp_path / "s.sock"
    with _echoing(path):
        assert ask_line(path, b"word", timeout_s=2) == b"heard word"
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()


def test_a_deep_folder_is_no_obstacle(tmp_path: Path) -> None:
    """A path longer than a socket address is reached all the same."""
    folder = tmp_path / ("d" * 100) / ("e" * 100)
    folder.mkdir(parents=True)
    with _echoing(folder / "s.sock"):
        assert ask_line(folder / "s.sock", b"deep", timeout_s=2) == b"heard deep"


def test_nobody_there_is_unavailable(tmp_path: Path) -> None:
    """No socket, and a socket that nobody serves, are unavailable within the time given."""
    with pytest.raises(Unavailable):
        ask_line(tmp_path / "none.sock", b"x", timeout_s=0.2)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent.sock"))
        silent.listen()
        began = time.monotonic()
        with pytest.raises(Unavailable):
            ask_line(tmp_path / "silent.sock", b"x", timeout_s=0.2)
        assert time.monotonic() - began < 20


@pytest.mark.parametrize("line", [b"x" * (MAX_LINE + 10), b"two\nlines"])
def test_too_much_is_not_answered(tmp_path: Path, line: bytes) -> None:
    """A line over the limit and a second line are dropped without an answer; the next client is served."""
    path = tmp_path / "s.sock"
    with _echoing(path):
        with pytest.raises(Unavailable):
            ask_line(path, line, timeout_s=2)
        assert ask_line(path, b"next", timeout_s=2) == b"heard next"


def test_a_client_that_says_nothing_holds_nobody_up(tmp_path: Path) -> None:
    """While twenty clients stay in the middle of a line, another one is answered at once."""
    path = tmp_path / "s.sock"
    with _echoing(path), contextlib.ExitStack() as open_sockets:
        for _ in range(20):
            silent = open_sockets.enter_context(socket.socket(socket.AF_UNIX))
            silent.connect(str(path))
            silent.send(b"half a li")
        began = time.monotonic()
        assert ask_line(path, b"me", timeout_s=60) == b"heard me"
        assert time.monotonic() - began < 20 * CLIENT_PATIENCE_S  # what waiting for each would take


CLIENT = """
import os, socket, sys
uid = int(sys.argv[2])
if uid: os.setgroups([]); os.setgid(uid); os.setuid(uid)
with socket.socket(socket.AF_UNIX) as s:
    s.connect(sys.argv[1])
    try: s.sendall(b"word\\n"); said = s.recv(100)
    except ConnectionError: said = b""
    sys.exit(0 if said else 9)
"""


@pytest.mark.parametrize("user", [0, 65534] if os.geteuid() == 0 else [0])
def test_another_user_is_not_answered(user: int) -> None:
    """Even where the file would let them in, a client of another user gets no answer; the own user does."""
    path = Path(f"/tmp/sekisho-test-{os.getpid()}.sock")  # tmp_path itself is closed to other users
    with _echoing(path):
        path.chmod(0o666)
        done = subprocess.run([sys.executable, "-c", CLIENT, str(path), str(user)], check=False)
    assert done.returncode == (9 if user else 0)
