"""Ports for servers that a test starts by number, which nobody else on this machine is given meanwhile.

Between asking the kernel for a free port and using it somebody else may be given it: another worker's server, or any
client, as the port that it calls from. So these come from below the range that the kernel hands out by itself, and
each process takes them from a stretch of its own, which it marks by holding the stretch's first port.
"""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Iterator
from functools import cache

__all__ = ["free_port", "free_ports"]

FIRST, STRETCH, STRETCHES = 20_000, 100, 120


def free_ports(count: int) -> list[int]:
    """So many ports of loopback at which nobody listens, each given once before any is given again."""
    stretch = _stretch_of(os.getpid())
    return list(itertools.islice(stretch.free(), count))


def free_port() -> int:
    return free_ports(1)[0]


class Stretch:
    """A process's own ports; `guard` is bound to the first of them for as long as the process lives."""

    def __init__(self, guard: socket.socket) -> None:
        self._guard = guard
        first = int(guard.getsockname()[1])
        self._turn = itertools.cycle(range(first + 1, first + STRETCH))

    def free(self) -> Iterator[int]:
        for port in itertools.islice(self._turn, STRETCH):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if _is_bound(probe, port):
                    yield port
        raise OSError(f"none of the {STRETCH} ports of this process is free")


@cache
def _stretch_of(pid: int) -> Stretch:
    """The first that nobody holds, from a place on that differs between processes."""
    for step in range(STRETCHES):
        guard = socket.socket()
        if _is_bound(guard, FIRST + (pid + step) % STRETCHES * STRETCH):
            return Stretch(guard)
        guard.close()
    raise OSError(f"all ports from {FIRST} on are taken")


def _is_bound(probe: socket.socket, port: int) -> bool:
    """Bind it there, or tell that somebody else is."""
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
