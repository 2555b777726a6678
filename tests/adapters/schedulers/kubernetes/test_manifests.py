"""What a cluster is given, what shows the gate in it, and what says that something is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sekisho.adapters.schedulers.kubernetes.checks import check_cluster
from sekisho.adapters.schedulers.kubernetes.gate_config import (
    POLICY_PATH,
    GateConfig,
    parse_picture,
)
from sekisho.adapters.schedulers.kubernetes.manifests import ManifestSettings, make_manifests
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.ports.driver_settings import AcceleratorRules, KubernetesSettings
from sekisho.ports.gate import RunGate
from tests.clusters import BEGIN, Cluster, cluster
from tests.reviews import NOW, RULES, picture

CONFIG = "/api/v1/namespaces/sekisho-system/configmaps"
REGISTRATION = "/apis/admissionregistration.k8s.io/v1"
_PLURALS = {
    "ConfigMap": "/api/v1/namespaces/sekisho-system/configmaps",
    "ValidatingAdmissionPolicy": f"{REGISTRATION}/validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": f"{REGISTRATION}/validatingadmissionpolicybindings",
    "ValidatingWebhookConfiguration": f"{REGISTRATION}/validatingwebhookconfigurations",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as one:
        yield one


def documents(**given: Any) -> dict[tuple[str, str], Any]:
    """The manifests by kind and name, through YAML and back."""
    made = make_manifests(ManifestSettings(image="registry.example/sekisho:1", **given))
    read = list(yaml.safe_load_all(yaml.safe_dump_all(made)))
    assert read == list(made)
    return {(one["kind"], one["metadata"]["name"]): one for one in read}


def install(world: Cluster, **given: Any) -> None:
    for (kind, _), document in documents(**given).items():
        if kind in _PLURALS:
            world.add(_PLURALS[kind], document)


def verdicts(world: Cluster, rules: AcceleratorRules = RULES) -> dict[str, str]:
    now = world.clock.now()
    return {one.name: one.verdict for one in check_cluster(world.api(), now, rules)}


def gate_of(world: Cluster) -> GateConfig:
    return GateConfig(world.api(), KubernetesSettings(run="r"), world.clock)


def test_every_document_says_what_it_is_and_where_it_lives() -> None:
    """Namespaced things stand in our own namespace, the others in none."""
    cluster_wide = {"Namespace", "ClusterRole", "ClusterRoleBinding", *list(_PLURALS)[1:]}
    for (kind, _), document in documents().items():
        assert document["apiVersion"]
        assert ("namespace" not in document["metadata"]) is (kind in cluster_wide)
        if kind not in cluster_wide:
            assert document["metadata"]["namespace"] == "sekisho-system"


def test_the_webhook_fails_closed_for_pods_that_reach_devices_and_asks_for_no_other() -> None:
    """Templates are an early answer only: nothing hangs on it."""
    pods, early = documents()["ValidatingWebhookConfiguration", "sekisho-webhook"]["webhooks"]
    assert (pods["failurePolicy"], early["failurePolicy"]) == ("Fail", "Ignore")
    for hook in (pods, early):
        assert "nvidia.com/" in hook["matchConditions"][0]["expression"]
        assert hook["sideEffects"] == "None"
        assert hook["timeoutSeconds"] <= 5
        (row,) = hook["namespaceSelector"]["matchExpressions"]
        assert row["values"] == ["kube-system", "sekisho-system"]
    assert pods["rules"][0]["resources"] == ["pods", "pods/ephemeralcontainers", "pods/resize"]


def test_the_policy_has_no_parameters_and_leaves_no_namespace_out() -> None:
    """A missing parameter would refuse every pod of the cluster, whatever it asks for."""
    made = documents()
    policy = made["ValidatingAdmissionPolicy", "sekisho-gate"]["spec"]
    binding = made["ValidatingAdmissionPolicyBinding", "sekisho-gate"]["spec"]
    assert policy["failurePolicy"] == "Fail"
    assert "paramKind" not in policy
    assert binding == {"policyName": "sekisho-gate", "validationActions": ["Deny", "Audit"]}


def test_advise_refuses_nothing_anywhere() -> None:
    """Neither net, nor their failures, nor the gate before an agent has spoken."""
    made = documents(mode="advise")
    binding = made["ValidatingAdmissionPolicyBinding", "sekisho-gate"]["spec"]
    assert binding["validationActions"] == ["Warn", "Audit"]
    hooks = made["ValidatingWebhookConfiguration", "sekisho-webhook"]["webhooks"]
    assert {hook["failurePolicy"] for hook in hooks} == {"Ignore"}
    webhook = made["Deployment", "sekisho-webhook"]["spec"]["template"]["spec"]["containers"][0]
    assert "--advise" in webhook["args"]
    variables = made["ValidatingAdmissionPolicy", "sekisho-gate"]["spec"]["variables"]
    assert variables[0] == {"name": "mode", "expression": "'advise'"}


def test_rights_are_the_least_that_works() -> None:
    """No secret, no exec, no creation, no wildcard; the webhook has no rights and no token at all."""
    made = documents()
    rules = made["ClusterRole", "sekisho-agent"]["rules"] + made["Role", "sekisho-agent"]["rules"]
    for rule in rules:
        assert "*" not in rule["resources"] + rule["verbs"] + rule["apiGroups"]
        assert not {"secrets", "pods/exec", "pods/attach"} & set(rule["resources"])
        assert not {"create", "update", "deletecollection", "escalate"} & set(rule["verbs"])
    patched = [r for r in rules if "patch" in r["verbs"] and "resourceNames" not in r]
    assert {name for rule in patched for name in rule["resources"]} == {
        "pods",
        "jobs",
        "workloads",
        "localqueues",
        "clusterqueues",
    }
    subjects = [d["subjects"] for (kind, _), d in made.items() if kind.endswith("RoleBinding")]
    assert {row["name"] for rows in subjects for row in rows} == {"sekisho-agent"}
    pod = made["Deployment", "sekisho-webhook"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False


def test_every_container_is_confined() -> None:
    """As the namespace's own level `restricted` asks."""
    made = documents()
    for name in ("sekisho-agent", "sekisho-webhook"):
        pod = made["Deployment", name]["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            secure = container["securityContext"]
            assert secure["capabilities"] == {"drop": ["ALL"]}
            assert secure["allowPrivilegeEscalation"] is False
            assert container["resources"]["limits"]["memory"]


def test_the_webhook_outlives_a_drained_node_and_the_agent_is_never_two() -> None:
    """Two replicas with a budget; one agent, replaced only after the old one is gone."""
    made = documents()
    assert made["Deployment", "sekisho-webhook"]["spec"]["replicas"] == 2
    assert made["PodDisruptionBudget", "sekisho-webhook"]["spec"]["minAvailable"] == 1
    agent = made["Deployment", "sekisho-agent"]["spec"]
    assert (agent["replicas"], agent["strategy"]["type"]) == (1, "Recreate")


def test_a_picture_is_shown_to_both_nets_on_the_systems_clock(world: Cluster) -> None:
    """Its age moves with it; a run that is gone from the next picture is gone from both."""
    install(world)
    gate_of(world).show(picture(written=NOW, until=NOW.plus(90)))
    shown = parse_picture(world.found(f"{CONFIG}/sekisho-gate")["data"]["picture.json"].encode())  # type: ignore[index]  # it is there
    assert (shown.written, shown.until) == (BEGIN, BEGIN.plus(90))
    assert [run.run for run in shown.runs] == ["r", "shut"]
    policy: Any = world.found(POLICY_PATH)
    by_name = {one["name"]: one["expression"] for one in policy["spec"]["variables"]}
    assert by_name["until"] == f"timestamp('{BEGIN.plus(90)}')"
    assert "'r': 'open'" in by_name["gates"]
    only = (RunGate(run="s", licence="L", is_open=True),)
    gate_of(world).show(picture(runs=only))
    policy = world.found(POLICY_PATH)
    gates = next(o for o in policy["spec"]["variables"] if o["name"] == "gates")["expression"]
    assert gates == "{'s': 'open'}"


def test_a_gate_that_cannot_be_shown_says_so_and_the_old_picture_ages(world: Cluster) -> None:
    """Nothing installed, a server that is ill, a writer who is always quicker, a picture too large."""
    with pytest.raises(Unavailable, match="there is no /api/v1/namespaces/sekisho-system"):
        gate_of(world).show(picture())
    install(world)
    world.conflicts = 2
    gate_of(world).show(picture())
    world.conflicts = 100
    with pytest.raises(Unavailable, match="keeps writing"):
        gate_of(world).show(picture())
    world.conflicts = 0
    world.status = 503
    with pytest.raises(Unavailable, match="cannot be shown"):
        gate_of(world).show(picture())
    world.status = None
    many = tuple(RunGate(run=f"r{n}", licence="L" * 100, is_open=True) for n in range(4000))
    with pytest.raises(Unavailable, match="over 500000 bytes"):
        gate_of(world).show(picture(runs=many))


def test_a_picture_that_is_none_is_bad_input() -> None:
    """The webhook then refuses as without one."""
    for raw in (b"", b"{}", b'{"host":"h"}'):
        with pytest.raises(InvalidInput):
            parse_picture(raw)


def test_check_holds_for_what_the_manifests_make(world: Cluster) -> None:
    """Once an agent has shown a picture that still counts."""
    install(world)
    assert verdicts(world) == {
        "policy": "holds",
        "binding": "holds",
        "webhook": "holds",
        "picture": "fails",
        "resources": "holds",
    }
    gate_of(world).show(picture(written=NOW, until=NOW.plus(90)))
    assert set(verdicts(world).values()) == {"holds"}
    world.clock.rest(90)
    assert verdicts(world)["picture"] == "fails"


@pytest.mark.parametrize(
    ("path", "change", "name"),
    [
        (POLICY_PATH, {"spec": {"failurePolicy": "Ignore"}}, "policy"),
        (POLICY_PATH, {"spec": {"matchConditions": []}}, "policy"),
        (
            f"{REGISTRATION}/validatingadmissionpolicybindings/sekisho-gate",
            {"spec": {"validationActions": ["Warn"]}},
            "binding",
        ),
        (
            f"{REGISTRATION}/validatingadmissionpolicybindings/sekisho-gate",
            {"spec": {"matchResources": {"namespaceSelector": {}, "x": 1}}},
            "binding",
        ),
    ],
)
def test_check_finds_what_was_loosened(
    world: Cluster, path: str, change: dict[str, Any], name: str
) -> None:
    """Each by itself, and the others still hold."""
    install(world)
    world.change(path, change)
    assert verdicts(world)[name] == "fails"


@pytest.mark.parametrize(
    "change",
    [
        {"failurePolicy": "Ignore"},
        {"matchConditions": []},
        {"objectSelector": {"matchLabels": {"a": "b"}}},
        {"namespaceSelector": {"matchLabels": {"gated": "yes"}}},
        {
            "namespaceSelector": {
                "matchExpressions": [
                    {
                        "key": "kubernetes.io/metadata.name",
                        "operator": "NotIn",
                        "values": ["kube-system", "sekisho-system", "team"],
                    }
                ]
            }
        },
    ],
    ids=["ignore", "all-pods", "object-label", "namespace-label", "one-more"],
)
def test_check_finds_a_loosened_webhook(world: Cluster, change: dict[str, Any]) -> None:
    """Open when down, open by label, open by namespace, or asked for every pod of the cluster."""
    install(world)
    path = f"{REGISTRATION}/validatingwebhookconfigurations/sekisho-webhook"
    hooks: Any = world.found(path)
    hooks["webhooks"][0] |= change
    world.change(path, {"webhooks": hooks["webhooks"]})
    assert verdicts(world)["webhook"] == "fails"


def test_check_finds_an_accelerator_that_nobody_asks_about(world: Cluster) -> None:
    """Nodes offer a resource that the rules do not name."""
    install(world)
    node = {"metadata": {"name": "n1"}, "status": {"allocatable": {"cpu": "8", "npu.io/x": "4"}}}
    world.add("/api/v1/nodes", node)
    assert verdicts(world)["resources"] == "fails"
    known = AcceleratorRules(resources=(*RULES.resources, "npu.io/x"))
    assert verdicts(world, known)["resources"] == "holds"


def test_check_of_an_empty_and_of_a_silent_cluster(world: Cluster) -> None:
    """What is not there fails; what may not be seen is unverifiable, never green; where nobody answers, try again."""
    empty = verdicts(world)
    assert empty == dict.fromkeys(("policy", "binding", "webhook", "picture"), "fails") | {
        "resources": "holds"
    }
    world.status = 403
    assert set(verdicts(world).values()) == {"unverifiable"}
    world.status = 503
    with pytest.raises(Unavailable):
        verdicts(world)
