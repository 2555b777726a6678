"""The audit behind the gate: what slipped through is found, and answered as the charter says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sekisho.adapters.schedulers.kubernetes.audit import (
    KubernetesAudit,
    PodBook,
    Stray,
    StrayAct,
    answer_stray,
    audit_pods,
)
from sekisho.adapters.schedulers.kubernetes.driver import KubernetesDriver
from sekisho.adapters.schedulers.kubernetes.gate_config import PICTURE
from sekisho.model.wire import canonical
from sekisho.ports.driver_settings import KubernetesSettings
from sekisho.ports.gate import GatePicture, RunGate
from tests.clusters import Cluster, cluster, job_document, pod_document
from tests.reviews import NOW, RULES, judged, picture

PODS = "/api/v1/namespaces/team/pods"
JOBS = "/apis/batch/v1/namespaces/team/jobs"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as one:
        yield one


def driver_of(world: Cluster) -> KubernetesDriver:
    settings = KubernetesSettings(run="r")
    return KubernetesDriver(
        settings, world.folder, api=world.api(), clock=world.clock, rest=world.clock.rest
    )


def found(world: Cluster, shown: GatePicture | None = None) -> tuple[Stray, ...]:
    book = PodBook(world.api())
    book.list_all()
    return audit_pods(book, shown or picture(), NOW, RULES)


def rules_of(strays: tuple[Stray, ...]) -> dict[str, str]:
    return {stray.called: stray.rule for stray in strays}


def test_pods_that_the_gate_would_not_let_in_are_found(world: Cluster) -> None:
    """However they came in: with the webhook down, from an exempt namespace, by a node's own files."""
    world.add(PODS, pod_document("fine"))
    world.add(PODS, pod_document("cpu", run=None, gpus=0))
    world.add(PODS, pod_document("nobody", run=None))
    world.add(PODS, pod_document("unknown", run="s"))
    world.add(PODS, pod_document("static", annotations={"kubernetes.io/config.mirror": "x"}))
    system = pod_document("train", namespace="kube-system")
    world.add("/api/v1/namespaces/kube-system/pods", system)
    plugin = pod_document("plugin", namespace="kube-system", run=None, gpus=0)
    plugin["spec"]["volumes"] = [{"name": "dev", "hostPath": {"path": "/dev"}}]
    world.add("/api/v1/namespaces/kube-system/pods", plugin)
    ended = {"phase": "Succeeded", "containerStatuses": [{"state": {"terminated": {}}}]}
    world.add(PODS, pod_document("ended", run=None, status=ended))
    strays = found(world)
    assert rules_of(strays) == {
        "team/nobody": "audit/no-run",
        "team/unknown": "audit/no-licence",
        "team/static": "audit/static-pod",
        "kube-system/train": "audit/exempt-namespace",
    }
    assert "reaches devices (asked nvidia.com/gpu)" in strays[0].detail


def test_a_shut_gate_is_no_matter_for_running_work_where_only_new_work_is_kept_out(
    world: Cluster,
) -> None:
    """In block-new what was let in goes on; on the rungs above it has to stop."""
    world.add(PODS, pod_document("p", run="shut"))
    assert rules_of(found(world)) == {}
    assert rules_of(found(world, picture(mode="drain"))) == {"team/p": "audit/shut"}


def test_a_stale_picture_makes_every_accelerator_pod_a_finding(world: Cluster) -> None:
    """Nobody says any more that it is licensed."""
    world.add(PODS, pod_document("p"))
    assert rules_of(found(world, picture(until=NOW))) == {"team/p": "audit/stale"}
    book = PodBook(world.api())
    book.list_all()
    assert audit_pods(book, None, NOW, RULES)[0].rule == "audit/no-picture"


def test_a_pod_that_cannot_be_read_is_a_finding(world: Cluster) -> None:
    """It is not passed over."""
    odd = pod_document("odd")
    odd["spec"]["containers"] = "all"
    world.add(PODS, odd)
    assert [stray.rule for stray in found(world)] == ["audit/unreadable"]


def test_a_label_changed_where_no_gate_looked_is_found_by_the_watch(world: Cluster) -> None:
    """The book remembers the run that a pod was first seen with; the driver still counts and stops it."""
    world.add(PODS, pod_document("p"))
    driver = driver_of(world)
    driver.read()
    book = PodBook(world.api())
    book.list_all()
    world.change(f"{PODS}/p", {"metadata": {"labels": {"sekisho/run": "open-too"}}})
    book.follow(1)
    gates = tuple(RunGate(run=run, licence="L", is_open=True) for run in ("r", "open-too"))
    strays = audit_pods(book, picture(runs=gates), NOW, RULES)
    assert rules_of(strays) == {"team/p": "audit/label-changed"}
    assert driver.read().processes == 1
    assert [pod.name for pod in driver.relabelled()] == ["p"]
    driver.kill()
    assert world.found(f"{PODS}/p") is None


def test_a_pod_admitted_just_before_the_pause_is_caught(world: Cluster) -> None:
    """The gate said yes, then the run was stopped, then the pod appeared: the next look of both ends it."""
    driver = driver_of(world)
    pod = pod_document("late")
    assert judged(pod).allowed
    driver.kill()
    world.add(PODS, pod)
    shut = picture(mode="kill", runs=(RunGate(run="r", licence="L", is_open=False),))
    assert rules_of(found(world, shut)) == {"team/late": "audit/shut"}
    world.clock.rest(3)
    assert not driver.is_over()
    driver.kill()
    assert driver.is_over()
    assert found(world, shut) == ()


