"""Ways around the gate of a cluster, one test by name each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sekisho.adapters.schedulers.kubernetes.admission import (
    MAX_REVIEW,
    judge_admission,
    parse_review,
)
from sekisho.adapters.schedulers.kubernetes.pods import label_of, view_pod
from sekisho.adapters.schedulers.kubernetes.policy import reaches_devices
from sekisho.model.errors import InvalidInput
from sekisho.ports.gate import RunGate
from tests.cel_subset import evaluate
from tests.reviews import NOW, RULES, bare, judged, picture, request_of, review_of, with_container

VOID = [
    {"name": f"{maker}_VISIBLE_DEVICES", "value": "void"} for maker in ("NVIDIA", "AMD", "HABANA")
]
PRIVILEGED = {"name": "debug", "securityContext": {"privileged": True}}


def test_label_changed_after_admission() -> None:
    """A pod let in under one run cannot become another's, nor nobody's, while it holds devices."""
    old = bare(run="r")
    for run in ("other", None):
        verdict = judged(bare(run=run), operation="UPDATE", old=old)
        assert verdict.rule == "gate/label-changed"
    assert judged(bare(run="s", gpus=0), operation="UPDATE", old=bare(run="r", gpus=0)).allowed


def test_pod_without_limits_but_with_a_resource_claim() -> None:
    """Dynamic resource allocation hands out devices that no limit names."""
    claim = {"name": "gpu", "resourceClaimTemplateName": "one-gpu"}
    pod = bare(run=None, gpus=0, spec={"resourceClaims": [claim]})
    assert judged(pod).message.startswith(
        "sekisho gate/no-run: the pod uses the resource claim gpu"
    )


def test_requests_without_limits() -> None:
    """Only the one half of a resource is written."""
    pod = bare(run=None, gpus=0)
    pod["spec"]["containers"][0]["resources"] = {"requests": {"amd.com/gpu": "8"}}
    assert judged(pod).rule == "gate/no-run"


def test_device_in_an_init_container() -> None:
    """Training can run before the main container starts."""
    limits = {"limits": {"nvidia.com/gpu": "8"}}
    pod = with_container(
        bare(run=None, gpus=0), "initContainers", {"name": "i", "resources": limits}
    )
    assert judged(pod).rule == "gate/no-run"


def test_ephemeral_container_with_device() -> None:
    """Added to a running pod without devices, or to one of a run whose gate has been shut since."""
    limits = {"name": "e", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    old = bare(run="shut", gpus=0)
    given: dict[str, Any] = {"operation": "UPDATE", "sub": "ephemeralcontainers"}
    for container in (limits, PRIVILEGED):
        new = with_container(old, "ephemeralContainers", container)
        assert judged(new, old=old, **given).rule == "lease/ended"
    held = bare(run="shut", gpus=1)
    plain = with_container(held, "ephemeralContainers", {"name": "shell"})
    assert judged(plain, old=held, **given).rule == "lease/ended"
    licensed = bare(run="r", gpus=1)
    shell = with_container(licensed, "ephemeralContainers", {"name": "shell"})
    assert judged(shell, old=licensed, **given).allowed


@pytest.mark.parametrize(
    "path",
    [
        "/dev/nvidia0",
        "/dev/nvidiactl",
        "/dev",
        "/dev/",
        "/",
        "/dev/../dev/dri",
        "//dev//kfd",
        "/dev/./accel/accel0",
        "/dev/.",
        "/.",
        "/dev/./nvidia0",
        "//dev",
        "dev",
        "",
        "/var/log/..",
    ],
)
def test_host_path_to_a_device(path: str) -> None:
    """The device itself, a folder above it, and spellings of both; the API server's own check sees them, too."""
    volume = {"name": "d", "hostPath": {"path": path}}
    pod = bare(run=None, gpus=0, spec={"volumes": [volume]})
    assert "where devices lie" in judged(pod).message
    assert _asks_the_webhook(pod)


