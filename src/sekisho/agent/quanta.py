"""Leases and quanta of one host: reserve, then spend; ask ahead; give back what is left.

Order of a quantum's beginning: receipt appended, state with q + 1 made durable, counter stepped, permit extended,
receipt sent. The first three are here, the last two are duty's, which holds the watchdog's line. On C2 the receipt
carries the counter's own word for q + 1, so there the state and the step come before the receipt. A lease goes back on
C2 in the same order, state without it under q + 1, counter, final receipt: a disk copied before is a rollback then.
"""

from __future__ import annotations

import math

import msgspec

from sekisho.agent.events import LeaseCame, LeaseRefused
from sekisho.agent.host import Host
from sekisho.agent.meter import Meter
from sekisho.agent.receipts import GivenReceipt, Notes
from sekisho.agent.requests import Requests
from sekisho.agent.returns import Returns
from sekisho.following import Finding
from sekisho.licensing import AllowanceSpent, HeldLease, HostState
from sekisho.licensing.spending import MOST_AHEAD
from sekisho.model.errors import SekishoError, StateConflict
from sekisho.model.statements import CertifiedCounter, LeaseTerms
from sekisho.ports.counter import CertifyingCounter, CounterTier

__all__ = ["Quanta"]

# How long before a quantum's end the next one may begin at most: a TPM takes its time to step and to sign.
LEAD_S: dict[CounterTier, float] = {"C0": 0.25, "C1": 1.0, "C2": 2.0}


