"""Children of ours: ready when they say so, and never left behind, however their parent ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sekisho.adapters.processes import ChildProcess
from sekisho.model.errors import Unavailable

STARTER = """
import sys, time
from pathlib import Path
from sekisho.adapters.processes import ChildProcess
folder = Path(sys.argv[1])
child = ChildProcess.start(
    "device",
    ["sekisho.rehearsal.accelerator", "--dir", str(folder), "--memory-mib", "1", "--key", str(folder / "k.pem")],
    log=folder / "log",
)
print(child.pid, flush=True)
time.sleep(60)
"""


def test_children_of_a_killed_parent_end_by_themselves(tmp_path: Path) -> None:
    """Kill -9 of the parent: the child is gone within seconds."""
    parent = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and _is_alive(child):
        time.sleep(0.1)
    assert not _is_alive(child)


def test_a_child_that_does_not_start_is_told_with_its_own_words(tmp_path: Path) -> None:
    """The end of its log stands in the error, with the file to read."""
    with pytest.raises(Unavailable, match="No module named"):
        ChildProcess.start("nothing", ["sekisho.no_such_room"], log=tmp_path / "log")


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX" and os.path.exists(f"/proc/{pid}")  # noqa: PTH110
