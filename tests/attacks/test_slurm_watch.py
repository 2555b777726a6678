"""The watch on a node alone, over a scontrol of the test's own: work that only stands still while somebody looks."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sekisho.adapters.schedulers.slurm.installing import NODE_PROLOG, GatePlan, plan_install
from tests.adapters.schedulers.groups import SPIN, wait_until
from tests.observing import cpu_ticks, stop_and_wait

# Whoever asks for the processes has them stopped first, and let go on a moment later.
DODGES = """
kill -STOP {pid}
until grep -q '^State:.T' /proc/{pid}/status; do :; done
echo "{pid} 7 batch"
( sleep 0.1; kill -CONT {pid} ) > /dev/null 2>&1 &
"""
TELLS = 'echo "{pid} 7 batch"\n'


@pytest.fixture
def work() -> Iterator[subprocess.Popen[bytes]]:
    """A process that computes and ignores SIGTERM; ended by its id."""
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    with subprocess.Popen([sys.executable, "-S", "-c", deaf + SPIN]) as process:
        try:
            wait_until(lambda: cpu_ticks(process.pid) > 2)
            yield process
        finally:
            process.kill()


@contextmanager
def watching(folder: Path, scontrol: str) -> Iterator[Path]:
    """The watch over a picture that has run out, in a hurry; what it asked is in the file that this gives."""
    asked = folder / "asked"
    tool = folder / "scontrol"
    tool.write_text(f"#!/bin/sh\n{scontrol}\necho x >> {asked}\n")
    tool.chmod(0o755)
    (folder / "gate").mkdir()
    now = int(time.time())
    (folder / "gate" / "gate").write_text(
        f"sekisho-gate\t1\nhost\th\nmode\tkill\nwritten\t{now - 60}\nuntil\t{now - 60}\ngrace\t0\nend\n"
    )
    plan = GatePlan(etc=str(folder), gate=str(folder / "gate"), scontrol=str(tool), nodes=True)
    script = folder / NODE_PROLOG
    made = plan_install({"slurm.conf": b"ClusterName=x\n"}, plan)[NODE_PROLOG]
    assert made is not None
    script.write_bytes(made.replace(b"EVERY=2 AFTER_TERM=5", b"EVERY=0.3 AFTER_TERM=0"))
    assert b"EVERY=0.3" in script.read_bytes()
    mark = folder / "mark"
    mark.touch()
    environment = {"SLURM_JOB_ID": "7", "SLURMD_NODENAME": "n1"}
    words = ["/bin/sh", str(script), "watch", str(mark)]
    with subprocess.Popen(words, env=environment, cwd=folder) as watch:
        try:
            wait_until(lambda: mark.read_text().strip() == str(watch.pid))
            yield asked
        finally:
            mark.unlink()


def test_work_that_stands_still_only_while_the_watch_looks_is_ended(
    tmp_path: Path, work: subprocess.Popen[bytes]
) -> None:
    """Somebody stops it before each look and lets it go on after: its processor time gives it away."""
    with watching(tmp_path, DODGES.format(pid=work.pid)):
        assert work.wait(60) == -9


def test_work_that_stands_still_all_the_time_is_let_be(
    tmp_path: Path, work: subprocess.Popen[bytes]
) -> None:
    """A hold keeps what it stopped in memory; who lets it go on afterwards has it ended."""
    stop_and_wait(work.pid)
    with watching(tmp_path, TELLS.format(pid=work.pid)) as asked:
        wait_until(lambda: asked.exists() and len(asked.read_text()) >= 2 * 4)
        assert work.poll() is None
        work.send_signal(18)
        assert work.wait(60) == -9
