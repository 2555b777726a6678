"""Walks a trace of models/lease.pml through the real state machines, and compares what both came to after each step.

Real: HostState, Memory (over files and a counter in memory), accept_lease, decide, permit_to_run, decide_due,
decide_lease, the licence ledger with its books. A tick is a minute, a FLOP of the model a minute at peak.
"""

from __future__ import annotations

import re

import msgspec

from sekisho.agent.decide import LeaseFacts, Situation, decide, permit_to_run
from sekisho.agent.memory import Memory
from sekisho.agent.receipts import Notes, give_receipt
from sekisho.agent.watchdog import decide_due
from sekisho.licensing import (
    Grounds,
    HeldLease,
    HostState,
    LicenceLedger,
    accept_lease,
    decide_lease,
)
from sekisho.model.statements import (
    LeaseClosed,
    LeaseGranted,
    LeaseRequested,
    LeaseTerms,
    Reference,
)
from sekisho.ports.counter import CounterTier
from sekisho.ports.driver import Permit
from sekisho.signing import conceal
from tests.factory import HOST, NOW, ORIGIN, REFERENCE, SALT, disclosed, licence_issued
from tests.fakes import FakeCounter, FakeFiles
from tests.licensing.ledgers import fold, recorded

__all__ = ["Differs", "Machines", "replay"]

TICK_S = 60
TERMS = LeaseTerms(interval_s=2 * TICK_S, grace_s=TICK_S, quantum_s=TICK_S)
RESERVE = 2 * TICK_S


class Differs(Exception):
    """Model and code came to different states."""


class HostMachine:
    """One host: its durable memory, its work, its permit."""

    def __init__(self, name: str, tier: CounterTier) -> None:
        self.name, self.tier = name, tier
        self.files, self.counter = FakeFiles(), FakeCounter()
        self.counter.tier = tier
        self.boot = 1
        self.permit: Permit | None = None
        self.running = False
        self.unacknowledged = False
        self.request: LeaseRequested | None = None
        self.memory = self.woken()

    @property
    def state(self) -> HostState:
        return self.memory.state

    def woken(self) -> Memory:
        """A new agent over what lies on the disk."""
        self.memory = Memory(self.files, self.counter, self.name)
        self.memory.open(f"boot-{self.boot}/{self.boot}")
        return self.memory


