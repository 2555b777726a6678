"""The gate at admission: what an API server asks before it lets an object in, and our answer.

Pure: a review, the gate's picture and an instant give a verdict. Nothing is remembered between reviews, so that a
review that comes twice is judged twice, each time against the picture that is shown now. Only what reaches accelerators
is ever refused; everything else is let through without a look at the gate.
Source: Kubernetes admission.k8s.io/v1 AdmissionReview.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

import msgspec

from sekisho.adapters.schedulers.kubernetes.api import Document
from sekisho.adapters.schedulers.kubernetes.pods import (
    RUN_LABEL,
    Need,
    added_needs,
    label_of,
    needs_of,
    run_label,
)
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.wire import JsonValue, from_json, parse_json
from sekisho.ports.driver_settings import AcceleratorRules
from sekisho.ports.gate import GatePicture, RunGate

__all__ = [
    "MAX_REVIEW",
    "AdmissionRequest",
    "AdmissionVerdict",
    "answer_review",
    "judge_admission",
    "parse_review",
]

MAX_REVIEW: Final = 3 * 1024 * 1024
MAX_MESSAGE: Final = 900
MAX_WARNING: Final = 240  # the API server cuts at 256
_INT64: Final = 2**63 - 1
_VERSION: Final = "admission.k8s.io/v1"
# Where the pod of a kind stands. What is not here makes pods by way of one of these, or a pod of its own.
_TEMPLATES: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("", "Pod"): (),
    ("", "ReplicationController"): ("spec", "template"),
    ("", "PodTemplate"): ("template",),
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "ReplicaSet"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
    ("batch", "Job"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
}


class _Kind(msgspec.Struct, frozen=True, kw_only=True):
    group: str = ""
    version: str
    kind: Annotated[str, msgspec.Meta(min_length=1, max_length=253)]


class AdmissionRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is asked. `uid` is the answer's address, nothing else: it is no proof that the review is new."""

    uid: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    kind: _Kind
    operation: Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]
    name: str = ""
    namespace: str = ""
    sub_resource: str = ""
    dry_run: bool = False
    object: dict[str, Any] | None = None
    old_object: dict[str, Any] | None = None


class AdmissionVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether it may come in; where not, or where it would not in another mode, by which rule, why, what helps."""

    allowed: bool
    rule: str = ""
    reason: str = ""
    remedy: str = ""
    warns: bool = False

    @property
    def message(self) -> str:
        """For the person at the keyboard: rule, reason, remedy."""
        rest = f"; {self.remedy}" if self.remedy else ""
        return f"sekisho {self.rule}: {self.reason}{rest}"[:MAX_MESSAGE]


_ALLOWED: Final = AdmissionVerdict(allowed=True)


def parse_review(raw: bytes) -> AdmissionRequest:
    """Read an AdmissionReview, strictly. Raises InvalidInput for what is no review of version 1, or over 3 MiB."""
    review = parse_json(raw, path="review", limit=MAX_REVIEW, largest=_INT64, any_float=True)
    if not isinstance(review, dict) or review.get("apiVersion") != _VERSION:
        raise InvalidInput(f"is no review of {_VERSION}", path="apiVersion")
    if review.get("kind") != "AdmissionReview":
        raise InvalidInput("is no AdmissionReview", path="kind")
    return from_json(AdmissionRequest, review.get("request"), path="request")


def answer_review(request: AdmissionRequest, verdict: AdmissionVerdict) -> Document:
    """The AdmissionReview that goes back, to the uid that asked."""
    response: Document = {"uid": request.uid, "allowed": verdict.allowed}
    if not verdict.allowed:
        response["status"] = {
            "status": "Failure",
            "code": 403,
            "reason": "Forbidden",
            "message": verdict.message,
        }
    if verdict.warns:
        response["warnings"] = [verdict.message[:MAX_WARNING]]
    return {"apiVersion": _VERSION, "kind": "AdmissionReview", "response": response}


def judge_admission(
    request: AdmissionRequest,
    picture: GatePicture | None,
    now: Instant,
    rules: AcceleratorRules,
    *,
    advise: bool = False,
) -> AdmissionVerdict:
    """Whether this object may come in.

    1. Kinds without a pod, and what goes away, are let through. 2. So is what reaches no accelerator, and an update
    that reaches for nothing new. 3. A pod on devices keeps the run's label that it was let in with. 4. The run named by
    the label must have an open gate in a picture that still counts. `advise`, and a picture in that mode, let
    everything in and say what would have been refused. A pod that cannot be read is refused.
    """
    try:
        verdict = _judge(request, picture, now, rules)
    except InvalidInput as error:
        verdict = _refused(
            "gate/unreadable",
            f"the pod cannot be read: {error}",
            "send it as Kubernetes defines it",
        )
    if verdict.allowed:
        return verdict
    if advise or (picture is not None and picture.mode == "advise"):
        return msgspec.structs.replace(verdict, allowed=True, warns=True)
    return verdict


def _judge(
    request: AdmissionRequest,
    picture: GatePicture | None,
    now: Instant,
    rules: AcceleratorRules,
) -> AdmissionVerdict:
    place = _TEMPLATES.get((request.kind.group, request.kind.kind))
    if place is None or request.operation not in ("CREATE", "UPDATE"):
        return _ALLOWED
    if request.sub_resource not in ("", "ephemeralcontainers", "resize"):
        return _ALLOWED  # a status, a scale, a binding carry no containers
    is_exempt = request.namespace in rules.exempt
    pod, old = _pod(request.object, place), _pod(request.old_object, place)
    needs = _needs(pod, rules, is_exempt=is_exempt)
    if not needs or pod is None:
        return _ALLOWED
    if request.operation == "UPDATE" and old is not None:
        had = _needs(old, rules, is_exempt=is_exempt)
        if had and not place and run_label(pod) != run_label(old):
            return _label_changed(run_label(old), run_label(pod))
        if had and not added_needs(needs, had) and not _adds_containers(pod, old):
            return _ALLOWED
    return _judge_run(run_label(pod), needs, picture, now)


def _judge_run(
    label: str | None, needs: tuple[Need, ...], picture: GatePicture | None, now: Instant
) -> AdmissionVerdict:
    what = _described(needs)
    if picture is None:
        return _refused(
            "gate/no-picture",
            f"{what}, and no agent has said what is licensed",
            "start the agent, or ask who runs it",
        )
    if picture.until <= now:
        return _refused(
            "gate/stale",
            f"{what}, and the agent was last heard at {picture.written}",
            "see whether the agent runs and reaches its control plane",
        )
    if label is None:
        return _refused(
            "gate/no-run",
            f"{what} and carries no label {RUN_LABEL}",
            f"name the licensed run in the label {RUN_LABEL} of the pod (in a Job: of its template)",
        )
    gate = next((one for one in picture.runs if label_of(one.run) == label), None)
    if gate is None:
        return _refused(
            "gate/no-licence",
            f"{what}, and run {label[:63]!r} has no licence on {picture.host}",
            "apply for a licence, or correct the label",
        )
    return _ALLOWED if gate.is_open else _shut(gate, what)


def _shut(gate: RunGate, what: str) -> AdmissionVerdict:
    return _refused(
        gate.rule or "gate/shut",
        f"{what}, and run {gate.run} may not start work: {gate.reason or 'its gate is shut'}",
        gate.remedy,
    )


def _label_changed(old: str | None, new: str | None) -> AdmissionVerdict:
    return _refused(
        "gate/label-changed",
        f"a pod on devices keeps its run: {old!r} would become {new!r}",
        "delete the pod and submit it anew under the other run",
    )


def _refused(rule: str, reason: str, remedy: str) -> AdmissionVerdict:
    return AdmissionVerdict(
        allowed=False, rule=_plain(rule, 64), reason=_plain(reason, 500), remedy=_plain(remedy, 250)
    )


def _plain(text: str, limit: int) -> str:
    """What others wrote reaches a person's terminal as one line of printable signs."""
    return "".join(sign if sign.isprintable() else " " for sign in text)[:limit]


def _described(needs: tuple[Need, ...]) -> str:
    """The first way in which the pod reaches devices, as the start of a sentence."""
    need = needs[0]
    count = f"{need.count} " if need.count else ""
    return _WAYS[need.way](f"{count}{need.detail[:100]}")


_WAYS: Final[Mapping[str, Callable[[str], str]]] = {
    "asked": lambda what: f"the pod asks for {what}",
    "claimed": lambda what: f"the pod uses the resource claim {what}",
    "path": lambda what: f"the pod mounts {what}, where devices lie",
    "privileged": lambda _: (
        "the pod runs a privileged container, which sees every device of its node"
    ),
    "environment": lambda what: f"the pod sets {what}, by which its runtime hands out devices",
}


def _needs(pod: Document | None, rules: AcceleratorRules, *, is_exempt: bool) -> tuple[Need, ...]:
    """In an exempt namespace only what is asked for or claimed: a device plugin must see devices to hand them out."""
    if pod is None:
        return ()
    found = needs_of(pod.get("spec"), rules)
    return tuple(n for n in found if n.way in ("asked", "claimed")) if is_exempt else found


def _adds_containers(pod: Document, old: Document) -> bool:
    """Whether an update brings containers into a pod on devices: they may share what the others were given."""
    return bool(_names(pod) - _names(old))


def _names(pod: Document) -> set[tuple[str, str]]:
    spec = pod.get("spec")
    found = set()
    for field in ("containers", "initContainers", "ephemeralContainers"):
        rows = spec.get(field) if isinstance(spec, dict) else None
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict):
                found.add((field, str(row.get("name"))))
    return found


def _pod(document: JsonValue, place: tuple[str, ...]) -> Document | None:
    """The pod, or pod template, of an object."""
    value: JsonValue = document
    for field in place:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise InvalidInput("is no object", path=field)
        value = value.get(field)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise InvalidInput("is no object", path=".".join(place))
    return value