@pytest.mark.parametrize(
    ("act", "suspended", "left"),
    [("advise", False, True), ("freeze", True, False), ("stop", True, False)],
)
def test_a_stray_of_a_job_is_answered_by_its_job(
    world: Cluster, act: StrayAct, suspended: bool, left: bool
) -> None:
    """And no Job besides, whatever label the pod wears."""
    world.add(JOBS, job_document("j", run=None))
    world.add(JOBS, job_document("innocent", run="s"))
    world.add(PODS, pod_document("p", run="s", owner="Job/j"))
    (stray,) = found(world)
    assert answer_stray(world.api(), stray, act, 30) is (act != "advise")
    assert (world.found(f"{JOBS}/j") or {})["spec"]["suspend"] is suspended
    assert (world.found(f"{JOBS}/innocent") or {})["spec"]["suspend"] is False
    world.api().get("/api/v1/pods")
    assert (world.found(f"{PODS}/p") is not None) is left


def test_a_stray_without_a_job_is_deleted_by_a_stop_and_a_static_one_cannot_be(
    world: Cluster,
) -> None:
    """With a grace that asks the kubelet; nothing freezes it, and a static pod stays a finding."""
    world.add(PODS, pod_document("bare", run=None, grace=600))
    static: Any = pod_document("static", annotations={"kubernetes.io/config.mirror": "x"})
    world.add(PODS, static)
    by_name = {stray.called: stray for stray in found(world)}
    assert not answer_stray(world.api(), by_name["team/bare"], "freeze", 30)
    assert world.graces == []
    assert answer_stray(world.api(), by_name["team/bare"], "stop", 30)
    assert world.graces == [30]
    assert not answer_stray(world.api(), by_name["team/static"], "stop", 30)
    assert not answer_stray(world.api(), by_name["team/bare"], "stop", 30)


def audit_of(world: Cluster, act: StrayAct, **given: Any) -> KubernetesAudit:
    """An audit for run `r`, with a picture on show that is good by the cluster's clock, in mode kill unless told."""
    now = world.clock.now()
    shown = picture(written=now, until=now.plus(60), mode="kill")
    shown = msgspec.structs.replace(shown, **given)
    gate = {"metadata": {"name": "sekisho-gate"}, "data": {PICTURE: canonical(shown).decode()}}
    world.add("/api/v1/namespaces/sekisho-system/configmaps", gate)
    return KubernetesAudit(world.api(), KubernetesSettings(run="r"), world.clock, lambda: act)


def add_strays(world: Cluster) -> None:
    world.add(JOBS, job_document("j", run=None))
    world.add(PODS, pod_document("of-job", run=None, owner="Job/j"))
    world.add(PODS, pod_document("bare", run="s"))
    system = pod_document("train", namespace="kube-system", run=None)
    world.add("/api/v1/namespaces/kube-system/pods", system)


@pytest.mark.parametrize(
    ("act", "says", "suspended", "left"),
    [
        ("advise", (), False, {"of-job", "bare"}),
        ("freeze", ("its Job is suspended", "no Job to suspend, it goes on"), True, {"bare"}),
        ("stop", ("it is asked to end", "it is asked to end"), True, set()),
    ],
)
def test_strays_are_answered_as_the_charter_says(
    world: Cluster, act: StrayAct, says: tuple[str, ...], suspended: bool, left: set[str]
) -> None:
    """At the second look in a row, in the finding's words; what is in an exempt namespace is only named."""
    add_strays(world)
    audit = audit_of(world, act)
    first = audit.look()["busy-without-licence"]
    assert first.startswith("3 pods: ")
    assert (world.found(f"{JOBS}/j") or {})["spec"]["suspend"] is False
    second = audit.look()["busy-without-licence"]
    assert (second == first) is (act == "advise")
    assert all(word in second for word in says)
    assert (world.found(f"{JOBS}/j") or {})["spec"]["suspend"] is suspended
    world.api().get("/api/v1/pods")
    assert {name for name in ("of-job", "bare") if world.found(f"{PODS}/{name}")} == left
    assert world.found("/api/v1/namespaces/kube-system/pods/train") is not None


@pytest.mark.parametrize(
    "given", [{"mode": "advise"}, {"mode": "block-new"}, {"until": NOW.plus(-(10**7))}]
)
def test_no_stray_is_touched_on_the_lower_rungs_nor_by_an_old_picture(
    world: Cluster, given: dict[str, Any]
) -> None:
    """There running work goes on, whatever the charter says; and nobody says any more what is licensed."""
    add_strays(world)
    audit = audit_of(world, "stop", **given)
    assert audit.look() == audit.look()
    assert world.graces == []
    assert (world.found(f"{JOBS}/j") or {})["spec"]["suspend"] is False


@pytest.mark.parametrize(
    "runs", [(), (RunGate(run="r", licence="L", is_open=False),)], ids=["no licence", "shut"]
)
def test_pods_of_the_agents_own_run_are_left_to_its_driver(
    world: Cluster, runs: tuple[RunGate, ...]
) -> None:
    """A gate that is shut for a moment ends no work that its permit lets go on."""
    world.add(PODS, pod_document("mine"))
    audit = audit_of(world, "stop", runs=runs)
    assert audit.look() == audit.look()
    assert world.graces == []


def test_a_stray_that_cannot_be_answered_is_a_finding_all_the_same(world: Cluster) -> None:
    """With what stood in the way; the next look tries again."""
    add_strays(world)
    audit = audit_of(world, "freeze")
    audit.look()
    world.conflicts = 6
    assert "could not be answered" in audit.look()["busy-without-licence"]
    assert "its Job is suspended" in audit.look()["busy-without-licence"]
