"""What a host says about orders, after it acted: received, checkpointed, halted, resumed, each a receipt.

The act comes first, always; these are its record. A halted host gives its lease back, and resumes only when no order
covers it any more: by a witnessed resume, or as the order's own expiry says.
"""

from __future__ import annotations

from sekisho.agent.decide import Work
from sekisho.agent.host import Host
from sekisho.agent.receipts import GivenReceipt, Notes
from sekisho.agent.work import WrittenCheckpoint
from sekisho.model.errors import Unavailable
from sekisho.model.statements import CheckpointRecorded, OrderReference, Stage
from sekisho.orders import KnownOrder, acting_effect
from sekisho.ports.driver import StopMeans

__all__ = ["Halting"]

LEAVES: dict[Work, str] = {
    "frozen": "processes are stopped where they stood; host and device memory stay occupied",
    "none": "processes have ended, their memory is released; checkpoints stay on the disk",
    "running": "work is running",
}
_BY_MEANS: dict[StopMeans, str] = {
    "kubernetes-suspend": "pods have ended, devices and memory are released; their Jobs wait, suspended; they go on "
    "from the work's own checkpoint",
    "kubernetes-delete": "pods have ended, devices and memory are released; Jobs stay suspended, "
    "pods without a Job are gone",
}
_STATES: dict[Work, str] = {"none": "ended", "frozen": "frozen", "running": "running"}


class Halting:
    """One host's standing with its orders, as its receipts tell it."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._refused: set[str] = set()
        self._recorded: str | None = None

    def is_reported(self, covering: tuple[KnownOrder, ...]) -> bool:
        """Whether every order that covers this host has its halted-receipt."""
        halted = self._host.memory.standing.halted
        return all(known.digest in halted for known in covering)

    def receive(self, covering: tuple[KnownOrder, ...], work: Work) -> None:
        """A receipt for each order that is new here."""
        for known in covering:
            if known.digest not in self._host.memory.standing.received:
                self._give("received", known.reference, work)

    def capped(self, caps: tuple[KnownOrder, ...], work: Work, note: str) -> None:
        """A receipt for each order under which the work goes slower now; `note` names the means and what is left."""
        for known in caps:
            if known.digest not in self._host.memory.standing.capped:
                self._give("capped", known.reference, work, cap=note)

    def uncapped(self, caps: tuple[KnownOrder, ...], work: Work) -> None:
        """A receipt for each order that capped this host and does so no more."""
        standing = {known.digest for known in caps}
        for digest, reference in list(self._host.memory.standing.capped.items()):
            if digest not in standing:
                self._give("resumed", reference, work)

    def halted(self, covering: tuple[KnownOrder, ...], work: Work, means: StopMeans) -> None:
        """A receipt for each covering order, once nothing runs; `means` is `none` where nothing had to be stopped."""
        for known in covering:
            if known.digest in self._host.memory.standing.halted:
                continue
            self._give("halted", known.reference, work, means=means, processes=self._count())

    def cannot_halt(self, covering: tuple[KnownOrder, ...], work: Work) -> None:
        """Once per order: the work does not stop. This is never a halted-receipt."""
        for known in covering:
            if known.digest not in self._refused:
                self._refused.add(known.digest)
                self._give("refused", known.reference, work, processes=self._count())

    def checkpointed(
        self, covering: tuple[KnownOrder, ...], written: WrittenCheckpoint, work: Work
    ) -> None:
        """Put a checkpoint on record, and say under which orders it was made."""
        if written.checkpoint.sha256 != self._recorded:
            self._recorded = written.checkpoint.sha256
            licence = self._host.licence()
            self._host.state(
                CheckpointRecorded(
                    effective=self._host.clock.now(),
                    host=self._host.settings.host,
                    run=self._host.settings.run,
                    checkpoint=written.checkpoint,
                    parents=licence.licence.lineage.parents if licence else (),
                )
            )
        for known in covering:
            if acting_effect(known) == "checkpoint-then-stop":
                self._give("checkpointed", known.reference, work, written=written)

    def resumed(self, work: Work) -> None:
        """The work goes on: a receipt for each order under which it had halted."""
        for reference in list(self._host.memory.standing.halted.values()):
            self._give("resumed", reference, work)

    def _give(  # noqa: PLR0913  # the fields of a receipt about an order
        self,
        stage: Stage,
        order: OrderReference,
        work: Work,
        *,
        means: StopMeans | None = None,
        written: WrittenCheckpoint | None = None,
        processes: int | None = None,
        cap: str | None = None,
    ) -> None:
        notes = Notes(
            stage=stage,
            state=_STATES[work],
            order=order,
            means=means,
            leaves=_leaves(work, means) if stage == "halted" else None,
            checkpoint=written.checkpoint if written else None,
            processes=processes,
            cap=cap,
        )
        given: GivenReceipt = self._host.give(notes, self._host.memory.state)
        self._host.outbox.send_receipt(given)

    def _count(self) -> int | None:
        try:
            return self._host.driver.read().processes
        except Unavailable:
            return None


def _leaves(work: Work, means: StopMeans | None) -> str:
    if means == "none" and work == "none":
        return "no work was running"
    return _BY_MEANS.get(means or "none", LEAVES[work])
