"""A process that has everything imported and forks children that die early: a kill costs milliseconds, not imports.

The children are told apart from the test run by nothing but their short life; each says what it has to say on a
pipe, and is killed by its process id.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

__all__ = ["Child", "Nursery", "open_nursery"]

ROOT = Path(__file__).parents[2]
_LONGEST = 4096


class Child:
    """One forked process: its lines, until it is killed or ends."""

    def __init__(self, pid: int, lines: TextIO) -> None:
        self.pid = pid
        self.lines = lines

    def kill(self) -> None:
        """Without warning; harmless where it ended by itself."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


class Nursery:
    """Forks children of one module that it imported before."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control

    @contextmanager
    def child(self, function: str, *words: str) -> Iterator[Child]:
        """Run a function of the module in a fork of its own, with its standard output on a pipe."""
        reading, writing = os.pipe()
        request = json.dumps([function, *words]).encode()
        socket.send_fds(self._control, [request], [writing])
        os.close(writing)
        child = Child(int(self._control.recv(_LONGEST)), os.fdopen(reading))
        try:
            yield child
        finally:
            child.kill()
            # The pipe closes with the process: whoever comes here knows that it is gone.
            child.lines.read()
            child.lines.close()


@contextmanager
def open_nursery(
    module: str, wrap: Callable[[Sequence[str]], list[str]] = list
) -> Iterator[Nursery]:
    """Import `module` in a process of its own and keep that ready to fork; `wrap` says where it runs."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", __name__, str(theirs.fileno()), module]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        wrap(command), pass_fds=[theirs.fileno()], env=environment, cwd=ROOT
    ) as process:
        theirs.close()
        try:
            assert ours.recv(_LONGEST) == b"ready"
            yield Nursery(ours)
        finally:
            ours.close()
            process.wait(10)


def _serve(control: socket.socket, module: str) -> None:
    """Fork for every request, until the other end closes."""
    loaded = importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    control.send(b"ready")
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, _LONGEST, 1)
        if not request:
            return
        function, *words = json.loads(request)
        pid = os.fork()
        if pid == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(descriptors[0], 1)
            os.close(descriptors[0])
            try:
                getattr(loaded, function)(*words)
            except BaseException:  # noqa: BLE001 - the outermost edge: the test reads what went wrong
                traceback.print_exc(file=sys.stdout)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(1)
        os.close(descriptors[0])
        control.send(str(pid).encode())


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2])