@pytest.mark.parametrize("path", ["/dev/nvidia0", "dev/nvidia0", ""])
def test_block_device_at_a_devices_path(path: str) -> None:
    """A volume that is put at a device's path inside the container; an odd path could be one."""
    pod = bare(run=None, gpus=0)
    pod["spec"]["containers"][0]["volumeDevices"] = [{"name": "v", "devicePath": path}]
    assert "where devices lie" in judged(pod).message
    assert _asks_the_webhook(pod)


@pytest.mark.parametrize("field", ["containers", "initContainers", "ephemeralContainers"])
@pytest.mark.parametrize(
    "path",
    [
        "/var/run/nvidia-container-devices/all",
        "/var/run/nvidia-container-devices",
        "/var/run/nvidia-container-devices/cdi/nvidia.com/gpu/0",
        "/var//run/./nvidia-container-devices/GPU-1",
        "/data/../run/nvidia-container-devices/0",
    ],
)
def test_device_list_given_as_volume_mounts(path: str, field: str) -> None:
    """Nothing is asked for: a mount's own path tells the runtime of a node which devices to hand out."""
    container = {"name": "m", "volumeMounts": [{"name": "null", "mountPath": path}]}
    volumes = [{"name": "null", "hostPath": {"path": "/dev/null"}}]
    pod = with_container(bare(run=None, gpus=0, spec={"volumes": volumes}), field, container)
    assert "where devices lie" in judged(pod).message
    assert _asks_the_webhook(pod)


def test_other_volume_mounts_are_let_through() -> None:
    """A folder above the list is no list, and neither is a path of another system."""
    for path in ("/data", "/var/run", "/var/run/secrets/kubernetes.io/serviceaccount", "C:\\data"):
        mounts = [{"name": "v", "mountPath": path}]
        pod = with_container(
            bare(run=None, gpus=0), "containers", {"name": "m", "volumeMounts": mounts}
        )
        assert judged(pod).allowed, path
        assert not _asks_the_webhook(pod)


def _asks_the_webhook(pod: dict[str, Any]) -> bool:
    inputs = {"object": pod, "request": {"operation": "CREATE", "namespace": "team"}}
    return bool(evaluate(reaches_devices("object.spec", RULES), inputs))


def test_host_path_elsewhere_is_let_through() -> None:
    """The list is of devices, not of everything on a host."""
    for path in ("/var/log", "/device", "/dev/shm", "/opt/dev", "/opt/a..b/.c/"):
        pod = bare(run=None, gpus=0, spec={"volumes": [{"name": "d", "hostPath": {"path": path}}]})
        assert judged(pod).allowed, path


def test_privileged_pod() -> None:
    """It sees each device of its node without asking for one."""
    pod = with_container(bare(run=None, gpus=0), "containers", PRIVILEGED)
    assert "sees every device of its node" in judged(pod).message


def test_devices_by_environment_alone() -> None:
    """A runtime class that reads NVIDIA_VISIBLE_DEVICES hands out devices that nobody asked for."""
    pod = bare(run=None, gpus=0, spec={"runtimeClassName": "nvidia"})
    entries: list[dict[str, Any]] = [
        {"value": "all"},
        {"value": "0,1"},
        {"valueFrom": {"configMapKeyRef": {}}},
    ]
    for entry in entries:
        changed = {"name": "NVIDIA_VISIBLE_DEVICES", **entry}
        pod["spec"]["containers"][0]["env"] = [*VOID, changed]
        assert "NVIDIA_VISIBLE_DEVICES" in judged(pod).message
    pod["spec"]["containers"][0]["env"] = VOID
    assert judged(pod).allowed


@pytest.mark.parametrize("value", [{"value": "void"}, {"value": "none"}, {"value": ""}, {}])
def test_an_image_that_sets_the_device_variable_itself(value: dict[str, str]) -> None:
    """Under a device runtime what is not set to none in the pod may be set where no admission looks."""
    pod = bare(run=None, gpus=0, spec={"runtimeClassName": "nvidia"})
    assert "runtimeClassName nvidia" in judged(pod).message
    main = pod["spec"]["containers"][0]
    main["envFrom"] = [{"configMapRef": {"name": "devices"}}]
    assert judged(pod).rule == "gate/no-run"
    shut = [{"name": one["name"]} | value for one in VOID]
    main["env"] = shut[1:]
    assert judged(pod).rule == "gate/no-run"
    main["env"] = shut
    assert judged(pod).allowed
    for field in ("containers", "initContainers", "ephemeralContainers"):
        assert judged(with_container(pod, field, {"name": "more"})).rule == "gate/no-run"


