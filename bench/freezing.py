"""How long from the order to the freeze, and to the witnesses' cosignatures under it.

Each repetition: a pause with the effect freeze is drafted and signed by three authority keys and one verifier; the
clock starts when the signed order is sent to the control plane over HTTP. *Frozen* is when the kernel says that every
process of the work is stopped, seen from outside the agent; *cosigned* is when the published checkpoint that covers the
order carries both cosignatures. Then a resume, and the next one begins when the work runs again.
"""

from __future__ import annotations

import os
import random
import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
from regime import WORKING_HOST, is_in_state, watchdog_folder

from sekisho.adapters.schedulers.process_files import read_process
from sekisho.adapters.schedulers.watchdog_link import WatchdogLink
from sekisho.ledger import Policy
from sekisho.model.errors import SekishoError
from sekisho.model.statements import OrderReference, Scope
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.ports.driver import Workload
from sekisho.rehearsal.scene import Scene
from sekisho.signing import Envelope
from sekisho.signing.notes import Note

__all__ = ["Freeze", "measure_freezes"]

GIVE_UP_S = 15.0
LONGEST_PAUSE_S = (
    0.4  # between resume and the next order, so that no phase of a quantum is favoured
)


class Freeze(msgspec.Struct, frozen=True, kw_only=True):
    """One order's milliseconds since it was sent: answered, work frozen, checkpoint cosigned by both."""

    answered_ms: float
    frozen_ms: float
    cosigned_ms: float

    @property
    def both_ms(self) -> float:
        return max(self.frozen_ms, self.cosigned_ms)


class _Watch:
    """What is seen of one order: the kernel's word on the work, and the checkpoint as anybody reads it."""

    def __init__(self, scene: Scene, workload: Workload) -> None:
        self._checkpoint = scene.home.public / "checkpoint"
        self._policy = Policy.from_text(scene.home.load_root().witnesses, path="trust.json")
        self._workload = workload
        self._events = _find_events(workload)
        self._seen: list[tuple[float, bytes]] = []
        self.frozen_at: float | None = None

    def look(self) -> None:
        """Once every millisecond; the kernel's notice about the group ends the wait before."""
        if self.frozen_at is None:
            self._await_freeze()
        else:
            time.sleep(0.001)
        with suppress(FileNotFoundError):
            raw = self._checkpoint.read_bytes()
            if not self._seen or self._seen[-1][1] != raw:
                self._seen.append((time.perf_counter(), raw))

    def cosigned_at(self, index: int) -> float | None:
        """When the first checkpoint that covers the entry and has the witness quorum was there to read."""
        for at, raw in self._seen:
            with suppress(SekishoError):  # a checkpoint without its quorum counts for nothing
                cosigned = self._policy.verify_cosigned(Note.from_bytes(raw, path="checkpoint"))
                if cosigned.checkpoint.size > index:
                    return at
        return None

    def _await_freeze(self) -> None:
        if self._events is None:
            process = read_process(self._workload.root_pid)
            frozen = process is not None and process.is_stopped
            time.sleep(0 if frozen else 0.001)
        else:
            frozen = _is_frozen(self._events, wait_ms=1)
        if frozen:
            self.frozen_at = time.perf_counter()


def measure_freezes(scene: Scene, repetitions: int, *, seed: int = 1) -> list[Freeze]:
    """Freeze and resume the running work, again and again."""
    drawn = random.Random(seed)  # noqa: S311  # spreads the orders over the quanta, guards nothing
    found = []
    for _ in range(repetitions):
        time.sleep(drawn.uniform(0, LONGEST_PAUSE_S))
        freeze, order = _freeze_once(scene)
        found.append(freeze)
        _resume(scene, order)
    return found


def _freeze_once(scene: Scene) -> tuple[Freeze, OrderReference]:
    held = WatchdogLink(watchdog_folder(scene, WORKING_HOST)).held()
    if held is None:
        raise RuntimeError("there is no work to freeze")
    watch = _Watch(scene, held[0])
    envelope, reference = _sign_order(scene, "pause")
    began = time.perf_counter()
    answer = _Answer(lambda: scene.send(envelope.raw).index)
    while watch.frozen_at is None or not answer.at or watch.cosigned_at(answer.index) is None:
        watch.look()
        if time.perf_counter() - began > GIVE_UP_S:
            raise RuntimeError(f"no freeze within {GIVE_UP_S} s: {answer.problem}")
    cosigned_at = watch.cosigned_at(answer.index) or 0.0
    freeze = Freeze(
        answered_ms=1e3 * (answer.at - began),
        frozen_ms=1e3 * (watch.frozen_at - began),
        cosigned_ms=1e3 * (cosigned_at - began),
    )
    return freeze, reference


def _resume(scene: Scene, order: OrderReference) -> None:
    envelope, _ = _sign_order(scene, "resume", order)
    scene.send(envelope.raw)
    scene.wait_for(
        "the work to run again",
        lambda: is_in_state(scene, WORKING_HOST, "running"),
        within_s=30,
    )


def _sign_order(scene: Scene, kind: str, *lifts: OrderReference) -> tuple[Envelope, OrderReference]:
    plan = OrderPlan(
        kind="resume" if kind == "resume" else "pause",
        scope=Scope(hosts=(WORKING_HOST,)),
        effect="lift" if kind == "resume" else "freeze",
        lasts_s=600,
        legal_basis="measurement",
        appeal="none is needed",
        lifts=lifts,
        drill=True,
    )
    order = draft_order(scene.state(), plan, now=scene.clock.now())
    envelope = scene.cast.sign(order, *scene.cast.pause_quorum)
    return envelope, OrderReference(
        register=order.register, number=order.number, digest=envelope.digest
    )


class _Answer:
    """The control plane's answer to the order, waited for beside the watching."""

    def __init__(self, send: Callable[[], int]) -> None:
        self.at = 0.0
        self.index = -1
        self.problem = ""
        self._send = send
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self) -> None:
        try:
            self.index = self._send()
            self.at = time.perf_counter()
        except SekishoError as error:
            self.problem = str(error)


def _find_events(workload: Workload) -> Path | None:
    """`cgroup.events` of the work's group, on a unified or a hybrid host; None where only signals stop it."""
    if not workload.cgroup:
        return None
    for mount in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        events = Path(mount, workload.cgroup.lstrip("/"), "cgroup.events")
        if events.exists():
            return events
    return None


def _is_frozen(events: Path, *, wait_ms: int) -> bool:
    descriptor = os.open(events, os.O_RDONLY)
    try:
        notice = select.poll()
        notice.register(descriptor, select.POLLPRI)
        if b"frozen 1" not in os.pread(descriptor, 4096, 0):
            notice.poll(wait_ms)
        return b"frozen 1" in os.pread(descriptor, 4096, 0)
    finally:
        os.close(descriptor)
