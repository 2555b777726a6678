"""A quorum's pause from signature to audit on real work, and the same order behind a network that was cut before it."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from sekisho.adapters.durable_files import replace_file
from sekisho.adapters.schedulers.watchdog_link import WatchdogLink
from sekisho.app import Home
from sekisho.model.errors import SekishoError
from sekisho.model.statements import Checkpoint, LeaseTerms, Lineage, ReceiptGiven
from sekisho.model.wire import canonical, parse_json
from sekisho.operations.running import LicencePlan, draft_licence
from sekisho.rehearsal import opening, pausing
from sekisho.rehearsal.scene import CPU_HOST, Scene
from sekisho.rehearsal.stage import Stage
from sekisho.rules import load_pack
from tests.adapters.schedulers.groups import may_make
from tests.rehearsal.cuttable import Way, cuttable

pytestmark = pytest.mark.slow
TERMS = LeaseTerms(interval_s=12, grace_s=2, quantum_s=1)
STOP_S = 5.0  # what the drivers state as the time between a kill and the last process gone


@contextmanager
def regime(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """A founded regime with one host and one licensed run."""
    with Stage(Home.open(folder)) as stage:
        scene = Scene(stage.home, stage, lambda _: None)
        runs = {CPU_HOST: opening.name_runs(scene)[CPU_HOST]}
        monkeypatch.setattr(opening, "name_runs", lambda _: runs)
        monkeypatch.setattr(opening, "TERMS", TERMS)
        opening.found(scene)
        opening.enrol(scene)
        opening.declare_and_decide(scene)
        opening.issue_licences(scene, TERMS)
        try:
            yield scene
        finally:
            stage.end_agents()
            stage.end_work()


def start_host(scene: Scene, way: Way, changes: dict[str, object]) -> None:
    """The host's agent behind the way that can be cut, and the observer on its own."""
    assert scene.root is not None
    scene.stage.prepare_host(scene.plans[CPU_HOST], way.address, scene.root)
    file = scene.stage.host_folder(CPU_HOST) / "agent.json"
    settings = parse_json(file.read_bytes())
    assert isinstance(settings, dict)
    replace_file(file, canonical({**settings, **changes}) + b"\n")
    scene.agents[CPU_HOST] = scene.stage.start_agent(CPU_HOST)
    scene.stage.start_observer(scene.address, scene.root)
    scene.wait_for("metered quanta", lambda: _quanta(scene) >= 3 or None, within_s=60)


def _quanta(scene: Scene) -> int:
    return sum(receipt.stage == "quantum" for receipt in scene.receipts(CPU_HOST))


def _group() -> dict[str, object]:
    version = "v2" if may_make("v2") else "v1"
    group = f"/sekisho-orders-{os.getpid()}"
    part = {"group": group, "make": True, "version": version, "at_end": "kill"}
    return {"driver": "cgroup", "cgroup": part}


@pytest.mark.parametrize(
    "driver", ["process", pytest.param("cgroup", marks=pytest.mark.groups)]
)
def test_a_pause_from_signature_to_audit(
    driver: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checkpoint kept, lineage held, corroborated, resumed by its quorum; cut off, stopped by silence; audited."""
    with regime(tmp_path / "home", monkeypatch) as scene, cuttable(scene.address) as way:
        start_host(scene, way, {} if driver == "process" else _group())

        pausing.order_pause(scene)
        kept = checkpoint_kept(scene)
        licence_on_top(scene, kept, refused=True)
        pausing.observe_halt(scene)
        assert_nothing_was_spent(scene)
        pausing.resume(scene)
        licence_on_top(scene, kept, refused=False)

        way.cut()
        stops_unheard(scene)
        way.mend()
        hears_of_it(scene)
        pausing.audit_offline(scene)


def checkpoint_kept(scene: Scene) -> Checkpoint:
    """The receipt's checkpoint, whose bytes lie on the host as the digest says."""
    stages = scene.state().lives.of(scene.orders[-1], CPU_HOST).stages
    kept = next(s.receipt.checkpoint for s in stages if s.receipt.checkpoint is not None)
    out = scene.stage.host_folder(CPU_HOST) / "work"
    digests = {hashlib.sha256(f.read_bytes()).hexdigest() for f in out.iterdir() if f.is_file()}
    assert kept.sha256 in digests
    return kept


def licence_on_top(scene: Scene, kept: Checkpoint, *, refused: bool) -> None:
    """A second run that names the checkpoint as its parent: declared by anybody, licensed once the order is lifted."""
    run = "run-on-top"
    if refused:
        fact = msgspec.structs.replace(
            opening._declaration(scene, CPU_HOST, run),
            lineage=Lineage(scratch=False, parents=(kept.sha256,)),
        )
        scene.wait_for_leaf(scene.submit(fact, scene.cast.party).digest)
        opening._approved(scene, "APP-TOP", run)
    plan = LicencePlan(number="LIC-TOP", terms=TERMS, mode="kill", application="APP-TOP")
    licence = draft_licence(scene.state(), run, load_pack(), plan, now=scene.clock.now())
    if not refused:
        scene.wait_for_leaf(scene.submit(licence, *scene.cast.authority[:2]).digest)
        return
    with pytest.raises(SekishoError, match="holds its lineage until it is lifted"):
        scene.submit(licence, *scene.cast.authority[:2])


def assert_nothing_was_spent(scene: Scene) -> None:
    """The meter beside the observer: no quantum since the halt, and the lease closed at its bound."""
    receipts = scene.receipts(CPU_HOST)
    halted = max(n for n, receipt in enumerate(receipts) if receipt.stage == "halted")
    assert [receipt.stage for receipt in receipts[halted + 1 :]] == ["final"]
    spend = receipts[-1].spend
    assert spend is not None
    assert spend.reserved_flop == spend.bound_flop


def stops_unheard(scene: Scene) -> None:
    """The pause is in the log, no word of it reaches the host, and the work stops within max lease and grace."""
    link = WatchdogLink(scene.stage.host_folder(CPU_HOST) / "watchdog")
    assert link.read().state == "running"
    order = pausing.draft_order(scene.state(), _plan(), now=scene.clock.now())
    ordered = time.monotonic()
    scene.issue(order, *scene.cast.pause_quorum)
    scene.wait_for(
        "the work to stop by itself", lambda: link.read().state != "running" or None, within_s=60
    )
    assert time.monotonic() - ordered < TERMS.interval_s + TERMS.grace_s + STOP_S
    assert not [r for r in scene.receipts(CPU_HOST) if _is_under(r, scene)]


def _is_under(receipt: ReceiptGiven, scene: Scene) -> bool:
    return receipt.order is not None and receipt.order.digest == scene.orders[-1].digest


def _plan() -> pausing.OrderPlan:
    return pausing.OrderPlan(
        kind="pause",
        scope=pausing.Scope(sites=(pausing.SITE,)),
        effect="checkpoint-then-stop",
        lasts_s=3_600,
        grace_s=5,
        legal_basis="rehearsal",
        appeal="to the rehearsal's own hand",
        drill=True,
    )


def hears_of_it(scene: Scene) -> None:
    """Back on the network the host halts under the order that it missed, and starts nothing."""
    halted = scene.wait_for(
        "the halt",
        lambda: scene.state().lives.of(scene.orders[-1], CPU_HOST).halted,
        within_s=60,
    )
    assert halted.receipt.state == "ended"
    assert scene.receipts(CPU_HOST)[-1].stage in ("halted", "final")
