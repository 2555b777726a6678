"""A home whose agent holds a run on a Slurm cluster, and a job that writes checkpoints when it is asked."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import msgspec

from sekisho.model.statements import EnrolledDevice, LeaseTerms, Mode, Span
from sekisho.model.wire import canonical, parse_json
from tests import factory
from tests.agent.homes import RUN, write_home
from tests.factory import AUTHORITY, OPERATOR, signed
from tests.fakes import FakeControl
from tests.slurms import Cluster

__all__ = [
    "COMMENT",
    "DEVICE_PEAK",
    "enrol_cluster",
    "license_run",
    "training_job",
    "write_slurm_home",
]

COMMENT = f"--comment=sekisho:{RUN}"
DEVICE_PEAK = 1_000_000_000
STATE = b"weights of step 7"


def enrol_cluster(control: FakeControl, devices: int = 8) -> None:
    """host-1 stands for the whole partition: each of its accelerators is a device."""
    fact = factory.host_enrolled(now=control.now())
    enrolled = tuple(
        EnrolledDevice(
            device=f"host-1/gpu-{number}",
            chip="training accelerator",
            peak_flop_per_s=str(DEVICE_PEAK),
            basis="declared",
        )
        for number in range(devices)
    )
    fact = msgspec.structs.replace(fact, devices=enrolled, driver="slurm", counter=control.tier)
    control.admit(signed(fact, AUTHORITY[0], OPERATOR))


def license_run(
    control: FakeControl, *, mode: Mode = "kill", grace_s: int = 2, interval_s: int = 60
) -> None:
    """A licence that holds now, with quanta of one second."""
    now = control.now()
    control.license(
        mode=mode,
        lease=LeaseTerms(interval_s=interval_s, grace_s=grace_s, quantum_s=1),
        budget_flop="1" + "0" * 20,
        period=Span(start=now.plus(-60), end=now.plus(86_400)),
    )


def write_slurm_home(home: Path, control: FakeControl, url: str, cluster: Cluster) -> None:
    """As any host's, with the Slurm driver and no command: the jobs come from users."""
    write_home(home, control, url)
    file = home / "agent.json"
    settings = parse_json(file.read_bytes())
    assert isinstance(settings, dict)
    slurm = {**msgspec.to_builtins(cluster.settings), "grace_s": 1}
    file.write_bytes(canonical({**settings, "command": [], "driver": "slurm", "slurm": slurm}))
    (home / "out").mkdir()


def training_job(out: Path) -> str:
    """A batch script that writes a checkpoint on SIGUSR1 and runs until it is ended."""
    record = {
        "step": 7,
        "sha256": hashlib.sha256(STATE).hexdigest(),
        "bytes": len(STATE),
        "path": "step-7",
    }
    lines = [
        f"cd {out}",
        "checkpoint() {",
        f"  printf '%s' '{STATE.decode()}' > step-7",
        f"  printf '%s' '{json.dumps(record)}' > new.json && mv new.json checkpoint.json",
        "}",
        "trap checkpoint USR1",
        "touch running-$SLURM_JOB_ID",
        "while :; do sleep 0.05; done",
    ]
    return "\n".join(lines)
