"""Walks a trace of models/orders.pml through the real code, and compares what both came to after each step.

Real, with real signatures, proofs and cosignatures: Regime.verify with quorums and withdrawals, record_in_book,
verify_issue, Follower over OrderBook, decide_lease, take_lease with accept_lease, decide, permit_to_run, decide_due.
A tick is half a day.
"""

from __future__ import annotations

import re
from functools import cached_property

import msgspec

from sekisho.agent.acceptance import take_lease
from sekisho.agent.decide import LeaseFacts, Situation, decide, permit_to_run
from sekisho.agent.watchdog import decide_due
from sekisho.following import Followed, Follower
from sekisho.ledger import leaf_hash
from sekisho.model.errors import SekishoError, VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    LeaseRequested,
    LeaseTerms,
    OrderIssued,
    OrderReference,
    OrdersInForce,
    RegisterHead,
    Scope,
    SignatureWithdrawn,
    Span,
    make_payload,
)
from sekisho.model.wire import sha256_hex
from sekisho.orders import (
    EMPTY_HEAD,
    decide_demand,
    facts_of,
    in_force_root,
    record_in_book,
    verify_issue,
)
from sekisho.ports.control import Feed, FeedItem, LeaseAnswer
from sekisho.ports.driver import Permit
from sekisho.signing import Envelope, Recorded, parse_envelope, sign_payload
from tests import factory as f
from tests.fake_control import FakeControl
from tests.simulation.replaying import Differs

__all__ = ["OrderMachines", "replay_orders"]

TICK_S = 43_200
TERMS = LeaseTerms(interval_s=2 * TICK_S, grace_s=3_600, quantum_s=3_600)
NAMES = ("host-1", "host-2")
RELEASE = 3
BITS = {1: 1, 2: 2, RELEASE: 4}


class _Draft(msgspec.Struct):
    """An order and what became of it at the log."""

    order: OrderIssued
    envelope: Envelope | None = None
    index: int | None = None
    witnessed: bool = False

    @property
    def payload(self) -> bytes:
        return make_payload(self.order)

    @property
    def digest(self) -> str:
        return sha256_hex(self.payload)

    @property
    def head(self) -> RegisterHead:
        order = self.order
        return RegisterHead(register=order.register, number=order.number, digest=self.digest)

    @property
    def reference(self) -> OrderReference:
        order = self.order
        return OrderReference(register=order.register, number=order.number, digest=self.digest)


class HostMachine:
    """One host: what it follows, and its lease, work and permit."""

    def __init__(self, name: str, control: FakeControl) -> None:
        self.name, self.control = name, control
        self.kept: list[Followed] = []
        self.heads: Followed | None = None
        self.sighted: set[int] = set()
        self.told: set[int] = set()
        self.number = 0
        self.request: bytes | None = None
        self.answer: tuple[LeaseAnswer, int] | None = None  # and when it was granted
        self.lease: int | None = None  # when it was granted
        self.permit: Permit | None = None
        self.running = False
        self.since: int | None = None
        self.behind_s = 0  # how old the newest signed time was when it came here
        self.follower = Follower(name, control.root)
        self._found()

    def _found(self) -> None:
        feed = self.control.fetch_feed(self.name, 0, 0)
        accepted, findings = self.follower.take(feed, self.control.clock.elapsed_s())
        if findings:
            raise Differs(f"{self.name} does not take the founding: {findings}")
        self.kept += accepted

    def take(self, item: FeedItem) -> bool:
        """Whether an item is accepted."""
        self.follower.elapsed_s = self.control.clock.elapsed_s()
        kept, _ = self.follower.take_item(item)
        if kept is None:
            return False
        if kept.kind == "orders-in-force":
            self.heads = kept
        else:
            self.kept.append(kept)
        return True

    def tell_time(self) -> None:
        """The newest checkpoint comes, and the agent looks."""
        note = self.control.log.note(self.signed_time)
        self.follower.take(Feed(next=0, items=(), checkpoint=note), self.control.clock.elapsed_s())
        self.follower.lapses(self.control.now())

    @property
    def signed_time(self) -> Instant:
        """The newest time that a witness signed and that comes here."""
        return self.control.now().plus(-self.behind_s)

    def restart(self) -> None:
        """A new agent that is told again what was kept."""
        self.follower = Follower(self.name, self.control.root)
        self.follower.elapsed_s = self.control.clock.elapsed_s()
        untold = [*self.kept, *([self.heads] if self.heads else [])]
        for _ in range(2):  # as Duty.wake does
            untold = [followed for followed in untold if not self._is_told(followed)]
        self.tell_time()
        self.since = None

    def _is_told(self, followed: Followed) -> bool:
        kept, finding = self.follower.take_again(followed)
        return kept is not None or finding is None


