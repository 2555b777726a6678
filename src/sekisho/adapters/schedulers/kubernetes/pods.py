"""What a pod says of itself: which devices it reaches for and by which way, whose run it is, whether it still runs.

Pure readings of documents that others wrote: a field of another shape than Kubernetes gives it is never taken for an
absent one. Source: Kubernetes API reference, core/v1 Pod; admission and audit share these readings.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from sekisho.adapters.schedulers.kubernetes.api import Document
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import JsonValue
from sekisho.ports.driver_settings import AcceleratorRules

__all__ = [
    "NO_DEVICES",
    "RUN_LABEL",
    "VISIBLE",
    "Need",
    "PodView",
    "added_needs",
    "is_device",
    "label_of",
    "needs_of",
    "plain_path",
    "run_label",
    "view_pod",
]

RUN_LABEL: Final = "sekisho/run"
_LABEL_VALUE: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_QUANTITY: Final = re.compile(r"([0-9]{1,9})(k?)")
NO_DEVICES: Final = ("", "none", "void")
VISIBLE: Final = ("AMD_VISIBLE_DEVICES", "HABANA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES")
Way = Literal["asked", "claimed", "path", "privileged", "environment"]


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which a container reaches devices; `count` where the way says how many (`asked`)."""

    way: Way
    container: str
    detail: str
    count: int | None = None


class PodView(msgspec.Struct, frozen=True, kw_only=True):
    """A pod as the driver and the audit see it.

    `is_bound`: it has a node, so devices may be handed out. `is_live`: not known to have ended by the kubelet's word;
    `terminating`: asked to end. `devices` is None where it reaches devices without saying how many.
    """

    namespace: str
    name: str
    uid: str
    label: str | None
    node: str
    needs: tuple[Need, ...]
    devices: int | None
    is_bound: bool
    is_live: bool
    terminating: bool
    is_mirror: bool
    owner: str
    grace_s: int
    version: str

    @property
    def path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"

    @property
    def called(self) -> str:
        return f"{self.namespace}/{self.name}"


def label_of(run: str) -> str:
    """The label value of a run: its name, or where that is no label value or looks like a digest, its SHA-256's."""
    if _LABEL_VALUE.fullmatch(run) and not run.startswith("sha256-"):
        return run
    return f"sha256-{hashlib.sha256(run.encode()).hexdigest()[:56]}"


def run_label(document: Document) -> str | None:
    """The value of the run's label, None where there is none."""
    labels = _object(document.get("metadata"), "metadata").get("labels")
    value = _object(labels, "metadata.labels").get(RUN_LABEL)
    return value if isinstance(value, str) and value else None


def needs_of(spec: JsonValue, rules: AcceleratorRules) -> tuple[Need, ...]:
    """Every way in which a pod of this spec reaches accelerators. Raises InvalidInput for a spec of another shape."""
    pod = _object(spec, "spec")
    found: list[Need] = []
    for container in _containers(pod):
        found += _container_needs(container, pod, rules)
    claims = _list(pod.get("resourceClaims"), "spec.resourceClaims")
    found += [Need(way="claimed", container="", detail=_named(claim)) for claim in claims]
    whole = _asked(pod.get("resources"), rules, "")  # resources of the pod as a whole
    found += whole
    for volume in _list(pod.get("volumes"), "spec.volumes"):
        source = _object(volume, "volume").get("hostPath")
        if source is not None:
            found += _path_needs(_object(source, "hostPath").get("path"), rules, "")
    return tuple(found)


def added_needs(new: tuple[Need, ...], old: tuple[Need, ...]) -> tuple[Need, ...]:
    """What an update reaches for beyond what was there."""
    return tuple(need for need in new if need not in old)


