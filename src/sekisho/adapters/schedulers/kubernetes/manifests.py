"""What a cluster is given: namespace, rights, gate, webhook, policy, agent; as documents that `kubectl apply` takes.

Rights are the least that works: the webhook's pods have none and no token; the agent may list pods and delete them,
change Jobs and Kueue's objects, and write one ConfigMap. It can create nothing, read no secret and enter no container.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from sekisho.adapters.schedulers.kubernetes.api import Document
from sekisho.adapters.schedulers.kubernetes.policy import ShownGate, policy_spec, reaches_devices
from sekisho.model.instants import Instant
from sekisho.model.statements import Mode
from sekisho.model.wire import JsonValue
from sekisho.ports.driver_settings import AcceleratorRules

__all__ = ["GATE", "NAMESPACE", "POLICY", "WEBHOOK", "ManifestSettings", "make_manifests"]

NAMESPACE: Final = "sekisho-system"
GATE: Final = "sekisho-gate"
WEBHOOK: Final = "sekisho-webhook"
AGENT: Final = "sekisho-agent"
POLICY: Final = "sekisho-gate"
CERTIFICATE: Final = "sekisho-webhook-tls"
PORT: Final = 8443
_REGISTRATION: Final = "admissionregistration.k8s.io/v1"
_RBAC: Final = "rbac.authorization.k8s.io"


class ManifestSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`image` holds this program; `ca_bundle` is the base64 of the CA that signed the webhook's certificate."""

    image: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
    ca_bundle: str = ""
    mode: Mode = "block-new"
    rules: AcceleratorRules = AcceleratorRules()
    kueue: bool = True


def make_manifests(settings: ManifestSettings) -> tuple[Document, ...]:
    """All documents, in an order in which they can be applied: what refuses comes last, when what answers is there."""
    return (
        _namespace(),
        _account(AGENT),
        _account(WEBHOOK),
        *_agent_rights(kueue=settings.kueue),
        _gate(),
        *_webhook(settings),
        _agent(settings),
        _policy(settings),
        _binding(settings),
        _configuration(settings),
    )


def _meta(name: str, *, namespaced: bool = True, labels: Document | None = None) -> Document:
    meta: Document = {
        "name": name,
        "labels": {"app.kubernetes.io/name": "sekisho", **(labels or {})},
    }
    return meta | {"namespace": NAMESPACE} if namespaced else meta


def _namespace() -> Document:
    enforced: Document = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": _meta(NAMESPACE, namespaced=False, labels=enforced),
    }


def _account(name: str) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": _meta(name),
        "automountServiceAccountToken": False,
    }


def _agent_rights(*, kueue: bool) -> tuple[Document, ...]:
    rules: list[JsonValue] = [
        _right("", ["pods"], ["get", "list", "watch", "patch", "delete"]),
        _right("", ["nodes"], ["list"]),
        _right("batch", ["jobs"], ["get", "list", "patch"]),
        _right(
            "admissionregistration.k8s.io",
            [
                "validatingwebhookconfigurations",
                "validatingadmissionpolicies",
                "validatingadmissionpolicybindings",
            ],
            ["get"],
        ),
    ]
    if kueue:
        rules.append(
            _right(
                "kueue.x-k8s.io",
                ["workloads", "localqueues", "clusterqueues"],
                ["get", "list", "patch"],
            )
        )
    own_policy = _right("admissionregistration.k8s.io", ["validatingadmissionpolicies"], ["patch"])
    rules.append(own_policy | {"resourceNames": [POLICY]})
    of_gate = _right("", ["configmaps"], ["get", "patch"]) | {"resourceNames": [GATE]}
    return (
        _role("ClusterRole", rules),
        _role_binding("ClusterRole"),
        _role("Role", [of_gate]),
        _role_binding("Role"),
    )


def _right(group: str, resources: list[JsonValue], verbs: list[JsonValue]) -> Document:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


def _role(kind: str, rules: list[JsonValue]) -> Document:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": kind,
        "metadata": _meta(AGENT, namespaced=kind == "Role"),
        "rules": rules,
    }


def _role_binding(kind: str) -> Document:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": f"{kind}Binding",
        "metadata": _meta(AGENT, namespaced=kind == "Role"),
        "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": AGENT},
        "subjects": [{"kind": "ServiceAccount", "name": AGENT, "namespace": NAMESPACE}],
    }


