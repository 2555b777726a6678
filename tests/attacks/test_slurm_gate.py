"""Ways past the gate of a Slurm cluster: each is refused at submission, at the start, or found."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.schedulers.slurm import SlurmAudit
from sekisho.adapters.schedulers.slurm.gate_file import GATE_NAME, write_lines
from sekisho.app.slurm import install_gate, remove_gate
from sekisho.ports.gate import GatePicture, RunGate
from tests.slurms import Cluster, start_cluster

pytestmark = [pytest.mark.slurm, pytest.mark.slow]
COMMENT = "--comment=sekisho:run-1"
OPEN = RunGate(run="run-1", licence="LIC-1", is_open=True)
SHUT = RunGate(
    run="run-1",
    licence="LIC-1",
    is_open=False,
    rule="order-in-force",
    reason="order pause/JP 1 is in force",
    remedy="wait until it is lifted",
)
NOBODY = 65_534


@pytest.mark.parametrize(
    "options",
    [
        ("--gres=gpu:1",),
        ("--gres=gpu",),
        ("--gpus=2",),
        ("--gpus-per-node=1",),
        ("--gpus-per-task=1", "--ntasks=2"),
        ("--gres=gpu:1", "--comment=run-1"),
        ("--gres=gpu:1", "--comment=sekisho:"),
        ("--gres=gpu:1", "--comment=sekisho:run-1 x"),
        ("--gres=gpu:1", "--comment=sekisho:run-1\nsekisho:run-1"),
        (":", "--gres=gpu:1"),
        ("--gres=gpu:1", "--array=0-3"),
        ("--gres=gpu:1", "--partition=cpu"),
    ],
)
def test_accelerators_asked_for_without_a_run(slurm: Cluster, options: tuple[str, ...]) -> None:
    """However they are asked for, in whichever partition: rule, reason and remedy."""
    slurm.show(OPEN)
    told = slurm.refused(*options)

    assert "sekisho [no-run-named]" in told
    assert "remedy: submit with --comment=sekisho:RUN" in told


def test_a_shut_gate_says_why(slurm: Cluster) -> None:
    """The picture's own words reach the user."""
    slurm.show(SHUT)
    told = slurm.refused("--gres=gpu:1", COMMENT)

    assert "sekisho [order-in-force] order pause/JP 1 is in force" in told
    assert "remedy: wait until it is lifted" in told


def test_jobs_without_accelerators_pass_whatever_the_gate_says(slurm: Cluster) -> None:
    """Shut, old, unreadable or gone: fail closed is for accelerators alone."""
    slurm.show(SHUT, for_s=-1)
    slurm.submit("true", user=NOBODY)
    (slurm.gate / GATE_NAME).write_text("rubbish")
    job = slurm.submit("true", user=NOBODY)
    (slurm.gate / GATE_NAME).unlink()

    slurm.submit("true", user=NOBODY)
    slurm.wait_state(job, "COMPLETED")


@pytest.mark.parametrize("damage", ["half", "other version", "empty", "binary", "gone"])
def test_a_picture_that_is_not_whole(slurm: Cluster, damage: str) -> None:
    """A gate that cannot be read is a shut gate."""
    slurm.show(OPEN)
    path = slurm.gate / GATE_NAME
    whole = path.read_bytes()
    broken = {
        "half": whole.removesuffix(b"end\n"),
        "other version": whole.replace(b"gate\t1", b"gate\t2"),
        "empty": b"",
        "binary": bytes(range(256)),
    }
    if damage in broken:
        path.write_bytes(broken[damage])
    else:
        path.unlink()

    assert "sekisho [gate-unreadable]" in slurm.refused("--gres=gpu:1", COMMENT)


def test_a_picture_that_is_too_old(slurm: Cluster) -> None:
    """The agent is dead: what was open is shut."""
    slurm.show(OPEN, for_s=0)

    assert "sekisho [gate-stale]" in slurm.refused("--gres=gpu:1", COMMENT)


def test_a_clock_that_was_set_back(slurm: Cluster) -> None:
    """A picture from the future is as good as none: it would stay fresh for as long as the clock lies."""
    now = SystemClock().now()
    picture = GatePicture(host="h", mode="kill", written=now, until=now.plus(60), runs=(OPEN,))
    (slurm.gate / GATE_NAME).write_bytes(write_lines(picture, int(now.seconds) + 3600))

    assert "sekisho [gate-stale]" in slurm.refused("--gres=gpu:1", COMMENT)


