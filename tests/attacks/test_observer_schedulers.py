"""An agent that says halted while a scheduler's job goes on: the observer asks the scheduler, a real Slurm too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.adapters.schedulers.kubernetes.finding import PodFinder
from sekisho.adapters.schedulers.kubernetes.pods import RUN_LABEL
from sekisho.adapters.schedulers.slurm.finding import SlurmFinder
from sekisho.model.statements import ObservationMade
from sekisho.observer.process_table import read_process_table
from sekisho.observer.seeing import Surveyor
from sekisho.ports.driver_settings import SlurmSettings
from sekisho.ports.work_finder import WorkFinder
from tests.clusters import PODS, cluster, pod_document
from tests.clusters import Cluster as Pods
from tests.observing import halted_rig, judged, observe_with
from tests.slurms import Cluster, start_cluster

RUN = "scheduled-run-5521"
# Nothing on the job's own command line or in its script's name says whose it is.
SPINS = "echo $$ > {out}; while :; do :; done"


def surveyor(*finders: WorkFinder) -> Surveyor:
    return Surveyor(read_process_table, finders=finders)


def observe(eyes: Surveyor, *, gap_s: float = 0.3) -> tuple[str, ObservationMade]:
    """The verdict on a host that says it halted this run, and the observation that it rests on."""
    rig = halted_rig(RUN)
    made = observe_with(rig, eyes, gap_s=gap_s)
    return judged(rig, made).degree, made


def spin(slurm: Cluster, tmp_path: Path) -> int:
    """A job of the run that computes; its number once it does."""
    tmp_path.chmod(0o755)
    started = tmp_path / "started"
    job = slurm.submit(SPINS.format(out=started), f"--comment=sekisho:{RUN}")
    slurm.wait_for("the job to compute", lambda: started.exists() and bool(started.read_text()))
    return job


@pytest.mark.slurm
def test_a_lying_agents_slurm_job_is_found_by_the_observers_own_question(
    slurm: Cluster, tmp_path: Path
) -> None:
    """Without the finder nobody sees it; with it the halt is contradicted, though nothing names the run on the node."""
    spin(slurm, tmp_path)
    assert observe(surveyor())[1].work_cpu_ms == 0

    degree, made = observe(surveyor(SlurmFinder(slurm.settings)))
    assert (degree, made.work_cpu_ms > 0) == ("contradicted", True)
    assert "slurm, the run's jobs" in made.means


@pytest.mark.slurm
def test_a_slurm_job_that_drops_its_comment_before_the_claim_is_still_the_runs(
    tmp_path: Path,
) -> None:
    """The operator takes the gate away, then the run's name off the job, and then says that the run halted."""
    with start_cluster(gpus=1) as slurm:
        drop_the_comment(slurm, tmp_path)


def drop_the_comment(slurm: Cluster, tmp_path: Path) -> None:
    job = spin(slurm, tmp_path)
    eyes = surveyor(SlurmFinder(slurm.settings))
    eyes.note_marks()
    slurm.run("scontrol", "update", f"JobId={job}", "Comment=nothing-to-see")
    slurm.wait_for(
        "the comment to be gone", lambda: RUN not in slurm.ask(f"squeue -h -j {job} -o %k")
    )
    assert observe(eyes)[0] == "contradicted"
    # Who begins to look only afterwards knows of nothing.
    assert observe(surveyor(SlurmFinder(slurm.settings)))[1].work_cpu_ms == 0


@pytest.mark.slurm
def test_a_suspended_slurm_job_is_seen_and_shows_no_work(slurm: Cluster, tmp_path: Path) -> None:
    """An agent that tells the truth is not contradicted: the job's processes are there, and none of them runs."""
    job = spin(slurm, tmp_path)
    slurm.run("scontrol", "suspend", str(job))
    slurm.wait_state(job, "SUSPENDED")
    eyes = surveyor(SlurmFinder(slurm.settings))
    slurm.wait_for("the node to have stopped it", lambda: observe(eyes)[0] != "contradicted")
    degree, made = observe(eyes, gap_s=5.2)
    assert degree == "corroborated"
    assert all(reading.processes for reading in made.readings)


def test_a_slurm_that_does_not_answer_is_said_and_is_not_at_rest(tmp_path: Path) -> None:
    """Who stops the controller hides no job by it without a word in the statement."""
    silent = tmp_path / "squeue"
    silent.write_text("#!/bin/sh\necho 'Unable to contact slurm controller' >&2\nexit 1\n")
    silent.chmod(0o755)
    settings = SlurmSettings(gate="/var/empty", commands=str(tmp_path))
    _, made = observe(surveyor(SlurmFinder(settings)))
    assert any(limit.startswith("slurm, the run's jobs") for limit in made.limits)


@pytest.fixture
def pods(tmp_path: Path) -> Iterator[Pods]:
    with cluster(tmp_path) as one:
        yield one


def test_a_pod_that_drops_its_label_before_the_claim_is_still_the_runs(pods: Pods) -> None:
    """Its uid, which nobody can change, is what its control group is called by."""
    pod = pod_document("work", run=RUN)
    pod["metadata"] |= {"uid": "0f3c", "resourceVersion": "1"}
    pods.objects[PODS, "team", "work"] = pod
    finder = PodFinder(pods.api())
    finder.note()
    del pod["metadata"]["labels"][RUN_LABEL]
    assert finder.find(RUN).groups == ("pod0f3c",)
    assert PodFinder(pods.api()).find(RUN).groups == ()
