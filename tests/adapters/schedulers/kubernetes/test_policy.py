"""The policy's expressions agree with the admission that they repeat, as far as a reader of our own can tell."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.adapters.schedulers.kubernetes.pods import VISIBLE, needs_of
from sekisho.adapters.schedulers.kubernetes.policy import (
    policy_spec,
    policy_variables,
    reaches_devices,
    shown_gate,
)
from sekisho.ports.driver_settings import AcceleratorRules
from sekisho.ports.gate import GatePicture, RunGate
from tests.cel_subset import CelError, evaluate
from tests.reviews import NOW, RULES, bare, judged, picture, with_container


def admits(document: dict[str, Any], shown: GatePicture | None = None, **given: Any) -> str:
    """What the policy says of a pod: empty where it lets it in, else the message."""
    spec: Any = policy_spec(RULES, shown_gate(shown or picture()))
    inputs: dict[str, Any] = {
        "object": document,
        "oldObject": given.get("old"),
        "request": {
            "operation": given.get("operation", "CREATE"),
            "namespace": given.get("namespace", "team"),
        },
    }
    if not all(evaluate(one["expression"], inputs) for one in spec["matchConditions"]):
        return ""
    variables: dict[str, Any] = {}
    for one in spec["variables"]:
        variables[one["name"]] = evaluate(one["expression"], inputs | {"variables": variables})
    inputs["variables"] = variables
    for rule in spec["validations"]:
        if not evaluate(rule["expression"], inputs):
            told = rule.get("messageExpression")
            return str(evaluate(told, inputs)) if told else str(rule["message"])
    return ""


def test_the_policy_lets_in_an_open_run_and_refuses_the_rest() -> None:
    """With the same words as the webhook's, where it has them."""
    assert admits(bare()) == ""
    assert admits(bare(run=None)).startswith("sekisho gate/no-run")
    assert admits(bare(run="nobody")) == "sekisho gate/no-licence: run nobody has no licence here"
    assert (
        admits(bare(run="shut")) == "sekisho lease/ended: its lease ended at noon; ask for a lease"
    )
    assert admits(bare(run=None, gpus=0)) == ""


def test_a_stale_picture_lets_no_fresh_pod_in() -> None:
    """The pod's own creation time, which the API server sets, stands for now."""
    assert admits(bare(created=NOW.plus(59))) == ""
    assert admits(bare(created=NOW.plus(60))).startswith("sekisho gate/stale")


def test_advise_lets_everything_in() -> None:
    """The first rung stops nothing, a stale picture included."""
    shown = picture(mode="advise", until=NOW.plus(-100))
    assert admits(bare(run=None), shown) == ""


def test_an_update_is_held_to_its_label_and_to_the_gate_for_new_containers() -> None:
    """And may do everything else with a shut gate."""
    old, shut = bare(run="r"), bare(run="shut")
    assert "label-changed" in admits(bare(run="s"), operation="UPDATE", old=old)
    assert admits(shut, operation="UPDATE", old=shut) == ""
    more = with_container(shut, "ephemeralContainers", {"name": "shell"})
    assert admits(more, operation="UPDATE", old=shut).startswith("sekisho lease/ended")
    allowed = with_container(old, "ephemeralContainers", {"name": "shell"})
    assert admits(allowed, operation="UPDATE", old=old) == ""


def test_a_gate_cannot_write_its_own_expression() -> None:
    """Quotes and backslashes in a reason or a run's label stay text."""
    evil = "x' || true || '\\"
    gates = (RunGate(run="r", licence="L", is_open=False, reason=evil, rule="a", remedy="b"),)
    assert admits(bare(run="r"), picture(runs=gates)) == f"sekisho a: {evil}; b"


def test_the_picture_stands_in_the_first_three_variables() -> None:
    """These are what the agent writes; the rest is the rules'."""
    rows: Any = policy_variables(RULES, shown_gate(picture()))
    assert [row["name"] for row in rows[:3]] == ["mode", "until", "gates"]
    assert rows[1]["expression"] == f"timestamp('{NOW.plus(60)}')"


def test_the_reader_of_expressions_refuses_what_is_none() -> None:
    """A test that cannot fail is a defect: a typing error in the policy is found."""
    for text in ("object.spec.", "a &&", "(true", "'open", "has(object.spec", "1 + 2"):
        with pytest.raises((CelError, IndexError)):
            evaluate(text, {"object": {}})


