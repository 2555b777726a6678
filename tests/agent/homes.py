"""Homes of real agents for tests: files installed by hand, a canary as work."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sekisho.adapters.schedulers.watchdog_link import WatchdogLink
from sekisho.model.errors import SekishoError
from sekisho.model.statements import LeaseTerms, Span
from sekisho.model.wire import canonical
from sekisho.signing import Ed25519Signer
from tests.factory import HOST
from tests.fakes import FakeControl

RUN = "run-1"


def write_key(path: Path, of: Ed25519Signer) -> None:
    path.write_bytes(of.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)


def write_home(home: Path, control: FakeControl, url: str) -> None:
    """agent.json, host.pem and trust.json of host-1, whose work is a canary."""
    home.mkdir(mode=0o700)
    write_key(home / "host.pem", HOST)
    (home / "trust.json").write_bytes(canonical(control.root))
    out = home / "out"
    command = [sys.executable, "-m", "sekisho.canary", "--out", str(out), "--seed", "7"]
    settings = {
        "host": "host-1",
        "control": url,
        "run": RUN,
        "command": [*command, "--run", RUN, "--pace", "0.3"],
        "environment": {},
        "out": "out",
    }
    (home / "agent.json").write_bytes(canonical(settings))


def write_further_home(home: Path, control: FakeControl, url: str) -> None:
    """As the first home, but for what is said of the work: that is said once."""
    home.mkdir(mode=0o700)
    write_key(home / "host.pem", HOST)
    (home / "trust.json").write_bytes(canonical(control.root))
    (home / "agent.json").write_bytes(canonical({"host": "host-1", "control": url, "run": RUN}))


def license_now(control: FakeControl, *, grace_s: int = 2) -> None:
    """A licence that holds now, with quanta of one second."""
    now = control.now()
    control.license(
        lease=LeaseTerms(interval_s=60, grace_s=grace_s, quantum_s=1),
        budget_flop="1" + "0" * 20,
        period=Span(start=now.plus(-60), end=now.plus(86_400)),
    )


class Living:
    """A real agent process, its watchdog, and what a test may do to them."""

    def __init__(self, home: Path, program: tuple[str, ...], further: Sequence[Path] = ()) -> None:
        self.home = home
        self._homes = (home, *further)
        self._program = program
        self.link = WatchdogLink(home / "watchdog")
        self.agent = self._spawn()

    def restart(self) -> None:
        self.agent = self._spawn()

    def kill_agent(self) -> None:
        self.agent.kill()
        self.agent.wait()

    def state(self) -> str:
        with contextlib.suppress(SekishoError):
            return self.link.read().state
        return "no watchdog"

    def root_pid(self) -> int:
        held = self.link.held()
        assert held is not None
        return held[0].root_pid

    def _spawn(self) -> subprocess.Popen[bytes]:
        homes = [word for home in self._homes for word in ("--home", str(home))]
        command = [sys.executable, "-m", *self._program, *homes]
        return subprocess.Popen(command, start_new_session=True)


@contextlib.contextmanager
def living(
    home: Path, program: tuple[str, ...] = ("sekisho.agent.main",), *, further: Sequence[Path] = ()
) -> Iterator[Living]:
    """A running agent; at the end nothing of it, its watchdog or its work is left."""
    alive = Living(home, program, further)
    try:
        yield alive
    finally:
        alive.agent.send_signal(signal.SIGTERM)
        alive.agent.wait(60)
        with contextlib.suppress(SekishoError):
            alive.link.kill()
        with contextlib.suppress(SekishoError):
            alive.link.quit()


def wait_until(what: Callable[[], bool], *, timeout_s: float = 60.0) -> float:
    """Seconds until `what` holds; fails the test where it never does."""
    begun = time.monotonic()
    while not what():
        assert time.monotonic() - begun < timeout_s, "it never happened"
        time.sleep(0.005)
    return time.monotonic() - begun


def resident_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
