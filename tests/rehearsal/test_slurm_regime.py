"""A whole regime over a real Slurm: licensed, spent, blacked out, paused, and re-added by an outsider."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.app import Home
from sekisho.model.statements import LeaseTerms, Scope
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.rehearsal import opening, pausing
from sekisho.rehearsal.scene import SITE, Scene
from sekisho.rehearsal.stage import Stage
from tests.rehearsal.slurm_stage import (
    HOST,
    PEAK,
    RUN,
    enrol_cluster,
    start_cluster_agent,
    submit_training,
)
from tests.slurms import Cluster

pytestmark = [pytest.mark.slurm, pytest.mark.slow]
TERMS = LeaseTerms(interval_s=12, grace_s=2, quantum_s=1)


def test_budget_on_slurm_is_re_added_by_an_outsider(
    slurm: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused without a lease, run with one, stopped by silence and by a pause; the bundle's books add up."""
    with Stage(Home.open(tmp_path / "home")) as stage:
        scene = Scene(stage.home, stage, lambda _: None)
        opening.found(scene)
        enrol_cluster(scene)
        monkeypatch.setattr(opening, "name_runs", lambda _: {HOST: RUN})
        opening.declare_and_decide(scene)
        opening.issue_licences(scene, TERMS)
        try:
            _play(scene, slurm)
        finally:
            stage.end_agents()
            stage.end_work()


def _play(scene: Scene, slurm: Cluster) -> None:
    slurm.show()  # enforced, and no run is known yet
    assert "no-licence" in slurm.refused("--gres=gpu:1", f"--comment=sekisho:{RUN}")
    start_cluster_agent(scene, slurm, scene.address)
    job = submit_training(scene, slurm)
    scene.wait_for("three spent quanta", lambda: _spent(scene) > 3 * PEAK or None, within_s=30)

    assert scene.control is not None
    scene.stage.kill(scene.control)
    slurm.wait_state(job, "PENDING", timeout_s=2 * 2 + 2 + 12)
    pausing.come_back(scene)
    slurm.begin_again(job)

    order = draft_order(scene.state(), _plan(), now=scene.clock.now())
    reference = scene.issue(order, *scene.cast.pause_quorum)
    halted = scene.wait_for(
        "the halt", lambda: scene.state().lives.of(reference, HOST).halted, within_s=30
    )
    assert halted.receipt.means == "slurm-requeue-hold"
    kept = [s.receipt.checkpoint for s in scene.state().lives.of(reference, HOST).stages]
    assert any(checkpoint is not None for checkpoint in kept)
    pausing.audit_offline(scene)


def _spent(scene: Scene) -> int:
    spends = [r.spend for r in scene.receipts(HOST) if r.spend is not None]
    return int(spends[-1].bound_flop) if spends else 0


def _plan() -> OrderPlan:
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
