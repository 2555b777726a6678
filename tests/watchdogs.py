"""A privileged watchdog as a process of its own, its folder, its socket, and clients under other users."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.schedulers.watchdog_link import WatchdogLink
from sekisho.model.wire import canonical
from sekisho.ports.driver import Permit
from tests.users import AGENT, PYTHON, WORKER, identity_of

__all__ = ["Privileged", "permit_for", "privileged", "wire_client"]

ROOT = Path(__file__).parents[1]
CLIENT = """
import json, socket, sys, time
socket_path, stay_s, lines = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
for line in lines:
    way = socket.socket(socket.AF_UNIX)
    try:
        way.connect(socket_path)
        way.sendall(line.encode() + b"\\n")
        answer = b""
        while chunk := way.recv(65536): answer += chunk
        print(answer.decode().strip() or "nothing", flush=True)
    except OSError as error:
        print(type(error).__name__, flush=True)
print("done", flush=True)
time.sleep(stay_s)
"""


class Privileged:
    """The process, and a link to it under our own user."""

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, object],
        *,
        allow: int = AGENT,
        under: tuple[str, ...] = (),
    ) -> None:
        self.under = under  # a command that runs ours with less
        self.home = folder / "watchdog"
        self.run = folder / "run"
        self.run.mkdir(mode=0o755, exist_ok=True)
        self.socket = self.run / "watchdog.sock"
        self.home.mkdir(mode=0o700, exist_ok=True)
        (self.home / "watchdog.json").write_bytes(canonical(dict(settings)))
        (self.home / "watchdog.json").chmod(0o600)
        self.allow = allow
        self.process = self._start()
        self.link = WatchdogLink(self.home, socket=self.socket)

    def command(self) -> list[str]:
        words = ["-m", "sekisho.agent.watchdog", "--dir", str(self.home)]
        return [
            *self.under,
            sys.executable,
            *words,
            "--socket",
            str(self.socket),
            "--allow-user",
            str(self.allow),
        ]

    def _start(self) -> subprocess.Popen[bytes]:
        started = subprocess.Popen(
            self.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
        )
        assert started.stdout is not None
        ready = started.stdout.readline()
        if not ready:
            assert started.stderr is not None
            raise AssertionError(started.stderr.read().decode())
        assert json.loads(ready)["pid"] == started.pid
        return started

    def restart(self) -> None:
        self.close()
        self.process = self._start()
        self.link = WatchdogLink(self.home, socket=self.socket)

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        self.process.wait(15)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()

    def client(self, user: int, *lines: bytes, stay_s: float = 0.0) -> subprocess.Popen[bytes]:
        """A process of that user that says those lines, one connection each, then stays for a while."""
        command = wire_client(self.socket, *lines, stay_s=stay_s)
        return subprocess.Popen(command, stdout=subprocess.PIPE, cwd="/", **identity_of(user))

    def ask(self, user: int, *lines: bytes) -> list[str]:
        """What such a process hears: the answer, `nothing`, or the name of the error."""
        told, _ = self.client(user, *lines).communicate(timeout=20)
        return told.decode().splitlines()[:-1]

    def journal(self) -> list[str]:
        path = self.home / "watchdog.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line)["what"] for line in lines]


def wire_client(socket: Path, *lines: bytes, stay_s: float = 0.0) -> list[str]:
    """The command of a client that needs nothing but the standard library."""
    words = [line.decode() for line in lines]
    return [PYTHON, "-I", "-S", "-c", CLIENT, str(socket), str(stay_s), *words]


@contextlib.contextmanager
def privileged(
    folder: Path, *, allow: int = AGENT, under: tuple[str, ...] = (), **settings: object
) -> Iterator[Privileged]:
    """A watchdog of root that serves one agent user and starts work as a third; ended at the end."""
    made = Privileged(folder, {"user": WORKER, **settings}, allow=allow, under=under)
    try:
        yield made
    finally:
        made.close()


def permit_for(seconds: float, *, then: str = "kill") -> Permit:
    """A permit that ends that many seconds from now, its checkpoint at the same moment."""
    until = SystemClock().elapsed_s() + seconds
    return Permit(
        checkpoint_at_s=until, until_s=until, then="freeze" if then == "freeze" else "kill"
    )


def start_line(code: str, seconds: float = 60.0, *, then: str = "kill") -> bytes:
    """A request to start Python code under such a permit."""
    given = permit_for(seconds, then=then)
    row = {
        "do": "start",
        "run": "run-1",
        "command": [PYTHON, "-S", "-c", code],
        "environment": {"PATH": os.environ["PATH"]},
        "permit": json.loads(canonical(given)),
    }
    return json.dumps(row).encode()
