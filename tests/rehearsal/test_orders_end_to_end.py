"""A quorum's pause from signature to audit on real work, and the same order behind a network that was cut before it.

The work holds an emulated accelerator, whose meter reads what the kernel counts of it and asks no agent.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from sekisho.adapters.devices.device_wire import DeviceAnswer
from sekisho.adapters.devices.emulated_link import EmulatedDevice
from sekisho.adapters.durable_files import create_private_folder, replace_file
from sekisho.adapters.instruments.dcgm_page import DcgmPage
from sekisho.adapters.schedulers.watchdog_link import WatchdogLink
from sekisho.app import Home
from sekisho.model.errors import SekishoError
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    Checkpoint,
    HaltJudged,
    LeaseTerms,
    Lineage,
    ObservationMade,
    ReceiptGiven,
    Scope,
)
from sekisho.model.wire import canonical, parse_json
from sekisho.operations.judging import gather_evidence, judge_host
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.operations.running import LicencePlan, draft_licence
from sekisho.rehearsal import opening, pausing
from sekisho.rehearsal.scene import EMULATED_HOST, SITE, Scene
from sekisho.rehearsal.stage import Stage
from sekisho.rules import load_pack
from sekisho.signing import TrustRoot
from tests.adapters.schedulers.groups import may_make
from tests.observing import SPIN
from tests.rehearsal.cuttable import Way, cuttable
from tests.rehearsal.slurm_stage import HOST as CLUSTER
from tests.rehearsal.slurm_stage import enrol_cluster, start_cluster_agent, submit_training
from tests.slurms import Cluster

pytestmark = pytest.mark.slow
TERMS = LeaseTerms(interval_s=12, grace_s=2, quantum_s=1)
AT_REST = 2  # percent, as the rehearsal's observer is told
STOP_S = 5.0  # what the process driver states as the time between a kill and the last process gone
SLURM_STOP_S = 15.0  # Slurm looks at its jobs every few seconds, and gives each its grace


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One host of the regime, and how its work is looked at from outside: whether it runs, and how it is stopped."""

    host: str
    is_running: Callable[[], bool]
    stop_s: float = STOP_S


@contextmanager
def regime(folder: Path, monkeypatch: pytest.MonkeyPatch, host: str) -> Iterator[Scene]:
    """A founded regime with one host and one licensed run."""
    with Stage(Home.open(folder)) as stage:
        scene = Scene(stage.home, stage, lambda _: None)
        # By a name that nothing else on this machine bears: an observer looks for work by it.
        runs = {host: opening.name_runs(scene)[EMULATED_HOST]}
        monkeypatch.setattr(opening, "name_runs", lambda _: runs)
        opening.found(scene)
        if host == CLUSTER:
            _, folder = stage.start_device()
            scene.device = EmulatedDevice(folder)
            # As many devices as have a meter: the observation would name the others as not shown.
            enrol_cluster(scene, devices=1, run=runs[CLUSTER])
        else:
            opening.enrol(scene)
        opening.declare_and_decide(scene)
        opening.issue_licences(scene, TERMS)
        try:
            yield scene
        finally:
            stage.end_agents()
            stage.end_work()


