"""The audit behind the gate: accelerator pods that run without a licence, however they came in.

A webhook can be down, a policy misconfigured, a namespace exempt, a pod admitted a moment before the pause, a label
changed where no gate looked. So all pods are listed and judged again, by the same readings. A finding names a pod and a
rule; what is done about it is the charter's word (`busy_without_lease`), carried out by `answer_stray`, and only where
the licence's mode stops running work, at the second look in a row. The agent's own run is left to its driver, exempt
namespaces to whoever looks after the cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

import msgspec

from sekisho.adapters.schedulers.kubernetes.api import Api, Document, Expired
from sekisho.adapters.schedulers.kubernetes.gate_config import load_shown
from sekisho.adapters.schedulers.kubernetes.holding import hold_owner
from sekisho.adapters.schedulers.kubernetes.pods import RUN_LABEL, PodView, label_of, view_pod
from sekisho.model.errors import InvalidInput, SekishoError, StateConflict, Unavailable
from sekisho.model.instants import Instant
from sekisho.ports.clock import Clock
from sekisho.ports.driver_settings import AcceleratorRules, KubernetesSettings
from sekisho.ports.gate import GatePicture

__all__ = ["KubernetesAudit", "PodBook", "Stray", "StrayAct", "answer_stray", "audit_pods"]

StrayAct = Literal["advise", "freeze", "stop"]

StrayRule = Literal[
    "audit/no-picture",
    "audit/stale",
    "audit/no-run",
    "audit/no-licence",
    "audit/shut",
    "audit/label-changed",
    "audit/exempt-namespace",
    "audit/static-pod",
    "audit/unreadable",
]
PODS: Final = "/api/v1/pods"
NAMED_AT_ONCE: Final = 10
_CODES: Final[Mapping[StrayRule, str]] = {
    "audit/label-changed": "pod-relabelled",
    "audit/unreadable": "pod-unreadable",
}
# A picture that is old or shut says nothing of work that was let in: how that ends is its watchdog's matter.
_ANSWERED: Final = frozenset({"audit/no-run", "audit/no-licence", "audit/label-changed"})


class Stray(msgspec.Struct, frozen=True, kw_only=True):
    """An accelerator pod that should not run: which, by which rule, and in words. `pod` is None where unreadable."""

    called: str
    rule: StrayRule
    detail: str
    node: str = ""
    pod: PodView | None = None


class PodBook:
    """All pods of a cluster, kept by one listing and a watch after it, and the label that each was first seen with."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._version = ""
        self.documents: dict[str, Document] = {}
        self.first_labels: dict[str, str | None] = {}

    def list_all(self) -> None:
        """Begin anew from a whole listing."""
        listing = self._api.list_all(PODS)
        self.documents = {_uid(one): one for one in listing.items}
        self._version = listing.version
        self._remember()

    def follow(self, within_s: int) -> int:
        """Take in what changes for a while; how many changes. A lost place in history is listed anew."""
        if not self._version:
            self.list_all()
        heard = 0
        try:
            for what, document in self._api.watch(PODS, self._version, within_s=within_s):
                self._version = _version(document) or self._version
                heard += self._hear(what, document)
        except Expired:
            self.list_all()
        self._remember()
        return heard

    def _hear(self, what: str, document: Document) -> bool:
        if what == "BOOKMARK":
            return False
        if what == "DELETED":
            self.documents.pop(_uid(document), None)
        else:
            self.documents[_uid(document)] = document
        return True

    def _remember(self) -> None:
        for uid, document in self.documents.items():
            meta = document.get("metadata")
            labels = meta.get("labels") if isinstance(meta, dict) else None
            label = labels.get(RUN_LABEL) if isinstance(labels, dict) else None
            self.first_labels.setdefault(uid, label if isinstance(label, str) else None)
        for uid in self.first_labels.keys() - self.documents.keys():
            del self.first_labels[uid]


class KubernetesAudit:
    """A look at the whole cluster for the agent of one run, held against the gate's picture as it is shown there.

    `act` is what the charter in force says of work without a lease; without it strays are only named.
    """

    def __init__(
        self,
        api: Api,
        settings: KubernetesSettings,
        clock: Clock,
        act: Callable[[], StrayAct] = lambda: "advise",
    ) -> None:
        self._api = api
        self._settings = settings
        self._clock = clock
        self._act = act
        self._book = PodBook(api)
        self._shown: GatePicture | None = None
        self._before: frozenset[str] = frozenset()

    def look(self) -> dict[str, str]:
        """Findings by code, each naming its pods and what was done. Raises Unavailable without the API server."""
        found: dict[str, list[Stray]] = {}
        try:
            strays = self.strays()
        except SekishoError as error:
            raise Unavailable(f"the pods cannot be looked at: {error}") from None
        for stray in strays:
            code = _CODES.get(stray.rule, "busy-without-licence")
            found.setdefault(code, []).append(self._answer(stray))
        self._before = frozenset(stray.pod.uid for stray in strays if stray.pod is not None)
        return {code: _named(strays) for code, strays in found.items()}

    def strays(self) -> tuple[Stray, ...]:
        """All strays now. Raises what the API client raises."""
        self._book.list_all()
        self._shown = load_shown(self._api, self._settings.gate)
        return audit_pods(self._book, self._shown, self._clock.now(), self._settings)

    def _answer(self, stray: Stray) -> Stray:
        """The stray with what became of it in its words; a first look, or a mild mode, only names it."""
        act = self._act_on(stray)
        if act == "advise":
            return stray
        try:
            done = answer_stray(self._api, stray, act, self._settings.grace_s)
            said = _said(stray, act, done=done)
        except SekishoError as error:
            said = f"could not be answered: {error}"[:200]
        return msgspec.structs.replace(stray, detail=f"{stray.detail}: {said}")

    def _act_on(self, stray: Stray) -> StrayAct:
        pod, shown = stray.pod, self._shown
        if pod is None or stray.rule not in _ANSWERED or pod.uid not in self._before:
            return "advise"
        if pod.namespace in self._settings.exempt or pod.label == label_of(self._settings.run):
            return "advise"
        counts = shown is not None and shown.until > self._clock.now()
        if not counts or shown is None or shown.mode in ("advise", "block-new"):
            return "advise"
        return self._act()


