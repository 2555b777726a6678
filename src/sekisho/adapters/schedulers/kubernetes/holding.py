"""How work is kept from running in a cluster, and let go again: Jobs suspended, Kueue's workloads and queues held.

What we hold carries the annotation `sekisho/held`, so that letting go touches nothing that a person had stopped.
Source: Kubernetes batch/v1 JobSpec.suspend (a suspended Job's pods are deleted with their grace; its start time is
reset); Kueue: Workload.spec.active, ClusterQueue and LocalQueue spec.stopPolicy (None, Hold, HoldAndDrain).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Literal

from sekisho.adapters.schedulers.kubernetes.api import Api, Document, Missing
from sekisho.adapters.schedulers.kubernetes.pods import RUN_LABEL, PodView, run_label
from sekisho.model.errors import SekishoError, StateConflict, Unavailable
from sekisho.ports.driver_settings import KueueQueue

__all__ = ["HELD", "Holder", "Manner", "held_manner", "hold_owner"]

HELD: Final = "sekisho/held"
KUEUE: Final = "/apis/kueue.x-k8s.io"
QUEUE_LABEL: Final = "kueue.x-k8s.io/queue-name"
TRIES: Final = 6
Manner = Literal["freeze", "kill"]
_Change = Callable[[Document], Document | None]


class Holder:
    """Holds what would make or restart pods of one run. Each act is idempotent, and done whatever else failed."""

    def __init__(self, api: Api, label: str, queues: tuple[KueueQueue, ...] = ()) -> None:
        self._api = api
        self._label = label
        self._queues = queues
        self._kueue: str | None = None

    def jobs(self, pods: Iterable[PodView] = ()) -> tuple[Document, ...]:
        """The run's Jobs: those that carry its label, and those that own a pod which does."""
        selector = f"{RUN_LABEL}={self._label}"
        found = {
            _path(job): job
            for job in self._api.list_all("/apis/batch/v1/jobs", labels=selector).items
        }
        for pod in pods:
            kind, _, name = pod.owner.partition("/")
            path = f"/apis/batch/v1/namespaces/{pod.namespace}/jobs/{name}"
            if kind == "Job" and path not in found:
                try:
                    found[path] = self._api.get(path)
                except Missing:
                    continue  # its owner is gone; the pod itself is ended below
        return tuple(found.values())

    def hold(self, pods: Iterable[PodView], manner: Manner) -> int:
        """Stop queues, workloads and Jobs of the run; how many were not held before.

        1. Queues first, so that nothing is admitted behind us. 2. Kueue's workloads, which would otherwise
        unsuspend their Job. 3. Jobs. A crash between leaves more stopped than running; the next call goes on.
        Raises the first error, after everything was tried.
        """
        jobs = self.jobs(pods)
        acts = [self._act(self._queue_path(queue), _drain_queue(manner)) for queue in self._queues]
        managed = any(QUEUE_LABEL in _labels(job) for job in jobs) or bool(self._queues)
        acts += [
            self._act(path, _deactivate(manner)) for path in self._workloads(jobs, managed=managed)
        ]
        acts += [self._act(_path(job), _suspend(manner)) for job in jobs]
        return _do_all(acts)

    def release(self) -> int:
        """Let go what we hold, in the opposite order; how much that was."""
        jobs = [job for job in self.jobs() if held_manner(job)]
        managed = any(QUEUE_LABEL in _labels(job) for job in jobs) or bool(self._queues)
        acts = [
            self._act(_path(job), _unsuspend) for job in jobs if QUEUE_LABEL not in _labels(job)
        ]
        acts += [self._act(_path(job), _forget) for job in jobs if QUEUE_LABEL in _labels(job)]
        acts += [self._act(path, _activate) for path in self._workloads(jobs, managed=managed)]
        acts += [self._act(self._queue_path(queue), _open_queue) for queue in self._queues]
        return _do_all(acts)

    def _act(self, path: str, change: _Change) -> Callable[[], bool]:
        return lambda: _change(self._api, path, change)

    def _workloads(
        self, jobs: tuple[Document, ...] | list[Document], *, managed: bool
    ) -> list[str]:
        """Kueue's workloads of the run: by their label, or because one of the run's Jobs owns them."""
        if not managed:
            return []
        owners = {str(_meta(job).get("uid")) for job in jobs}
        rows = self._api.list_all(f"{KUEUE}/{self._kueue_version()}/workloads").items
        return [
            f"{KUEUE}/{self._kueue_version()}/namespaces/{_meta(row)['namespace']}/workloads/{_meta(row)['name']}"
            for row in rows
            if run_label(row) == self._label or owners & _owner_uids(row)
        ]

    def _queue_path(self, queue: KueueQueue) -> str:
        root = f"{KUEUE}/{self._kueue_version()}"
        if queue.namespace is None:
            return f"{root}/clusterqueues/{queue.name}"
        return f"{root}/namespaces/{queue.namespace}/localqueues/{queue.name}"

    def _kueue_version(self) -> str:
        """The version that the cluster prefers: v1beta1 and v1beta2 are both in use."""
        if self._kueue is None:
            preferred = self._api.get(KUEUE).get("preferredVersion")
            version = preferred.get("version") if isinstance(preferred, dict) else None
            if not isinstance(version, str):
                raise Unavailable("Kueue's API names no version", remedy="is Kueue installed?")
            self._kueue = version
        return self._kueue