@pytest.mark.parametrize("driver", ["process", pytest.param("cgroup", marks=pytest.mark.groups)])
def test_a_pause_from_signature_to_audit(
    driver: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checkpoint kept, lineage held, corroborated, resumed by its quorum; cut off, stopped by silence; audited."""
    with (
        regime(tmp_path / "home", monkeypatch, EMULATED_HOST) as scene,
        cuttable(scene.address) as way,
    ):
        start_host(scene, way, {} if driver == "process" else own_group())
        scene.stage.start_observer(scene.address, trusted(scene))
        link = WatchdogLink(scene.stage.host_folder(EMULATED_HOST) / "watchdog")
        place = Place(host=EMULATED_HOST, is_running=lambda: link.read().state == "running")
        play(scene, way, place, lambda: None)


@pytest.mark.slurm
def test_a_pause_on_slurm_from_signature_to_audit(
    slurm: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same on a real cluster: a job is checkpointed, requeued and held, and goes on after the resume."""
    with (
        regime(tmp_path / "home", monkeypatch, CLUSTER) as scene,
        cuttable(scene.address) as way,
    ):
        slurm.show()
        start_cluster_agent(scene, slurm, way.address)
        device = scene.home.path / "device"
        job = submit_training(scene, slurm, gpus=1, device=device)
        scene.wait_for("metered quanta", lambda: quanta(scene, CLUSTER) >= 3 or None, within_s=60)
        watch_jobs(scene, slurm)
        scene.stage.start_observer(scene.address, trusted(scene))
        place = Place(
            host=CLUSTER,
            is_running=lambda: slurm.state(job) in ("RUNNING", "COMPLETING"),
            stop_s=SLURM_STOP_S,
        )

        def go_on() -> None:
            slurm.begin_again(job)

        play(scene, way, place, go_on)


def play(scene: Scene, way: Way, place: Place, go_on: Callable[[], None]) -> None:
    """Both acts; `go_on` is what a scheduler's user does after a resume, so that nobody waits for its timers."""
    assert_the_meter_shows_the_work(scene)
    order_and_halt(scene, place)
    kept = checkpoint_kept(scene, place)
    licence_on_top(scene, place, kept, refused=True)
    corroborate(scene, place)
    assert_nothing_was_spent(scene, place)
    pausing.resume(scene)
    go_on()
    scene.wait_for("the work", lambda: place.is_running() or None, within_s=60)
    licence_on_top(scene, place, kept, refused=False)

    way.cut()
    stops_unheard(scene, place)
    with work_that_nobody_names(scene):
        way.mend()
        hears_of_it(scene, place)
        contradicted_by_the_meter_alone(scene, place)
    pausing.audit_offline(scene)


# --- setting out -----------------------------------------------------------------------------


def trusted(scene: Scene) -> TrustRoot:
    assert scene.root is not None
    return scene.root


def start_host(scene: Scene, way: Way, changes: dict[str, object]) -> None:
    """The host's agent behind the way that can be cut."""
    scene.stage.prepare_host(scene.plans[EMULATED_HOST], way.address, trusted(scene))
    file = scene.stage.host_folder(EMULATED_HOST) / "agent.json"
    settings = parse_json(file.read_bytes())
    assert isinstance(settings, dict)
    replace_file(file, canonical({**settings, **changes}) + b"\n")
    scene.agents[EMULATED_HOST] = scene.stage.start_agent(EMULATED_HOST)
    scene.wait_for("metered quanta", lambda: quanta(scene, EMULATED_HOST) >= 3 or None, within_s=60)


def own_group() -> dict[str, object]:
    """A control group that the host's watchdog makes and takes away."""
    version = "v2" if may_make("v2") else "v1"
    group = f"/sekisho-orders-{os.getpid()}"
    part = {"group": group, "make": True, "version": version, "at_end": "kill"}
    return {"driver": "cgroup", "cgroup": part}


def watch_jobs(scene: Scene, slurm: Cluster) -> None:
    """The observer asks Slurm, too, whether jobs of the run are there."""
    folder = scene.home.path / "observer"
    create_private_folder(folder)
    part = {"jobs": "named", "conf": slurm.settings.conf, "commands": slurm.settings.commands}
    replace_file(
        folder / "observer.json",
        canonical({"work": {"slurm": {k: v for k, v in part.items() if v is not None}}}) + b"\n",
    )


def quanta(scene: Scene, host: str) -> int:
    return sum(receipt.stage == "quantum" for receipt in scene.receipts(host))


# --- acts ------------------------------------------------------------------------------------


def plan() -> OrderPlan:
    return OrderPlan(
        kind="pause",
        scope=Scope(sites=(SITE,)),
        effect="checkpoint-then-stop",
        lasts_s=3_600,
        grace_s=5,
        legal_basis="rehearsal",
        appeal="to the rehearsal's own hand",
        drill=True,
    )


def order_and_halt(scene: Scene, place: Place) -> None:
    """Signed by both constituencies, issued, and halted by the host's own word."""
    order = draft_order(scene.state(), plan(), now=scene.clock.now())
    reference = scene.issue(order, *scene.cast.pause_quorum)
    scene.wait_for(
        "the halt",
        lambda: scene.state().lives.of(reference, place.host).halted,
        within_s=60,
    )
    assert not place.is_running()


def checkpoint_kept(scene: Scene, place: Place) -> Checkpoint:
    """The receipt's checkpoint, whose bytes lie on the host as the digest says."""
    stages = scene.state().lives.of(scene.orders[-1], place.host).stages
    kept = next(s.receipt.checkpoint for s in stages if s.receipt.checkpoint is not None)
    out = scene.stage.host_folder(place.host) / "work"
    digests = {hashlib.sha256(f.read_bytes()).hexdigest() for f in out.iterdir() if f.is_file()}
    assert kept.sha256 in digests
    return kept


def licence_on_top(scene: Scene, place: Place, kept: Checkpoint, *, refused: bool) -> None:
    """A run that names the checkpoint as its parent: declared by its party, licensed once the order is lifted."""
    run = "run-on-top"
    if refused:
        _, declared = scene.state().licences.runs[scene.plans[place.host].run]
        fact = msgspec.structs.replace(
            declared, run=run, lineage=Lineage(scratch=False, parents=(kept.sha256,))
        )
        scene.wait_for_leaf(scene.submit(fact, scene.cast.party).digest)
        opening._approved(scene, "APP-TOP", run)
    asked = LicencePlan(number="LIC-TOP", terms=TERMS, mode="kill", application="APP-TOP")
    licence = draft_licence(scene.state(), run, load_pack(), asked, now=scene.clock.now())
    if not refused:
        scene.wait_for_leaf(scene.submit(licence, *scene.cast.authority[:2]).digest)
        return
    with pytest.raises(SekishoError, match="holds its lineage until it is lifted"):
        scene.submit(licence, *scene.cast.authority[:2])


def corroborate(scene: Scene, place: Place) -> None:
    """Looks of another constituency's process and of the device's meter, judged on what they saw."""
    seen, verdict = observed_and_judged(scene, place)
    assert_no_process_of_the_work(seen)
    shown = {(r.instrument, r.quantity, r.device, r.value) for r in seen.instruments}
    assert shown == {("dcgm", "gpu-util", described(scene).device, "0")}
    assert verdict.degree == "corroborated", verdict.reasons
    assert verdict.reasons[1:] == (
        "corroborated by observer and DCGM (gpu-util of 1 device), all at rest",
    )


def observed_and_judged(scene: Scene, place: Place) -> tuple[ObservationMade, HaltJudged]:
    """What the observer stated about the newest order's halt, and the verdict on it, which goes into the log."""
    order = scene.orders[-1]
    seen = scene.wait_for(
        "four looks", lambda: scene.state().lives.of(order, place.host).observation, within_s=60
    )
    now = scene.clock.now()
    evidence = gather_evidence(scene.state(), order, place.host, at=now)
    verdict = judge_host(scene.state(), evidence, now=now)
    scene.submit(verdict, scene.cast.verifier)
    return seen, verdict


def assert_no_process_of_the_work(seen: ObservationMade) -> None:
    assert seen.work_cpu_ms == 0
    assert len(seen.readings) >= 2
    assert {reading.running for reading in seen.readings} == {0}


def assert_the_meter_shows_the_work(scene: Scene) -> None:
    """Before the order: what is at rest later is the very figure that the work moves now."""
    scene.wait_for("a busy device", lambda: busy_percent(scene) > AT_REST, within_s=30)


def busy_percent(scene: Scene) -> Decimal:
    """What the device's meter shows now."""
    page = DcgmPage(url=f"{scene.stage.meter}/metrics")
    try:
        (shown,) = page.read(Instant(0))
    finally:
        page.close()
    return shown.value


def described(scene: Scene) -> DeviceAnswer:
    assert scene.device is not None
    return scene.device.describe()


@contextmanager
def work_that_nobody_names(scene: Scene) -> Iterator[None]:
    """The operator computes on with the device that the run gave back: under no name, in no group, below no agent."""
    device = str(scene.home.path / "device")
    occupant = [sys.executable, "-P", "-m", "sekisho.rehearsal.occupant", device, "--"]
    scene.wait_for("a free device", lambda: described(scene).job_mib == 0, within_s=30)
    spin = [sys.executable, "-S", "-c", SPIN]
    with subprocess.Popen([*occupant, *spin], start_new_session=True) as process:
        try:
            assert_the_meter_shows_the_work(scene)
            yield
        finally:
            process.kill()


def contradicted_by_the_meter_alone(scene: Scene, place: Place) -> None:
    """The host says halted, no process of its run is to be seen, and its device works: the verdict names the meter."""
    seen, verdict = observed_and_judged(scene, place)
    assert_no_process_of_the_work(seen)
    assert verdict.degree == "contradicted"
    told = {reason.partition(" showed ")[0] for reason in verdict.reasons}
    assert told == {f"DCGM gpu-util of {described(scene).device}"}


def assert_nothing_was_spent(scene: Scene, place: Place) -> None:
    """The meter beside the observer: no quantum since the halt, and the lease closed at its bound."""
    receipts = scene.receipts(place.host)
    halted = max(n for n, receipt in enumerate(receipts) if receipt.stage == "halted")
    assert [receipt.stage for receipt in receipts[halted + 1 :]] == ["final"]
    spend = receipts[-1].spend
    assert spend is not None
    assert spend.reserved_flop == spend.bound_flop


def stops_unheard(scene: Scene, place: Place) -> None:
    """The pause is in the log, no word of it reaches the host, and the work stops within max lease and grace."""
    order = draft_order(scene.state(), plan(), now=scene.clock.now())
    ordered = time.monotonic()
    scene.issue(order, *scene.cast.pause_quorum)
    bound_s = TERMS.interval_s + TERMS.grace_s + place.stop_s
    scene.wait_for("the work to stop", lambda: not place.is_running() or None, within_s=2 * bound_s)
    assert time.monotonic() - ordered < bound_s
    assert not [r for r in scene.receipts(place.host) if is_under(r, scene)]


def is_under(receipt: ReceiptGiven, scene: Scene) -> bool:
    return receipt.order is not None and receipt.order.digest == scene.orders[-1].digest


def hears_of_it(scene: Scene, place: Place) -> None:
    """Back on the network the host halts under the order that it missed, and starts nothing."""
    scene.wait_for(
        "the halt",
        lambda: scene.state().lives.of(scene.orders[-1], place.host).halted,
        within_s=60,
    )
    assert not place.is_running()
    assert scene.receipts(place.host)[-1].stage in ("halted", "final")
