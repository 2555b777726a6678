"""What serves unlocked weights: a command that lives as long as their key may be held, with everything that it started.

It runs in a session of its own, so that its workers end with it; where whoever holds the key is killed, the kernel
kills the command. What it started and took out of its session is not reached.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from sekisho.access.keyring import HeldKey
from sekisho.model.errors import InvalidInput

__all__ = ["forbid_dumps", "leave_by_interrupt", "run_while_held"]

ENDING_S: Final = 10.0
LEAVING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4


def run_while_held(command: Sequence[str], held: HeldKey) -> str:
    """Run the command until it ends, the key goes, or we are told to leave; why it is over.

    Then nothing of its session is left. Raises InvalidInput where it cannot be run.
    """
    die_with = _dying_with(os.getpid())
    try:
        process = subprocess.Popen(command, start_new_session=True, preexec_fn=die_with)  # noqa: PLW1509  # no threads
    except (OSError, subprocess.SubprocessError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(f"cannot be run: {why}", path=command[0]) from None
    try:
        return _watch(process, held)
    finally:
        _end(process)


def forbid_dumps() -> None:
    """No core of this process or of what it starts, and no other process of this user reads its memory (Linux).

    Root reads it still.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


@contextlib.contextmanager
def leave_by_interrupt() -> Iterator[None]:
    """Whoever is told to leave in here leaves by KeyboardInterrupt, so that half-made files go."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in LEAVING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _dying_with(parent: int) -> Callable[[], None] | None:
    """What a child does before it becomes the command: it asks to be killed when its parent is."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)  # before the fork, after which nothing may be loaded

    def ask() -> None:
        library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(127)

    return ask


def _watch(process: subprocess.Popen[bytes], held: HeldKey) -> str:
    with _told_to_leave() as is_told:
        while held.is_held:
            wait_s = min(held.look(), 1.0)
            if is_told():
                return "told to leave"
            with contextlib.suppress(subprocess.TimeoutExpired):
                return f"the command ended with {process.wait(max(wait_s, 0.01))}"
    return held.why


@contextlib.contextmanager
def _told_to_leave() -> Iterator[Callable[[], bool]]:
    told: list[int] = []
    before = {number: signal.signal(number, lambda n, _: told.append(n)) for number in LEAVING}
    try:
        yield lambda: bool(told)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the whole session, then kill what is left of it, its leader or not."""
    _signal(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(ENDING_S)
    _signal(process.pid, signal.SIGKILL)
    process.wait()


def _signal(session: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(session, number)
