"""A cluster for tests: kmock's API server in a thread, and what a real cluster does behind one.

kmock stores objects and answers for them. Put on top here, from the Kubernetes API conventions: resource versions with
conflicts, pages with `continue` that expire, label selectors, watches from a version, deletion with grace and uid
preconditions, a Job controller that ends the pods of a suspended Job, and kubelets that end processes on the cluster's
own clock: `obedient` at SIGTERM, `deaf` at SIGKILL, `unreachable` never.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp.web
import httpx
import kmock

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.schedulers.kubernetes.api import Api
from sekisho.model.instants import Instant

JOBS = kmock.resource("batch", "v1", "jobs")
PODS = kmock.resource("", "v1", "pods")
Json = dict[str, Any]
BEGIN = Instant.parse("2026-11-01T00:00:00Z")


class ClusterClock:
    """The clock of driver and kubelets alike; `rest` is how a test lets time pass."""

    def __init__(self) -> None:
        self.elapsed = 1000.0

    def now(self) -> Instant:
        return BEGIN.plus(self.elapsed - 1000.0)

    def elapsed_s(self) -> float:
        return self.elapsed

    def boot_id(self) -> str:
        return "boot"

    def awake_s(self) -> float:
        return self.elapsed

    def rest(self, seconds: float) -> None:
        self.elapsed += seconds


class RealClock(ClusterClock):
    """The system's, for agents that are processes of their own."""

    @property
    def elapsed(self) -> float:
        return SystemClock().elapsed_s()

    @elapsed.setter
    def elapsed(self, _: float) -> None:
        """Time passes by itself."""

    def now(self) -> Instant:
        return SystemClock().now()