def audit_pods(
    book: PodBook, picture: GatePicture | None, now: Instant, rules: AcceleratorRules
) -> tuple[Stray, ...]:
    """Every live accelerator pod that the gate, as shown now, would not let in. Pods without devices are no matter.

    A pod that is ending already is no stray: whether it does end is the driver's to watch.
    """
    strays = []
    for uid, document in sorted(book.documents.items()):
        try:
            pod = view_pod(document, rules)
        except InvalidInput as error:
            strays.append(Stray(called=uid[:80], rule="audit/unreadable", detail=str(error)[:300]))
            continue
        rule = _judge(pod, book.first_labels.get(uid), picture, now, rules)
        if rule is not None:
            strays.append(_stray(pod, rule))
    return tuple(strays)


def answer_stray(api: Api, stray: Stray, act: StrayAct, grace_s: int) -> bool:
    """Do what the charter says about a stray; True where something was done.

    `freeze`: the Job behind it is suspended; a pod without a Job goes on, since nothing here freezes it. `stop`: the
    Job, and the pod is deleted with grace. Only strays without a licence are answered: never a static pod, which
    cannot be stopped from here, nor one in an exempt namespace.
    """
    pod = stray.pod
    if act == "advise" or pod is None or pod.is_mirror or stray.rule not in _ANSWERED:
        return False
    held = hold_owner(api, pod, "freeze" if act == "freeze" else "kill")
    if act == "freeze":
        return held
    try:
        api.delete(pod.path, uid=pod.uid, grace_s=max(min(pod.grace_s, grace_s), 1))
    except StateConflict:
        return held  # gone already, or another pod of that name
    return True


def _said(stray: Stray, act: StrayAct, *, done: bool) -> str:
    if act == "stop":
        return "it is asked to end" if done else "it is gone already"
    if done:
        return "its Job is suspended"
    has_job = stray.pod is not None and stray.pod.owner.startswith("Job/")
    return "its Job is suspended already, or gone" if has_job else "no Job to suspend, it goes on"


def _named(strays: list[Stray]) -> str:
    shown = "; ".join(f"{one.detail} [{one.rule}]" for one in strays[:NAMED_AT_ONCE])
    more = f"; and {len(strays) - NAMED_AT_ONCE} more" if len(strays) > NAMED_AT_ONCE else ""
    return f"{len(strays)} pods: {shown}{more}"[:4000]


def _judge(
    pod: PodView,
    first_label: str | None,
    picture: GatePicture | None,
    now: Instant,
    rules: AcceleratorRules,
) -> StrayRule | None:
    if not pod.needs or not pod.is_live or pod.terminating:
        return None
    if pod.namespace in rules.exempt:
        asks = any(need.way in ("asked", "claimed") for need in pod.needs)
        return "audit/exempt-namespace" if asks else None
    if pod.is_mirror:
        return "audit/static-pod"
    if first_label is not None and pod.label != first_label:
        return "audit/label-changed"
    return _judge_run(pod, picture, now)


def _judge_run(pod: PodView, picture: GatePicture | None, now: Instant) -> StrayRule | None:
    if picture is None:
        return "audit/no-picture"
    if picture.until <= now:
        return "audit/stale"
    if pod.label is None:
        return "audit/no-run"
    gate = next((one for one in picture.runs if label_of(one.run) == pod.label), None)
    if gate is None:
        return "audit/no-licence"
    # Where a shut gate only keeps new work out, work that was let in while it was open may go on.
    goes_on = picture.mode in ("advise", "block-new")
    return None if gate.is_open or goes_on else "audit/shut"


def _stray(pod: PodView, rule: StrayRule) -> Stray:
    ways = ", ".join(f"{need.way} {need.detail}".strip() for need in pod.needs[:3])
    return Stray(
        called=pod.called,
        rule=rule,
        node=pod.node,
        detail=f"pod {pod.called} on {pod.node or 'no node yet'} reaches devices ({ways})"[:400],
        pod=pod,
    )


def _uid(document: Document) -> str:
    meta = document.get("metadata")
    uid = meta.get("uid") if isinstance(meta, dict) else None
    if not isinstance(uid, str) or not uid:
        raise InvalidInput("has no uid", path="metadata.uid")
    return uid


def _version(document: Document) -> str:
    meta = document.get("metadata")
    return str(meta.get("resourceVersion", "")) if isinstance(meta, dict) else ""
