"""A PostgreSQL of the tests' own: in a temporary folder, on a socket there, gone with the test run."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Server", "find_postgres", "start_server"]

_ACCOUNT = "postgres"
# As production asks for it, but small. No TCP: the socket's folder is the only way in.
_SETTINGS = """
listen_addresses = ''
max_connections = 40
shared_buffers = 64MB
max_wal_size = 128MB
min_wal_size = 4MB
log_min_messages = fatal
"""


def find_postgres() -> Path | None:
    """The folder with initdb and pg_ctl, newest version first; None where PostgreSQL is not installed."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda folder: int(folder.parent.name) if folder.parent.name.isdigit() else 0,
        reverse=True,
    )
    on_path = shutil.which("pg_ctl")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    return next((f for f in folders if (f / "pg_ctl").exists() and (f / "initdb").exists()), None)


class Server:
    """A server of the tests'. `socket` is the folder of its socket, `data` its cluster.

    It is a child that ends with this process, however that ends.
    """

    def __init__(self, programs: Path, folder: Path, owner: str) -> None:
        self.data = folder / "data"
        self.socket = folder
        self.owner = owner
        self._programs = programs
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str) -> str:
        return f"postgresql:///{database}?host={self.socket}&user={self.owner}"

    def create(self, database: str) -> str:
        """A new empty database, and its address."""
        self.execute(f'CREATE DATABASE "{database}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        self.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def execute(self, statement: str, database: str = "postgres") -> None:
        """One statement from outside, as an administrator's."""
        # Late: this module is read by every test run, the driver only where there is a server.
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def initialise(self) -> None:
        """A new cluster, in which everybody on this machine who reaches the socket is let in."""
        command = [
            str(self._programs / "initdb"),
            *("-D", str(self.data), "-U", self.owner, "-A", "trust", "-E", "UTF8", "--locale=C"),
            "--wal-segsize=1",
            "--no-sync",  # the cluster itself need not outlive a power cut; what the tests write in it does
        ]
        subprocess.run(
            as_owner(self.owner, command), check=True, stdout=subprocess.DEVNULL, cwd=self.socket
        )
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS + f"unix_socket_directories = '{self.socket}'\n")

    def start(self) -> None:
        """Until it lets clients in. Raises TimeoutExpired with what it said."""
        command = [str(self._programs / "postgres"), "-D", str(self.data)]
        with (self.socket / "server.log").open("ab") as told:
            # QUIT is PostgreSQL's own word for at once; a session of its own keeps Ctrl-C from reaching it.
            self._process = subprocess.Popen(
                as_owner(self.owner, command, ends_with_us=True),
                stdout=told,
                stderr=told,
                cwd=self.socket,
                start_new_session=True,
            )
        self.wait_ready()

    def stop(self) -> None:
        """At once, as a crash does; a harder signal where the first does not take."""
        if self._process is None:
            return
        for number in (signal.SIGCONT, signal.SIGQUIT):
            self._process.send_signal(number)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def restart(self) -> None:
        """A server that comes back after a crash: it recovers what was committed."""
        self.stop()
        self.start()

    def demand_up(self) -> None:
        """Raises RuntimeError where somebody ended it, having started it again: one test fails for it, not all."""
        if not self.is_up():
            status = None if self._process is None else self._process.returncode
            self.start()
            raise RuntimeError(f"a test before this one ended the server of all (status {status})")

    def is_up(self) -> bool:
        """Whether its process lives; one that has just crashed may still be recovering."""
        return self._process is not None and self._process.poll() is None

    def wait_ready(self, timeout: float = 120.0) -> None:
        """Until it lets clients in. Raises TimeoutExpired with what it said."""
        command = [str(self._programs / "pg_isready"), "-q", "-h", str(self.socket)]
        deadline = time.monotonic() + timeout
        while subprocess.run(command, check=False).returncode != 0:
            if time.monotonic() > deadline or not self.is_up():
                told = (self.socket / "server.log").read_bytes()
                raise subprocess.TimeoutExpired(command, timeout, output=told)
            time.sleep(0.02)


def as_owner(owner: str, command: Sequence[str], *, ends_with_us: bool = False) -> list[str]:
    """PostgreSQL refuses to run as root, so there it runs as its own account."""
    words = ["--pdeathsig", "QUIT"] if ends_with_us else []
    if os.geteuid() == 0:
        words += [f"--reuid={owner}", f"--regid={owner}", "--init-groups"]
    return ["setpriv", *words, *command] if words else list(command)


@contextmanager
def start_server(parent: Path | None = None) -> Iterator[Server]:
    """Run a server for as long as the context lasts, its files under `parent` where that is given.

    Raises FileNotFoundError where none is installed.
    """
    found = find_postgres()
    if found is None:
        raise FileNotFoundError("PostgreSQL is not installed: apt-get install postgresql")
    owner = _ACCOUNT if os.geteuid() == 0 else _own_name()
    # In memory where there is such a folder: a new database is hundreds of files. What a crash of the server
    # leaves is asked by killing it, not by cutting the power, so the page cache is as good as a disk. The path
    # is short, because a socket's has at most 107 bytes.
    memory = Path("/dev/shm")
    where = parent or (memory if os.access(memory, os.W_OK) else None)
    folder = Path(tempfile.mkdtemp(prefix="sekisho-pg-", dir=where))
    if os.geteuid() == 0:
        shutil.chown(folder, owner, owner)
    server = Server(found, folder, owner)
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _own_name() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name