class Machines:
    """The issuer's ledger and both hosts; each STEP of the model is a method's name in lower case."""

    def __init__(self, tiers: tuple[int, int] = (0, 0), leases: int = 3) -> None:
        budget = ((leases - 1) * 3 + 1) * TICK_S
        self.now = 0
        names = ("host-1", "host-2")
        self.hosts = [
            HostMachine(name, "C2" if tier else "C0")
            for name, tier in zip(names, tiers, strict=True)
        ]
        licence = msgspec.structs.replace(
            licence_issued(REFERENCE, budget_flop=str(budget)), hosts=names, lease=TERMS
        )
        entry = recorded(licence)
        self.ledger = LicenceLedger().after(entry)
        self.licence = Reference(log=ORIGIN, leaf=entry.leaf)
        self.leases: list[tuple[Reference, LeaseGranted, int]] = []
        self.finals: dict[str, int] = {}
        self.told: dict[str, int] = {}

    # --- the agent ---------------------------------------------------------------------------

    def ask(self, host: HostMachine, _: int) -> None:
        nonce = f"{len(host.files.files.get('receipts.jsonl', b'')) + self.now * 1000 + 1:032x}"
        host.request = LeaseRequested(
            effective=NOW,
            host=host.name,
            licence=self.licence,
            number=host.state.lease_number + 1,
            nonce=nonce,
            quantum=host.state.quantum,
        )

    def accept(self, host: HostMachine, lease: int) -> None:
        host.memory.save(host.memory.trusted(host.state.take(self._accepted(host, lease))))
        host.request = None

    def giveback(self, host: HostMachine, lease: int) -> None:
        held = self._held(lease)
        numbered = msgspec.structs.replace(host.state, lease_number=held.number)
        self._final(host, held, numbered)
        host.request = None

    def begin(self, host: HostMachine, _: int) -> None:
        self._check_may_begin(host)
        self._reserve(host)
        host.memory.step()
        host.permit = permit_to_run(self._situation(host, quantum_ends_s=TICK_S))
        host.running = True

    def crashstate(self, host: HostMachine, _: int) -> None:
        self._check_may_begin(host)
        self._reserve(host)
        host.woken()

    def crashreceipt(self, host: HostMachine, _: int) -> None:
        """The receipt is written, the state that includes it is not."""
        self._check_may_begin(host)
        self._save_settled(host)
        before = host.files.files["state.json"]
        self._reserve(host)
        host.files.files["state.json"] = before
        host.woken()

    def crashcounter(self, host: HostMachine, _: int) -> None:
        self._check_may_begin(host)
        self._reserve(host)
        host.memory.step()
        host.woken()

    def restart(self, host: HostMachine, _: int) -> None:
        host.woken()

    def reboot(self, host: HostMachine, _: int) -> None:
        host.boot += 1
        host.running, host.permit = False, None
        host.woken()
        while host.state.lease is not None:
            self._final(host, host.state.lease, host.state.switch())

    def switch(self, host: HostMachine, _: int) -> None:
        """Quanta pays for what the old permit still lets run; the model takes the whole reservation for that."""
        held = host.state.forget_quantum().lease
        if held is None:
            raise Differs("no lease to switch from")
        self._final(host, held, host.state.forget_quantum().switch())

    def stop(self, host: HostMachine, _: int) -> None:
        self._save_settled(host)
        host.running, host.permit = False, None

    def close(self, host: HostMachine, _: int) -> None:
        self._save_settled(host)
        if host.state.lease is None:
            raise Differs("no lease to close")
        self._final(host, host.state.lease, host.state.switch())

    # --- the issuer --------------------------------------------------------------------------

    def grant(self, host: HostMachine, _: int) -> None:
        if host.request is None:
            raise Differs("nothing was asked")
        grounds = Grounds(
            peak_flop_per_s=1,
            covered_by=(),
            max_lease_s=86_400,
            now=NOW.plus(self.now * TICK_S),
            site="site-1",
        )
        decided = decide_lease(host.request, self.ledger, grounds)
        if decided.term is None:
            raise Differs("; ".join(decided.reasons))
        allowance = decided.term.allowance_flop
        concealed, _text = conceal("allowance_flop", str(allowance), SALT)
        fact = LeaseGranted(
            effective=grounds.now,
            licence=self.licence,
            host=host.name,
            number=host.request.number,
            not_after=decided.term.not_after,
            nonce=host.request.nonce,
            request=f"{len(self.leases) + 1:064x}",
            heads=(),
            concealed=(concealed,),
        )
        self.ledger, lease = fold(self.ledger, fact, disclosed("allowance_flop", str(allowance)))
        self.leases.append((lease, fact, allowance))

    def receipts(self, host: HostMachine, _: int) -> None:
        held = host.state.lease
        if held is not None:
            self.told[held.lease.leaf] = int(held.reserved)
        for lease, fact, _allowance in self.leases:
            consumed = self.finals.get(lease.leaf)
            if fact.host == host.name and consumed is not None and self._is_live(lease):
                self._closed(lease, fact, consumed, "final-receipt")

    def acknowledge(self, host: HostMachine, _: int) -> None:
        self.receipts(host, 0)
        host.unacknowledged = False

    def overdue(self, _: HostMachine, lease: int) -> None:
        reference, fact, _allowance = self.leases[lease - 1]
        self._closed(reference, fact, self.told.get(reference.leaf, 0), "forfeited")
        self.finals.pop(reference.leaf, None)

    def tick(self, _: HostMachine, __: int) -> None:
        self.now += 1
        for host in self.hosts:
            if not host.running or host.permit is None:
                continue
            if decide_due(host.permit, self.now * TICK_S, asked=True) == "kill":
                host.memory.save(host.state.forget_quantum())
                host.running, host.permit = False, None

    # --- within ------------------------------------------------------------------------------

    def _accepted(self, host: HostMachine, lease: int) -> HeldLease:
        _, fact, _allowance = self.leases[lease - 1]
        if host.request is None:
            raise Differs("nothing was asked")
        accept_lease(
            fact,
            host=host.name,
            last_number=host.state.lease_number,
            nonce=host.request.nonce,
            heads={},
            latest=NOW.plus(self.now * TICK_S),
        )
        return self._held(lease)

    def _held(self, lease: int) -> HeldLease:
        reference, fact, allowance = self.leases[lease - 1]
        return HeldLease(
            lease=reference,
            licence=self.licence,
            number=fact.number,
            run="run-1",
            not_after=fact.not_after,
            allowance=str(allowance),
        )

    def _situation(self, host: HostMachine, *, quantum_ends_s: float | None) -> Situation:
        lease, now = host.state.lease, NOW.plus(self.now * TICK_S)
        ends_s = max((held.not_after.since(now) for held in host.state.in_hand), default=0.0)
        return Situation(
            now_s=self.now * TICK_S,
            work="running" if host.running else "none",
            tier=host.tier,
            lease=None if lease is None else LeaseFacts(mode="kill", grace_s=TICK_S, ends_s=ends_s),
            quantum_ends_s=quantum_ends_s,
            acknowledged=not host.unacknowledged,
        )

    def _check_may_begin(self, host: HostMachine) -> None:
        """The model lets a quantum begin: so must the agent's table."""
        over = None if host.permit is None else host.permit.checkpoint_at_s - self.now * TICK_S
        decision = decide(self._situation(host, quantum_ends_s=over))
        if not (decision.next_quantum if host.running else decision.new_work):
            raise Differs(f"{host.name} may not begin: {'; '.join(decision.reasons)}")

    def _settled(self, host: HostMachine) -> HostState:
        """What ran is credited at its bound; a quantum that was forgotten counts in full already."""
        held = host.state.lease
        if held is None or held.reserved == held.spent or host.permit is None:
            return host.state
        left = max(host.permit.until_s - self.now * TICK_S, 0)
        return host.state.credit(RESERVE - int(left))

    def _save_settled(self, host: HostMachine) -> None:
        host.memory.save(self._settled(host))

    def _reserve(self, host: HostMachine) -> None:
        reserved = self._settled(host).reserve(RESERVE)
        spend = Notes.spend_of(reserved.lease) if reserved.lease else None
        self._write(host, Notes(stage="quantum", spend=spend), reserved, reserved)
        host.unacknowledged = host.tier != "C2"

    def _final(self, host: HostMachine, lease: HeldLease, after: HostState) -> None:
        if self._is_live(lease.lease):
            self.finals[lease.lease.leaf] = int(lease.spent)
        closed = msgspec.structs.replace(lease, reserved=lease.spent)
        notes = Notes(stage="final", spend=Notes.spend_of(closed))
        self._write(host, notes, host.state, after)

    def _write(self, host: HostMachine, notes: Notes, state: HostState, after: HostState) -> None:
        given = give_receipt(
            notes,
            state,
            host=host.name,
            run="run-1",
            tier=host.tier,
            heads=(),
            now=NOW,
            signer=HOST,
        )
        host.memory.record(given, after)

    def _is_live(self, lease: Reference) -> bool:
        found = self.ledger.by_lease(lease.leaf)
        return found is not None and found[1].ended is None

    def _closed(self, lease: Reference, fact: LeaseGranted, consumed: int, how: str) -> None:
        concealed, _text = conceal("consumed_flop", str(consumed), SALT)
        closed = LeaseClosed(
            effective=NOW,
            lease=lease,
            licence=self.licence,
            host=fact.host,
            number=fact.number,
            how="forfeited" if how == "forfeited" else "final-receipt",
            concealed=(concealed,),
        )
        self.ledger, _ = fold(self.ledger, closed, disclosed("consumed_flop", str(consumed)))

    # --- comparing ---------------------------------------------------------------------------

    def told_host(self, number: int) -> dict[str, int]:
        """What the model's HOST line says, of the real machine."""
        host = self.hosts[number]
        held, waiting = host.state.lease, host.state.waiting
        return {
            "quantum": host.state.quantum,
            "counter": host.counter.read(),
            "lease": self._index(held),
            "waiting": self._index(waiting[0] if waiting else None),
            "spent": int(held.spent) // TICK_S if held else 0,
            "reserved": int(held.reserved) // TICK_S if held else 0,
            "number": host.state.lease_number,
            "running": int(host.running),
            "until": int(host.permit.until_s) // TICK_S if host.permit else 0,
            "unacknowledged": int(host.unacknowledged),
        }

    def told_book(self) -> list[int]:
        book = self.ledger.licences[self.licence.leaf].books.total
        accounts = (book.available, book.leased, book.consumed, book.forfeited)
        return [flop // TICK_S for flop in accounts]

    def _index(self, held: HeldLease | None) -> int:
        if held is None:
            return 0
        return 1 + [lease.leaf for lease, _, _ in self.leases].index(held.lease.leaf)


def replay(lines: list[str], machines: Machines) -> int:
    """How many steps model and code went the same way. Raises Differs at the first difference, with the line."""
    steps = 0
    for line in lines:
        kind, *rest = line.split()
        if kind == "STEP":
            name, host, lease = rest[0], int(rest[1]), int(rest[2])
            getattr(machines, name.lower())(machines.hosts[host], lease)
            steps += 1
        elif kind == "HOST":
            wanted = {
                key: int(value) for key, value in re.findall(r"([a-z]+) (\d+)", " ".join(rest[1:]))
            }
            _compare(line, wanted, machines.told_host(int(rest[0])), steps)
        elif kind == "BOOK":
            _compare(line, [int(value) for value in rest], machines.told_book(), steps)
    return steps


def _compare(line: str, wanted: object, found: object, steps: int) -> None:
    if wanted != found:
        raise Differs(f"after step {steps}: the model says {line}, the code {found}")
