"""A small world in simulated time: one issuer with its real desk and log, agents with their real decision code.

Real: Desk, LeaseCounter, Feed, folds, Duty, Quanta, Memory, Follower, decide, and every signature (an eighth of the
time, and no stand-in hides anything). Simulated: time, each host's clocks, disk, power, watchdog and work, and the
network between. Everything random comes from one seed.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import msgspec

from sekisho.agent.duty import Duty
from sekisho.agent.events import (
    Delivered,
    Event,
    FeedCame,
    LeaseCame,
    LeaseRefused,
    OrderFetched,
    ReceiptRefused,
)
from sekisho.agent.host import AgentSettings, Host
from sekisho.agent.memory import Memory
from sekisho.agent.receipts import GivenReceipt
from sekisho.following import Follower
from sekisho.ledger import Cosigned
from sekisho.model.errors import SekishoError, Unavailable
from sekisho.model.statements import LeaseGranted, LeaseTerms, OrderReference, Span
from sekisho.operations.feed import Feed
from sekisho.operations.registers import keep_registers
from sekisho.operations.running import LicencePlan, draft_licence
from sekisho.ports.control import Feed as FeedPiece
from sekisho.ports.control import FeedItem, LeaseAnswer, Unacknowledged
from sekisho.rules import load_pack
from sekisho.signing import Recorded
from tests import factory as f
from tests.desks import MovingClock, TestDesk
from tests.fakes import Crashed, FakeClock, FakeCounter, FakeDriver, FakeFiles, FakeWorkFolder, Fuse

__all__ = ["BUDGET", "PEAK", "TERMS", "SimHost", "World"]

HOUR = 3_600.0
PEAK = 1_000_000_000
TERMS = LeaseTerms(interval_s=12 * 3_600, grace_s=1_800, quantum_s=3_600)
NAMES = ("host-1", "host-2")
RETRY_S = 1_800.0
FINDINGS = 20
BUDGET = PEAK * 6 * 86_400  # less than two hosts can use in the days of one world


class SimFiles(FakeFiles):
    """Files that a power cut may leave with a torn last line, which reading takes away for good (ports.HostFiles)."""

    def load_lines(self, name: str) -> Iterator[bytes]:
        whole = self.files.get(name, b"")
        kept = whole[: whole.rfind(b"\n") + 1]
        if name in self.files:
            self.files[name] = kept
        yield from kept.splitlines()


class SimDriver(FakeDriver):
    """Work at full peak under a watchdog that looks at its clock at every instant. The truth: `used_s`, `ran_until`."""

    def __init__(self, clock: FakeClock, truth: Callable[[], float]) -> None:
        super().__init__(clock)
        self.rate = 1.0
        self.used_s = 0.0
        self.ran_until = -1.0
        self._truth = truth

    def enforce(self) -> None:
        now, permit = self.clock.elapsed_s(), self._permit
        if self.state == "running":
            end = now if permit is None else min(now, permit.until_s)
            ran = max(end - self._since_s, 0.0)
            self.used_s += ran
            self._cpu_s += ran
            self._since_s = now
            if ran > 0:
                self.ran_until = self._truth() - (now - end)
        rate, self.rate = self.rate, 0.0
        super().enforce()
        self.rate = rate

    def lose_power(self) -> None:
        """Nothing runs; what the watchdog knew is gone, and the elapsed-time source begins anew."""
        self.enforce()
        self.state, self._permit = "ended", None
        self._since_s = 0.0

    @property
    def until_s(self) -> float | None:
        return None if self._permit is None or self.state == "ended" else self._permit.until_s


class SimOutbox:
    """Errands of one agent process; each is tried again until its answer is heard, receipts one after the other."""

    def __init__(self, world: World, host: SimHost) -> None:
        self._world = world
        self._host = host
        self.errands: dict[int, tuple[Callable[[], Event | None], float]] = {}
        self._receipts: set[int] = set()
        self._numbers = count()

    def send_receipt(self, given: GivenReceipt) -> None:
        self._receipts.add(self._put(lambda: self._world.take_receipt(given)))

    def send_statement(self, raw: bytes) -> None:
        self._put(lambda: self._world.take_statement(raw))

    def send_request(self, raw: bytes) -> None:
        self._put(lambda: self._world.take_request(raw))

    def fetch_order(self, register: str, number: int) -> None:
        self._put(lambda: self._world.fetch_order(register, number))

    def _put(self, errand: Callable[[], Event | None]) -> int:
        number = next(self._numbers)
        self.errands[number] = (errand, 0.0)
        return number

    def let_out(self) -> None:
        """Send what waits, or has waited too long for its answer."""
        now, first = self._world.now, min(self._receipts & self.errands.keys(), default=None)
        for number, (errand, due) in list(self.errands.items()):
            if due <= now and (number == first or number not in self._receipts):
                self.errands[number] = (errand, now + RETRY_S)
                self._world.carry(self._host, self, number, errand)


class SimHost:
    """One host: its clocks, disk, power, watchdog, and its agent where that lives."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.clock = FakeClock()
        self.booted_at = world.now
        self.skew = 0.0
        self.boots = 1
        self.fuse = Fuse()
        self.files = SimFiles(self.fuse)
        self.counter = FakeCounter(self.fuse)
        self.driver = SimDriver(self.clock, lambda: world.now)
        self.folder = FakeWorkFolder()
        self.duty: Duty | None = None
        self.outbox = SimOutbox(world, self)
        self.cut_until = 0.0  # the network, by the true time
        self.fed = 0
        self.next_feed = 0.0
        self.snapshot: tuple[dict[str, bytes], int] | None = None
        self.halted: dict[str, OrderReference] = {}
        self._nonces = count(1)
        self.tell_time()
        self.start()

    def tell_time(self) -> None:
        self.clock.elapsed = self.world.now - self.booted_at + 1.0
        self.clock.system = f.NOW.plus(self.world.now + self.skew)
        self.clock.boot = f"boot-{self.boots}"

    def start(self) -> None:
        """A new agent process over what lies on the disk."""
        self.fuse.burns_at = None
        self.outbox = SimOutbox(self.world, self)
        self.fed, self.next_feed = 0, 0.0
        settings = AgentSettings(host=self.name, control="", run="run-1", command=("work",))
        host = Host(
            settings,
            signer=f.signer(self.name),
            clock=self.clock,
            memory=Memory(self.files, self.counter, self.name),
            follower=Follower(self.name, self.world.desk.root),
            driver=self.driver,
            outbox=self.outbox,
            folder=self.folder,
            nonce=lambda: f"{self.boots:016x}{next(self._nonces):016x}",
            cores=1,
        )
        self.duty = Duty(host, lambda: None)
        self.duty.wake(self.clock.boot_id())

    def look(self, events: tuple[Event, ...] = ()) -> None:
        """Hear and decide; where the fuse burns, the process is gone at that very write."""
        self.tell_time()
        self.driver.enforce()
        if self.duty is None:
            return
        try:
            for event in events:
                self.duty.hear(event)
            self.duty.look()
        except Crashed:
            self.duty = None
        self.outbox.let_out()

    def lose_power(self) -> None:
        self.tell_time()
        self.driver.lose_power()
        self.duty = None
        self.boots += 1
        self.booted_at = self.world.now
        self.tell_time()
        torn = self.world.random.random() < 0.3
        if torn:
            grown = self.files.files.get("receipts.jsonl", b"") + b'{"payload":"torn'
            self.files.files["receipts.jsonl"] = grown

    def next_look(self) -> float:
        """Just before the quantum ends, when the permit ends, or in a while."""
        now, elapsed = self.world.now, self.clock.elapsed_s()
        waits = [HOUR]
        if self.duty is not None and self.duty.quanta.ends_s is not None:
            before = self.duty.quanta.ends_s - 0.2 - elapsed
            waits += [before] if before > 0 else []
        if self.driver.until_s is not None and self.driver.until_s > elapsed:
            waits.append(self.driver.until_s - elapsed)
        return now + max(min(waits), 0.05)


