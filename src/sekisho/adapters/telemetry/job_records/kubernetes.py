"""Kubernetes pods that have chips: `kubectl get pods -A -o json`.

A pod is an allocation: from when its node took it to when its last container ended. A worker that comes again under the
same name is another allocation. Pods of one training job share a run. Sources: Kubernetes API core/v1 Pod; NVIDIA
device plugin (resource names, MIG resources nvidia.com/mig-1g.10gb); Kubeflow training operator and batch/v1 labels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from sekisho.adapters.telemetry.job_records.records import Gathered, JobRecords
from sekisho.adapters.telemetry.job_records.resources import uuids_in
from sekisho.adapters.telemetry.table_columns import parse_time
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Allocation
from sekisho.model.wire import JsonValue, parse_json

__all__ = ["parse_pods"]

MAX_JSON: Final = 256 << 20
_CHIPS: Final = re.compile(
    r"(nvidia\.com/(?:gpu|mig-[1-7]g\.\d+gb(?:\.\w+)?)|amd\.com/gpu|habana\.ai/gaudi|google\.com/tpu)",
    re.ASCII,
)
_COUNT: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_RUN: Final = "sekisho.run"
_JOBS: Final = (
    *("training.kubeflow.org/job-name", "batch.kubernetes.io/job-name", "job-name"),
    *("jobset.sigs.k8s.io/jobset-name", "ray.io/cluster", "volcano.sh/job-name"),
)
_KINDS: Final = ("nvidia.com/gpu.product", "cloud.google.com/gke-accelerator")
# Who allots devices may say which: ours by agreement, HAMi's as its documentation shows it (R, to be verified).
_DEVICES: Final = ("sekisho.devices", "hami.io/vgpu-devices-allocated")
_ENDED: Final = ("Succeeded", "Failed")
_Object = Mapping[str, JsonValue]


def parse_pods(body: bytes, *, site: str, path: str = "") -> JobRecords:
    """The allocations in a list of pods; pods without chips, or without a node yet, are passed over.

    Raises InvalidInput for a document that is no list of pods.
    """
    document = parse_json(body, path=path, limit=MAX_JSON, largest=2**64, any_float=True)
    items = _inside(document).get("items")
    if not isinstance(items, list):
        raise InvalidInput(
            "holds no list of pods", path=path or "items", remedy="kubectl get pods -A -o json"
        )
    gathered = Gathered()
    for place, each in enumerate(items, 1):
        try:
            _take(_inside(each), place, site, gathered)
        except InvalidInput as error:
            gathered.refuse(place, "malformed", error.message, error.remedy)
    return gathered.records()


def _take(pod: _Object, place: int, site: str, gathered: Gathered) -> None:
    about, spec, status = (_inside(pod.get(name)) for name in ("metadata", "spec", "status"))
    chips = _chips(spec)
    node = _text(spec.get("nodeName"))
    if not chips or not node:
        gathered.passed_over += 1
        return
    started = _text(status.get("startTime"))
    if not started:
        gathered.refuse(
            place, "no start", "a pod on a node without startTime", "wait for its kubelet"
        )
        return
    labels, notes = _inside(about.get("labels")), _inside(about.get("annotations"))
    space, kinds = _text(about.get("namespace")), [kind for kind, count in chips.items() if count]
    if len(kinds) > 1:
        gathered.note("pods with chips of several kinds: counted, their kind not told")
    gathered.keep(
        Allocation(
            job=f"{space}/{_text(about.get('name'))}",
            site=site,
            start=_instant(started),
            end=_end(status),
            chips=sum(chips.values()),
            chip=_kind(kinds[0], spec) if len(kinds) == 1 else "",
            hosts=(node,),
            devices=uuids_in(*(_text(notes.get(name)) for name in _DEVICES)),
            customer=space,
            run=_run(labels, about, space),
            parents=tuple(p for p in _text(notes.get("sekisho.parents")).split(",") if p),
            format=_text(labels.get("sekisho.format")),
            source="kubernetes",
            line=place,
        )
    )


def _chips(spec: _Object) -> dict[str, int]:
    """Chips by resource: those of all containers, or of the hungriest container that runs before them."""
    total: dict[str, int] = {}
    for container in _objects(spec.get("containers")):
        for name, count in _limits(container):
            total[name] = total.get(name, 0) + count
    for container in _objects(spec.get("initContainers")):
        stays = container.get("restartPolicy") == "Always"
        for name, count in _limits(container):
            had = total.get(name, 0)
            total[name] = had + count if stays else max(had, count)
    return {name: count for name, count in total.items() if count}


def _limits(container: _Object) -> Iterator[tuple[str, int]]:
    """Raises InvalidInput for a count that is none: a device is never cut."""
    resources = _inside(container.get("resources"))
    wanted = {**_inside(resources.get("requests")), **_inside(resources.get("limits"))}
    for name, count in wanted.items():
        if _CHIPS.fullmatch(name):
            if not _COUNT.fullmatch(str(count)):
                raise InvalidInput(f"{name}: {str(count)[:30]!r} is no count of devices")
            yield name, int(str(count))


def _kind(resource: str, spec: _Object) -> str:
    """The model where the pod asked for one, the slice where it has one."""
    if "/mig-" in resource:
        return resource.rpartition("/")[2]
    selector = _inside(spec.get("nodeSelector"))
    return next((_text(selector[name]) for name in _KINDS if selector.get(name)), "")


def _end(status: _Object) -> Instant | None:
    """When the last container ended; None while it runs. Of a pod without containers' states: its last change."""
    if _text(status.get("phase")) not in _ENDED:
        return None
    ends = []
    for container in _objects(status.get("containerStatuses")):
        state = _inside(_inside(container.get("state")).get("terminated"))
        ends.append(_text(state.get("finishedAt")))
    if not any(ends):
        ends = [_text(c.get("lastTransitionTime")) for c in _objects(status.get("conditions"))]
    return max((_instant(end) for end in ends if end), default=None)


def _run(labels: _Object, about: _Object, space: str) -> str:
    if _text(labels.get(_RUN)):
        return _text(labels.get(_RUN))
    job = next((_text(labels[name]) for name in _JOBS if labels.get(name)), "")
    if not job:
        owners = _objects(about.get("ownerReferences"))
        job = next(
            (_text(o.get("name")) for o in owners if _text(o.get("kind")).endswith("Job")), ""
        )
    return f"{space}/{job}" if job else ""


def _instant(text: str) -> Instant:
    found = parse_time(text)
    if isinstance(found, str):
        raise InvalidInput(f"{text[:40]!r} {found}")
    return Instant(found)


def _objects(value: JsonValue) -> Iterator[_Object]:
    return (_inside(each) for each in value) if isinstance(value, list) else iter(())


def _inside(value: JsonValue) -> _Object:
    return value if isinstance(value, dict) else {}


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""
