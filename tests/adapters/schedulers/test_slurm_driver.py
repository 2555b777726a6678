"""The Slurm driver on a real cluster: what it finds, stops, counts and gives back."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.ports.gate import RunGate
from tests.slurms import Cluster, start_cluster

pytestmark = [pytest.mark.slurm, pytest.mark.slow]
RUN, COMMENT = "run-1", "--comment=sekisho:run-1"
OPEN = RunGate(run=RUN, licence="LIC-1", is_open=True)
DEAF = "trap '' TERM; while :; do sleep 1; done"


def test_a_run_is_all_jobs_that_name_it(slurm: Cluster, tmp_path: Path) -> None:
    """Arrays, heterogeneous jobs and srun steps end; another run's job and one without a name go on."""
    driver = slurm.driver(tmp_path.name)
    driver.start(RUN, (), {})
    array = slurm.submit("sleep 90", "--gres=gpu:1", COMMENT, "--array=0-1")
    mixed = slurm.submit("sleep 90", "--gres=gpu:1", COMMENT, ":", "--gres=gpu:1", COMMENT)
    steps = slurm.submit("srun sleep 90", "--gpus=1", COMMENT)
    others = [
        slurm.submit("sleep 90", "--gres=gpu:1", "--comment=sekisho:run-2"),
        slurm.submit("sleep 90"),
    ]
    for job in (array, mixed, steps, *others):
        slurm.wait_state(job, "RUNNING")
    slurm.wait_for("five jobs", lambda: driver.read().processes == 5)

    assert driver.kill() in ("slurm-requeue-hold", "slurm-cancel")
    reading = driver.read()
    assert (reading.state, reading.processes) == ("ended", 0)
    assert [slurm.state(job) for job in others] == ["RUNNING", "RUNNING"]


def test_suspended_jobs_keep_their_devices_and_go_on(slurm: Cluster, tmp_path: Path) -> None:
    """Frozen, counted on, thawed; what waited in the queue is held meanwhile, and released."""
    driver = slurm.driver(tmp_path.name)
    driver.start(RUN, (), {})
    job = slurm.submit("sleep 90", "--gres=gpu:2", COMMENT)
    waiting = slurm.submit("sleep 90", COMMENT, "--begin=now+90")
    slurm.wait_state(job, "RUNNING")

    assert driver.freeze() == "slurm-suspend"
    frozen = driver.read()
    assert (frozen.state, slurm.state(job)) == ("frozen", "SUSPENDED")
    assert "JobHeld" in slurm.ask(f"squeue -h -j {waiting} -o %r")
    time.sleep(1.0)
    later = driver.read()
    assert frozen.device_s is not None
    assert later.device_s is not None
    assert later.device_s - frozen.device_s >= 2.0

    assert driver.thaw() == "slurm-suspend"
    assert (driver.read().state, slurm.state(job)) == ("running", "RUNNING")
    assert "JobHeld" not in slurm.ask(f"squeue -h -j {waiting} -o %r")


def test_what_a_user_held_stays_held(slurm: Cluster, tmp_path: Path) -> None:
    """Only what we held is released by us."""
    driver = slurm.driver(tmp_path.name)
    driver.start(RUN, (), {})
    job = slurm.submit("sleep 90", COMMENT, "--hold")
    driver.freeze()
    driver.thaw()

    assert "JobHeld" in slurm.ask(f"squeue -h -j {job} -o %r")


def test_a_job_that_cannot_be_requeued_is_cancelled(slurm: Cluster, tmp_path: Path) -> None:
    """It says --no-requeue: it ends for good."""
    driver = slurm.driver(tmp_path.name)
    driver.start(RUN, (), {})
    job = slurm.submit("sleep 90", "--gpus=1", COMMENT, "--no-requeue")
    slurm.wait_state(job, "RUNNING")

    assert driver.kill() == "slurm-cancel"
    assert slurm.state(job) == "CANCELLED"


def test_a_job_that_ignores_sigterm_is_killed_in_our_grace(slurm: Cluster, tmp_path: Path) -> None:
    """Slurm would wait longer (KillWait 2): a grace of none is no wait."""
    driver = slurm.driver(tmp_path.name, grace_s=0)
    driver.start(RUN, (), {})
    job = slurm.submit(DEAF, "--gpus=1", COMMENT)
    slurm.wait_state(job, "RUNNING")
    time.sleep(0.5)  # until the script has set its trap
    begun = time.monotonic()

    assert driver.kill() == "slurm-requeue-hold"
    assert time.monotonic() - begun < driver.stop_time_s == 10.0
    assert driver.read().processes == 0


