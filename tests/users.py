"""Other users of this machine, as numbers: for tests in which agent, watchdog and work are three of them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypedDict

__all__ = [
    "AGENT",
    "PYTHON",
    "STRANGER",
    "WORKER",
    "Identity",
    "identity_of",
    "may_change_user",
    "open_folder",
    "package_environment",
]

# Numbers that no user has: nothing on this machine is theirs, nor another worker's of the same test run.
_FIRST = 61_001 + 10 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
AGENT, WORKER, STRANGER = range(_FIRST, _FIRST + 3)
ROOT = Path(__file__).parents[1]


class Identity(TypedDict, total=False):
    """What subprocess takes to run a command as somebody else."""

    user: int
    group: int
    extra_groups: list[int]


def identity_of(user: int) -> Identity:
    """That uid and gid, with no group besides; our own where we are not root already."""
    if os.geteuid() != 0:
        return Identity()
    return Identity(user=user, group=user, extra_groups=[])


def _find_python() -> str:
    """An interpreter that other users can run: ours may lie in a home of root."""
    found = f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"
    for place in (sys.executable, found):
        with contextlib.suppress(OSError):
            command = [place, "-I", "-S", "-c", "import json, socket"]
            done = subprocess.run(command, check=False, cwd="/", **identity_of(STRANGER))
            if done.returncode == 0:
                return place
    return sys.executable


PYTHON = _find_python()


def package_environment() -> dict[str, str]:
    """What an interpreter needs to find what is under test, whichever of the two it is."""
    places = [str(ROOT / "src"), str(ROOT), sysconfig.get_paths()["purelib"]]
    return {"PYTHONPATH": os.pathsep.join(places), "PATH": os.environ["PATH"]}


@cache
def may_change_user() -> bool:
    """Whether we are root, and other users can run what is under test."""
    if os.geteuid() != 0:
        return False
    done = subprocess.run(
        [PYTHON, "-c", "import sekisho.agent.main"],
        check=False,
        capture_output=True,
        cwd="/",
        env=package_environment(),
        **identity_of(STRANGER),
    )
    return done.returncode == 0


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="sekisho-users-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