def test_a_reason_that_carries_a_line_of_its_own(slurm: Cluster) -> None:
    """Words in a picture cannot open a gate."""
    forged = "no\nrun\trun-2\topen\tLIC\t\t\t\nend\n"
    slurm.show(RunGate(run="run-1", licence="L", is_open=False, rule="shut", reason=forged))

    assert "sekisho [no-licence]" in slurm.refused("--gres=gpu:1", "--comment=sekisho:run-2")
    assert "sekisho [shut]" in slurm.refused("--gres=gpu:1", COMMENT)


def test_a_job_that_was_admitted_before_the_pause(slurm: Cluster) -> None:
    """It comes up for its start after the gate was shut: back into the queue, held, and no line of it runs."""
    slurm.show(OPEN)
    mark = slurm.folder / "ran"
    job = slurm.submit(f"touch {mark}", "--gpus=1", COMMENT, "--hold")
    slurm.show(SHUT)
    slurm.run("scontrol", "release", str(job))
    slurm.wait_for("its refusal", lambda: f"refused\t{job}\t" in slurm.records())
    slurm.wait_state(job, "PENDING")

    assert "held" in slurm.ask(f"squeue -h -j {job} -o %r")
    assert not mark.exists()


def test_a_job_that_its_user_requeues_during_the_pause(slurm: Cluster) -> None:
    """It ran, the gate was shut, its owner sends it back into the queue: it does not start again."""
    slurm.show(OPEN)
    job = slurm.submit("sleep 90", "--gpus=1", COMMENT, user=NOBODY)
    slurm.wait_state(job, "RUNNING")
    slurm.show(SHUT)
    assert slurm.run("scontrol", "requeue", str(job), user=NOBODY).returncode == 0
    slurm.wait_state(job, "PENDING")
    slurm.run("scontrol", "update", f"JobId={job}", "StartTime=now", user=NOBODY)

    slurm.wait_for("its refusal", lambda: f"refused\t{job}\t" in slurm.records())
    slurm.run("scontrol", "release", str(job), user=NOBODY)
    time.sleep(1.0)
    assert slurm.state(job) == "PENDING"


def test_an_interactive_job_that_comes_up_during_the_pause(slurm: Cluster) -> None:
    """It cannot go back into the queue: it ends."""
    slurm.show(OPEN)
    mark = slurm.folder / "ran-interactively"
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(slurm.run, "srun", "--gpus=1", "--hold", COMMENT, "touch", str(mark))
        slurm.wait_for("the job", lambda: slurm.ask("squeue -h -o %A").isdigit())
        slurm.show(SHUT)
        slurm.run("scontrol", "release", slurm.ask("squeue -h -o %A"))

        assert asked.result().returncode != 0
    assert not mark.exists()


def test_the_run_is_changed_after_submission(slurm: Cluster) -> None:
    """Neither its owner nor an operator takes a job out of its run, nor into another one."""
    slurm.show(OPEN)
    job = slurm.submit("sleep 90", "--gpus=1", COMMENT, user=NOBODY)
    slurm.wait_state(job, "RUNNING")
    for user in (NOBODY, None):
        for comment in ("", "x", "sekisho:run-2"):
            slurm.run("scontrol", "update", f"JobId={job}", f"Comment={comment}", user=user)

    assert slurm.ask(f"squeue -h -j {job} -o %k") == "sekisho:run-1"


def test_accelerators_are_added_after_submission(slurm: Cluster) -> None:
    """A job that came in without any asks for them while it waits."""
    slurm.show(OPEN)
    job = slurm.submit("sleep 90", "--begin=now+60", user=NOBODY)
    for change in ("Gres=gpu:1", "TresPerNode=gres:gpu:1"):
        slurm.run("scontrol", "update", f"JobId={job}", change, user=NOBODY)

    assert "gpu" not in slurm.ask(f"squeue -h -j {job} -o %b")


def test_a_job_that_lost_its_name_where_no_gate_watched() -> None:
    """The gate was taken out, the comment changed: the driver still ends the job, and the audit names it."""
    with start_cluster(gated=True) as cluster:
        cluster.show(OPEN)
        driver = cluster.driver("renamed")
        driver.start("run-1", (), {})
        job = cluster.submit("sleep 90", "--gpus=1", COMMENT)
        cluster.wait_state(job, "RUNNING")
        remove_gate(cluster.etc)
        cluster.restart_controller()
        cluster.run("scontrol", "update", f"JobId={job}", "Comment=mine")
        stray = cluster.submit("sleep 90", "--gpus=2", user=NOBODY)
        cluster.wait_state(stray, "RUNNING")
        assert cluster.ask(f"squeue -h -j {job} -o %k") == "mine"

        found = SlurmAudit(cluster.settings, "run-1").look()
        assert found["job-renamed"].startswith(f"1 jobs: {job} ")
        assert found["busy-without-licence"] == f"1 jobs: {stray} (user {NOBODY}, 2 devices)"
        assert driver.kill() == "slurm-requeue-hold"
        assert cluster.state(job) == "PENDING"
        assert cluster.state(stray) == "RUNNING"


