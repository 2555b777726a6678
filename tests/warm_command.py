"""The command line without its start: one process that has it loaded forks for each command, as `sekisho` on a path.

What a command sees is what it sees else: its words, folder, environment and streams, and a process of its own.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["warm_commands"]

MOST = 1_000_000
# Started by the system's own Python, which needs no site to pass three streams on.
CLIENT = """#!{python} -ISE
import json, os, socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect({address!r})
told = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(link, [len(told).to_bytes(4, "big")], [0, 1, 2])
link.sendall(told)
sys.exit((link.recv(1) or b"\\x7f")[0])
"""


@contextmanager
def warm_commands(folder: Path) -> Iterator[Path]:
    """The folder to put before a command's path, for as long as the context lasts."""
    folder.mkdir()
    address = folder / "warm"
    server = subprocess.Popen([sys.executable, "-m", "tests.warm_command", str(address)])
    try:
        deadline = time.monotonic() + 120
        while not address.exists():
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        client = folder / "sekisho"
        python = shutil.which("python3", path="/usr/bin") or sys.executable
        client.write_text(CLIENT.format(python=python, address=str(address)))
        client.chmod(0o755)
        yield folder
    finally:
        server.kill()
        server.wait()


def serve(address: str) -> None:
    """Load what commands load, then fork for each, one after the other."""
    from sekisho.cli.main import call
    from sekisho.settings import load_settings

    for room in ("cli", "app", "operations"):  # what a command else loads when it is called
        for module in pkgutil.iter_modules(importlib.import_module(f"sekisho.{room}").__path__):
            if module.name != "__main__":
                importlib.import_module(f"sekisho.{room}.{module.name}")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address + ".new")
        door.listen()
        Path(address + ".new").rename(address)
        while True:
            link, _ = door.accept()
            head, streams, _, _ = socket.recv_fds(link, 4, 3)
            told = link.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
            child = os.fork()
            if not child:
                words, place, environment = json.loads(told)
                os.chdir(place)
                os.environ.clear()
                os.environ.update(environment)
                for number, stream in enumerate(streams):
                    os.dup2(stream, number)
                code = 70
                try:
                    code = call(words, load_settings(os.environ))
                finally:
                    sys.stdout.flush()
                    sys.stderr.flush()
                    os._exit(code)
            _, status = os.waitpid(child, 0)
            link.sendall(bytes([os.waitstatus_to_exitcode(status) & 0xFF]))
            for stream in streams:
                os.close(stream)
            link.close()


if __name__ == "__main__":
    serve(sys.argv[1])
