"""The watch on the nodes, on a real cluster: what ends licensed work when controller and watchdog died in one blow."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.ports.gate import RunGate
from tests.slurms import Cluster, start_cluster

pytestmark = [pytest.mark.slurm, pytest.mark.slow]
OPEN = RunGate(run="run-1", licence="LIC-1", is_open=True)
LICENSED = ("--comment=sekisho:run-1", "--gres=gpu:1")
LIFE_S, GRACE_S = 6, 2
MARKS = Path("/run/sekisho")


@pytest.fixture
def watched() -> Iterator[Cluster]:
    with start_cluster(gpus=2, gated=True, watched=True) as cluster:
        try:
            yield cluster
        finally:
            # Jobs and watches outlive their daemons, and a controller that was killed may not know them any more.
            for note in cluster.folder.glob("*.pid-of-job"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(note.read_text()), signal.SIGKILL)
            shutil.rmtree(MARKS / folder_of(cluster), ignore_errors=True)
            if "UP" not in cluster.ask("scontrol ping"):
                cluster.start_controller()


def folder_of(cluster: Cluster) -> str:
    """Where this cluster's watches have their marks, under MARKS."""
    gate = str(cluster.gate / "gate")
    return cluster.run("sh", "-c", f"printf %s {gate} | cksum | cut -d ' ' -f 1").stdout.strip()


def marks_of(cluster: Cluster) -> list[str]:
    return sorted(path.name for path in (MARKS / folder_of(cluster)).glob("job-*"))


class Beat:
    """A job that writes on and on that it runs, and pays no heed to SIGTERM."""

    def __init__(self, cluster: Cluster, folder: Path, name: str, *options: str) -> None:
        self._file = folder / name
        self._cluster = cluster
        self._note = cluster.folder / f"{name}.pid-of-job"
        loop = f"echo $$ > {self._note}; trap '' TERM; while :; do date +%s%N > {self._file}; sleep 0.2; done"
        self.job = cluster.submit(loop, *options)
        cluster.wait_for(f"{name} to run", self._file.exists)

    def exists(self) -> bool:
        """Whether its process is there, at work or not."""
        return Path(f"/proc/{self._note.read_text().strip()}").exists()

    def goes_on(self) -> float:
        """Seconds until it writes again, however long a busy machine makes it wait. Fails the test where it ended."""
        before = self._file.read_text()
        return self._cluster.wait_for("a beat", lambda: self._file.read_text() not in ("", before))

    def suspend(self) -> None:
        """By Slurm, which refuses that while it still sets the job up."""
        self._cluster.wait_for("its suspension", self._is_suspended)

    def ends(self) -> float:
        """Seconds until its process is gone."""
        return self._cluster.wait_for("its end", lambda: not self.exists())

    def _is_suspended(self) -> bool:
        self._cluster.run("scontrol", "suspend", str(self.job))
        return self._cluster.state(self.job) == "SUSPENDED"


def test_controller_and_watchdog_die_in_one_blow(watched: Cluster, tmp_path: Path) -> None:
    """While the picture is renewed the job runs; then, without slurmctld, it ends after life and grace.

    Another's job goes on, and one that a hold has suspended keeps what it has in memory.
    """
    watched.show(
        OPEN, for_s=600, grace_s=GRACE_S
    )  # a slow machine may take its time to start a job
    licensed = Beat(watched, tmp_path, "licensed", *LICENSED)
    frozen = Beat(watched, tmp_path, "frozen", *LICENSED)
    other = Beat(watched, tmp_path, "other")
    frozen.suspend()
    begun = time.monotonic()
    while time.monotonic() - begun < 1.5 * (LIFE_S + GRACE_S):
        watched.show(OPEN, for_s=LIFE_S, grace_s=GRACE_S)
        time.sleep(1.0)
    licensed.goes_on()

    watched.show(OPEN, for_s=LIFE_S, grace_s=GRACE_S)
    shown = time.monotonic()
    watched.kill("slurmctld")
    licensed.ends()
    assert time.monotonic() - shown > LIFE_S + GRACE_S
    other.goes_on()
    assert frozen.exists()


def test_a_picture_that_only_advises_ends_nothing(watched: Cluster, tmp_path: Path) -> None:
    """The site has not let anybody stop its work: silence stops none there."""
    watched.show(OPEN, for_s=600, grace_s=0)
    licensed = Beat(watched, tmp_path, "licensed", *LICENSED)
    watched.show(OPEN, mode="block-new", for_s=LIFE_S, grace_s=0)
    watched.kill("slurmctld")
    time.sleep(LIFE_S + 6)
    licensed.goes_on()


def test_the_watch_goes_with_its_job(watched: Cluster, tmp_path: Path) -> None:
    """Its mark is on the node while the job runs, and gone with it."""
    watched.show(OPEN, for_s=600, grace_s=0)
    licensed = Beat(watched, tmp_path, "licensed", *LICENSED)
    (mark,) = marks_of(watched)
    assert mark.rpartition("-")[0] == f"job-{licensed.job}"
    # slurmd kills its prolog's process group: on a busy node too the watch had left that before the job began.
    watch = int((MARKS / folder_of(watched) / mark).read_text())
    assert os.getsid(watch) == watch
    watched.run("scancel", "--signal=KILL", "--full", str(licensed.job))
    watched.wait_for("its mark to go", lambda: not marks_of(watched))
