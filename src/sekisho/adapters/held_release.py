"""The release that a process runs from, held so that no update takes it away: releases/<sequence>/ on a host's disk."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Final

__all__ = ["RELEASES", "hold_release"]

RELEASES: Final = "releases"


def hold_release(code: Path) -> int | None:
    """Hold the release that the file `code` lies in until this process ends; None where it lies in none.

    The lock is shared and goes with its descriptor, so that a crash leaves none behind.
    """
    release = next(
        (p for p in code.resolve().parents if p.parent.name == RELEASES and p.name.isdigit()), None
    )
    if release is None:
        return None
    with contextlib.suppress(OSError):
        descriptor = os.open(release, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return descriptor
    return None
