"""Two charters over one real Slurm: jobs are let in while both open the gate, and it says which one does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.adapters.schedulers.slurm.gate_file import GATE_NAME
from tests.agent.homes import living, wait_until, write_further_home
from tests.agent.slurm_homes import (
    COMMENT,
    enrol_cluster,
    license_run,
    training_job,
    write_slurm_home,
)
from tests.agent.test_main import resume
from tests.fakes import FakeControl
from tests.served import SystemFakeClock, served
from tests.slurms import Cluster

pytestmark = [pytest.mark.slurm, pytest.mark.slow]


@pytest.fixture
def controls(slurm: Cluster, tmp_path: Path) -> Iterator[tuple[FakeControl, FakeControl]]:
    """Two control planes, one agent before the cluster, nothing licensed yet."""
    one, other = (FakeControl(SystemFakeClock(), name=name) for name in ("A", "B"))
    homes = [tmp_path / "a", tmp_path / "b"]
    for control in (one, other):
        enrol_cluster(control)
    with served(one) as first, served(other) as second:
        write_slurm_home(homes[0], one, first, slurm)
        write_further_home(homes[1], other, second)
        with living(homes[0], further=homes[1:]):
            yield one, other


def test_the_gate_is_the_strictest_of_both_charters(
    controls: tuple[FakeControl, FakeControl], slurm: Cluster, tmp_path: Path
) -> None:
    """Shut for lack of one licence, open with both, shut by either's pause, open after both resumes."""
    one, other = controls

    def gate() -> str:
        path = slurm.gate / GATE_NAME
        return path.read_text() if path.exists() else ""

    license_run(one)
    wait_until(lambda: "the run has no licence there" in gate())
    assert "has no licence there" in slurm.refused("--gres=gpu:1", COMMENT)
    license_run(other)
    wait_until(lambda: "\topen\t" in gate())
    job = slurm.submit(training_job(tmp_path / "a" / "out"), "--gres=gpu:2", COMMENT)
    slurm.wait_state(job, "RUNNING")

    other.issue(other.order(effect="checkpoint-then-stop", grace_s=1))
    slurm.wait_state(job, "PENDING")
    wait_until(lambda: "order pause/JP 1 is in force" in gate())
    assert "halted" not in one.stages()
    one.issue(one.order())
    wait_until(lambda: "halted" in one.stages() and "halted" in other.stages())
    resume(one, 1)
    wait_until(lambda: one.requests[-1].number == 2)
    assert slurm.state(job) == "PENDING"
    resume(other, 1)
    wait_until(lambda: "\topen\t" in gate())
    slurm.begin_again(job)
