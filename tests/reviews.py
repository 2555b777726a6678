"""AdmissionReviews in the form in which an API server sends them, written by us after the documented form."""

from __future__ import annotations

import json
from typing import Any

from sekisho.adapters.schedulers.kubernetes.admission import (
    AdmissionRequest,
    AdmissionVerdict,
    judge_admission,
    parse_review,
)
from sekisho.model.instants import Instant
from sekisho.ports.driver_settings import AcceleratorRules
from sekisho.ports.gate import GatePicture, RunGate
from tests.clusters import pod_document

Json = dict[str, Any]
NOW = Instant.parse("2026-11-01T12:00:00Z")
RULES = AcceleratorRules()
_KINDS = {
    "Pod": ("", "v1", "pods"),
    "Job": ("batch", "v1", "jobs"),
    "CronJob": ("batch", "v1", "cronjobs"),
    "Deployment": ("apps", "v1", "deployments"),
    "StatefulSet": ("apps", "v1", "statefulsets"),
    "ConfigMap": ("", "v1", "configmaps"),
    "RayCluster": ("ray.io", "v1", "rayclusters"),
}


def review_of(document: Json, **given: Any) -> bytes:
    """One review: `kind`, `operation`, `old`, `sub`, `dry_run`, `namespace` and `uid` may be given."""
    kind = str(given.get("kind") or document.get("kind") or "Pod")
    group, version, plural = _KINDS[kind]
    request: Json = {
        "uid": given.get("uid", "705ab4f5-6393-11e8-b7cc-42010a800002"),
        "kind": {"group": group, "version": version, "kind": kind},
        "resource": {"group": group, "version": version, "resource": plural},
        "requestKind": {"group": group, "version": version, "kind": kind},
        "requestResource": {"group": group, "version": version, "resource": plural},
        "name": document["metadata"].get("name", ""),
        "namespace": given.get("namespace", "team"),
        "operation": given.get("operation", "CREATE"),
        "userInfo": {
            "username": "system:serviceaccount:kube-system:job-controller",
            "uid": "014fbff9a07c",
            "groups": ["system:serviceaccounts", "system:authenticated"],
        },
        "object": document,
        "oldObject": given.get("old"),
        "dryRun": given.get("dry_run", False),
        "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
    }
    if "sub" in given:
        request["subResource"] = given["sub"]
    review = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}
    return json.dumps(review).encode()


def request_of(document: Json, **given: Any) -> AdmissionRequest:
    return parse_review(review_of(document, **given))


def picture(**given: Any) -> GatePicture:
    """Run `r` open, run `shut` shut, for another minute; mode block-new."""
    runs = (
        RunGate(run="r", licence="L-1", is_open=True),
        RunGate(
            run="shut",
            licence="L-2",
            is_open=False,
            rule="lease/ended",
            reason="its lease ended at noon",
            remedy="ask for a lease",
        ),
    )
    return GatePicture(
        host="cluster-1",
        mode=given.get("mode", "block-new"),
        written=given.get("written", NOW.plus(-60)),
        until=given.get("until", NOW.plus(60)),
        runs=given.get("runs", runs),
    )


def judged(document: Json, shown: GatePicture | None = None, **given: Any) -> AdmissionVerdict:
    """The verdict on one review, `picture()` being shown unless another one is given."""
    rules = given.pop("rules", RULES)
    advise = given.pop("advise", False)
    request = request_of(document, **given)
    return judge_admission(request, shown or picture(), NOW, rules, advise=advise)


def owning(kind: str, template: Json, name: str = "w") -> Json:
    """A workload of a kind around a pod template."""
    pod = {"metadata": {"labels": template["metadata"]["labels"]}, "spec": template["spec"]}
    spec: Json = {"template": pod}
    if kind == "CronJob":
        spec = {"schedule": "0 0 * * *", "jobTemplate": {"spec": spec}}
    group, version, _ = _KINDS[kind]
    return {
        "apiVersion": f"{group}/{version}".lstrip("/"),
        "kind": kind,
        "metadata": {"name": name, "namespace": "team"},
        "spec": spec,
    }


def bare(**given: Any) -> Json:
    """A pod as it stands at admission: no node, no status; `generate` gives it a name prefix instead of a name."""
    document = pod_document(**({"node": ""} | given))
    del document["status"]
    document["metadata"]["creationTimestamp"] = str(given.get("created", NOW))
    if "generate" in given:
        del document["metadata"]["name"]
        document["metadata"]["generateName"] = given["generate"]
    return document


def with_container(document: Json, field: str, container: Json) -> Json:
    """The same pod with one container more."""
    changed: Json = json.loads(json.dumps(document))
    changed["spec"].setdefault(field, []).append({"image": "x:1"} | container)
    return changed
