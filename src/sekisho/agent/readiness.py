"""How a process of ours tells whoever started it that it serves, and hears that it should end.

systemd hears it too, where it started us: sd_notify(3), one datagram to the unix socket named by NOTIFY_SOCKET.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from pathlib import Path

from sekisho.model.wire import canonical

__all__ = ["Ending", "Ready", "notify_systemd"]


class Ending:
    """SIGTERM and SIGINT end the loop; the wake-up pipe ends its wait at once."""

    def __init__(self) -> None:
        self.asked = False
        self.wake, told = os.pipe()
        os.set_blocking(told, False)
        signal.set_wakeup_fd(told)
        signal.signal(signal.SIGTERM, self._hear)
        signal.signal(signal.SIGINT, self._hear)

    def _hear(self, *_: object) -> None:
        self.asked = True


class Ready:
    """Tells whoever started us that we serve. Detached, the starter's process waits for that and then leaves."""

    def __init__(self, *, detach: bool) -> None:
        self._detach = detach
        self._child = 0
        if detach:
            self._heard, self._said = os.pipe()
            self._child = os.fork()
            if self._child == 0:
                os.close(self._heard)
                os.setsid()
            else:
                os.close(self._said)

    @property
    def is_parent(self) -> bool:
        return self._child != 0

    def outcome(self) -> int:
        """In the parent: 0 once the child serves, its exit code where it never did."""
        if os.read(self._heard, 2):
            return 0
        return os.waitstatus_to_exitcode(os.waitpid(self._child, 0)[1])

    def tell(self, row: dict[str, object], errors: Path) -> None:
        """Print the ready line; detached, let go of the terminal first and write errors to a file."""
        print(canonical(row).decode(), flush=True)  # noqa: T201  # the ready line is this command's output
        notify_systemd("READY=1")
        if self._detach:
            _let_go_of_terminal(errors)
            os.write(self._said, b"ok")
            os.close(self._said)


def notify_systemd(word: str) -> None:
    """Say a word to systemd, which may not be there. `WATCHDOG=1` tells that the loop still turns."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as way:
        way.setblocking(False)  # the socket module's own signature
        way.connect(address.replace("@", "\0", 1))
        way.send(word.encode())


def _let_go_of_terminal(errors: Path) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    voice = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for source, target in ((nowhere, 0), (nowhere, 1), (voice, 2)):
        os.dup2(source, target)
