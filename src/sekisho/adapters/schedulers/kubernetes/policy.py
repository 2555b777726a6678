"""The admission's rules once more, as CEL for the API server itself: the net that holds with the webhook down.

The gate's picture stands in the policy as literals, which the agent writes anew with each picture. Parameters would
be the obvious way and are not used: an API server looks for a missing parameter before it looks at the pod, so that
`Deny` there refuses every pod of the cluster, and ConfigMaps as parameters have been seen to get lost
(kubernetes/kubernetes issue 130887). CEL has no clock; a fresh pod's `creationTimestamp` is set by the API server
before it validates, so it stands for now. An update has no such instant: it is held to its label, and to the gate
where it adds containers. The expressions are generated, and tested with a small reader of our own; no CEL engine has
run them here.
Source: Kubernetes, ValidatingAdmissionPolicy (admissionregistration.k8s.io/v1), CEL in Kubernetes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from sekisho.adapters.schedulers.kubernetes.api import Document
from sekisho.adapters.schedulers.kubernetes.pods import (
    NO_DEVICES,
    RUN_LABEL,
    VISIBLE,
    label_of,
    plain_path,
)
from sekisho.model.instants import Instant
from sekisho.model.statements import Mode
from sekisho.model.wire import JsonValue
from sekisho.ports.driver_settings import AcceleratorRules
from sekisho.ports.gate import GatePicture, RunGate

__all__ = ["ShownGate", "policy_spec", "policy_variables", "reaches_devices", "shown_gate"]

_LISTS: Final = ("containers", "initContainers", "ephemeralContainers")


class ShownGate(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy is told: `gates` maps a run's label to `open` or to what a person reads."""

    mode: Mode
    until: Instant
    gates: Mapping[str, str] = {}


def shown_gate(picture: GatePicture) -> ShownGate:
    """A picture as the policy is told of it."""
    gates = {label_of(run.run): _told(run) for run in picture.runs}
    return ShownGate(mode=picture.mode, until=picture.until, gates=gates)


def reaches_devices(spec: str, rules: AcceleratorRules) -> str:
    """A CEL expression that is true of a pod spec, named by the expression `spec`, that reaches accelerators."""
    ways = [_asks(spec, rules), _claims(spec)]
    others = [_mounts(spec, rules)]
    if rules.privileged:
        others.append(_privileged(spec))
    if rules.device_runtimes:
        others.append(_environment(spec, rules))
    exempt = f"!(request.namespace in {_cel(rules.exempt)})"
    return f"({' || '.join(ways)} || ({exempt} && ({' || '.join(others)})))"


def policy_spec(rules: AcceleratorRules, gate: ShownGate) -> Document:
    """The spec of the ValidatingAdmissionPolicy over pods."""
    return {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": ["pods", "pods/ephemeralcontainers", "pods/resize"],
                }
            ]
        },
        "matchConditions": [
            {"name": "reaches-devices", "expression": reaches_devices("object.spec", rules)}
        ],
        "variables": policy_variables(rules, gate),
        "validations": _validations(),
    }


def policy_variables(rules: AcceleratorRules, gate: ShownGate) -> list[JsonValue]:
    """The policy's variables: the first three are the picture, and change with it."""
    named = {
        "mode": _cel(gate.mode),
        "until": f"timestamp({_cel(str(gate.until))})",
        "gates": _cel(gate.gates),
        "run": _label("object"),
        "was": f"request.operation == 'UPDATE' ? {_label('oldObject')} : ''",
        "had": f"request.operation == 'UPDATE' && {reaches_devices('oldObject.spec', rules)}",
        "adds": f"request.operation == 'CREATE' || !variables.had || {_more()}",
    }
    return [{"name": name, "expression": text} for name, text in named.items()]


def _validations() -> list[JsonValue]:
    fresh = (
        "request.operation != 'CREATE' || "
        "timestamp(object.metadata.creationTimestamp) < variables.until"
    )
    is_open = (
        "!variables.adds || "
        "(variables.run in variables.gates && variables.gates[variables.run] == 'open')"
    )
    told = (
        "'sekisho ' + (variables.run == '' ? "
        f"'gate/no-run: the pod reaches devices and carries no label {RUN_LABEL}' : "
        "variables.run in variables.gates ? variables.gates[variables.run] : "
        "'gate/no-licence: run ' + variables.run + ' has no licence here')"
    )
    kept = "request.operation != 'UPDATE' || !variables.had || variables.run == variables.was"
    return [
        _validation(kept, message="sekisho gate/label-changed: a pod on devices keeps its run"),
        _validation(fresh, message="sekisho gate/stale: the agent has not been heard for too long"),
        {
            **_validation(is_open, message="sekisho gate/shut: the run may not start work"),
            "messageExpression": told,
        },
    ]


def _validation(expression: str, *, message: str) -> Document:
    """In advise mode all hold: what would have been refused is the webhook's to say."""
    return {
        "expression": f"variables.mode == 'advise' || ({expression})",
        "message": message,
        "reason": "Forbidden",
    }


def _more() -> str:
    """Whether an update brings containers, counted; images may change, names may not be taken away."""
    return " || ".join(f"{_size('object', name)} > {_size('oldObject', name)}" for name in _LISTS)