class World:
    """Everything there is, moved from event to event."""

    def __init__(self, seed: int, folder: Path, *, days: float) -> None:
        self.random = random.Random(seed)
        self.days = days
        self.now = 0.0
        self.clock = MovingClock()
        self.desk = TestDesk(folder, self.clock)
        self.restores = 0
        self.events = 0
        self.told: list[str] = []
        self.orders: list[tuple[float, float | None, OrderReference]] = []
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self.last_end: dict[str, float] = {}
        self._cosigned: Cosigned | None = None
        self._heard: set[bytes] = set()
        self._found()
        self.hosts = [SimHost(self, name) for name in NAMES]
        for host in self.hosts:
            self.at(0.0, lambda host=host: self._turn(host))  # type: ignore[misc]  # mypy cannot type the default
            for befall in (self._crash, self._power, self._jump, self._cut, self._restore):
                self._later(host, befall)
        self.at(self._soon(36), self._pause)
        self.at(HOUR, self._overdue)

    def _found(self) -> None:
        self.desk.__enter__()
        desk = self.desk.desk
        self.feed = Feed(desk, self.desk.reader, run=1)
        desk.on_recorded(self.feed.take_recorded)
        desk.on_recorded(self._note_lease)
        for recorded in desk.recorded():
            self.feed.take_recorded(recorded)
        for name in NAMES:
            enrolled = f.host_enrolled(name, of=f.signer(name))
            if name != "host-1":
                desk.admit(f.signed(enrolled, f.AUTHORITY[0], f.OPERATOR).raw)
        run = msgspec.structs.replace(f.run_declared(planned_flop=str(BUDGET)), hosts=NAMES)
        desk.admit(f.signed(run, f.PARTY).raw)
        plan = LicencePlan(number="LIC-1", budget_flop=BUDGET, terms=TERMS, mode="kill")
        licence = draft_licence(desk.state, "run-1", load_pack(), plan, now=f.NOW)
        licence = msgspec.structs.replace(
            licence, period=Span(start=f.NOW, end=f.NOW.plus(self.days * 86_400))
        )
        self.licence = desk.admit(f.signed(licence, *f.AUTHORITY[:2]).raw)

    def close(self) -> None:
        self.desk.__exit__(None, None, None)

    def _note_lease(self, recorded: Recorded) -> None:
        """What the log grants, for the observer."""
        fact = recorded.verified.predicate
        if isinstance(fact, LeaseGranted):
            end = fact.not_after.since(f.NOW)
            self.last_end[fact.host] = max(end, self.last_end.get(fact.host, 0.0))

    # --- time --------------------------------------------------------------------------------

    def at(self, when: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (when, next(self._order), act))

    def step(self) -> bool:
        """The next event; False where the world's days are over."""
        when, _, act = heapq.heappop(self._queue)
        if when > self.days * 86_400:
            return False
        self.now = max(self.now, when)
        self.clock.at = f.NOW.plus(self.now)
        act()
        self.events += 1
        for host in self.hosts:
            host.tell_time()
            host.driver.enforce()
        return True

    def _soon(self, hours: float) -> float:
        return self.now + self.random.expovariate(1 / (hours * HOUR))

    def _turn(self, host: SimHost) -> None:
        if host.duty is not None and self.now >= host.next_feed:
            host.next_feed = self.now + self.random.choice([1_800, 3_600, 4 * HOUR])
            after = host.fed
            self.carry(host, host.outbox, None, lambda: self._read_feed(host, after))
        host.look()
        self.at(host.next_look(), lambda: self._turn(host))

    # --- the network -------------------------------------------------------------------------

    def carry(
        self,
        host: SimHost,
        outbox: SimOutbox,
        number: int | None,
        errand: Callable[[], Event | None],
    ) -> None:
        """There and back: each way may be lost, late, doubled or overtaken; a cut network carries nothing."""
        for _ in range(2 if self.random.random() < 0.1 else 1):
            if host.cut_until > self.now or self.random.random() < 0.05:
                continue
            self.at(self.now + self._delay(), lambda: self._arrive(host, outbox, number, errand))

    def _delay(self) -> float:
        kind = self.random.random()
        return 0.05 if kind < 0.8 else self.random.uniform(1, 8 * HOUR if kind > 0.99 else 60)

    def _arrive(
        self,
        host: SimHost,
        outbox: SimOutbox,
        number: int | None,
        errand: Callable[[], Event | None],
    ) -> None:
        try:
            event = errand()
        except Unavailable:
            return
        if host.cut_until > self.now or self.random.random() < 0.05:
            return
        self.at(self.now + self._delay(), lambda: self._answer(host, outbox, number, event))

    def _answer(
        self, host: SimHost, outbox: SimOutbox, number: int | None, event: Event | None
    ) -> None:
        if host.outbox is not outbox or host.duty is None:
            return  # the process that asked is gone
        if number is not None:
            outbox.errands.pop(number, None)
        if isinstance(event, FeedCame):
            host.fed = max(host.fed, event.feed.next)
        host.look((event,) if event is not None else ())
        # A look that began something comes back before the quantum ends.
        self.at(host.next_look(), host.look)

    # --- the issuer --------------------------------------------------------------------------

    def _witnessed(self) -> Cosigned:
        size = self.desk.desk.state.size
        stale = self._cosigned is None or self._cosigned.checkpoint.size < size
        if stale or self.random.random() < 0.2:
            self._cosigned = self.desk.cosigned()
            self.feed.take_published(self._cosigned)
        assert self._cosigned is not None
        return self._cosigned

    def _read_feed(self, host: SimHost, after: int) -> Event:
        self._witnessed()
        page = self.feed.read(host.name, after)
        items = tuple(FeedItem(envelope=i.envelope, proof=i.proof) for i in page.items)
        return FeedCame(FeedPiece(next=page.next, items=items, checkpoint=page.checkpoint))

    def take_receipt(self, given: GivenReceipt) -> Event:
        try:
            return Delivered(given.sequence, self.desk.leases.take_receipt(given.raw))
        except SekishoError as error:
            self.told.append(f"{self.now:.0f} receipt refused: {error.code}")
            return ReceiptRefused(given.sequence, str(error), isinstance(error, Unacknowledged))

    def take_request(self, raw: bytes) -> Event:
        try:
            granted = self.desk.leases.grant(raw)
        except SekishoError as error:
            return LeaseRefused(raw, str(error))
        proof = self.desk.reader.prove(granted.admitted.index, self._witnessed()).to_text()
        answer = LeaseAnswer(
            envelope=granted.envelope, proof=proof, disclosures=granted.disclosures
        )
        return LeaseCame(raw, answer)

    def take_statement(self, raw: bytes) -> Event | None:
        """Findings: a few of each world go into the log, the rest would only fill it."""
        if len(self._heard) < FINDINGS:
            self._heard.add(raw)
            try:
                self.desk.desk.admit(raw)
            except SekishoError as error:
                self.told.append(f"{self.now:.0f} statement refused: {error.code}")
        return None

    def fetch_order(self, register: str, number: int) -> Event:
        book = self.desk.desk.state.orders.orders.get(register)
        known = None if book is None else book.get(number)
        if known is None:
            return OrderFetched(register, number, None)
        recorded = self.desk.desk.find(known.digest)
        if recorded is None:
            return OrderFetched(register, number, None)
        proof = self.desk.reader.prove(recorded.index, self._witnessed()).to_text()
        item = FeedItem(envelope=recorded.verified.envelope.raw, proof=proof)
        return OrderFetched(register, number, item)

    def _overdue(self) -> None:
        self.desk.leases.close_overdue()
        self.at(self.now + 2 * HOUR, self._overdue)

    # --- what befalls ------------------------------------------------------------------------

    def _later(self, host: SimHost, befall: Callable[[SimHost], None]) -> None:
        hours = {"_crash": 10, "_power": 40, "_jump": 30, "_cut": 24, "_restore": 120}
        self.at(self._soon(hours[befall.__name__]), lambda: self._befall(host, befall))

    def _befall(self, host: SimHost, befall: Callable[[SimHost], None]) -> None:
        befall(host)
        self._later(host, befall)

    def _crash(self, host: SimHost) -> None:
        """The agent dies at one of its next writes, before or after it, and starts again after a while."""
        host.fuse.steps.clear()
        host.fuse.burns_at = self.random.randrange(6)
        host.fuse.after = self.random.random() < 0.5
        self.at(self.now + self.random.uniform(0.1, 3) * HOUR, lambda: self._revive(host))

    def _revive(self, host: SimHost) -> None:
        if host.duty is None:
            host.tell_time()
            host.start()
            host.look()

    def _power(self, host: SimHost) -> None:
        host.lose_power()
        wait = self.random.choice([0.01, 1.0, 8.0]) * HOUR
        self.at(self.now + wait, lambda: self._revive(host))

    def _jump(self, host: SimHost) -> None:
        host.skew = self.random.choice([0.0, 0.0, -86_400.0, -HOUR, -5.0, 7_200.0, 30.0])

    def _cut(self, host: SimHost) -> None:
        host.cut_until = self.now + self.random.choice([0.2, 2.0, 12.0]) * HOUR

    def _restore(self, host: SimHost) -> None:
        """First a copy of the disk with its counter, later that copy put back, with the power cut between."""
        if host.snapshot is None:
            host.snapshot = (dict(host.files.files), host.counter.value)
            return
        host.lose_power()
        files, counter = host.snapshot
        if files != host.files.files:
            self.restores += 1
        host.files.files, host.counter.value = dict(files), counter
        host.snapshot = None
        self.at(self.now + HOUR, lambda: self._revive(host))

    def _pause(self) -> None:
        desk = self.desk.desk
        head = desk.state.orders.heads["pause/JP"]
        order = f.order_issued(
            charter_digest=self.desk.charter_envelope.digest,
            number=head.number + 1,
            previous=head.digest,
            effect=self.random.choice(["freeze", "checkpoint-then-stop"]),
            now=self.clock.now(),
            expires=self.clock.now().plus(30 * 86_400),
        )
        envelope = f.signed(order, *f.AUTHORITY[:3], f.VERIFIER[0])
        desk.admit(envelope.raw)
        keep_registers(desk)
        reference = OrderReference(register="pause/JP", number=order.number, digest=envelope.digest)
        self.orders.append((self.now, None, reference))
        self.at(self._soon(10), lambda: self._resume(reference))

    def _resume(self, lifted: OrderReference) -> None:
        desk = self.desk.desk
        head = desk.state.orders.heads["resume/JP"]
        order = f.order_issued(
            charter_digest=self.desk.charter_envelope.digest,
            kind="resume",
            effect="lift",
            lifts=[lifted],
            number=head.number + 1,
            previous=head.digest,
            now=self.clock.now(),
            on_expiry="lapse",
        )
        desk.admit(f.signed(order, *f.AUTHORITY[:3], f.VERIFIER[0]).raw)
        keep_registers(desk)
        begun, _, reference = self.orders[-1]
        self.orders[-1] = (begun, self.now, reference)
        self.at(self._soon(48), self._pause)