class Cluster(kmock.KubernetesEmulator):
    """One API server and its nodes. Fields may be set by a test at any time."""

    def begin(self, clock: ClusterClock, folder: Path) -> None:
        self.clock = clock
        self.folder = folder
        self.version = 100
        self.status: int | None = (
            None  # what every request is answered with, where the server is ill
        )
        self.conflicts = 0  # as many updates are refused next
        self.expires = 0  # as many pages are answered with 410 next
        self.horizon = 0  # watches from before this version are answered with 410
        self.nodes: dict[str, str] = {}  # node -> obedient (default), deaf, unreachable
        self.history: list[tuple[int, str, Json]] = []
        self.asked: list[tuple[str, str]] = []
        self.graces: list[int | None] = []
        self.url_text = ""
        self._apis: list[Api] = []

    def api(self) -> Api:
        """A client of this cluster, closed with it."""
        self._apis.append(Api(self.url_text))
        return self._apis[-1]

    def leave(self) -> None:
        for api in self._apis:
            api.close()

    # --- what a test says --------------------------------------------------------------------

    def add(self, path: str, document: Json) -> Json:
        """Create an object through the API, as a user would."""
        answer = httpx.post(f"{self.url_text}{path}", json=document, timeout=5, trust_env=False)
        answer.raise_for_status()
        made: Json = answer.json()
        return made

    def found(self, path: str) -> Json | None:
        """The object as the API shows it; None where there is none."""
        answer = httpx.get(f"{self.url_text}{path}", timeout=5, trust_env=False)
        return answer.json() if answer.status_code == 200 else None

    def change(self, path: str, change: Json) -> None:
        """Patch an object, as somebody else than the driver."""
        httpx.patch(
            f"{self.url_text}{path}", json=change, timeout=5, trust_env=False
        ).raise_for_status()

    # --- what the server does ----------------------------------------------------------------

    async def _handle(self, request: kmock.Request) -> aiohttp.web.StreamResponse:
        self.asked.append((str(request.method.value), request.url.path))
        if self.status is not None:
            raise kmock.KubernetesError(status=self.status, message="the server is ill")
        self._let_kubelets_work()
        if request.resource is None or request.resource.plural is None:
            return await super()._handle(request)  # what kinds there are
        acts: dict[Any, Callable[[kmock.Request], Awaitable[aiohttp.web.StreamResponse]]] = {
            kmock.action.LIST: self._list,
            kmock.action.WATCH: self._watch,
            kmock.action.CREATE: self._create,
            kmock.action.UPDATE: self._update,
            kmock.action.DELETE: self._delete,
        }
        return await acts.get(request.action, super()._handle)(request)

    async def _list(self, request: kmock.Request) -> aiohttp.web.Response:
        query = request.params
        if "continue" in query and self.expires:
            self.expires -= 1
            raise kmock.KubernetesError(status=410, message="the continue token is too old")
        rows = [
            row
            for (resource, namespace, _), row in self._rows()
            if resource == request.resource
            and request.namespace in (None, namespace)
            and _is_selected(row, query.get("labelSelector", ""))
        ]
        begin = int(query.get("continue", "0"))
        limit = int(query.get("limit", "0")) or len(rows) or 1
        meta: Json = {"resourceVersion": str(self.version)}
        if begin + limit < len(rows):
            meta["continue"] = str(begin + limit)
        return _answer({"metadata": meta, "items": rows[begin : begin + limit]})

    async def _watch(self, request: kmock.Request) -> aiohttp.web.StreamResponse:
        after = int(request.params.get("resourceVersion", "0"))
        stream = aiohttp.web.StreamResponse(headers={"content-type": "application/json"})
        assert request._raw_request is not None
        await stream.prepare(request._raw_request)
        if after < self.horizon:
            gone = {"kind": "Status", "code": 410, "message": "too old resource version"}
            await stream.write(json.dumps({"type": "ERROR", "object": gone}).encode() + b"\n")
        else:
            for version, what, row in self.history:
                if version > after:
                    await stream.write(json.dumps({"type": what, "object": row}).encode() + b"\n")
        await stream.write_eof()
        return stream

    async def _create(self, request: kmock.Request) -> aiohttp.web.StreamResponse:
        meta = request.data.setdefault("metadata", {})
        self.version += 1
        meta.setdefault("namespace", request.namespace)
        meta.setdefault("uid", f"uid-{self.version}")
        meta["resourceVersion"] = str(self.version)
        self.history.append((self.version, "ADDED", dict(request.data)))
        return await super()._handle(request)

    async def _update(self, request: kmock.Request) -> aiohttp.web.StreamResponse:
        row = self._row(request)
        meta = request.data.get("metadata", {})
        wanted = meta.pop("resourceVersion", None)
        if self.conflicts:
            self.conflicts -= 1
            raise kmock.KubernetesError(status=409, reason="Conflict", message="it has changed")
        if wanted is not None and wanted != row["metadata"]["resourceVersion"]:
            raise kmock.KubernetesError(status=409, reason="Conflict", message="it has changed")
        self.version += 1
        request.data.setdefault("metadata", {})["resourceVersion"] = str(self.version)
        response = await super()._handle(request)
        self.history.append((self.version, "MODIFIED", self._row(request)))
        if request.resource == JOBS and self._row(request)["spec"].get("suspend"):
            self._end_pods_of(str(request.name))
        return response

    async def _delete(self, request: kmock.Request) -> aiohttp.web.Response:
        row = self._row(request)
        options = request.data or {}
        uid = options.get("preconditions", {}).get("uid")
        if uid is not None and uid != row["metadata"]["uid"]:
            raise kmock.KubernetesError(status=409, reason="Conflict", message="another uid")
        self.graces.append(options.get("gracePeriodSeconds"))
        self._terminate(request.namespace, str(request.name), options.get("gracePeriodSeconds"))
        return _answer(row)

    # --- what nodes and controllers do -------------------------------------------------------

    def _end_pods_of(self, job: str) -> None:
        for (resource, namespace, name), row in self._rows():
            owners = row["metadata"].get("ownerReferences", [])
            if resource == PODS and any(owner["name"] == job for owner in owners):
                self._terminate(namespace, name, None)

    def _terminate(self, namespace: str | None, name: str, grace: int | None) -> None:
        """A grace may only shrink; 0 takes the record away at once, whatever the node does."""
        pod = self.objects[PODS, namespace, name]
        row = dict(pod.raw)
        if not row["spec"].get("nodeName") or grace == 0:
            self._drop(namespace, name)
            return
        asked = row["spec"].get("terminationGracePeriodSeconds", 30) if grace is None else grace
        ends = self.clock.elapsed + asked
        ends = min(ends, row["metadata"].get("x-ends", ends))
        # What a kubelet keeps for itself stands in the object here; the driver reads none of it.
        pod.patch({"metadata": {"deletionTimestamp": str(self.clock.now()), "x-ends": ends}})

    def _let_kubelets_work(self) -> None:
        for (resource, namespace, name), row in self._rows():
            if resource != PODS or "deletionTimestamp" not in row["metadata"]:
                continue
            node = self.nodes.get(row["spec"].get("nodeName", ""), "obedient")
            over = self.clock.elapsed >= row["metadata"]["x-ends"]
            is_mirror = "kubernetes.io/config.mirror" in row["metadata"].get("annotations", {})
            if not is_mirror and (node == "obedient" or (node == "deaf" and over)):
                self._drop(namespace, name)

    def _drop(self, namespace: str | None, name: str) -> None:
        pod = self.objects[PODS, namespace, name]
        row = dict(pod.raw)
        pod.delete()
        self.version += 1
        self.history.append((self.version, "DELETED", row))

    def _rows(self) -> list[tuple[tuple[Any, str | None, str], Json]]:
        return [(key, dict(one.raw)) for key, one in list(self.objects.items()) if not one.deleted]

    def _row(self, request: kmock.Request) -> Json:
        wanted = (request.namespace, request.name)
        for (resource, namespace, name), row in self._rows():
            if resource == request.resource and (namespace, name) == wanted:
                return row
        raise kmock.KubernetesObjectNotFoundError


