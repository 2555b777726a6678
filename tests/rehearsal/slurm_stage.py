"""A rehearsed regime's cluster: one host that stands for the accelerators of a whole partition."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from sekisho.adapters.durable_files import replace_file
from sekisho.agent.measuring import measure_agent
from sekisho.model.statements import (
    EnrolledDevice,
    HostEnrolled,
    LeaseTerms,
    Mode,
    PartyEnrolled,
)
from sekisho.model.wire import canonical, parse_json
from sekisho.operations.licence_drafts import (
    AnswerPlan,
    ApplicationPlan,
    draft_application,
    draft_approval,
)
from sekisho.operations.running import LicencePlan, draft_licence
from sekisho.rehearsal import opening
from sekisho.rehearsal.scene import SITE, Scene
from sekisho.rehearsal.stage import HostPlan
from sekisho.rules import load_pack
from tests.agent.slurm_homes import training_job
from tests.slurms import Cluster

__all__ = [
    "HOST",
    "PEAK",
    "RUN",
    "enrol_cluster",
    "license_cluster",
    "start_cluster_agent",
    "submit_training",
]

HOST, RUN = "cluster-1", "training-1"
PEAK = 10**12


def enrol_cluster(scene: Scene, devices: int = 8, *, run: str = RUN) -> None:
    """The licensee, and the cluster with its accelerators."""
    party = PartyEnrolled(
        effective=scene.clock.now(),
        party=opening.PARTY,
        public=scene.cast.party.public.to_text(),
        organisation="Rehearsed developer",
        country="JP",
    )
    scene.submit(party, scene.cast.authority[0])
    fact = HostEnrolled(
        effective=scene.clock.now(),
        host=HOST,
        public=scene.stage.host_key(HOST).public.to_text(),
        organisation="Rehearsed operator",
        site=SITE,
        jurisdiction="JP",
        devices=tuple(_device(number) for number in range(devices)),
        counter="C0",
        driver="slurm",
        agent=measure_agent(),
        canary=run,
    )
    scene.submit(fact, scene.cast.authority[0], scene.cast.operator)
    scene.plans[HOST] = HostPlan(host=HOST, run=run)


def license_cluster(scene: Scene, terms: LeaseTerms, mode: Mode) -> None:
    """The run declared, applied for, approved by two holders, and licensed as LIC-1."""
    plan = ApplicationPlan(
        application="APP-1", run=RUN, mode=mode, reason="rehearsed", lasts_s=172_800
    )
    asked = draft_application(scene.state(), plan, now=scene.clock.now())
    scene.wait_for_leaf(scene.submit(asked, scene.cast.party).digest)
    for officer in scene.cast.authority[:2]:
        answer = AnswerPlan(application="APP-1", key=officer.public.key_id, reason="rehearsed")
        said = draft_approval(scene.state(), answer, now=scene.clock.now())
        scene.wait_for_leaf(scene.submit(said, officer).digest)
    granted = LicencePlan(number="LIC-1", terms=terms, mode=mode, application="APP-1")
    licence = draft_licence(scene.state(), RUN, load_pack(), granted, now=scene.clock.now())
    scene.wait_for_leaf(scene.submit(licence, *scene.cast.authority[:2]).digest)


def start_cluster_agent(scene: Scene, slurm: Cluster, control: str) -> None:
    """The agent beside the controller, which finds its control plane at that address."""
    assert scene.root is not None
    scene.stage.prepare_host(scene.plans[HOST], control, scene.root)
    file = scene.stage.host_folder(HOST) / "agent.json"
    settings = parse_json(file.read_bytes())
    assert isinstance(settings, dict)
    part = msgspec.to_builtins(slurm.settings)
    replace_file(
        file, canonical({**settings, "command": [], "driver": "slurm", "slurm": part}) + b"\n"
    )
    (scene.stage.host_folder(HOST) / "work").mkdir()
    scene.agents[HOST] = scene.stage.start_agent(HOST)


def submit_training(
    scene: Scene, slurm: Cluster, *, gpus: int = 2, device: Path | None = None
) -> int:
    """A job that writes a checkpoint when it is asked, once the gate lets it in; it runs.

    With the folder of an emulated accelerator the job holds that device, too, and computes half of its time.
    """
    gate = slurm.gate / "gate"
    slurm.wait_for("an open gate", lambda: "\topen\t" in gate.read_text(), timeout_s=40)
    script = training_job(scene.stage.host_folder(HOST) / "work")
    if device is not None:
        script = _holding(device, script)
    comment = f"--comment=sekisho:{scene.plans[HOST].run}"
    job = slurm.submit(script, f"--gres=gpu:{gpus}", comment)
    slurm.wait_state(job, "RUNNING")
    return job


def _holding(device: Path, script: str) -> str:
    """The same script, once it listens with a child that holds the device and computes half of its time."""
    busy = "while :; do for i in {1..8000}; do :; done; sleep 0.02; done"
    occupant = f"{sys.executable} -P -m sekisho.rehearsal.occupant {device}"
    # The wish for a checkpoint may come before the child has become the command: it is the script's alone.
    child = f"(trap '' USR1; exec {occupant} -- /bin/bash -c '{busy}') &"
    return script.replace("touch running", f"{child}\ntouch running")


def _device(number: int) -> EnrolledDevice:
    return EnrolledDevice(
        device=f"{HOST}/gpu-{number}",
        chip="NVIDIA H100 SXM",
        peak_flop_per_s=str(PEAK),
        basis="declared",
    )