class Quanta:
    """The lease in hand, the quantum that runs, and the request for the next lease."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.requests = Requests(host)
        self.meter = Meter(host)
        self.returns = Returns(host)
        self.ends_s: float | None = None
        self._refused: dict[int, str] = {}  # quanta that the issuer refused, with their lease
        self.refusal = ""  # why the last lease that came is not in hand, in words

    # --- terms -------------------------------------------------------------------------------

    @property
    def terms(self) -> LeaseTerms | None:
        licence = self._host.licence()
        return licence.licence.lease if licence else None

    def reservation(self) -> int:
        """FLOP that one quantum with its grace can cost at most: peak of all devices x (quantum + grace)."""
        terms = self.terms
        return self._host.peak_flop_per_s() * (terms.quantum_s + terms.grace_s) if terms else 0

    def lead_s(self) -> float:
        """How long before a quantum's end the next one may begin, so that the work never waits for it."""
        # A scheduler's jobs may not expect the signal that comes where the next quantum is late.
        longest = 2.0 if self._host.settings.admits else LEAD_S[self._host.memory.counter.tier]
        return min(longest, 0.1 * self.terms.quantum_s) if self.terms else 0.0

    def left_s(self, lease: HeldLease) -> float:
        """Seconds that a lease is still good for, by the latest clock; none outlasts its licence, as amended."""
        licence = self._host.follower.ledger.licences.get(lease.licence.leaf)
        end = (
            lease.not_after if licence is None else min(lease.not_after, licence.licence.period.end)
        )
        left = end.since(self._host.latest())
        if lease.ends_us is None:
            return left
        return min(left, lease.ends_us / 1_000_000 - self._host.clock.elapsed_s())

    def outage(self) -> tuple[float, float] | None:
        """The declared outage over this host, seconds until it ends and since it began; none outlasts the licence."""
        told, licence = self._host.follower.outage(self._host.latest()), self._host.licence()
        if told is None or licence is None:
            return told
        left = min(told[0], licence.licence.period.end.since(self._host.latest()))
        return (left, told[1]) if left > 0 else None

    def covered_s(self) -> float:
        """Seconds until the last of the leases in hand ends: those asked for ahead take over from the present."""
        held = self._host.memory.state.in_hand
        return max((self.left_s(lease) for lease in held), default=0.0)

    @property
    def counter_answers(self) -> bool:
        """Whether the counter answered when it was last asked, or may be asked again."""
        return self.returns.counter_answers

    @property
    def is_acknowledged(self) -> bool:
        """Whether every quantum's receipt so far is acknowledged, or refused: then its lease is barred."""
        return all(
            given.link.receipt.stage != "quantum" or sequence in self._refused
            for sequence, given in self._host.memory.pending.items()
        )

    def bar(self, sequence: int) -> None:
        """The issuer keeps a quantum's receipt unacknowledged: none begins under its lease any more, others may."""
        given = self._host.memory.pending.get(sequence)
        if given is None or given.link.receipt.stage != "quantum":
            return
        spend = given.link.receipt.spend
        if spend is not None:
            self._refused[sequence] = spend.lease.leaf

    def _is_barred(self, lease: HeldLease) -> bool:
        return lease.lease.leaf in self._refused.values()

    def _forget_refused(self) -> None:
        """Refused receipts whose lease is not in hand any more wait for nothing."""
        held = {lease.lease.leaf for lease in self._host.memory.state.in_hand}
        for sequence in [s for s, leaf in self._refused.items() if leaf not in held]:
            # Crash here: it is sent and refused once more.
            self._host.memory.deliver(sequence)
            del self._refused[sequence]

    def is_due(self) -> bool:
        """Whether the running quantum is so near its end that the next one may begin."""
        return self.ends_s is None or self.ends_s - self._host.clock.elapsed_s() <= self.lead_s()

    def is_affordable(self) -> bool:
        """Whether the lease in hand or one asked for ahead has room and time for another quantum."""
        if not self.is_due():
            return True
        state = self._settled_now()
        return any(self._has_room(lease, state) for lease in state.in_hand)

    # --- quanta ------------------------------------------------------------------------------

    def begin(self, work: str) -> GivenReceipt:
        """Reserve the next quantum durably; its receipt is still to be sent, after the permit.

        Raises AllowanceSpent where no lease in hand has room, StateConflict while the counter is silent.
        """
        host = self._host
        used_s = self._read()
        settled = self._settled(used_s)
        while settled.lease is not None and not self._has_room(settled.lease, settled):
            settled = self._switch(settled, work)
            self.meter.rebase(used_s)  # what the quantum before used stands in the final receipt
        if settled.lease is None:
            raise AllowanceSpent("no lease in hand has room for another quantum")
        self._forget_refused()
        reserved = settled.reserve(self.reservation())
        if settled.lease.spent == "0":
            self.returns.declared_base = host.folder.declared_flop() or 0
        given = self._count(reserved, work, used_s)
        length = float(self.terms.quantum_s if self.terms else 0)
        length = min(length, self._usable_s(settled.lease, settled))
        self.ends_s = host.clock.elapsed_s() + max(length, 0.0)
        self.meter.begin(used_s, work)
        return given

    def _count(self, reserved: HostState, work: str, used_s: float | None) -> GivenReceipt:
        """Receipt, state and counter of a quantum, in the order of the tier."""
        memory = self._host.memory
        spend = Notes.spend_of(reserved.lease, self.returns.declared()) if reserved.lease else None
        notes = Notes(stage="quantum", state=work, spend=spend)
        if memory.counter.tier == "C2":
            certified = self._certify(reserved, used_s)
            certain = msgspec.structs.replace(notes, certified=certified)
            return self._host.give(certain, reserved)
        given = self._host.give(notes, reserved)
        memory.step()
        return given

    def _certify(self, reserved: HostState, used_s: float | None) -> CertifiedCounter | None:
        """The counter's word for the quantum that begins, over the issuer's newest challenge.

        Raises StateConflict where the counter is silent: the quantum is lost, and what ran before stays counted.
        """
        return self.returns.ask_counter(lambda: self._count_certified(reserved, used_s))

    def _count_certified(
        self, reserved: HostState, used_s: float | None
    ) -> CertifiedCounter | None:
        memory, counter = self._host.memory, self._host.memory.counter
        memory.catch_up()  # a step whose outcome nobody saw: two behind would be a rollback
        memory.save(reserved)
        self.meter.rebase(used_s)  # what was used before is settled in what was just written
        # Crash here: the state is one ahead, and the next start steps the counter: no work ran in that quantum.
        memory.step()
        # Crash here: a quantum that no receipt tells of; it counts in full, its number is not used again.
        if reserved.challenge is None or not isinstance(counter, CertifyingCounter):
            return None
        return counter.certify(reserved.challenge)

    def attach(self, ends_s: float) -> None:
        """Take over a quantum that an earlier agent began; what it used so far is counted in full."""
        self.ends_s = ends_s
        self.meter.forget()

    def pause(self) -> None:
        """The work stopped: credit what the quantum did not use."""
        if self.ends_s is None:
            return
        # Crash here: the credit is lost, the quantum counts in full.
        self._host.memory.save(self._settled_now())
        self.ends_s = None
        self.meter.forget()

    def close(self, work: str) -> list[GivenReceipt]:
        """Give every lease in hand back by a final receipt; these are still to be sent.

        None where the counter of a C2 host is silent: then they stay in hand.
        """
        state, memory = self._settled_now(), self._host.memory
        self.ends_s = None
        self.meter.forget()
        if memory.counter.tier == "C2":
            # Before the counter is asked: where it is silent, what the last quantum used must not be lost.
            memory.save(state)
        try:
            return self.returns.give_back(state, state.in_hand, work)
        except StateConflict:
            return []

    def finish_closing(self, work: str) -> list[GivenReceipt]:
        """The final receipts of leases whose return a crash or a silent counter held up; still to be sent."""
        return self.returns.finish(work)

    # --- leases ------------------------------------------------------------------------------

    def ask_ahead(self) -> None:
        """Ask for the next lease where none is in hand, or before what is in hand is used up; C2 asks further ahead."""
        state = self._host.memory.state
        if not self.requests.may_ask or len(state.waiting) >= self._ahead():
            return
        if self.requests.repeat():
            return
        licence = self._host.follower.licence_for(self._host.settings.run)
        if licence is None or licence.obstacle() is not None or not self._wants_more(state):
            return
        self.requests.ask(licence.leaf)

    def take(self, event: LeaseCame, *, unwanted: bool) -> tuple[bool, list[GivenReceipt]]:
        """Whether the lease is now in hand; and the final receipt of one that was taken only to be given back.

        Where it is not, `refusal` says why.
        """
        if event.request != self.requests.waiting:
            self.refusal = "it answers a request that does not wait any more"
            return False, []
        state = self._host.memory.state
        try:
            taken = self.requests.take(event)
        except SekishoError as error:
            self.refusal = f"{error.code}: {error}"
            self._host.raise_finding(Finding(code=error.code, detail=str(error)))
            self.requests.ask_again()
            return False, []
        if taken.fault is not None:
            self._host.raise_finding(Finding(code=taken.fault.code, detail=str(taken.fault)))
        if taken.fault is not None or unwanted or self.requests.forsaken:
            fault = f"{taken.fault.code}: {taken.fault}" if taken.fault else "it is not wanted now"
            self.refusal = f"{fault}; it was given back unused"
            try:
                given = self.returns.give_back(state, (taken.held,), "none")
            except StateConflict:
                self.requests.ask_again()  # it comes once more, when the counter answers
                return False, []
            self.requests.drop()
            return False, given
        # Crash here: the request is sent again at the next start and the same lease comes.
        memory = self._host.memory
        memory.save(memory.trusted(state.take(taken.held, ahead=self._ahead())))
        self.requests.answered()
        return True, []

    def refused(self, event: LeaseRefused) -> None:
        """The issuer says no to what waits: it is asked anew."""
        if event.request == self.requests.waiting:
            self.requests.refused()

    # --- within ------------------------------------------------------------------------------

    def _ahead(self) -> int:
        """How many leases may wait behind the one in hand: on C1 and C0 each quantum needs the issuer anyway."""
        return MOST_AHEAD if self._host.memory.counter.tier == "C2" else 1

    def _wants_more(self, state: HostState) -> bool:
        """Whether another lease is to be asked for.

        On C2 what is in hand shall reach as far as the charter lets a lease reach, so that an outage of the issuer is
        outlasted; where the issuer grants no further ahead, half a lease's length is the least that is kept in hand.
        """
        held = state.in_hand
        if not held or self._is_last(held[-1]):
            return True
        charter, terms = self._host.follower.regime.charter, self.terms
        if self._ahead() == 1 or charter is None or terms is None:
            return False
        half = min(terms.interval_s, charter.terms.max_lease_s) / 2
        gained = held[-1].not_after.since(held[-2].not_after) if len(held) > 1 else half
        reach = charter.terms.max_lease_s - half if gained >= terms.quantum_s else half
        return self.covered_s() <= reach

    def _is_last(self, lease: HeldLease) -> bool:
        terms = self.terms
        if terms is None:
            return False
        room = int(lease.reserved) + self.reservation() > int(lease.allowance)
        return room or self._is_barred(lease) or self.left_s(lease) <= 2 * terms.quantum_s + 1

    def _has_room(self, lease: HeldLease, state: HostState) -> bool:
        if self._is_barred(lease):
            return False
        fits = int(lease.spent) + self.reservation() <= int(lease.allowance)
        return fits and self._usable_s(lease, state) > self.lead_s()

    def _usable_s(self, lease: HeldLease, state: HostState) -> float:
        """Seconds that quanta may be begun under a lease: a declared outage makes the last one in hand last longer."""
        left = self.left_s(lease)
        if lease is not state.in_hand[-1]:
            return left
        outage = self.outage()
        grace_s = self.terms.grace_s if self.terms else 0
        if outage is None or -left - outage[1] > grace_s:
            return left
        return max(left, outage[0])

    def _settled_now(self) -> HostState:
        return self._settled(self._read())

    def _settled(self, used_s: float | None) -> HostState:
        """The state with the running quantum closed at its sound bound; in full where the meter is blind."""
        state = self._host.memory.state
        if state.lease is None or self.ends_s is None:
            return state
        return self.meter.settle(state, used_s)

    def _read(self) -> float | None:
        if self.ends_s is None and self._host.memory.state.lease is None:
            return None  # nothing to count
        return self.meter.read()

    def _switch(self, settled: HostState, work: str) -> HostState:
        """Over to the lease that was asked for ahead; the old one's final receipt first."""
        if settled.lease is None:
            return settled
        if work == "running":
            settled = self._paid_to_end(settled)
        if settled.lease is None:
            return settled
        for given in self.returns.give_back(settled, (settled.lease,), work):
            self._host.outbox.send_receipt(given)
        return self._host.memory.state

    def _paid_to_end(self, settled: HostState) -> HostState:
        """With what the work can use until its permit ends: an agent that dies now reserves no more for it."""
        before, lease = self._host.memory.state.lease, settled.lease
        if self.ends_s is None or before is None or lease is None or self.terms is None:
            return settled
        left_s = max(self.ends_s - self._host.clock.elapsed_s(), 0.0) + self.terms.grace_s
        most = int(before.reserved) - int(lease.spent)  # the reservation covers the grace already
        rest = min(math.ceil(self._host.peak_flop_per_s() * left_s), max(most, 0))
        return settled.credit(rest)