def _gate() -> Document:
    """Without data, so that the webhook finds no picture before an agent has spoken."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _meta(GATE)}


def _webhook(settings: ManifestSettings) -> tuple[Document, ...]:
    labels: Document = {"app.kubernetes.io/component": "webhook"}
    arguments: list[JsonValue] = [
        "agent",
        "webhook",
        "--gate=/gate/picture.json",
        "--cert=/tls/tls.crt",
        "--key=/tls/tls.key",
        "--bind=0.0.0.0",
        f"--port={PORT}",
        *(["--advise"] if settings.mode == "advise" else []),
    ]
    container = _container("webhook", settings.image, arguments) | {
        "ports": [{"containerPort": PORT, "name": "https"}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "https", "scheme": "HTTPS"}},
        "volumeMounts": [
            {"name": "gate", "mountPath": "/gate", "readOnly": True},
            {"name": "tls", "mountPath": "/tls", "readOnly": True},
        ],
    }
    volumes: list[JsonValue] = [
        {"name": "gate", "configMap": {"name": GATE}},
        {"name": "tls", "secret": {"secretName": CERTIFICATE, "defaultMode": 0o440}},
    ]
    pod = _pod(WEBHOOK, container, volumes, token=False)
    deployment = _deployment(WEBHOOK, labels, pod, replicas=2, strategy="RollingUpdate")
    return deployment, _webhook_door(labels), _budget(labels)


def _webhook_door(labels: Document) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _meta(WEBHOOK),
        "spec": {"selector": labels, "ports": [{"port": 443, "targetPort": PORT, "name": "https"}]},
    }


def _budget(labels: Document) -> Document:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _meta(WEBHOOK),
        "spec": {"minAvailable": 1, "selector": {"matchLabels": labels}},
    }


def _agent(settings: ManifestSettings) -> Document:
    """One agent with one memory: `Recreate`, so that no second one starts while the first still writes."""
    labels: Document = {"app.kubernetes.io/component": "agent"}
    arguments: list[JsonValue] = ["agent", "run", "--driver=kubernetes", "--home=/home/agent"]
    container = _container("agent", settings.image, arguments) | {
        "volumeMounts": [
            {"name": "home", "mountPath": "/home/agent"},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  # inside the container
        ],
    }
    volumes: list[JsonValue] = [
        {"name": "home", "persistentVolumeClaim": {"claimName": "sekisho-agent-home"}},
        {"name": "tmp", "emptyDir": {}},
    ]
    pod = _pod(AGENT, container, volumes, token=True)
    return _deployment(AGENT, labels, pod, replicas=1, strategy="Recreate")


def _pod(account: str, container: Document, volumes: list[JsonValue], *, token: bool) -> Document:
    return {
        "serviceAccountName": account,
        "automountServiceAccountToken": token,
        "priorityClassName": "system-cluster-critical",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": volumes,
    }


def _container(name: str, image: str, arguments: list[JsonValue]) -> Document:
    return {
        "name": name,
        "image": image,
        "args": arguments,
        "resources": {
            "requests": {"cpu": "50m", "memory": "96Mi"},
            "limits": {"memory": "256Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _deployment(
    name: str, labels: Document, pod: Document, *, replicas: int, strategy: str
) -> Document:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _meta(name),
        "spec": {
            "replicas": replicas,
            "strategy": {"type": strategy},
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def _policy(settings: ManifestSettings) -> Document:
    """Shut until an agent speaks: `until` has passed and there is no run."""
    gate = ShownGate(mode="advise" if settings.mode == "advise" else "block-new", until=Instant(0))
    return {
        "apiVersion": _REGISTRATION,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": _meta(POLICY, namespaced=False),
        "spec": policy_spec(settings.rules, gate),
    }


def _binding(settings: ManifestSettings) -> Document:
    """No namespace is left out here: this net needs no pod of ours, so it cannot lock the cluster out of itself."""
    refuses = settings.mode != "advise"
    return {
        "apiVersion": _REGISTRATION,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": _meta(POLICY, namespaced=False),
        "spec": {
            "policyName": POLICY,
            "validationActions": ["Deny", "Audit"] if refuses else ["Warn", "Audit"],
        },
    }


def _configuration(settings: ManifestSettings) -> Document:
    """Fails closed where devices are reached, and nowhere else: the API server asks only for what matches."""
    refuses = settings.mode != "advise"
    pods = _hook(
        "pods",
        settings,
        fails="Fail" if refuses else "Ignore",
        condition=reaches_devices("object.spec", settings.rules),
        rules=[_matched("", ["pods", "pods/ephemeralcontainers", "pods/resize"])],
    )
    # An early answer for who submits: the pods that these make are asked for again, so nothing hangs on it.
    early = _hook(
        "workloads",
        settings,
        fails="Ignore",
        condition="has(object.spec.template) && has(object.spec.template.spec) && "
        + reaches_devices("object.spec.template.spec", settings.rules),
        rules=[
            _matched("apps", ["deployments", "statefulsets", "daemonsets"]),
            _matched("batch", ["jobs"]),
        ],
    )
    return {
        "apiVersion": _REGISTRATION,
        "kind": "ValidatingWebhookConfiguration",
        "metadata": _meta(WEBHOOK, namespaced=False),
        "webhooks": [pods, early],
    }


def _hook(
    name: str, settings: ManifestSettings, *, fails: str, condition: str, rules: list[JsonValue]
) -> Document:
    exempt: list[JsonValue] = list(settings.rules.exempt)
    return {
        "name": f"{name}.gate.sekisho.internal",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "timeoutSeconds": 5,
        "failurePolicy": fails,
        "matchPolicy": "Equivalent",
        "namespaceSelector": {
            "matchExpressions": [
                # The API server sets this label itself, so nobody labels a namespace out of the gate.
                {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": exempt}
            ]
        },
        "matchConditions": [{"name": "reaches-devices", "expression": condition}],
        "rules": rules,
        "clientConfig": {
            "caBundle": settings.ca_bundle,
            "service": {"name": WEBHOOK, "namespace": NAMESPACE, "path": "/admit", "port": 443},
        },
    }


def _matched(group: str, resources: list[JsonValue]) -> Document:
    return {
        "apiGroups": [group],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": resources,
        "scope": "Namespaced",
    }