def view_pod(document: Document, rules: AcceleratorRules) -> PodView:
    """Read one pod of a listing. Raises InvalidInput where it is no pod."""
    meta = _object(document.get("metadata"), "metadata")
    spec = _object(document.get("spec"), "spec")
    needs = needs_of(spec, rules)
    annotations = _object(meta.get("annotations"), "metadata.annotations")
    node, grace = spec.get("nodeName"), spec.get("terminationGracePeriodSeconds", 30)
    return PodView(
        namespace=_text(meta, "namespace"),
        name=_text(meta, "name"),
        uid=_text(meta, "uid"),
        label=run_label(document),
        node=node if isinstance(node, str) else "",
        needs=needs,
        devices=_count(spec, needs, rules),
        is_bound=bool(node),
        is_live=_is_live(_object(document.get("status"), "status")),
        terminating="deletionTimestamp" in meta,
        is_mirror="kubernetes.io/config.mirror" in annotations,
        owner=_owner(meta),
        grace_s=grace if isinstance(grace, int) else 30,
        version=str(meta.get("resourceVersion", "")),
    )


def _is_live(status: Document) -> bool:
    """A terminal phase with a container that still runs is somebody's guess (a node's pods collected), no end."""
    if status.get("phase") not in ("Succeeded", "Failed"):
        return True
    rows: list[JsonValue] = []
    for field in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        rows += _list(status.get(field), f"status.{field}")
    return any("running" in _object(_object(row, "status").get("state"), "state") for row in rows)


def _count(spec: Document, needs: tuple[Need, ...], rules: AcceleratorRules) -> int | None:
    """Devices held, from above: containers that run together are added, one-shot init containers run before them.

    None where a claim, a path or a privilege reaches devices without a count.
    """
    if not needs:
        return 0
    if any(need.count is None for need in needs):
        return None
    at_once, before = 0, 0
    for field in ("containers", "initContainers"):
        for container in _list(spec.get(field), field):
            one = _object(container, field)
            counts = [n.count or 0 for n in _asked(one.get("resources"), rules, "")]
            if field == "containers" or one.get("restartPolicy") == "Always":
                at_once += sum(counts)
            else:
                before = max(before, sum(counts))
    return max(at_once + before, 1)


def _container_needs(container: Document, pod: Document, rules: AcceleratorRules) -> list[Need]:
    name = str(container.get("name", "?"))
    resources = container.get("resources")
    found = _asked(resources, rules, name)
    for claim in _list(_object(resources, "resources").get("claims"), "resources.claims"):
        found.append(Need(way="claimed", container=name, detail=_named(claim)))
    secure = _object(container.get("securityContext"), "securityContext")
    if rules.privileged and secure.get("privileged") is True:
        found.append(Need(way="privileged", container=name, detail="sees every device of its node"))
    runtime = pod.get("runtimeClassName")
    if runtime in rules.device_runtimes:
        asks = any(need.way == "asked" for need in found)
        found += [
            Need(way="environment", container=name, detail=detail)
            for detail in _handed_out(container, str(runtime), asks=asks)
        ]
    for device in _list(container.get("volumeDevices"), "volumeDevices"):
        found += _path_needs(_object(device, "volumeDevice").get("devicePath"), rules, name)
    for mount in _list(container.get("volumeMounts"), "volumeMounts"):
        found += _list_needs(_object(mount, "volumeMount").get("mountPath"), rules, name)
    return found


def _handed_out(container: Document, runtime: str, *, asks: bool) -> list[str]:
    """By what a device runtime hands devices to this container: nothing only where each variable is literally none.

    What is not set here may be set by the image or through `envFrom`, which nobody sees at admission. Where a
    container asks for devices by name, their plugin's word goes before the image's: no way beside the one asked for.
    """
    shut: set[str] = set()
    found: dict[str, None] = {}
    for entry in _list(container.get("env"), "env"):
        variable = _object(entry, "env")
        name = variable.get("name")
        if not isinstance(name, str) or name not in VISIBLE:
            continue
        value = variable.get("value")
        is_text = value is None or isinstance(value, str)
        if variable.get("valueFrom") is None and is_text and (value or "") in NO_DEVICES:
            shut.add(name)
        else:
            found[name] = None
    if not found and shut != set(VISIBLE) and not (asks and not container.get("envFrom")):
        found[f"runtimeClassName {runtime}"] = None
    return list(found)


