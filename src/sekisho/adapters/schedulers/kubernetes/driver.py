"""The Kubernetes driver: a run as the pods of a cluster that carry its label, and the Jobs behind them.

Started, the run is *open*: what we held is let go, pods may come in, and what they hold is counted. Frozen or killed it
is closed. What Kubernetes can do, and what it cannot: nothing freezes a pod with its memory, so that every stop ends
processes (preStop hook, SIGTERM to the first process of each container, SIGKILL after the grace) and every going-on is
a new start from the work's own checkpoint. A pod counts as ended when the kubelet said so or when the API server has it
no more. It is never deleted with grace 0: that takes the record away without the kubelet's word, and a pod on a node
that nobody reaches would look ended while it computes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.schedulers.kubernetes.api import Api, Document, Missing, connect_api
from sekisho.adapters.schedulers.kubernetes.holding import Holder, Manner
from sekisho.adapters.schedulers.kubernetes.memory import DriverMemory
from sekisho.adapters.schedulers.kubernetes.pods import RUN_LABEL, PodView, label_of, view_pod
from sekisho.model.errors import InvalidInput, SekishoError, StateConflict, Unavailable
from sekisho.ports.clock import Clock
from sekisho.ports.driver import StopMeans, Workload, WorkloadReading
from sekisho.ports.driver_settings import KubernetesSettings

__all__ = ["CHECKPOINT", "KubernetesDriver"]

CHECKPOINT: Final = "sekisho/checkpoint"
SLACK_S: Final = 15.0  # lists, the Job controller, the kubelet's own round; stated, not measured
LAST_GRACE_S: Final = 1  # the shortest that still asks the kubelet
LOOK_EVERY_S: Final = 2.0
PAUSE_S: Final = 0.5
NAMED: Final = 5


class KubernetesDriver:
    """Implements ports.HeldDriver for the pods of one run; `folder` holds its own memory."""

    name = "kubernetes"

    def __init__(
        self,
        settings: KubernetesSettings,
        folder: Path,
        *,
        api: Api | None = None,
        clock: Clock | None = None,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        """Raises Corrupt where the memory cannot be read, InvalidInput where there is no API server to speak to."""
        self._settings = settings
        self._api = api or connect_api(settings.server, settings.token_file, settings.ca_file)
        self._clock = clock or SystemClock()
        self._rest = rest
        self._label = label_of(settings.run)
        self._holder = Holder(self._api, self._label, settings.queues)
        self._memory = DriverMemory(folder)
        self._pods: dict[str, PodView] = {}  # every pod that was once the run's, until it is gone
        self._asked: dict[str, float] = {}  # uid -> when we asked it to end
        self._hurried: set[str] = set()
        self._looked_at_s: float | None = None

    @property
    def stop_time_s(self) -> float:
        """The grace we give, the last second, and what the cluster's own rounds take, where nodes answer."""
        return self._settings.grace_s + LAST_GRACE_S + SLACK_S

    @property
    def workload(self) -> Workload | None:
        """The run; a cluster has no process to name."""
        return None if self.is_over() else self._workload()

    def is_over(self) -> bool:
        """Whether the run is closed and no pod of it is left, as last seen; looked at again every two seconds."""
        try:
            self._look(LOOK_EVERY_S)
        except SekishoError:
            return False  # what cannot be seen is not over
        return self._state() == "ended"

    def start(self, run: str, command: tuple[str, ...], environment: dict[str, str]) -> Workload:
        """Open the run: let go what we hold; the cluster's own scheduler starts pods.

        Raises InvalidInput for a command, an environment or another run: Jobs bring their own.
        """
        if run != self._settings.run:
            raise InvalidInput(
                f"these settings are for run {self._settings.run}", path="kubernetes.run"
            )
        if command or environment:
            raise InvalidInput(
                "the Kubernetes driver starts no command",
                path="command",
                remedy="leave it out; submit a Job with the label " + RUN_LABEL,
            )
        self._open_up()
        return self._workload()

    def read(self) -> WorkloadReading:
        """Pods of the run now, and the device-seconds that they have held (see `_count`).

        An open run is running, with pods or without: the gate lets them in. A closed one with pods is running, too.
        Raises Unavailable where the API server does not answer.
        """
        self._look(0.0)
        return WorkloadReading(
            state=self._state(),
            processes=len(self._live()),
            cpu_s=0.0,
            device_s=float(self._memory.known.settled),
        )

    def request_checkpoint(self) -> None:
        """Write the wish into each pod's annotation `sekisho/checkpoint`; no signal reaches a process by this.

        A process sees it where its pod mounts annotations through the downward API, after the kubelet's sync (about a
        minute). Without that its first word is SIGTERM at the stop. Raises StateConflict where no pod is left.
        """
        self._look(0.0)
        live = self._live()
        if not live:
            raise StateConflict("no pod of the run is left", remedy="there is nothing to ask")
        wish: Document = {"metadata": {"annotations": {CHECKPOINT: str(self._clock.now())}}}
        for pod in live:
            try:
                self._api.patch(pod.path, wish)
            except Missing:
                continue

    def freeze(self) -> StopMeans:
        """Suspend, and end what runs: there is no gentler stop here. Jobs go on at `thaw`, from their checkpoint."""
        return self._stop("freeze")

    def thaw(self) -> StopMeans:
        """Let go what we hold; pods start anew."""
        return "kubernetes-suspend" if self._open_up() else "none"

    def kill(self) -> StopMeans:
        """Suspend, and end what runs; Jobs stay suspended until a person lets them go on."""
        return self._stop("kill")

    def reap_leftovers(self) -> tuple[str, ...]:
        """Nothing here: pods outlive a watchdog, and what is found without a permit is `unpermitted`'s matter."""
        return ()

    def close(self) -> None:
        """Raises StateConflict while pods of the run are left."""
        if not self.is_over():
            raise StateConflict("pods of the run are left", remedy="kill them first")
        self._api.close()

    def relabelled(self) -> tuple[PodView, ...]:
        """Live pods that were the run's and carry another label now: still counted, still stopped."""
        return tuple(pod for pod in self._live() if pod.label != self._label)

    def _stop(self, manner: Manner) -> StopMeans:
        """1. Remember that the run is closed. 2. Hold what makes pods. 3. Ask each pod to end, and look again.

        Raises Unavailable where pods outlive `stop_time_s`, naming them: that is never a halt.
        """
        self._memory.keep(phase="frozen" if manner == "freeze" else "closed")
        self._look(0.0)
        begun, held, failed = self._clock.elapsed_s(), 0, None
        had = self._live()
        try:
            held = self._holder.hold(had, manner)
        except SekishoError as error:
            failed = error  # pods are ended all the same; what makes them is tried again by the next call
        while self._live() and self._clock.elapsed_s() - begun < self.stop_time_s:
            self._end_pods()
            self._look(0.0)
            if self._live():
                self._rest(PAUSE_S)
        self._say_what_is_left(failed)
        if not had and not held:
            return "none"
        bare = any(not pod.owner.startswith("Job/") for pod in had)
        return "kubernetes-delete" if bare or manner == "kill" else "kubernetes-suspend"

    def _open_up(self) -> int:
        """A crash between leaves an open run whose Jobs are still held: the next call lets them go."""
        self._memory.keep_first(phase="open")
        self._asked.clear()
        self._hurried.clear()
        return self._holder.release()

    def _state(self) -> Literal["running", "frozen", "ended"]:
        phase = self._memory.known.phase
        if phase == "open" or self._live():
            return "running"
        return "frozen" if phase == "frozen" else "ended"

    def _workload(self) -> Workload:
        return Workload(
            run=self._settings.run,
            root_pid=0,
            root_start_ticks=0,
            cgroup=f"kubernetes:{RUN_LABEL}={self._label}",
            user=0,
        )

    def _end_pods(self) -> None:
        now = self._clock.elapsed_s()
        for pod in self._live():
            asked_at = self._asked.get(pod.uid)
            if asked_at is None:
                self._delete(pod, min(pod.grace_s, self._settings.grace_s))
                self._asked[pod.uid] = now
            elif now - asked_at > self._settings.grace_s and pod.uid not in self._hurried:
                self._delete(pod, LAST_GRACE_S)
                self._hurried.add(pod.uid)

    def _delete(self, pod: PodView, grace_s: int) -> None:
        try:
            self._api.delete(pod.path, uid=pod.uid, grace_s=max(grace_s, LAST_GRACE_S))
        except StateConflict:
            return  # gone, or another pod of that name by now: the next look tells

    def _say_what_is_left(self, failed: SekishoError | None) -> None:
        left = self._live()
        if left:
            names = ", ".join(f"{pod.called} on {pod.node or 'no node'}" for pod in left[:NAMED])
            more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
            raise Unavailable(
                f"{len(left)} pod(s) of the run are left: {names}{more}",
                remedy="it is tried again; a node that does not answer has to be cut off by hand",
            )
        if failed is not None:
            raise failed

    def _live(self) -> list[PodView]:
        return [pod for pod in self._pods.values() if pod.is_live]

    def _look(self, older_than_s: float) -> None:
        """See all pods of the run, and those that were the run's once and lost its label."""
        now = self._clock.elapsed_s()
        if self._looked_at_s is not None and now - self._looked_at_s < older_than_s:
            return
        listing = self._api.list_all("/api/v1/pods", labels=f"{RUN_LABEL}={self._label}")
        pods = [view_pod(document, self._settings) for document in listing.items]
        seen = {pod.uid: pod for pod in pods}
        for uid, path in self._memory.known.members.items():
            if uid not in seen and (still := self._find(uid, path)) is not None:
                seen[uid] = still
        more = self._count(seen, self._past_s(now))
        self._pods, self._looked_at_s = seen, now
        self._memory.keep(
            members={pod.uid: pod.path for pod in self._live()},
            settled=f"{float(self._memory.known.settled) + more:.3f}",
            looked=self._clock.now() if self._state() == "running" else None,
        )

    def _find(self, uid: str, path: str) -> PodView | None:
        try:
            pod = view_pod(self._api.get(path), self._settings)
        except Missing:
            return None
        return pod if pod.uid == uid else None

    def _past_s(self, now: float) -> float:
        """Since the last look; after a restart by the system clock, since no other outlives us in a cluster."""
        if self._looked_at_s is not None:
            return max(now - self._looked_at_s, 0.0)
        looked = self._memory.known.looked
        return max(self._clock.now().since(looked), 0.0) if looked is not None else 0.0

    def _count(self, seen: dict[str, PodView], past_s: float) -> float:
        """Device-seconds: for each pod that held devices at either end of the time since the last look, all of it.

        From above: a pod that ended in between is counted to this look, one that came is counted from the last. A pod
        that reaches devices without saying how many counts for all that the licence covers. What came and went between
        two looks and left no record is not seen.
        """
        total = 0.0
        for pod in {**self._pods, **seen}.values():
            before = self._pods.get(pod.uid)
            if before is not None and not before.is_live:
                continue
            held = pod.is_bound or (before is not None and before.is_bound)
            if held and pod.needs:
                count = self._settings.devices if pod.devices is None else pod.devices
                total += count * past_s
        return total
