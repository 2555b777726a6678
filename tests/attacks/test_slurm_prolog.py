"""The prolog alone, over a scontrol that lies, fails or is late: what it cannot know it refuses."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from sekisho.adapters.schedulers.slurm.installing import PROLOG, GatePlan, plan_install

NODES = "NodeName=n1 Gres=gpu:2080ti:4(S:0-1) State=MIXED\nNodeName=n2 Gres=gpu:a100:2 State=MIXED"


class Prolog:
    """One installed prolog. `says` is what scontrol answers, by its first words."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gate = folder / "gate"
        self.gate.mkdir()
        self.scontrol("exit 1")
        plan = GatePlan(etc=str(folder), gate=str(self.gate), scontrol=str(folder / "scontrol"))
        made = plan_install({"slurm.conf": b"ClusterName=x\n"}, plan)
        (folder / PROLOG).write_bytes(made[PROLOG])
        (folder / PROLOG).chmod(0o755)
        self.show("run-1")

    def scontrol(self, script: str) -> None:
        (self.folder / "scontrol").write_text(
            f'#!/bin/sh\necho "$@" >> {self.folder}/asked\n{script}\n'
        )
        (self.folder / "scontrol").chmod(0o755)

    def answers(self, job: str, nodes: str = NODES) -> None:
        for name, text in (("job", job), ("node", nodes)):
            (self.folder / name).write_text(text + "\n")
        self.scontrol(
            f'case "$*" in *show*node*) cat {self.folder}/node ;; *show*) cat {self.folder}/job ;; esac'
        )

    def show(self, run: str, mode: str = "kill") -> None:
        now = int(time.time())
        (self.gate / "gate").write_text(
            f"sekisho-gate\t1\nhost\th\nmode\t{mode}\nwritten\t{now}\nuntil\t{now + 100}\n"
            f"run\t{run}\topen\tL\t\t\t\nend\n"
        )

    def start(self, run: str = "", **environment: str) -> int:
        """The prolog's exit for job 7."""
        job = {"SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": "n[1-2]", **environment}
        job["SLURM_JOB_COMMENT"] = f"sekisho:{run}" if run else ""
        words = [str(self.folder / PROLOG)]
        done = subprocess.run(
            words, env=job, capture_output=True, cwd=self.folder, check=False, timeout=60
        )
        return done.returncode

    def note(self) -> list[str]:
        """The fields of the last record without its time; empty where there is none."""
        path = self.gate / "jobs"
        lines = path.read_text().splitlines() if path.exists() else []
        fields = lines[-1].split("\t") if lines else []
        return [field for place, field in enumerate(fields) if place != 2]


@pytest.fixture
def prolog(tmp_path: Path) -> Prolog:
    return Prolog(tmp_path)


@pytest.mark.parametrize(
    "script",
    [
        "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1",
        "exit 0",
        "echo 'JobId=8 JOB_GRES=(null) OverSubscribe=OK'",
        "echo 'JobId=7 JOB_GRES=(null) OverSubscribe=OK'; exit 1",
        "kill -KILL $$",
    ],
)
def test_a_job_that_scontrol_does_not_show_is_refused(prolog: Prolog, script: str) -> None:
    """It fails, is silent, tells of another job, or dies: no job of unknown devices starts, named or not."""
    prolog.scontrol(script)
    for run in ("run-1", ""):
        assert prolog.start(run) == 1
        assert prolog.note() == ["refused", "7", "job-unreadable"]
    assert "requeuehold" not in (prolog.folder / "asked").read_text()


def test_a_scontrol_that_hangs_is_not_waited_for(prolog: Prolog) -> None:
    """After its time it is no answer."""
    text = (prolog.folder / PROLOG).read_text()
    assert text.count("timeout -k 2 20 ") == 2
    (prolog.folder / PROLOG).write_text(text.replace("timeout -k 2 20 ", "timeout -k 1 0.2 "))
    prolog.scontrol("exec sleep 30")

    assert prolog.start("run-1") == 1
    assert prolog.note() == ["refused", "7", "job-unreadable"]


def test_advice_lets_a_job_in_that_cannot_be_read(prolog: Prolog) -> None:
    """The first rung stops nothing, whatever fails; what is not known is not noted as none."""
    prolog.show("run-1", "advise")

    assert prolog.start() == 0
    assert prolog.note() == []


def test_a_job_alone_on_accelerator_nodes_that_names_none(prolog: Prolog) -> None:
    """--exclusive: it may use what its nodes have, so it needs a run, and is counted with all of it."""
    prolog.answers("JobId=7 JOB_GRES=(null) OverSubscribe=NO Contiguous=0")

    assert prolog.start() == 1
    assert prolog.note() == ["refused", "7", "no-run-named"]
    assert prolog.start("run-1") == 0
    assert prolog.note() == ["start", "7", "6", "run-1"]
    prolog.answers("JobId=7 JOB_GRES=(null) OverSubscribe=NO Contiguous=0", "")
    assert prolog.start("run-1") == 1
    assert prolog.note() == ["refused", "7", "job-unreadable"]


@pytest.mark.parametrize(
    ("shared", "nodes"), [("NO", "NodeName=n1 Gres=(null) State=MIXED"), ("OK", NODES)]
)
def test_a_job_without_accelerators_starts_unasked(prolog: Prolog, shared: str, nodes: str) -> None:
    """Alone on nodes that have none, or beside others on nodes that have some."""
    prolog.answers(f"JobId=7 JOB_GRES=(null) OverSubscribe={shared} Contiguous=0", nodes)

    assert prolog.start() == 0
    assert prolog.note() == []


@pytest.mark.parametrize(
    ("run", "shown"), [("7", "007"), ("1e1", "10"), ("0x10", "16"), ("1.0", "1")]
)
def test_a_run_s_name_is_no_number(prolog: Prolog, run: str, shown: str) -> None:
    """Two names that are one number are two runs."""
    prolog.answers("JobId=7 JOB_GRES=gpu:1 ")
    prolog.show(shown)

    assert prolog.start(run) == 1
    assert prolog.note() == ["refused", "7", "no-licence"]
    assert prolog.start(shown) == 0


def test_an_array_s_task_is_counted_alone(prolog: Prolog) -> None:
    """The number of the array's last task is the whole array's: it is asked for by its own name."""
    prolog.answers("JobId=7 ArrayJobId=7 ArrayTaskId=3 JOB_GRES=gpu:2 ")

    assert prolog.start("run-1", SLURM_ARRAY_JOB_ID="7", SLURM_ARRAY_TASK_ID="3") == 0
    assert prolog.note() == ["start", "7", "2", "run-1"]
    assert (prolog.folder / "asked").read_text() == "-o -d show job 7_3\n"


@pytest.mark.parametrize(
    ("held", "count"),
    [
        ("gpu:2080ti:4(IDX:0-3)", 4),
        ("gpu:3g.20gb:1(IDX:0)", 1),
        ("gpu:1080:2", 2),
        ("gres/gpu:a100=4", 4),
        ("gpu:a100:2(IDX:0,1),shard:3", 5),
        ("gpu", 1),
        ("gpu:99999999999999999999", 999_999_999),
    ],
)
def test_whatever_its_type_is_called_a_device_counts(prolog: Prolog, held: str, count: int) -> None:
    """A type that begins with a digit hides nothing, nor does a count that no shell can compare."""
    prolog.answers(f"JobId=7 JobName=x JOB_GRES={held} OverSubscribe=OK")

    assert prolog.start() == 1
    assert prolog.start("run-1") == 0
    assert prolog.note() == ["start", "7", str(count), "run-1"]
