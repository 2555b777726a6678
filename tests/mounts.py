"""Small file systems for tests, mounted where nobody else sees them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache

__all__ = ["in_own_mounts", "may_mount"]


def in_own_mounts(command: Sequence[str]) -> list[str]:
    """The command in a mount namespace of its own."""
    return ["unshare", "--mount", "--propagation", "private", *command]


@cache
def may_mount() -> bool:
    """Whether this machine lets us: root may, outside of a container that forbids it."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    command = in_own_mounts(["mount", "-t", "tmpfs", "tmpfs", "/mnt"])
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
