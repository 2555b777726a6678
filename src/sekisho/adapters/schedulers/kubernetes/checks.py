"""What is missing in a cluster for the gate to hold: looked at from outside, one verdict a piece.

`holds`: it is there as the manifests make it. `fails`: it is not, or it would let pods in. `unverifiable`: nobody
answered, or we may not look. What an API server really does with a pod is not tried here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from sekisho.adapters.schedulers.kubernetes.api import Api, Document, Missing
from sekisho.adapters.schedulers.kubernetes.gate_config import PICTURE, POLICY_PATH, parse_picture
from sekisho.adapters.schedulers.kubernetes.manifests import GATE, NAMESPACE, POLICY, WEBHOOK
from sekisho.adapters.schedulers.kubernetes.pods import is_device
from sekisho.adapters.schedulers.kubernetes.policy import reaches_devices
from sekisho.model.errors import InvalidInput, SekishoError, Unavailable
from sekisho.model.instants import Instant
from sekisho.ports.driver_settings import AcceleratorRules

__all__ = ["ClusterCheck", "check_cluster"]

_REGISTRATION: Final = "/apis/admissionregistration.k8s.io/v1"
_APPLY: Final = "apply what `sekisho agent kubernetes manifests` prints"
_OWN_DOMAINS: Final = ("kubernetes.io/", "hugepages-")


class ClusterCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One piece: its verdict, what was found, and what helps."""

    name: str
    verdict: Literal["holds", "fails", "unverifiable"]
    detail: str
    remedy: str = ""


def check_cluster(api: Api, now: Instant, rules: AcceleratorRules) -> tuple[ClusterCheck, ...]:
    """All pieces, in the order in which a pod meets them. Raises Unavailable where the API server answers to none."""
    looks: dict[str, Callable[[], tuple[str, str]]] = {
        "policy": lambda: _policy(api, rules),
        "binding": lambda: _binding(api),
        "webhook": lambda: _webhook(api, rules),
        "picture": lambda: _picture(api, now),
        "resources": lambda: _resources(api, rules),
    }
    away: list[Unavailable] = []
    checks = tuple(_named(name, look, away) for name, look in looks.items())
    if len(away) == len(checks):
        raise away[0]
    return checks


def _named(name: str, look: Callable[[], tuple[str, str]], away: list[Unavailable]) -> ClusterCheck:
    try:
        problem, remedy = look()
    except Missing:
        return ClusterCheck(name=name, verdict="fails", detail="is not there", remedy=_APPLY)
    except SekishoError as error:
        if isinstance(error, Unavailable):
            away.append(error)
        return ClusterCheck(name=name, verdict="unverifiable", detail=str(error)[:400])
    if problem:
        return ClusterCheck(name=name, verdict="fails", detail=problem, remedy=remedy)
    return ClusterCheck(name=name, verdict="holds", detail="as it should be")


def _policy(api: Api, rules: AcceleratorRules) -> tuple[str, str]:
    spec: Any = api.get(POLICY_PATH).get("spec") or {}
    if spec.get("failurePolicy", "Fail") != "Fail":
        return "its failurePolicy is not Fail: an error lets pods in", _APPLY
    conditions = [one.get("expression") for one in spec.get("matchConditions") or []]
    if conditions != [reaches_devices("object.spec", rules)]:
        return "it looks for other devices than these rules", _APPLY
    return "", ""


def _binding(api: Api) -> tuple[str, str]:
    path = f"{_REGISTRATION}/validatingadmissionpolicybindings/{POLICY}"
    spec: Any = api.get(path).get("spec") or {}
    if spec.get("policyName") != POLICY:
        return "it binds another policy", _APPLY
    if "Deny" not in (spec.get("validationActions") or []):
        return "it warns and refuses nothing (mode advise)", "apply the manifests of a higher mode"
    if spec.get("matchResources"):
        return "it is narrowed to some namespaces or objects", "take `matchResources` away"
    return "", ""


def _webhook(api: Api, rules: AcceleratorRules) -> tuple[str, str]:
    path = f"{_REGISTRATION}/validatingwebhookconfigurations/{WEBHOOK}"
    hooks: Any = api.get(path).get("webhooks") or []
    pods = next((one for one in hooks if str(one.get("name", "")).startswith("pods.")), None)
    if pods is None:
        return "it does not ask for pods", _APPLY
    if pods.get("failurePolicy") != "Fail":
        return "its failurePolicy is not Fail: with the webhook down pods get in", _APPLY
    if [one.get("expression") for one in pods.get("matchConditions") or []] != [
        reaches_devices("object.spec", rules)
    ]:
        return (
            "it asks for other pods than these rules; without a condition it would ask for all",
            _APPLY,
        )
    if pods.get("objectSelector"):
        return "a label on a pod keeps it from being asked for", "take `objectSelector` away"
    exempt = _exempt(pods)
    if exempt != set(rules.exempt):
        names = ", ".join(sorted(map(str, exempt)))
        return f"namespaces left out: {names or 'none'}", "leave out only what the rules name"
    return "", ""


def _exempt(hook: Any) -> set[Any]:
    selector = hook.get("namespaceSelector") or {}
    rows = selector.get("matchExpressions") or []
    if selector.get("matchLabels") or len(rows) > 1:
        return {"some that a label chooses"}
    found: set[Any] = set()
    for row in rows:
        if (row.get("key"), row.get("operator")) != ("kubernetes.io/metadata.name", "NotIn"):
            return {"some that a label chooses"}
        found |= set(row.get("values") or [])
    return found


def _picture(api: Api, now: Instant) -> tuple[str, str]:
    data: Any = api.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/{GATE}").get("data") or {}
    if PICTURE not in data:
        return "no agent has shown one yet: every gate is shut", "start the agent"
    try:
        shown = parse_picture(str(data[PICTURE]).encode())
    except InvalidInput as error:
        return f"it cannot be read: {error}", "see who else writes this ConfigMap"
    if shown.until <= now:
        return f"it was good until {shown.until}: every gate is shut", "see whether the agent runs"
    return "", ""


def _resources(api: Api, rules: AcceleratorRules) -> tuple[str, str]:
    """Extended resources that nodes offer and the rules do not know: an accelerator nobody asks about."""
    offered = {name for node in api.list_all("/api/v1/nodes").items for name in _offered(node)}
    missed = sorted(name for name in offered if not is_device(name, rules.resources))
    if missed:
        return f"nodes offer what the rules do not name: {', '.join(missed)[:200]}", (
            "name them with --resource if they are accelerators"
        )
    return "", ""


def _offered(node: Document) -> list[str]:
    status: Any = node.get("status") or {}
    names = [str(name) for name in status.get("allocatable") or {}]
    return [name for name in names if "/" in name and not name.startswith(_OWN_DOMAINS)]
