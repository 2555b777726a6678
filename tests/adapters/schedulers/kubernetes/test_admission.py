"""What the gate answers an API server, over reviews of the documented form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sekisho.adapters.schedulers.kubernetes.admission import (
    AdmissionVerdict,
    answer_review,
    judge_admission,
    parse_review,
)
from sekisho.model.errors import InvalidInput
from sekisho.ports.driver_settings import AcceleratorRules
from tests.reviews import NOW, RULES, bare, judged, owning, picture, request_of, review_of

CPU = bare(run=None, gpus=0)


def test_a_pod_of_a_licensed_run_is_let_in() -> None:
    """Label, open gate, a picture that counts: in, without a word."""
    assert judged(bare()) == AdmissionVerdict(allowed=True)


def test_a_pod_without_devices_is_let_in_whatever_the_gate_says() -> None:
    """No picture, a stale one, a shut one: what reaches no accelerator is not our matter."""
    for shown in (None, picture(until=NOW), picture(runs=())):
        verdict = judge_admission(request_of(CPU), shown, NOW, RULES)
        assert verdict == AdmissionVerdict(allowed=True)


@pytest.mark.parametrize(
    ("run", "rule", "says"),
    [
        (None, "gate/no-run", "carries no label sekisho/run"),
        ("nobody", "gate/no-licence", "run 'nobody' has no licence on cluster-1"),
        ("shut", "lease/ended", "its lease ended at noon"),
    ],
)
def test_a_refusal_says_rule_reason_and_remedy(run: str | None, rule: str, says: str) -> None:
    """The message is for whoever typed kubectl."""
    verdict = judged(bare(run=run))
    assert not verdict.allowed
    assert verdict.rule == rule
    assert says in verdict.message
    assert verdict.message.startswith(f"sekisho {rule}: the pod asks for 1 nvidia.com/gpu")
    assert verdict.remedy
    assert verdict.remedy in verdict.message


def test_without_a_picture_and_with_a_stale_one_devices_are_refused() -> None:
    """Fail closed, for accelerator pods only: the moment `until` is reached counts as past."""
    assert judge_admission(request_of(bare()), None, NOW, RULES).rule == "gate/no-picture"
    assert judged(bare(), picture(until=NOW)).rule == "gate/stale"
    assert judged(bare(), picture(until=NOW.plus(0.001))).allowed


def test_advise_lets_everything_in_and_says_what_it_would_have_refused() -> None:
    """By the licence's mode, and by the webhook's own flag where there is no picture yet."""
    by_mode = judged(bare(run="shut"), picture(mode="advise"))
    by_flag = judge_admission(request_of(bare()), None, NOW, RULES, advise=True)
    for verdict in (by_mode, by_flag):
        assert (verdict.allowed, verdict.warns) == (True, True)
    answer: Any = answer_review(request_of(bare()), by_mode)
    assert answer["response"]["warnings"][0].startswith("sekisho lease/ended")
    assert "status" not in answer["response"]


@pytest.mark.parametrize("mode", ["block-new", "drain", "freeze", "kill"])
def test_every_other_mode_refuses(mode: str) -> None:
    """New work is kept out on each rung above the first."""
    assert not judged(bare(run="shut"), picture(mode=mode)).allowed


@pytest.mark.parametrize("kind", ["Job", "CronJob", "Deployment", "StatefulSet"])
def test_workloads_are_answered_early_by_their_template(kind: str) -> None:
    """Whoever submits hears it at once, instead of from the events of a controller."""
    assert judged(owning(kind, bare())).allowed
    assert judged(owning(kind, bare(run="shut"))).rule == "lease/ended"
    assert judged(owning(kind, CPU)).allowed


@pytest.mark.parametrize("owner", ["ReplicaSet/d-5f", "StatefulSet/s", "Job/j", "RayCluster/ray"])
def test_the_pod_is_asked_for_whoever_owns_it(owner: str) -> None:
    """A controller that we have never heard of makes pods like every other one."""
    assert judged(bare(owner=owner)).allowed
    assert judged(bare(owner=owner, run="shut")).rule == "lease/ended"


def test_a_custom_resource_itself_is_let_through() -> None:
    """What it makes are pods, and these are asked for."""
    cluster = {"kind": "RayCluster", "metadata": {"name": "ray"}, "spec": {"template": "any"}}
    assert judged(cluster).allowed


def test_a_name_may_be_generated_and_a_run_may_be_dry() -> None:
    """Neither changes the answer; we have no side effects that a dry run could leave out."""
    assert judged(bare(generate="train-")).allowed
    assert judged(bare(generate="train-", run="shut"), dry_run=True).rule == "lease/ended"
    assert judged(bare(), dry_run=True).allowed


def test_what_goes_away_is_let_go() -> None:
    """Deleting is never held up."""
    assert judged(bare(run="shut"), operation="DELETE").allowed


def test_an_update_that_reaches_for_nothing_new_is_let_through_with_a_shut_gate() -> None:
    """Controllers must go on writing to pods of a paused run, or nothing could be ended."""
    old = bare(run="shut")
    new = bare(run="shut", annotations={"sekisho/checkpoint": "2026-11-01T00:00:00Z"})
    assert judged(new, operation="UPDATE", old=old).allowed
    assert judged(new, operation="UPDATE", old=old, sub="status").allowed


def test_an_update_that_adds_a_device_is_judged() -> None:
    """A template that asks for more than before, or for a device at all."""
    for before in (bare(run="shut", gpus=0), bare(run="shut", gpus=1)):
        after = bare(run="shut", gpus=2)
        for kind in ("Deployment", "StatefulSet"):
            verdict = judged(owning(kind, after), operation="UPDATE", old=owning(kind, before))
            assert verdict.rule == "lease/ended"


def test_suspending_a_job_of_a_paused_run_is_let_through() -> None:
    """The stop itself is an update of a Job whose gate is shut."""
    job = owning("Job", bare(run="shut"))
    stopped = owning("Job", bare(run="shut"))
    stopped["spec"]["suspend"] = True
    assert judged(stopped, operation="UPDATE", old=job).allowed


def test_exempt_namespaces_may_see_devices_and_not_ask_for_them() -> None:
    """A device plugin mounts /dev; a training pod there is as unlicensed as anywhere."""
    plugin = bare(run=None, gpus=0, namespace="kube-system", spec={"volumes": [host_path("/dev")]})
    assert judged(plugin, namespace="kube-system").allowed
    assert judged(plugin, namespace="team").rule == "gate/no-run"
    assert judged(bare(run=None), namespace="kube-system").rule == "gate/no-run"


def test_rules_name_the_resources() -> None:
    """A maker that the defaults do not know is one line of configuration."""
    name = "example.com/npu"
    pod = bare(run="shut", gpus=0)
    pod["spec"]["containers"][0]["resources"] = {"requests": {name: 4}}
    assert judged(pod).allowed
    verdict = judged(pod, rules=AcceleratorRules(resources=(name,)))
    assert verdict.message.startswith("sekisho lease/ended: the pod asks for 4 example.com/npu")


def test_zero_devices_are_none_and_odd_quantities_are_some() -> None:
    """`0` asks for nothing; what is not written as a plain count is never taken for nothing."""
    pod = bare(run=None, gpus=0)
    for quantity, allowed in (
        ("0", True),
        (0, True),
        ("0.5", False),
        ("1e0", False),
        ("1k", False),
    ):
        pod["spec"]["containers"][0]["resources"] = {"limits": {"nvidia.com/gpu": quantity}}
        assert judged(pod).allowed is allowed, quantity


def test_the_answer_goes_to_the_uid_that_asked() -> None:
    """And carries code and reason as Kubernetes shows them."""
    request = request_of(bare(run="shut"), uid="u-1")
    answer: Any = answer_review(request, judge_admission(request, picture(), NOW, RULES))
    assert (answer["apiVersion"], answer["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    assert answer["response"]["uid"] == "u-1"
    assert answer["response"]["allowed"] is False
    assert answer["response"]["status"]["code"] == 403


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"apiVersion": "admission.k8s.io/v1beta1"}, "is no review of admission.k8s.io/v1"),
        ({"kind": "Pod"}, "is no AdmissionReview"),
        ({"request": None}, "request"),
        ({"request": {"uid": ""}}, "request"),
    ],
)
def test_what_is_no_review_is_bad_input(change: dict[str, Any], says: str) -> None:
    """The API server then does what the configuration says of a webhook that fails."""
    document = json.loads(review_of(bare())) | change
    with pytest.raises(InvalidInput, match=says):
        parse_review(json.dumps(document).encode())


def host_path(path: str) -> dict[str, Any]:
    return {"name": "dev", "hostPath": {"path": path}}
