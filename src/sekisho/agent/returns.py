"""How leases go back: by a final receipt each, on C2 only after the counter has stepped past them.

There the state without the leases is made durable under the next quantum number, then the counter steps, then the
receipts are written and sent: a disk copied before stands behind the counter from then on, and is a rollback.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from sekisho.agent.host import Host
from sekisho.agent.receipts import GivenReceipt, Notes
from sekisho.following import Finding
from sekisho.licensing import HeldLease, HostState
from sekisho.model.errors import StateConflict, Unavailable

__all__ = ["Returns"]

COUNTER_PAUSE_S = 2.0
T = TypeVar("T")


class Returns:
    """Gives leases back, and asks the counter with patience.

    `declared_base` is the work's own count when its lease's first quantum began.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._counter_at_s = 0.0
        self.declared_base: int | None = None

    @property
    def counter_answers(self) -> bool:
        """Whether the counter answered when it was last asked, or may be asked again."""
        return self._host.clock.elapsed_s() >= self._counter_at_s

    def ask_counter(self, act: Callable[[], T]) -> T:
        """Have the counter do something. Raises StateConflict, with a finding, where it is silent."""
        if not self.counter_answers:
            raise StateConflict("the counter did not answer a moment ago")
        try:
            return act()
        except Unavailable as error:
            self._counter_at_s = self._host.clock.elapsed_s() + COUNTER_PAUSE_S
            self._host.raise_finding(Finding(code="counter-silent", detail=str(error)))
            raise StateConflict(f"the counter does not answer: {error}") from None

    def give_back(
        self, state: HostState, leases: tuple[HeldLease, ...], work: str
    ) -> list[GivenReceipt]:
        """Final receipts of these leases, over a state that may hold them; still to be sent.

        Raises StateConflict where the counter of a C2 host is silent.
        """
        memory = self._host.memory
        if memory.counter.tier == "C2":
            if not leases:
                return []
            self.ask_counter(memory.catch_up)  # two behind would be a rollback
            # Crash here: they are in hand as before, and go back at the next look.
            memory.save(state.retire(leases))
            # Crash here: the state is one ahead; the next start steps the counter and writes the receipts.
            return self._finish(work)
        given = []
        for lease in leases:
            after = msgspec.structs.replace(
                state.switch() if lease == state.lease else state,
                lease_number=max(state.lease_number, lease.number),
            )
            given.append(self._host.give(self._final(lease, work), state, after))
            state = memory.state
        return given

    def finish(self, work: str) -> list[GivenReceipt]:
        """The final receipts of leases whose return a crash or a silent counter held up; still to be sent."""
        if not self._host.memory.state.closing:
            return []
        try:
            return self._finish(work)
        except StateConflict:
            return []

    def declared(self) -> str | None:
        """The work's own count since this lease's first quantum; None where that cannot be said."""
        now, base = self._host.folder.declared_flop(), self.declared_base
        return str(now - base) if now is not None and base is not None and now >= base else None

    def _finish(self, work: str) -> list[GivenReceipt]:
        """After the counter has stepped, a final receipt for each lease on its way back. Raises StateConflict."""
        memory, given = self._host.memory, []
        self.ask_counter(memory.catch_up)
        while memory.state.closing:
            state, lease = memory.state, memory.state.closing[0]
            # Crash before this: the counter has stepped, the lease is nobody's to spend, and its receipt comes later.
            after = state.closed(lease.lease.leaf)
            given.append(self._host.give(self._final(lease, work), state, after))
        return given

    def _final(self, lease: HeldLease, work: str) -> Notes:
        closed = msgspec.structs.replace(lease, reserved=lease.spent)
        spend = Notes.spend_of(closed, self.declared() if closed.spent != "0" else None)
        return Notes(stage="final", state=work, spend=spend)