def test_another_driver_finds_the_jobs_of_a_dead_one(slurm: Cluster, tmp_path: Path) -> None:
    """A new watchdog knows the run, counts no less than the old one did, and ends what it finds."""
    driver = slurm.driver(tmp_path.name)
    driver.start(RUN, (), {})
    job = slurm.submit("sleep 90", "--gres=gpu:2", COMMENT)
    slurm.wait_state(job, "RUNNING")
    time.sleep(1.1)
    before = driver.read().device_s

    heir = slurm.driver(tmp_path.name)
    assert not heir.is_over()
    after = heir.read()
    assert before is not None
    assert after.device_s is not None
    assert after.device_s >= before
    assert heir.kill() == "slurm-requeue-hold"
    assert heir.is_over()


def test_a_run_of_users_takes_no_command(slurm: Cluster, tmp_path: Path) -> None:
    """The watchdog may be SlurmUser: nobody's command becomes its job, unless its own settings name how."""
    driver = slurm.driver(tmp_path.name)
    with pytest.raises(InvalidInput, match="jobs come from users"):
        driver.start(RUN, ("/bin/true",), {})


def test_a_command_of_our_own_is_a_batch_job(slurm: Cluster, tmp_path: Path) -> None:
    """It gets its environment by its script and not by a command line, and its exit code is told."""
    driver = slurm.driver(tmp_path.name, batch=("--output=/dev/null", "--gpus=1"))
    out = tmp_path / "out"
    driver.start(RUN, ("/bin/sh", "-c", f'echo "$WORD" > {out}; exit 3'), {"WORD": "it's $HOME"})
    slurm.wait_for("its end", lambda: driver.read().state == "ended")

    assert driver.read().exit_code == 3
    assert out.read_text() == "it's $HOME\n"


def test_a_checkpoint_is_asked_of_script_and_steps(slurm: Cluster, tmp_path: Path) -> None:
    """Both hear the signal; with no job there is nobody to ask."""
    slurm.show(OPEN)
    driver = slurm.driver(tmp_path.name)
    driver.start(RUN, (), {})
    with pytest.raises(StateConflict):
        driver.request_checkpoint()
    step = tmp_path / "step.sh"
    step.write_text(
        f"trap 'touch {tmp_path}/step' USR1\ntouch {tmp_path}/ready\nwhile :; do sleep 0.1; done\n"
    )
    script = (
        f"trap 'touch {tmp_path}/batch' USR1\nsrun sh {step} &\nwhile :; do wait; sleep 0.1; done"
    )
    slurm.submit(script, "--gpus=1", COMMENT)
    slurm.wait_for("the step", (tmp_path / "ready").exists)
    driver.request_checkpoint()

    slurm.wait_for("both", lambda: (tmp_path / "step").exists() and (tmp_path / "batch").exists())


def test_partitions_are_closed_and_given_back_as_they_were(slurm: Cluster, tmp_path: Path) -> None:
    """While the run is stopped nothing starts there, of whoever."""
    driver = slurm.driver(tmp_path.name, close_partitions=("cpu",))
    driver.start(RUN, (), {})
    driver.kill()
    job = slurm.submit("sleep 30", "--partition=cpu")
    assert slurm.ask("sinfo -h -p cpu -o %a") == "down"
    assert slurm.state(job) == "PENDING"
    driver.start(RUN, (), {})

    assert slurm.ask("sinfo -h -p cpu -o %a") == "up"


def test_a_cluster_that_does_not_answer_is_not_over(slurm: Cluster, tmp_path: Path) -> None:
    """Silence is no end: neither a reading nor a stop can be had."""
    driver = slurm.driver(tmp_path.name, commands=str(tmp_path))
    assert not driver.is_over()
    with pytest.raises(Unavailable):
        driver.read()
    with pytest.raises(Unavailable):
        driver.kill()


def test_a_node_that_vanishes_under_a_job_is_never_called_ended() -> None:
    """Slurm takes the job back; what runs on the silent node nobody knows, until it answers again."""
    with start_cluster(slurmd_timeout=3) as cluster:
        driver = cluster.driver("vanish")
        driver.start(RUN, (), {})
        job = cluster.submit("sleep 90", "--gpus=1", "--nodelist=n1", "--no-requeue", COMMENT)
        cluster.wait_state(job, "RUNNING")
        driver.read()
        cluster.kill("n1")
        with pytest.raises(Unavailable):
            driver.kill()

        assert driver.read().state == "running"
        cluster.wait_state(job, "NODE_FAIL", "CANCELLED")
        assert driver.read().state == "running"
        with pytest.raises(Unavailable, match="does not answer"):
            driver.kill()

        cluster.start_node("n1")
        cluster.wait_for("the node", lambda: driver.read().state == "ended")


