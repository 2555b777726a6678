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
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

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


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A running server. `socket` is the folder of its socket, `data` its cluster."""

    bin: Path
    data: Path
    socket: Path
    owner: str

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

    def control(self, *words: str) -> None:
        """`pg_ctl`, as the account that owns the cluster."""
        command = [str(self.bin / "pg_ctl"), "-D", str(self.data), "-s", "-w", *words]
        subprocess.run(as_owner(self.owner, command), check=True, stdout=subprocess.DEVNULL)

    def restart(self) -> None:
        """A server that comes back after a crash: everything not synced is gone, the rest recovered."""
        self.control("stop", "-m", "immediate")
        self.control("start", "-l", str(self.data / "server.log"))

    def is_up(self) -> bool:
        """Whether its process lives; one that has just crashed may still be recovering."""
        command = [str(self.bin / "pg_ctl"), "-D", str(self.data), "status"]
        return (
            subprocess.run(
                as_owner(self.owner, command), check=False, capture_output=True
            ).returncode
            == 0
        )

    def wait_ready(self, timeout: float = 20.0) -> None:
        """Until it lets clients in. Raises TimeoutExpired."""
        command = [str(self.bin / "pg_isready"), "-q", "-h", str(self.socket)]
        deadline = time.monotonic() + timeout
        while subprocess.run(command, check=False).returncode != 0:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(command, timeout)
            time.sleep(0.02)

    def postmaster(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])


def as_owner(owner: str, command: Sequence[str]) -> list[str]:
    """PostgreSQL refuses to run as root, so there it runs as its own account."""
    if os.geteuid() != 0:
        return list(command)
    return ["setpriv", f"--reuid={owner}", f"--regid={owner}", "--init-groups", *command]


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
    server = Server(bin=found, data=folder / "data", socket=folder, owner=owner)
    try:
        _initialise(server)
        server.control("start", "-l", str(folder / "server.log"))
        yield server
    finally:
        _stop(server)
        shutil.rmtree(folder, ignore_errors=True)


def _own_name() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


def _initialise(server: Server) -> None:
    command = [
        str(server.bin / "initdb"),
        *("-D", str(server.data), "-U", server.owner, "-A", "trust", "-E", "UTF8", "--locale=C"),
        "--wal-segsize=1",
        "--no-sync",  # the cluster itself need not outlive a power cut; what the tests write in it does
    ]
    subprocess.run(
        as_owner(server.owner, command), check=True, stdout=subprocess.DEVNULL, cwd=server.socket
    )
    with (server.data / "postgresql.conf").open("a") as settings:
        settings.write(_SETTINGS + f"unix_socket_directories = '{server.socket}'\n")


def _stop(server: Server) -> None:
    """End the postmaster by its process id; a second, harder signal where the first does not take."""
    with suppress(FileNotFoundError, ValueError, ProcessLookupError):
        postmaster = server.postmaster()
        os.kill(postmaster, signal.SIGCONT)
        with suppress(subprocess.CalledProcessError):
            server.control("stop", "-m", "immediate")
            return
        os.kill(postmaster, signal.SIGKILL)