class OrderMachines:
    """Key holders, log, issuer and both hosts; each STEP of the model is a method's name in lower case."""

    def __init__(self, options: tuple[str, ...] = ()) -> None:
        self.now = 0
        self.start = f.NOW
        self.control = FakeControl()
        second = f.host_enrolled(NAMES[1], of=f.signer(NAMES[1]))
        self.control.admit(f.signed(second, f.AUTHORITY[0], f.OPERATOR))
        licence = f.licence_issued(self.control.declaration, budget_flop="1" + "0" * 30)
        licence = msgspec.structs.replace(
            licence, hosts=NAMES, lease=TERMS, period=Span(start=f.NOW, end=f.NOW.plus(10**7))
        )
        self.licence = self.control.admit(f.signed(licence, *f.AUTHORITY[:2]))
        self.hosts = [HostMachine(name, self.control) for name in NAMES]
        if "LAG" in options:
            self._let_lag()
        self.drafts = self._drafts(options)
        self._nonces = 0

    def _let_lag(self) -> None:
        """A tick passes of which no host hears a signed time."""
        self.start = f.NOW.plus(TICK_S)
        self.control.clock.system = self.start
        for host in self.hosts:
            host.behind_s = TICK_S

    def _drafts(self, options: tuple[str, ...]) -> dict[int, _Draft]:
        """The two orders that restrict, with the digests that they name; the resume comes when it is drafted."""
        ticks = next((int(o.removeprefix("EXPIRES=")) for o in options if "EXPIRES" in o), 3)
        expires = self.start.plus(ticks * TICK_S)
        first = _Draft(self._order(1, EMPTY_HEAD, Scope(sites=("site-1",)), expires=expires))
        alone = Scope(hosts=(NAMES[0],))
        if "TWIN" in options:
            again = self._order(1, EMPTY_HEAD, alone, expires=expires, appeal="to the court")
            return {1: first, 2: _Draft(again)}
        if "HOLD" in options:
            hold = self._order(1, EMPTY_HEAD, alone, expires=expires, kind="hold", effect="freeze")
            return {1: first, 2: _Draft(hold)}
        if "CAP" in options:
            cap = self._order(
                1, EMPTY_HEAD, alone, expires=expires, kind="cap", effect="cap", cap_percent=50
            )
            return {1: first, 2: _Draft(cap)}
        return {1: first, 2: _Draft(self._order(2, first.digest, alone, expires=expires))}

    def _order(self, number: int, previous: str, scope: Scope, **changes: object) -> OrderIssued:
        fields: dict[str, object] = {
            "effect": "checkpoint-then-stop",
            "issue_until": self.start.plus(72 * 3_600),
            **changes,
        }
        return f.order_issued(
            number=number,
            previous=previous,
            scope=scope,
            charter_digest=self.control.charter.digest,
            now=self.start,
            **fields,  # type: ignore[arg-type]  # the same
        )

    @property
    def time(self) -> Instant:
        return self.start.plus(self.now * TICK_S)

    # --- key holders, log, witnesses -----------------------------------------------------------

    def sign(self, number: int, by_a: int, by_b: int, names: int) -> None:
        """What a draft was signed with: `by_a` of three keys of which two must, one of five more here."""
        if number == RELEASE:
            lifts = tuple(self.drafts[o].reference for o in (1, 2) if names & BITS[o])
            order = self._order(
                1, EMPTY_HEAD, Scope(everywhere=True), kind="resume", effect="lift", lifts=lifts,
                expires=f.NOW.plus(10**7),
            )  # fmt: skip
            self.drafts[RELEASE] = _Draft(order)
        draft = self.drafts[number]
        keys = (*f.AUTHORITY[: by_a + 1], *f.VERIFIER[:by_b])
        draft.envelope = sign_payload(draft.payload, keys)

    def draft(self, _: HostMachine, __: int) -> None:
        """The signatures are told in the ORDER line that follows."""

    def withdraw(self, _: HostMachine, number: int) -> None:
        fact = SignatureWithdrawn(
            effective=self.time,
            payload=self.drafts[number].digest,
            key=f.AUTHORITY[0].public.key_id,
            reason="second thoughts",
        )
        self.control.admit(f.signed(fact, f.AUTHORITY[0]))

    def record(self, _: HostMachine, number: int) -> None:
        if not self.is_recordable(number):
            raise Differs(f"the log does not take order {number}")
        draft = self.drafts[number]
        draft.index = len(self.control.log.entries)
        self.control.admit(self._envelope(number))

    def witness(self, _: HostMachine, __: int) -> None:
        for draft in self.drafts.values():
            draft.witnessed = draft.index is not None

    def is_recordable(self, number: int) -> bool:
        """Whether the log takes an order now: quorum, withdrawals, its own rules, its register."""
        control, raw = self.control, self._envelope(number).raw
        try:
            verified = control.regime.verify(raw)
            order = verified.predicate
            if not isinstance(order, OrderIssued):
                raise Differs("no order")
            charter = control.regime.in_force()
            verify_issue(order, charter, log=f.ORIGIN, now=self.time)
            recorded = Recorded(
                index=len(control.log.entries), leaf=leaf_hash(raw).hex(), verified=verified
            )
            record_in_book(control.book, recorded, control.regime, control.regime)
        except SekishoError:
            return False
        return True

    # --- agents ----------------------------------------------------------------------------------

    def sight(self, host: HostMachine, number: int) -> None:
        if not host.take(FeedItem(envelope=self._envelope(number).raw)):
            raise Differs(f"{host.name} refuses order {number} on sight")
        host.sighted.add(number)

    def prove(self, host: HostMachine, number: int) -> None:
        if not host.take(self._proved(host, number)):
            raise Differs(f"{host.name} refuses order {number} with its proof")

    def refuse(self, host: HostMachine, number: int) -> None:
        if host.take(FeedItem(envelope=self._envelope(number).raw)):
            raise Differs(f"{host.name} takes order {number} on sight")

    def refuseproof(self, host: HostMachine, number: int) -> None:
        if host.take(self._proved(host, number)):
            raise Differs(f"{host.name} takes order {number} with its proof")

    def tell(self, host: HostMachine, number: int) -> None:
        host.told.add(number)
        newest: dict[str, RegisterHead] = {}
        for draft in (self.drafts[told] for told in sorted(host.told)):
            newest[draft.order.register] = draft.head
        fact = OrdersInForce(
            effective=self.time,
            heads=tuple(newest.values()),
            in_force=(),
            root=in_force_root(()),
        )
        raw = f.signed(fact, f.OPERATOR).raw
        index = self.control.log.append(raw)
        proof = self.control.log.prove(index, host.signed_time)
        host.take(FeedItem(envelope=raw, proof=proof))

    def hear(self, host: HostMachine, _: int) -> None:
        """A signed time of now."""
        host.behind_s = 0
        host.tell_time()

    def restart(self, host: HostMachine, _: int) -> None:
        host.restart()

    # --- leases and work -------------------------------------------------------------------------

    def grant(self, host: HostMachine, _: int) -> None:
        if host.answer is not None:
            host.number += 1  # the answer before this one is taken, and given back unused
        self._nonces += 1
        fact = LeaseRequested(
            effective=self.time,
            host=host.name,
            licence=self.licence,
            number=host.number + 1,
            nonce=f"{self._nonces:032x}",
            quantum=0,
        )
        host.request = f.signed(fact, f.signer(host.name)).raw
        answer = self.control.grant(fact, parse_envelope(host.request).digest)
        proof = self.control.log.prove(len(self.control.log.entries) - 1, host.signed_time)
        host.answer = (msgspec.structs.replace(answer, proof=proof), self.now)

    def accept(self, host: HostMachine, _: int) -> None:
        granted = self._take_lease(host)
        if granted is None:
            raise Differs(f"{host.name} does not take its lease")
        host.lease = max(granted, -1 if host.lease is None else host.lease)

    def giveback(self, host: HostMachine, _: int) -> None:
        if self._take_lease(host) is not None:
            raise Differs(f"{host.name} takes a lease that it must not use")

    def begin(self, host: HostMachine, _: int) -> None:
        ends_s = float(TICK_S)
        host.permit = permit_to_run(
            msgspec.structs.replace(self._situation(host), quantum_ends_s=ends_s)
        )
        host.running = True

    def stop(self, host: HostMachine, _: int) -> None:
        host.running, host.permit = False, None

    def halt(self, host: HostMachine, _: int) -> None:
        """A receipt: nothing changes here."""
        if not self._demanded(host):
            raise Differs(f"{host.name} has no order to halt under")

    def tick(self, _: HostMachine, __: int) -> None:
        self.now += 1
        self.control.clock.advance(TICK_S)
        for host in self.hosts:
            if host.permit is not None:
                due = decide_due(host.permit, self.now * TICK_S, asked=True)
                if due == "kill":
                    self.stop(host, 0)
            host.tell_time()
            if host.answer is not None and self.now >= host.answer[1] + 2:
                host.answer, host.number = None, host.number + 1
            if host.lease is not None and self.now >= host.lease + 2:
                host.lease = None

    # --- within ----------------------------------------------------------------------------------

    def _envelope(self, number: int) -> Envelope:
        envelope = self.drafts[number].envelope
        if envelope is None:
            raise Differs(f"order {number} is not drafted")
        return envelope

    def _proved(self, host: HostMachine, number: int) -> FeedItem:
        draft = self.drafts[number]
        if draft.index is None or not draft.witnessed:
            raise Differs(f"no witness saw order {number}")
        return FeedItem(
            envelope=self._envelope(number).raw,
            proof=self.control.log.prove(draft.index, host.signed_time),
        )

    def _take_lease(self, host: HostMachine) -> int | None:
        """When the lease that came was granted; None where it must not be used."""
        if host.answer is None or host.request is None:
            raise Differs("no lease was granted")
        (answer, granted), host.answer = host.answer, None
        covered = bool(self._demanded(host))
        taken = take_lease(
            answer, host.request, host.follower, last_number=host.number, latest=self.time
        )
        host.number += 1
        return None if covered or taken.fault is not None else granted

    @cached_property
    def _licence(self) -> object:
        return self.control.ledger.licences[self.licence.leaf].licence

    def _facts(self, host: HostMachine) -> object:
        state = host.follower.licence_for("run-1")
        return host.follower.facts(None if state is None else state.licence)

    def _demanded(self, host: HostMachine) -> int:
        _, halting = host.follower.demand(self.time, self._facts(host))  # type: ignore[arg-type]  # facts of the follower's own
        return sum(
            BITS[o] for o in (1, 2) if any(k.digest == self.drafts[o].digest for k in halting)
        )

    def _situation(self, host: HostMachine) -> Situation:
        self._note_since(host)
        demand, _ = host.follower.demand(self.time, self._facts(host))  # type: ignore[arg-type]  # the same
        lease = None
        if host.lease is not None:
            ends_s = (host.lease + 2 - self.now) * float(TICK_S)
            lease = LeaseFacts(mode="kill", grace_s=TICK_S, ends_s=ends_s)
        ends = None
        if host.permit is not None:
            ends = host.permit.checkpoint_at_s - self.now * TICK_S
        waited = None if host.since is None else (self.now - host.since) * float(TICK_S)
        return Situation(
            now_s=self.now * TICK_S,
            work="running" if host.running else "none",
            tier="C2",
            lease=lease,
            quantum_ends_s=ends,
            demand=demand,
            outstanding_s=waited,
            fetch_delay_s=TICK_S,
        )

    def _note_since(self, host: HostMachine) -> None:
        if not host.follower.book.outstanding():
            host.since = None
        elif host.since is None:
            host.since = self.now

    def _may_begin(self, host: HostMachine) -> bool:
        situation = self._situation(host)
        decision = decide(situation)
        if not host.running:
            return decision.new_work
        return decision.next_quantum and (situation.quantum_ends_s or 0.0) <= 0

    def _is_granted(self, host: HostMachine) -> bool:
        control = self.control
        licence = control.ledger.licences[self.licence.leaf].licence
        facts = facts_of(control.regime.hosts[host.name], licence)
        demand = decide_demand(control.book.in_force(self.time), facts)
        return not demand.refuses_new_work

    # --- comparing -------------------------------------------------------------------------------

    def told_host(self, number: int) -> dict[str, int]:
        """What the model's HOST line says, of the real host."""
        host = self.hosts[number]
        known = {o: self._known(host, o) for o in (1, 2, RELEASE)}
        lapsed = sum(BITS[o] for o in (1, 2) if o in host.sighted and not known[o])
        book = host.follower.book
        self._note_since(host)
        return {
            "first": known[1],
            "second": known[2],
            "release": known[RELEASE],
            "lapsed": lapsed,
            "outstanding": int(bool(book.outstanding())),
            "demanded": self._demanded(host),
            "lease": 0 if host.lease is None else host.lease + 1,
            "running": int(host.running),
            "until": int(host.permit.until_s) // TICK_S if host.permit else 0,
            "may": int(self._may_begin(host)),
            "grants": int(self._is_granted(host)),
            "capped": int(bool(host.follower.caps(self.time, self._facts(host)))),  # type: ignore[arg-type]  # the same
        }

    def heads_differ(self, number: int, bits: int) -> bool:
        """Whether the newest heads are others than those that the model says were heard of."""
        heads = self.hosts[number].follower.book.heads
        wanted: dict[str, RegisterHead] = {}
        for o in (o for o in sorted(self.drafts) if bits & BITS[o]):
            wanted[self.drafts[o].order.register] = self.drafts[o].head
        return any(
            (head != wanted[name] if name in wanted else head.number > 0)
            for name, head in heads.items()
        )

    def _known(self, host: HostMachine, number: int) -> int:
        draft = self.drafts.get(number)
        known = None if draft is None else host.follower.book.find(draft.reference)
        # A hold that no witness has shown stands beside the book.
        if known is None and draft is not None:
            known = host.follower.holds.unseen.get(draft.reference.digest)
        return 0 if known is None else 1 + known.witnessed


