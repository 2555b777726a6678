"""Leases and quanta of one host: reserve, then spend; ask ahead; give back what is left.

Order of a quantum's beginning: receipt appended, state with q + 1 made durable, counter stepped, permit extended,
receipt sent. The first three are here, the last two are duty's, which holds the watchdog's line. On C2 the receipt
carries the counter's own word for q + 1, so there the state and the step come before the receipt.
"""

from __future__ import annotations

import math

import msgspec

from sekisho.agent.acceptance import take_lease
from sekisho.agent.events import LeaseCame, LeaseRefused
from sekisho.agent.follow import Finding
from sekisho.agent.host import Host
from sekisho.agent.receipts import GivenReceipt, Notes
from sekisho.licensing import AllowanceSpent, HeldLease, HostState
from sekisho.licensing.spending import MOST_AHEAD
from sekisho.model.errors import SekishoError, StateConflict, Unavailable
from sekisho.model.statements import (
    CertifiedCounter,
    LeaseRequested,
    LeaseTerms,
    Reference,
    make_payload,
    parse_payload,
)
from sekisho.ports.counter import CertifyingCounter, CounterTier
from sekisho.ports.driver import WorkloadReading
from sekisho.signing import parse_envelope, sign_payload

__all__ = ["Quanta"]

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0
COUNTER_PAUSE_S = 2.0
# How long before a quantum's end the next one may begin at most: a TPM takes its time to step and to sign.
LEAD_S: dict[CounterTier, float] = {"C0": 0.25, "C1": 1.0, "C2": 2.0}


