"""What came by hand: a lease for the request that waits, or orders, outages and charters without a network.

It goes the same way as what comes by network, and says what became of it. Only one thing differs: a carried feed is
no contact with the control plane, since it may be as old as its bearer likes.
"""

from __future__ import annotations

from typing import Protocol

from sekisho.agent.duty import Duty
from sekisho.agent.events import LeaseCame
from sekisho.agent.host import Host
from sekisho.agent.inbox import Outcome
from sekisho.ledger import leaf_hash
from sekisho.licensing.carrying import parse_carried
from sekisho.model.errors import InvalidInput
from sekisho.ports.control import Feed, LeaseAnswer

__all__ = ["Carrying", "DropBox"]

LOOK_EVERY_S = 0.5


class DropBox(Protocol):
    """Where files are dropped and answered (agent.inbox)."""

    def look(self) -> list[tuple[str, bytes | InvalidInput]]: ...

    def answer(self, name: str, outcome: Outcome) -> None: ...


class Carrying:
    """Looks into the inbox twice a second and takes in what lies there."""

    def __init__(self, host: Host, duty: Duty, inbox: DropBox) -> None:
        self._host = host
        self._duty = duty
        self._inbox = inbox
        self._look_at_s = 0.0

    def look(self) -> bool:
        """Take in whatever was dropped; whether there was anything, so that the duty looks again."""
        now = self._host.clock.elapsed_s()
        if now < self._look_at_s:
            return False
        self._look_at_s = now + LOOK_EVERY_S
        outcomes = [(name, self._take(raw)) for name, raw in self._inbox.look()]
        if outcomes:
            self._duty.look()  # acted on and kept: a file that is answered is gone, and nobody brings it again
        for name, outcome in outcomes:
            # Crash here: it is taken in once more at the next start, which changes nothing.
            self._inbox.answer(name, outcome)
        return bool(outcomes)

    def _take(self, raw: bytes | InvalidInput) -> Outcome:
        if isinstance(raw, InvalidInput):
            return Outcome(taken=False, details=(str(raw),))
        try:
            carried = parse_carried(raw)
        except InvalidInput as error:
            return Outcome(taken=False, details=(str(error),))
        if carried.lease is not None:
            return self._take_lease(carried.lease)
        return self._take_feed(carried.feed or Feed(next=0))

    def _take_lease(self, answer: LeaseAnswer) -> Outcome:
        held = self._held(answer)
        request = self._host.memory.load_request()
        if held is None and request is not None:
            self._duty.hear(LeaseCame(request, answer))
            held = self._held(answer)
            if held is None:
                return Outcome(taken=False, details=(self._duty.quanta.refusal,))
        if held is None:
            return Outcome(taken=False, details=("this host waits for no lease",))
        return Outcome(taken=True, lease=held)

    def _held(self, answer: LeaseAnswer) -> int | None:
        """The number of this very lease, where it is in hand."""
        leaf = leaf_hash(answer.envelope).hex()
        held = self._host.memory.state.in_hand
        return next((lease.number for lease in held if lease.lease.leaf == leaf), None)

    def _take_feed(self, feed: Feed) -> Outcome:
        taken, findings = self._duty.take_carried(feed)
        details = tuple(f"{finding.code}: {finding.detail}" for finding in findings)
        return Outcome(taken=not findings, items=taken, details=details)