def replay_orders(lines: list[str], machines: OrderMachines) -> int:
    """How many steps model and code went the same way. Raises Differs at the first difference, with the line."""
    steps, drafted = 0, False
    pending: list[tuple[str, dict[str, int], int]] = []
    for line in [*lines, "STEP"]:
        kind, *rest = line.split()
        values = {k: int(v) for k, v in re.findall(r"([a-z]+) (\d+)", " ".join(rest[1:]))}
        if kind == "ORDER":
            _order_line(machines, int(rest[0]), values, line, drafted=drafted)
        elif kind == "HOST":
            pending.append((line, values, int(rest[0])))
        elif kind == "STEP":
            for told, wanted, number in pending:
                _compare(machines, number, wanted, f"after step {steps}: {told}")
            pending.clear()
            if rest:
                drafted = rest[0] == "Draft"
                try:
                    host = machines.hosts[min(int(rest[1]), 1)]
                    getattr(machines, rest[0].lower())(host, int(rest[2]))
                except VerificationError as error:
                    raise Differs(f"step {steps}: {line}: {error}") from None
                except Differs as error:
                    raise Differs(f"step {steps}: {line}: {error}") from None
                steps += 1
    return steps


def _order_line(
    machines: OrderMachines, number: int, values: dict[str, int], line: str, *, drafted: bool
) -> None:
    """Signatures of what was drafted just now; and whether the log takes what it has not taken yet."""
    if values["state"] == 0:
        return
    draft = machines.drafts.get(number)
    if drafted and (draft is None or draft.envelope is None):
        machines.sign(number, values["a"], values["b"], values["names"])
    if values["state"] == 1 and machines.is_recordable(number) != bool(values["takes"]):
        raise Differs(f"the log judges otherwise than {line}")


def _compare(machines: OrderMachines, number: int, wanted: dict[str, int], where: str) -> None:
    bits = wanted.pop("heads")
    found = machines.told_host(number)
    if wanted != found:
        odd = {key: (wanted[key], found[key]) for key in wanted if wanted[key] != found[key]}
        raise Differs(f"{where}: model and code say {odd}")
    if machines.heads_differ(number, bits):
        raise Differs(f"{where}: heads {machines.hosts[number].follower.book.heads}")