def _is_selected(row: Json, selector: str) -> bool:
    if not selector:
        return True
    key, asked, value = selector.partition("=")
    labels = row["metadata"].get("labels", {})
    return bool(labels.get(key) == value) if asked else key in labels


def _answer(document: Json) -> aiohttp.web.Response:
    return aiohttp.web.json_response(document)


@contextmanager
def cluster(folder: Path, clock: ClusterClock | None = None) -> Iterator[Cluster]:
    """A cluster for as long as the block lasts, its server on loopback; `folder` is the drivers'."""
    loop = asyncio.new_event_loop()
    ready: list[Cluster] = []
    begun, ended = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with Cluster() as one, kmock.Server(one) as server:
            one.begin(clock or ClusterClock(), folder)
            one.url_text = str(server.url).rstrip("/")
            ready.append(one)
            begun.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    if not begun.wait(60):
        raise RuntimeError("the cluster did not begin")
    try:
        yield ready[0]
    finally:
        ready[0].leave()
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()


# --- documents ---------------------------------------------------------------------------------


def pod_document(name: str = "p", **given: Any) -> Json:
    """A pod on one GPU of run `r`, bound to node `n1`; `spec`, `labels`, `owner`, `node` and more may be given."""
    gpus = given.get("gpus", 1)
    meta: Json = {"name": name, "namespace": given.get("namespace", "team"), "labels": {}}
    if given.get("run", "r") is not None:
        meta["labels"]["sekisho/run"] = given.get("run", "r")
    if "owner" in given:
        kind, _, owner = given["owner"].partition("/")
        meta["ownerReferences"] = [{"kind": kind, "name": owner, "controller": True, "uid": "o"}]
    meta["annotations"] = dict(given.get("annotations", {}))
    container: Json = {"name": "main", "image": "train:1"}
    if gpus:
        container["resources"] = {"limits": {"nvidia.com/gpu": str(gpus)}}
    spec: Json = {
        "containers": [container],
        "terminationGracePeriodSeconds": given.get("grace", 30),
    }
    if given.get("node", "n1"):
        spec["nodeName"] = given.get("node", "n1")
    status = {"phase": "Running", "containerStatuses": [{"state": {"running": {}}}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": spec | given.get("spec", {}),
        "status": given.get("status", status),
    }


def job_document(name: str = "j", *, run: str | None = "r", **spec: Any) -> Json:
    """A Job of run `r`; `labels` are its own, not its template's."""
    labels = {"sekisho/run": run} if run else {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": "team", "labels": labels | spec.pop("labels", {})},
        "spec": {"suspend": False, **spec},
    }
