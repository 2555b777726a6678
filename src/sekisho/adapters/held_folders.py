"""Who holds a folder of this machine, by the kernel's own word, and ending one that holds it and does nothing."""

from __future__ import annotations

import os
import select
import signal
import time
from pathlib import Path

from sekisho.model.errors import NotAuthorised, Unavailable

__all__ = ["await_release", "end_process", "find_holder"]

_LOCKS = Path("/proc/locks")
_ENDED_WITHIN_MS = 5_000
_LOOK_S = 0.1


def find_holder(folder: Path, name: str) -> int | None:
    """The process that is the one `name` of a folder (`hold_folder`); None where nobody is, or it is not of here.

    Raises Unavailable where the kernel does not tell.
    """
    try:
        status = (folder / f"{name}.lock").stat()
        lines = _LOCKS.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unavailable(f"who holds {folder} cannot be read: {error.strerror}") from None
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    for line in lines:
        fields = line.split()
        # "12: FLOCK ADVISORY WRITE 4711 fe:01:1234 0 EOF"; who waits for a lock has "->" in the second place.
        if len(fields) >= 6 and fields[1] == "FLOCK" and fields[5] == place and int(fields[4]) > 0:
            return int(fields[4])
    return None


def await_release(folder: Path, name: str, wait_s: float) -> bool:
    """Whether nobody is the one `name` of a folder any more, within so many seconds. Raises Unavailable as above."""
    deadline = time.monotonic() + wait_s
    while find_holder(folder, name) is not None:
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_S)
    return True


def end_process(pid: int, folder: Path, name: str) -> None:
    """End the process that holds a folder, be it stopped or stuck, and wait until it is gone.

    It is held by its descriptor before it is asked once more who holds the folder: a number that was given to another
    process meanwhile ends nobody. Raises NotAuthorised where it is another user's, Unavailable where it does not end.
    """
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if find_holder(folder, name) != pid:
            return
        _kill(descriptor, pid, folder)
    finally:
        os.close(descriptor)


def _kill(descriptor: int, pid: int, folder: Path) -> None:
    try:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except ProcessLookupError:
        return
    except PermissionError:
        raise NotAuthorised(
            f"process {pid} holds {folder} and is another user's", remedy="end it yourself"
        ) from None
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    if not waiting.poll(_ENDED_WITHIN_MS):
        raise Unavailable(f"process {pid} does not end", remedy="look at its state")
