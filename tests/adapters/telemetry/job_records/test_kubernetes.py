"""Kubernetes pods as allocations."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sekisho.adapters.telemetry.job_records import JobRecords
from sekisho.adapters.telemetry.job_records.kubernetes import parse_pods
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import parse_instant

MORNING, NOON = "2026-09-21T09:00:00Z", "2026-09-21T12:00:00Z"
UUID = "GPU-8f2ab5a4-0d3c-4a4f-9a51-111122223333"
GPU = "nvidia.com/gpu"


def wants(count: int | str = 8, name: str = GPU) -> dict[str, Any]:
    return {"name": "c", "resources": {"limits": {name: str(count), "cpu": "4"}}}


def pod(**over: Any) -> dict[str, Any]:
    """A pod that ran for three hours on eight GPUs; `over` replaces parts of its three sections."""
    about = {"name": "llm-7-worker-0", "namespace": "lab-a", "labels": {}, "annotations": {}}
    ended = [{"state": {"terminated": {"finishedAt": NOON}}}]
    spec = {"nodeName": "gpu07", "containers": [wants()]}
    status = {"phase": "Succeeded", "startTime": MORNING, "containerStatuses": ended}
    parts = {"metadata": about, "spec": spec, "status": status}
    return {key: value | over.get(key, {}) for key, value in parts.items()}


def read(*pods: Any) -> JobRecords:
    return parse_pods(json.dumps({"kind": "List", "items": pods}).encode(), site="osaka-1")


def test_a_pod_is_an_allocation() -> None:
    """Its node is its host, its namespace its customer."""
    (job,) = read(pod()).allocations
    assert (job.job, job.customer, job.hosts) == ("lab-a/llm-7-worker-0", "lab-a", ("gpu07",))
    assert (job.chips, job.chip, job.source) == (8, "", "kubernetes")
    assert (job.start, job.end) == (parse_instant(MORNING), parse_instant(NOON))


def test_a_pod_that_runs_is_open() -> None:
    """A pod whose container still runs is an allocation without an end."""
    running = pod(status={"phase": "Running", "containerStatuses": [{"state": {"running": {}}}]})
    assert read(running).allocations[0].end is None


def test_an_evicted_pod_ended_with_its_last_change() -> None:
    """A failed pod may have no states of containers; when it changed last is known."""
    changes = [{"type": "Ready", "lastTransitionTime": NOON}, {"lastTransitionTime": MORNING}]
    evicted = pod(status={"phase": "Failed", "containerStatuses": [], "conditions": changes})
    assert read(evicted).allocations[0].end == parse_instant(NOON)


def test_a_slice_is_of_its_kind() -> None:
    """Two MIG slices are two chips, and the profile of the resource's name is their kind."""
    (job,) = read(pod(spec={"containers": [wants(2, "nvidia.com/mig-1g.10gb")]})).allocations
    assert (job.chips, job.chip) == (2, "mig-1g.10gb")


def test_the_model_that_a_pod_asked_for_is_its_chip() -> None:
    """A node selector for a product names the model; a plain `nvidia.com/gpu` does not."""
    asked = {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}
    (job,) = read(pod(spec={"nodeSelector": asked})).allocations
    assert job.chip == "NVIDIA-H100-80GB-HBM3"


def test_chips_of_containers_add_and_those_before_them_do_not() -> None:
    """Init containers run one after another before the others, unless they stay beside them."""
    spec = {"containers": [wants(2), wants(1)], "initContainers": [wants(4)]}
    assert read(pod(spec=spec)).allocations[0].chips == 4
    beside = {"initContainers": [wants(1) | {"restartPolicy": "Always"}]}
    assert read(pod(spec=spec | beside)).allocations[0].chips == 4
    assert read(pod(spec=spec | {"initContainers": [wants(3)]})).allocations[0].chips == 3


@pytest.mark.parametrize(
    ("metadata", "run"),
    [
        ({"labels": {"sekisho.run": "llm-7"}}, "llm-7"),
        ({"labels": {"training.kubeflow.org/job-name": "llm"}}, "lab-a/llm"),
        ({"labels": {"batch.kubernetes.io/job-name": "llm"}}, "lab-a/llm"),
        ({"ownerReferences": [{"kind": "PyTorchJob", "name": "llm"}]}, "lab-a/llm"),
        ({"ownerReferences": [{"kind": "ReplicaSet", "name": "web"}]}, ""),
        ({}, ""),
    ],
)
def test_pods_of_one_job_share_its_run(metadata: dict[str, Any], run: str) -> None:
    """Our label first, then the job of a label or an owner within its namespace; a replica set is no run."""
    assert read(pod(metadata=metadata)).allocations[0].run == run


def test_devices_are_those_that_were_allotted_not_those_that_were_wished_for() -> None:
    """The annotation of who allots counts; the UUID that a pod asked for is not its device."""
    notes = {"sekisho.devices": f"{UUID}", "nvidia.com/use-gpuuuid": UUID.replace("8f", "9f")}
    assert read(pod(metadata={"annotations": notes})).allocations[0].devices == (UUID,)


def test_pods_without_chips_or_without_a_node_are_passed_over() -> None:
    """A pod of processors alone and one that waits for a node are counted and make no allocation."""
    records = read(pod(spec={"containers": [{}]}), pod(spec={"nodeName": None}))
    assert (records.allocations, records.passed_over) == ((), 2)


def test_a_wrong_pod_is_refused_by_its_place_and_the_rest_is_taken() -> None:
    """No start, a start without a zone, half a device or less than none; the same pod again is a duplicate."""
    wrong = [pod(status={"startTime": None}), pod(status={"startTime": "2026-09-21T09:00:00"})]
    wrong += [pod(spec={"containers": [wants("500m")]}), pod(spec={"containers": [wants("-1")]})]
    records = read(*wrong, pod(), pod(), 7)
    assert len(records.allocations) == 1
    assert (records.duplicates, records.passed_over) == (1, 1)
    assert [(r.reason, r.count, r.first[:6]) for r in records.refused] == [
        ("no start", 1, "line 1"),
        ("malformed", 3, "line 2"),
    ]


@pytest.mark.parametrize("body", [b"{}", b"[]", b"\xff", b'{"items": {}}'])
def test_another_document_is_refused(body: bytes) -> None:
    """A document without a list of items, or that is no UTF-8, holds no pods."""
    with pytest.raises(InvalidInput):
        parse_pods(body, site="osaka-1")