class Quanta:
    """The lease in hand, the quantum that runs, and the request for the next lease."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.ends_s: float | None = None
        self._base_cpu_s: float | None = None
        self._by_device = False  # whether the meter counts device-seconds handed out
        self._declared_base: int | None = None
        self._request = host.memory.load_request()
        self._forsaken = (
            False  # the answer to the waiting request must not be used: it is not of this boot
        )
        self._ask_again = False  # what came in answer was not in order: the same request once more
        self._refused: dict[int, str] = {}  # quanta that the issuer refused, with their lease
        self._ask_at_s = 0.0
        self._pause_s = FIRST_PAUSE_S
        self._counter_at_s = 0.0
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

    def covered_s(self) -> float:
        """Seconds until the last of the leases in hand ends: those asked for ahead take over from the present."""
        held = self._host.memory.state.in_hand
        return max((self.left_s(lease) for lease in held), default=0.0)

    @property
    def counter_answers(self) -> bool:
        """Whether the counter answered when it was last asked, or may be asked again."""
        return self._host.clock.elapsed_s() >= self._counter_at_s

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
        state = self._settled(self._read_cpu_s())
        return any(self._has_room(lease, state) for lease in state.in_hand)

    # --- quanta ------------------------------------------------------------------------------

    def begin(self, work: str) -> GivenReceipt:
        """Reserve the next quantum durably; its receipt is still to be sent, after the permit.

        Raises AllowanceSpent where no lease in hand has room, StateConflict while the counter is silent.
        """
        host = self._host
        cpu_s = self._read_cpu_s()
        settled = self._settled(cpu_s)
        while settled.lease is not None and not self._has_room(settled.lease, settled):
            settled = self._switch(settled, work)
            self._base_cpu_s = cpu_s  # what the quantum before used stands in the final receipt
        if settled.lease is None:
            raise AllowanceSpent("no lease in hand has room for another quantum")
        self._forget_refused()
        reserved = settled.reserve(self.reservation())
        if settled.lease.spent == "0":
            self._declared_base = host.folder.declared_flop() or 0
        given = self._count(reserved, work, cpu_s)
        length = float(self.terms.quantum_s if self.terms else 0)
        length = min(length, self._usable_s(settled.lease, settled))
        self.ends_s = host.clock.elapsed_s() + max(length, 0.0)
        # A process begins at zero; a scheduler's count of device-seconds goes on from run to run.
        self._base_cpu_s = 0.0 if work == "none" and not self._by_device else cpu_s
        return given

    def _count(self, reserved: HostState, work: str, cpu_s: float | None) -> GivenReceipt:
        """Receipt, state and counter of a quantum, in the order of the tier."""
        memory = self._host.memory
        spend = Notes.spend_of(reserved.lease, self._declared()) if reserved.lease else None
        notes = Notes(stage="quantum", state=work, spend=spend)
        if memory.counter.tier == "C2":
            certified = self._certify(reserved, cpu_s)
            certain = msgspec.structs.replace(notes, certified=certified)
            return self._host.give(certain, reserved)
        given = self._host.give(notes, reserved)
        memory.step()
        return given

    def _certify(self, reserved: HostState, cpu_s: float | None) -> CertifiedCounter | None:
        """The counter's word for the quantum that begins, over the issuer's newest challenge.

        Raises StateConflict where the counter is silent: the quantum is lost, and what ran before stays counted.
        """
        memory, counter = self._host.memory, self._host.memory.counter
        try:
            memory.catch_up()  # a step whose outcome nobody saw: two behind would be a rollback
            memory.save(reserved)
            self._base_cpu_s = cpu_s  # what was used before now is settled in what was just written
            # Crash here: the state is one ahead, and the next start steps the counter: no work ran in that quantum.
            memory.step()
            # Crash here: a quantum that no receipt tells of; it counts in full, its number is not used again.
            if reserved.challenge is None or not isinstance(counter, CertifyingCounter):
                return None
            return counter.certify(reserved.challenge)
        except Unavailable as error:
            self._counter_at_s = self._host.clock.elapsed_s() + COUNTER_PAUSE_S
            self._host.raise_finding(Finding(code="counter-silent", detail=str(error)))
            raise StateConflict(f"the counter does not answer: {error}") from None

    def attach(self, ends_s: float) -> None:
        """Take over a quantum that an earlier agent began; what it used so far is counted in full."""
        self.ends_s, self._base_cpu_s = ends_s, None

    def pause(self) -> None:
        """The work stopped: credit what the quantum did not use."""
        if self.ends_s is None:
            return
        # Crash here: the credit is lost, the quantum counts in full.
        self._host.memory.save(self._settled(self._read_cpu_s()))
        self.ends_s, self._base_cpu_s = None, None

    def close(self, work: str) -> list[GivenReceipt]:
        """Give every lease in hand back by a final receipt; these are still to be sent."""
        given = []
        state = self._settled(self._read_cpu_s())
        self.ends_s, self._base_cpu_s = None, None
        while state.lease is not None:
            given.append(self._final(state.lease, state, state.switch(), work))
            state = self._host.memory.state
        return given

    # --- leases ------------------------------------------------------------------------------

    def forsake_request(self) -> None:
        """A request from before a reboot or a rollback: its answer keeps the numbers whole, and is not used."""
        self._forsaken = self._request is not None

    def resume_request(self) -> None:
        """After a restart: ask again what was being asked, unless it was answered already."""
        if self._request is None:
            return
        asked = parse_payload(parse_envelope(self._request, path="request.dsse").payload).predicate
        if (
            isinstance(asked, LeaseRequested)
            and asked.number == self._host.memory.state.lease_number + 1
        ):
            self._host.outbox.send_request(self._request)
        else:
            self._drop_request()

    def ask_ahead(self) -> None:
        """Ask for the next lease where none is in hand, or before what is in hand is used up; C2 asks further ahead."""
        state = self._host.memory.state
        if self._host.clock.elapsed_s() < self._ask_at_s or len(state.waiting) >= self._ahead():
            return
        if self._request is not None:
            if self._ask_again:
                self._ask_again = False
                self._host.outbox.send_request(self._request)
            return
        licence = self._host.follower.licence_for(self._host.settings.run)
        if licence is None or licence.obstacle() is not None or not self._wants_more(state):
            return
        asked_us = round(self._host.clock.elapsed_s() * 1_000_000)  # before the nonce is drawn
        request = LeaseRequested(
            effective=self._host.clock.now(),
            host=self._host.settings.host,
            licence=Reference(log=self._host.follower.origin, leaf=licence.leaf),
            number=state.lease_number + 1,
            nonce=self._host.nonce(),
            quantum=state.quantum,
            last_receipt=state.receipt,
        )
        self._request = sign_payload(make_payload(request), (self._host.signer,)).raw
        memory = self._host.memory
        memory.save(msgspec.structs.replace(state, asked_us=asked_us))
        # Crash here: no request is known, and the next start asks anew.
        memory.save_request(self._request)
        # Crash here: the request waits on the disk and is sent at the next start.
        self._host.outbox.send_request(self._request)

    def take(self, event: LeaseCame, *, unwanted: bool) -> tuple[bool, list[GivenReceipt]]:
        """Whether the lease is now in hand; and the final receipt of one that was taken only to be given back.

        Where it is not, `refusal` says why.
        """
        if event.request != self._request:
            self.refusal = "it answers a request that does not wait any more"
            return False, []
        state = self._host.memory.state
        try:
            taken = take_lease(
                event.answer,
                event.request,
                self._host.follower,
                last_number=state.lease_number,
                latest=self._host.latest(),
                asked_us=state.asked_us,
            )
        except SekishoError as error:
            self.refusal = f"{error.code}: {error}"
            self._host.raise_finding(Finding(code=error.code, detail=str(error)))
            self._slow_down()
            self._ask_again = True
            return False, []
        if taken.fault is not None:
            self._host.raise_finding(Finding(code=taken.fault.code, detail=str(taken.fault)))
        if taken.fault is not None or unwanted or self._forsaken:
            fault = f"{taken.fault.code}: {taken.fault}" if taken.fault else "it is not wanted now"
            self.refusal = f"{fault}; it was given back unused"
            numbered = msgspec.structs.replace(state, lease_number=taken.held.number)
            given = self._final(taken.held, state, numbered, "none")
            self._drop_request()
            return False, [given]
        # Crash here: the request is sent again at the next start and the same lease comes.
        memory = self._host.memory
        memory.save(memory.trusted(state.take(taken.held, ahead=self._ahead())))
        self._drop_request()
        self._pause_s = FIRST_PAUSE_S
        return True, []

    def refused(self, event: LeaseRefused) -> None:
        """The issuer says no: ask anew, with a fresh nonce, after a while."""
        if event.request == self._request:
            self._drop_request()
            self._slow_down()

    # --- within ------------------------------------------------------------------------------

    def _slow_down(self) -> None:
        self._ask_at_s = self._host.clock.elapsed_s() + self._pause_s
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)

    def _drop_request(self) -> None:
        self._host.memory.clear_request()
        self._request, self._forsaken, self._ask_again = None, False, False

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
        outage = self._host.follower.outage(self._host.latest())
        grace_s = self.terms.grace_s if self.terms else 0
        if outage is None or -left - outage[1] > grace_s:
            return left
        return max(left, outage[0])

    def _settled(self, cpu_s: float | None) -> HostState:
        """The state with the running quantum closed at its sound bound; in full where the meter is blind."""
        state = self._host.memory.state
        if state.lease is None or self.ends_s is None:
            return state
        # Work that ran has used something: a meter at zero is a new watchdog's, which knows nothing of it.
        # A scheduler that handed out no device counts zero in earnest.
        is_blind = cpu_s is None or (cpu_s == 0 and not self._by_device)
        if cpu_s is None or is_blind or self._base_cpu_s is None or cpu_s < self._base_cpu_s:
            return state.forget_quantum()
        used_us = round((cpu_s - self._base_cpu_s) * 1_000_000)
        if self._by_device:
            # Which of the devices was handed out is not told: each counts as the fastest.
            return state.credit(-(-self._host.fastest_flop_per_s() * used_us // 1_000_000))
        # Processor seconds say nothing of an accelerator: one core may feed eight of them at their peak.
        rate = self._host.core_flop_per_s()
        return (
            state.forget_quantum()
            if rate is None
            else state.credit(-(-rate * used_us // 1_000_000))
        )

    def _read_cpu_s(self) -> float | None:
        if self.ends_s is None and self._host.memory.state.lease is None:
            return None  # nothing to count
        try:
            reading: WorkloadReading = self._host.driver.read()
        except Unavailable:
            return None
        self._by_device = reading.device_s is not None
        return reading.cpu_s if reading.device_s is None else reading.device_s

    def _switch(self, settled: HostState, work: str) -> HostState:
        """Over to the lease that was asked for ahead; the old one's final receipt first."""
        if settled.lease is None:
            return settled
        if work == "running":
            settled = self._paid_to_end(settled)
        if settled.lease is None:
            return settled
        given = self._final(settled.lease, settled, settled.switch(), work)
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

    def _final(
        self, lease: HeldLease, state: HostState, after: HostState, work: str
    ) -> GivenReceipt:
        closed = msgspec.structs.replace(lease, reserved=lease.spent)
        spend = Notes.spend_of(closed, self._declared() if closed.spent != "0" else None)
        return self._host.give(Notes(stage="final", state=work, spend=spend), state, after)

    def _declared(self) -> str | None:
        """The work's own count since this lease's first quantum; None where that cannot be said."""
        now, base = self._host.folder.declared_flop(), self._declared_base
        return str(now - base) if now is not None and base is not None and now >= base else None