def test_a_site_script_cannot_undo_the_gate(tmp_path: Path) -> None:
    """It is chained after ours; what it makes of a job is judged again, and it cannot replace our functions."""
    with start_cluster() as cluster:
        script = cluster.etc / "job_submit.lua"
        script.write_text(
            "function slurm_job_submit(job, parts, uid)\n"
            "  if job.name == 'site' then slurm.log_user('the site says no') return slurm.ERROR end\n"
            "  if job.name == 'sneak' then job.tres_per_job = 'gres:gpu:1' end\n"
            "  return slurm.SUCCESS\nend\n"
            "function slurm_job_modify() return slurm.SUCCESS end\n"
            "return slurm.SUCCESS\n"
        )
        with (cluster.etc / "slurm.conf").open("a") as conf:
            conf.write("JobSubmitPlugins=lua\n")
        before = {path.name: path.read_bytes() for path in cluster.etc.iterdir()}
        install_gate(cluster.etc, cluster.gate)
        cluster.restart_controller()
        cluster.show(OPEN)
        assert "the site says no" in cluster.refused("--job-name=site")
        assert "no-run-named" in cluster.refused("--job-name=sneak")
        assert "no-run-named" in cluster.refused("--gpus=1")
        cluster.submit("true", "--gpus=1", COMMENT)

        remove_gate(cluster.etc)
        assert {path.name: path.read_bytes() for path in cluster.etc.iterdir()} == before


def test_a_name_that_looks_like_devices_hides_none(slurm: Cluster) -> None:
    """What a user writes into a job's name can add to what is counted, never take away."""
    slurm.show(OPEN)
    name = "x JOB_GRES=gpu:-9 JOB_GRES= GRES=none"
    job = slurm.submit("sleep 90", "--gpus=2", COMMENT, f"--job-name={name}")
    slurm.wait_state(job, "RUNNING")

    lines = slurm.records().splitlines()
    noted = next(line.split("\t") for line in lines if line.startswith(f"start\t{job}\t"))
    assert int(noted[3]) >= 2


def test_an_exclusive_job_that_names_no_accelerators(slurm: Cluster) -> None:
    """It comes in, since at submission nobody knows its node, and is sent back at its start on one that has some."""
    slurm.show(OPEN)
    job = slurm.submit("sleep 90", "--exclusive", user=NOBODY)
    told = f"refused\t{job}\t"
    slurm.wait_for("its refusal", lambda: told in slurm.records())
    slurm.wait_state(job, "PENDING")
    lines = slurm.records().splitlines()
    assert [line.split("\t")[3] for line in lines if line.startswith(told)] == ["no-run-named"]


def test_each_task_of_an_array_is_noted_with_its_own_devices(slurm: Cluster) -> None:
    """Three tasks with one device each, whichever of them has the array's number."""
    slurm.show(OPEN)
    first = slurm.submit("sleep 90", "--gres=gpu:1", "--array=0-2", COMMENT)

    def noted() -> list[str]:
        rows = [line.split("\t") for line in slurm.records().splitlines()]
        return [row[3] for row in rows if row[0] == "start" and int(row[1]) >= first]

    slurm.wait_for("three notes", lambda: len(noted()) == 3)
    assert noted() == ["1", "1", "1"]


def test_advice_stops_nothing_and_is_logged(slurm: Cluster) -> None:
    """The first rung of the ladder: everything passes, and the log says what would not have."""
    slurm.show(mode="advise")
    job = slurm.submit("true", "--gpus=1")
    slurm.wait_state(job, "COMPLETED")

    log = (slurm.folder / "slurmctld.log").read_text()
    assert "advises only, would refuse run nil: no-run-named" in log


def test_a_user_is_told_in_japanese() -> None:
    """Where the operator chose so, reason and remedy both."""
    with start_cluster() as cluster:
        install_gate(cluster.etc, cluster.gate, language="ja")
        cluster.restart_controller()
        cluster.show(SHUT)

        assert "sekisho [order-in-force] 停止命令が有効です" in cluster.refused("--gpus=1", COMMENT)
        assert "対処: --comment=sekisho:実行名" in cluster.refused("--gpus=1")