def hold_owner(api: Api, pod: PodView, manner: Manner) -> bool:
    """Suspend the Job that owns this pod, and no other; False where none does or it was suspended already."""
    kind, _, name = pod.owner.partition("/")
    if kind != "Job":
        return False
    return _change(api, f"/apis/batch/v1/namespaces/{pod.namespace}/jobs/{name}", _suspend(manner))


def _change(api: Api, path: str, change: _Change) -> bool:
    """Read, change, write under the version read; again where somebody was quicker. False where nothing to do."""
    for _ in range(TRIES):
        try:
            document = api.get(path)
            wanted = change(document)
            if wanted is None:
                return False
            version = _meta(document).get("resourceVersion")
            meta = _meta(wanted) | {"resourceVersion": version}
            api.patch(path, wanted | {"metadata": meta})
        except Missing:
            return False
        except StateConflict:
            continue
        else:
            return True
    raise Unavailable(f"{path} changed {TRIES} times under us", remedy="it is tried again")


def held_manner(document: Document) -> Manner | None:
    """How we hold this object; None where we do not."""
    annotations = _meta(document).get("annotations")
    value = annotations.get(HELD) if isinstance(annotations, dict) else None
    return "freeze" if value == "freeze" else "kill" if value == "kill" else None


def _do_all(acts: list[Callable[[], bool]]) -> int:
    done, failed = 0, None
    for act in acts:
        try:
            done += act()
        except SekishoError as error:
            failed = failed or error
    if failed is not None:
        raise failed
    return done


def _suspend(manner: Manner) -> _Change:
    def change(job: Document) -> Document | None:
        if _spec(job).get("suspend") is True or _is_finished(job):
            return None if held_manner(job) in (None, manner) else _mark(manner)
        return {"spec": {"suspend": True}, **_mark(manner)}

    return change


def _unsuspend(job: Document) -> Document | None:
    return {"spec": {"suspend": False}, **_mark(None)} if held_manner(job) else None


def _forget(document: Document) -> Document | None:
    return _mark(None) if held_manner(document) else None


def _deactivate(manner: Manner) -> _Change:
    def change(workload: Document) -> Document | None:
        if _spec(workload).get("active") is False:
            return None
        return {"spec": {"active": False}, **_mark(manner)}

    return change


def _activate(workload: Document) -> Document | None:
    return {"spec": {"active": True}, **_mark(None)} if held_manner(workload) else None


def _drain_queue(manner: Manner) -> _Change:
    def change(queue: Document) -> Document | None:
        if _spec(queue).get("stopPolicy") == "HoldAndDrain":
            return None
        return {"spec": {"stopPolicy": "HoldAndDrain"}, **_mark(manner)}

    return change


def _open_queue(queue: Document) -> Document | None:
    return {"spec": {"stopPolicy": "None"}, **_mark(None)} if held_manner(queue) else None


def _mark(manner: Manner | None) -> Document:
    return {"metadata": {"annotations": {HELD: manner}}}


def _is_finished(job: Document) -> bool:
    status = job.get("status")
    rows = status.get("conditions") if isinstance(status, dict) else None
    return any(
        isinstance(row, dict)
        and row.get("type") in ("Complete", "Failed")
        and row.get("status") == "True"
        for row in (rows if isinstance(rows, list) else [])
    )


def _path(job: Document) -> str:
    return f"/apis/batch/v1/namespaces/{_meta(job)['namespace']}/jobs/{_meta(job)['name']}"


def _meta(document: Document) -> Document:
    meta = document.get("metadata")
    return meta if isinstance(meta, dict) else {}


def _labels(document: Document) -> Document:
    labels = _meta(document).get("labels")
    return labels if isinstance(labels, dict) else {}


def _spec(document: Document) -> Document:
    spec = document.get("spec")
    return spec if isinstance(spec, dict) else {}


def _owner_uids(document: Document) -> set[str]:
    owners = _meta(document).get("ownerReferences")
    rows = owners if isinstance(owners, list) else []
    return {str(row.get("uid")) for row in rows if isinstance(row, dict)}