_PATHS = st.sampled_from(
    [
        "/dev/nvidia0",
        "/dev",
        "/dev/",
        "/",
        "/var/log",
        "/dev/shm",
        "/dev/../x",
        "//dev",
        "/dev/./dri",
        "/deva",
    ]
) | st.lists(
    st.sampled_from(["/", "/", "dev", "nvidia0", ".", "..", "a..b", "opt"]), max_size=6
).map("".join)
_VALUES = st.sampled_from(
    [{"value": "all"}, {"value": "none"}, {"value": ""}, {}, {"valueFrom": {"fieldRef": {}}}]
)
_ENV = st.lists(
    st.builds(
        lambda name, value: {"name": name, **value}, st.sampled_from([*VISIBLE, "PATH"]), _VALUES
    ),
    max_size=5,
) | st.just([{"name": name, "value": "void"} for name in VISIBLE])
_RESOURCES = st.dictionaries(
    st.sampled_from(["nvidia.com/gpu", "cpu", "amd.com/gpu", "google.com/tpu", "google.com/tpux"]),
    st.sampled_from(["0", "1", "8"]),
    max_size=2,
)
_MOUNTS = st.sampled_from(
    ["/data", "/var/run", "/var/run/nvidia-container-devices/all", "/run/nvidia-container-devices"]
)
_CONTAINER = st.fixed_dictionaries(
    {"name": st.just("c")},
    optional={
        "resources": st.fixed_dictionaries(
            {},
            optional={
                "limits": _RESOURCES,
                "requests": _RESOURCES,
                "claims": st.just([{"name": "g"}]),
            },
        ),
        "securityContext": st.fixed_dictionaries({}, optional={"privileged": st.booleans()}),
        "env": _ENV,
        "envFrom": st.just([{"configMapRef": {"name": "devices"}}]),
        "volumeDevices": st.lists(
            st.builds(lambda path: {"name": "v", "devicePath": path}, _PATHS), max_size=1
        ),
        "volumeMounts": st.lists(
            st.builds(lambda path: {"name": "v", "mountPath": path}, _MOUNTS), max_size=2
        ),
    },
)
_SPEC = st.fixed_dictionaries(
    {"containers": st.lists(_CONTAINER, min_size=1, max_size=2)},
    optional={
        "initContainers": st.lists(_CONTAINER, max_size=1),
        "ephemeralContainers": st.lists(_CONTAINER, max_size=1),
        "resourceClaims": st.lists(st.just({"name": "g"}), max_size=1),
        "runtimeClassName": st.sampled_from(["nvidia", "nvidia-cdi", "runc"]),
        "volumes": st.lists(
            st.builds(lambda path: {"name": "v", "hostPath": {"path": path}}, _PATHS)
            | st.sampled_from([{"name": "v", "emptyDir": {}}, {"name": "v", "hostPath": {}}]),
            max_size=1,
        ),
    },
)
_ODD_RULES = AcceleratorRules(device_paths=("/dev/dri/", "/dev//nvidia", "/opt"))


@given(spec=_SPEC, namespace=st.sampled_from(["team", "kube-system"]))
def test_both_nets_see_the_same_pods(spec: dict[str, Any], namespace: str) -> None:
    """Whatever the webhook takes for a pod on accelerators, the policy does, and nothing else."""
    document = {"kind": "Pod", "metadata": {"name": "p", "labels": {}}, "spec": spec}
    inputs = {"object": document, "request": {"operation": "CREATE", "namespace": namespace}}
    seen = evaluate(reaches_devices("object.spec", RULES), inputs)
    assert seen is not judged(document, namespace=namespace).allowed


@given(
    spec=_SPEC,
    counts=st.dictionaries(
        st.just("nvidia.com/gpu"), st.sampled_from(["0", "00", "0k", "0.0", "1e0", 0, 1, -1])
    ),
    namespace=st.sampled_from(["team", "kube-system"]),
    rules=st.sampled_from([RULES, _ODD_RULES]),
)
def test_the_api_server_asks_whenever_the_webhook_would_refuse(
    spec: dict[str, Any], counts: dict[str, Any], namespace: str, rules: AcceleratorRules
) -> None:
    """The expression is the webhook's own condition: it may see more than the webhook, and never less."""
    spec = spec | {"resources": {"limits": counts}}
    needs = needs_of(spec, rules)
    if namespace in rules.exempt:
        needs = tuple(need for need in needs if need.way in ("asked", "claimed"))
    inputs = {"object": {"spec": spec}, "request": {"namespace": namespace}}
    assert not needs or evaluate(reaches_devices("object.spec", rules), inputs)


@given(run=st.sampled_from(["r", "shut", "nobody", None]), seconds=st.integers(-10, 200))
def test_both_nets_give_the_same_answer(run: str | None, seconds: int) -> None:
    """Over runs and ages of the picture, for a pod that asks for a device."""
    shown = picture(until=NOW.plus(seconds))
    document = bare(run=run, created=NOW)
    assert (admits(document, shown) == "") is judged(document, shown).allowed


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/dev/nvidia0", True),
        ("/dev/dri/card0", True),
        ("/dev", True),
        ("/dev/", True),
        ("/", True),
        ("/dev/../dev/kfd", True),
        ("//dev//kfd", True),
        ("/dev/./accel/accel0", True),
        ("/var/log", False),
        ("/dev/shm", False),
        ("/opt/dev", False),
    ],
)
def test_both_nets_see_the_same_device_paths(path: str, seen: bool) -> None:
    """Each by itself, so that no other way in hides it."""
    volume = {"name": "v", "hostPath": {"path": path}}
    pod = bare(run=None, gpus=0, spec={"volumes": [volume]})
    assert (admits(pod) != "") is seen
    assert judged(pod).allowed is not seen