def _size(root: str, name: str) -> str:
    return f"(has({root}.spec.{name}) ? {root}.spec.{name}.size() : 0)"


def _label(root: str) -> str:
    labels = f"{root}.metadata.labels"
    return f"(has({labels}) && '{RUN_LABEL}' in {labels} ? {labels}['{RUN_LABEL}'] : '')"


def _any_container(spec: str, body: str) -> str:
    parts = [f"(has({spec}.{name}) && {spec}.{name}.exists(c, {body}))" for name in _LISTS]
    return f"({' || '.join(parts)})"


def _asks(spec: str, rules: AcceleratorRules) -> str:
    names = " || ".join(
        f"k.startsWith({_cel(name[:-1])})" if name.endswith("*") else f"k == {_cel(name)}"
        for name in rules.resources
    )

    def wants(owner: str) -> str:
        return " || ".join(
            f"(has({owner}.resources) && has({owner}.resources.{field}) && "
            f"{owner}.resources.{field}.exists(k, ({names}) && "
            f"string({owner}.resources.{field}[k]) != '0'))"
            for field in ("limits", "requests")
        )

    return f"({_any_container(spec, wants('c'))} || {wants(spec)})"


def _claims(spec: str) -> str:
    of_container = "has(c.resources) && has(c.resources.claims) && c.resources.claims.size() > 0"
    of_pod = f"(has({spec}.resourceClaims) && {spec}.resourceClaims.size() > 0)"
    return f"({of_pod} || {_any_container(spec, of_container)})"


def _mounts(spec: str, rules: AcceleratorRules) -> str:
    """Host paths, block devices and device lists of any container, by the same readings of a path."""
    host = f"has(v.hostPath) && {_reaches('v.hostPath.path', rules)}"
    block = f"has(c.volumeDevices) && c.volumeDevices.exists(d, {_reaches('d.devicePath', rules)})"
    volumes = f"(has({spec}.volumes) && {spec}.volumes.exists(v, {host}))"
    ways = [volumes, _any_container(spec, block)]
    if rules.device_lists:
        named = " || ".join(f"m.mountPath.contains({_cel(name)})" for name in rules.device_lists)
        mount = f"has(c.volumeMounts) && c.volumeMounts.exists(m, has(m.mountPath) && ({named}))"
        ways.append(_any_container(spec, mount))
    return f"({' || '.join(ways)})"


def _reaches(path: str, rules: AcceleratorRules) -> str:
    """A device's path, one below it, a folder above it (`/dev`, `/`), or an odd one: as `pods` reads them."""
    devices = [plain_path(device) for device in rules.device_paths]
    above = sorted({parent for device in devices for parent in _above(device)})
    ways = [f"!has({path})", f"!{path}.startsWith('/')"]
    ways += [f"{path}.contains({_cel(part)})" for part in ("//", "/./", "/../")]
    ways += [f"{path}.endsWith({_cel(part)})" for part in ("/.", "/..")]
    ways += [f"{path} in {_cel(above)}"] if above else []
    ways += [f"{path}.startsWith({_cel(device)})" for device in devices]
    return f"({' || '.join(ways)})"


def _privileged(spec: str) -> str:
    body = (
        "has(c.securityContext) && has(c.securityContext.privileged) && "
        "c.securityContext.privileged == true"
    )
    return _any_container(spec, body)


def _environment(spec: str, rules: AcceleratorRules) -> str:
    """A device runtime, unless every container sets each variable literally to none: images and `envFrom` set them."""
    is_none = f"!has(e.valueFrom) && (!has(e.value) || e.value in {_cel(NO_DEVICES)})"
    shut = " && ".join(
        f"c.env.exists(e, e.name == {_cel(name)} && {is_none}) && "
        f"!c.env.exists(e, e.name == {_cel(name)} && !({is_none}))"
        for name in VISIBLE
    )
    runtime = (
        f"has({spec}.runtimeClassName) && {spec}.runtimeClassName in {_cel(rules.device_runtimes)}"
    )
    return f"({runtime} && {_any_container(spec, f'!(has(c.env) && {shut})')})"


def _above(path: str) -> list[str]:
    """`/dev/nvidia` has `/dev`, `/dev/` and `/` above it."""
    parts = [part for part in path.split("/") if part][:-1]
    found = ["/"]
    for depth in range(1, len(parts) + 1):
        folder = "/" + "/".join(parts[:depth])
        found += [folder, folder + "/"]
    return found


def _told(run: RunGate) -> str:
    if run.is_open:
        return "open"
    text = f"{run.rule or 'gate/shut'}: {run.reason or 'its gate is shut'}; {run.remedy}"
    return "".join(sign if sign.isprintable() else " " for sign in text.rstrip("; "))[:600]


def _cel(value: str | Sequence[str] | Mapping[str, str]) -> str:
    """A literal of CEL, in single quotes, since the whole stands in JSON and YAML."""
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_cel(k)}: {_cel(v)}" for k, v in sorted(value.items())) + "}"
    return "[" + ", ".join(_cel(one) for one in value) + "]"