def test_a_job_that_hangs_on_its_node_is_never_called_ended(
    slurm: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its epilog does not end: the stop fails after its bound and what is read is running, until it is gone."""
    monkeypatch.setattr("sekisho.adapters.schedulers.slurm.config.STOP_MARGIN_S", 1)
    driver = slurm.driver(tmp_path.name, grace_s=1)
    driver.start(RUN, (), {})
    job = slurm.submit("sleep 90", "--gpus=1", COMMENT)
    slurm.wait_state(job, "RUNNING")
    slurm.hang.touch()
    try:
        with pytest.raises(Unavailable, match="still on their nodes"):
            driver.kill()
        assert driver.read().state == "running"
    finally:
        slurm.hang.unlink()
    slurm.wait_for("its end", lambda: driver.read().state == "ended")


def test_where_a_licence_only_advises_no_job_dies_of_a_question(
    slurm: Cluster, tmp_path: Path
) -> None:
    """The signal would end a shell that does not expect it; an order is worth that, a lapsed lease is not."""
    driver = slurm.driver(tmp_path.name)
    driver.start(RUN, (), {})
    job = slurm.submit("sleep 90", "--gpus=1", COMMENT)
    slurm.wait_state(job, "RUNNING")
    slurm.show(OPEN, mode="block-new")
    driver.request_checkpoint()
    time.sleep(0.5)
    assert slurm.state(job) == "RUNNING"

    slurm.show(RunGate(run=RUN, licence="L", is_open=False, rule="order-in-force"), mode="advise")
    driver.request_checkpoint()
    slurm.wait_state(job, "FAILED")


def test_a_task_that_bears_its_arrays_number_is_ended_alone(slurm: Cluster, tmp_path: Path) -> None:
    """By that number alone Slurm would cancel the task that its user held: it waits on."""
    driver = slurm.driver(tmp_path.name)
    driver.start(RUN, (), {})
    array = slurm.submit("sleep 90", "--gpus=1", COMMENT, "--array=0-1")
    slurm.wait_for("two tasks", lambda: driver.read().processes == 2)
    slurm.run("scontrol", "requeuehold", f"{array}_0")
    slurm.run("scontrol", "update", f"JobId={array}_1", "Requeue=0")
    slurm.wait_for("one task", lambda: driver.read().processes == 1)
    assert slurm.state(array) == "RUNNING"  # the last one bears the array's number

    assert driver.kill() == "slurm-cancel"
    assert tasks(slurm, array) == {0: "PENDING", 1: "CANCELLED"}


def test_a_requeued_task_takes_no_other_of_its_array_along(slurm: Cluster, tmp_path: Path) -> None:
    """Finished tasks stay finished; opened again, what we held goes on and what a user held stays held."""
    driver = slurm.driver(tmp_path.name)
    driver.start(RUN, (), {})
    array = slurm.submit("sleep 90", "--gpus=1", COMMENT, "--array=0-2")
    slurm.wait_for("three tasks", lambda: driver.read().processes == 3)
    slurm.run("scancel", f"{array}_0")
    slurm.run("scontrol", "requeuehold", f"{array}_1")
    slurm.wait_for("one task", lambda: driver.read().processes == 1)
    assert slurm.state(array) == "RUNNING"  # the last one bears the array's number

    assert driver.kill() == "slurm-requeue-hold"
    assert tasks(slurm, array) == {0: "CANCELLED", 1: "PENDING", 2: "PENDING"}
    driver.start(RUN, (), {})
    held = f"squeue -h -r -j {array} -o %K:%r"
    slurm.wait_for("its release", lambda: "2:JobHeld" not in slurm.ask(held))
    assert "1:job requeued in held state" in slurm.ask(held)


def test_of_an_array_that_waits_only_what_waits_is_held(slurm: Cluster, tmp_path: Path) -> None:
    """Tasks 0, 2 and 4 wait under the array's number while two run: they are held, released, and none is lost."""
    driver = slurm.driver(tmp_path.name)
    driver.start(RUN, (), {})
    options = ("--gpus=4", COMMENT, "--array=0,2,4,6,8%2")
    array = slurm.submit("sleep 90", *options)
    slurm.wait_for("two tasks", lambda: driver.read().processes == 2)

    assert driver.kill() == "slurm-requeue-hold"
    assert set(slurm.ask(f"squeue -h -r -j {array} -o %T").split()) == {"PENDING"}
    assert len(slurm.ask(f"squeue -h -r -j {array} -o %K").split()) == 5
    driver.start(RUN, (), {})
    told = f"squeue -h -r -j {array} -o %r"
    slurm.wait_for("their release", lambda: "JobHeld" not in slurm.ask(told))


def tasks(slurm: Cluster, array: int) -> dict[int, str]:
    """The state of each task that has a record of its own."""
    rows = json.loads(slurm.ask("squeue --json"))["jobs"]
    mine = [row for row in rows if row["array_job_id"] == array]
    return {row["array_task_id"]: row["job_state"] for row in mine}