def _path_needs(path: JsonValue, rules: AcceleratorRules, container: str) -> list[Need]:
    """A path that is no text is as odd as one that is empty."""
    text = path if isinstance(path, str) else ""
    if not _reaches(text, rules.device_paths):
        return []
    return [Need(way="path", container=container, detail=text or "an empty path")]


def _list_needs(path: JsonValue, rules: AcceleratorRules, container: str) -> list[Need]:
    """A device list given as mounts: the folder's name stands in the path however that is written (no `..` makes it).

    Source: NVIDIA container toolkit, device list strategy `volume-mounts`.
    """
    text = path if isinstance(path, str) else ""
    if not any(name in text for name in rules.device_lists):
        return []
    return [Need(way="path", container=container, detail=text)]


def _asked(resources: JsonValue, rules: AcceleratorRules, name: str) -> list[Need]:
    """Devices asked for by name. Limits and requests of extended resources are equal; one alone is enough."""
    found: dict[str, Need] = {}
    for field in ("limits", "requests"):
        for key, value in _object(_object(resources, "resources").get(field), field).items():
            if not is_device(key, rules.resources):
                continue
            count = _quantity(value)
            if count != 0 and key not in found:
                found[key] = Need(way="asked", container=name, detail=key, count=count)
    return list(found.values())


def is_device(key: str, patterns: tuple[str, ...]) -> bool:
    """Whether a resource of this name is an accelerator by these patterns."""
    return any(
        key.startswith(pattern[:-1]) if pattern.endswith("*") else key == pattern
        for pattern in patterns
    )


def _quantity(value: JsonValue) -> int | None:
    """How many; None for a quantity that is not written as a plain count, which then counts as unknown, not as none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    return int(match[1]) * (1000 if match[2] else 1) if match else None


def _reaches(path: str, device_paths: tuple[str, ...]) -> bool:
    """Whether a path lies at, below or above a device: `/dev/nvidia0`, `/dev` and `/` all do; an odd one does."""
    if _is_odd(path):
        return True
    whole = plain_path(path)
    devices = [plain_path(device) for device in device_paths]
    return any(whole.startswith(one) or one.startswith(whole + "/") for one in devices)


def _is_odd(path: str) -> bool:
    """Empty, relative, or written so that it could mean another: what a kubelet makes of it is not guessed here."""
    parts = path.removesuffix("/").split("/")[1:]
    return not path.startswith("/") or (path != "/" and any(p in ("", ".", "..") for p in parts))


def plain_path(path: str) -> str:
    """A path without empty and `.` parts and without a slash at its end; the root is empty."""
    return "".join(f"/{part}" for part in path.split("/") if part not in ("", "."))


def _containers(pod: Document) -> Iterator[Document]:
    for field in ("containers", "initContainers", "ephemeralContainers"):
        for container in _list(pod.get(field), f"spec.{field}"):
            yield _object(container, f"spec.{field}")


def _owner(meta: Document) -> str:
    owners = _list(meta.get("ownerReferences"), "metadata.ownerReferences")
    for entry in owners:
        owner = _object(entry, "ownerReferences")
        if owner.get("controller") is True:
            return f"{owner.get('kind')}/{owner.get('name')}"
    return ""


def _named(value: JsonValue) -> str:
    return str(_object(value, "claim").get("name", "?"))


def _text(row: Document, field: str) -> str:
    value = row.get(field)
    if not isinstance(value, str) or not value:
        raise InvalidInput("is missing", path=f"metadata.{field}")
    return value


def _object(value: JsonValue, path: str) -> Document:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput("is no object", path=path)
    return value


def _list(value: JsonValue, path: str) -> list[JsonValue]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidInput("is no list", path=path)
    return value