def test_a_device_runtime_beside_devices_that_are_asked_for_is_counted_by_what_is_asked() -> None:
    """The plugin's word goes before the image's; a container beside it, or one with `envFrom`, has no such word."""
    pod = bare(gpus=2, spec={"runtimeClassName": "nvidia"})
    pod["metadata"]["uid"] = "u"
    assert view_pod(pod, RULES).devices == 2
    assert view_pod(with_container(pod, "containers", {"name": "side"}), RULES).devices is None
    pod["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "devices"}}]
    assert view_pod(pod, RULES).devices is None


def test_exempt_namespace_misuse() -> None:
    """Whoever may write to kube-system gets no devices by it, should the API server ask us."""
    for pod in (bare(run=None), bare(run=None, gpus=0, spec={"resourceClaims": [{"name": "g"}]})):
        assert judged(pod, namespace="kube-system").rule == "gate/no-run"


def test_oversized_review() -> None:
    """One byte over three mebibytes is not read."""
    raw = review_of(bare(run="r", annotations={"a": "x" * MAX_REVIEW}))
    with pytest.raises(InvalidInput, match="review"):
        parse_review(raw)


def test_review_for_another_kind() -> None:
    """A kind without a pod is let through; a pod under a foreign kind's name is judged where it counts, as a pod."""
    secret = {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {}}
    assert judged(secret).allowed
    assert judged(bare(run=None), kind="ConfigMap").allowed
    assert judged(bare(run=None), kind="Pod").rule == "gate/no-run"


def test_replayed_uid() -> None:
    """The same review again is judged by what is shown now: an old permission buys nothing."""
    request = request_of(bare(), uid="again")
    assert judge_admission(request, picture(), NOW, RULES).allowed
    shut = picture(runs=(RunGate(run="r", licence="L-1", is_open=False),))
    assert judge_admission(request, shut, NOW, RULES).rule == "gate/shut"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"nothing",
        b'{"kind":"AdmissionReview","kind":"Pod"}',
        b"\xff\xfe{}",
        b'{"a":' * 100 + b"1" + b"}" * 100,
        b'{"a":NaN}',
    ],
    ids=["empty", "list", "text", "twice", "bytes", "deep", "nan"],
)
def test_malicious_json(raw: bytes) -> None:
    """Refused as input, so that the API server takes us for failed, and fails closed where devices are reached."""
    with pytest.raises(InvalidInput):
        parse_review(raw)


@pytest.mark.parametrize(
    "spec",
    [
        {"containers": {"main": {}}},
        {"containers": ["main"]},
        {"containers": [{"name": "m", "resources": ["nvidia.com/gpu"]}]},
        {"volumes": "all"},
    ],
    ids=["object", "text", "resources", "volumes"],
)
def test_a_pod_of_another_shape_is_not_taken_for_one_without_devices(spec: dict[str, Any]) -> None:
    """What cannot be read is refused, and says so."""
    pod = bare(run="r", gpus=0)
    pod["spec"] = spec
    assert judged(pod).rule == "gate/unreadable"


def test_a_run_that_wears_anothers_digest() -> None:
    """A run named like a label of a long run's digest gets a label of its own."""
    long = "x" * 100
    gates = (RunGate(run=long, licence="L", is_open=True),)
    thief = label_of(label_of(long))
    assert judged(bare(run=label_of(long)), picture(runs=gates)).allowed
    assert judged(bare(run=thief), picture(runs=gates)).rule == "gate/no-licence"


def test_a_reason_cannot_write_to_the_readers_terminal() -> None:
    """Labels and reasons come from others; what is not printable is blank."""
    gate = RunGate(run="r", licence="L", is_open=False, reason="\x1b[2J\nallowed: true")
    message = judged(bare(), picture(runs=(gate,))).message
    assert message.isprintable()
    pod = bare(run="r\u202eevil")
    assert judged(pod).message.isprintable()
    assert json.dumps(judged(pod).message)
