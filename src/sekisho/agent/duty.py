"""The agent's duty: hear what happened, decide, act, and only then write and send.

One thread owns all of this. Events come from the outbox's threads; `look` runs the decision over what is known and
says when to look again. The order inside a look is the protocol: (1) decide; (2) stop what must stop; (3) receipts;
(4) give leases back or ask for them; (5) begin a quantum, extend the permit, start or thaw.
"""

from __future__ import annotations

from collections.abc import Callable

from sekisho.agent.acceptance import take_acknowledgement
from sekisho.agent.decide import (
    Act,
    Decision,
    LeaseFacts,
    Situation,
    Start,
    Work,
    decide,
    permit_to_run,
)
from sekisho.agent.events import (
    Delivered,
    Event,
    FeedCame,
    LeaseCame,
    LeaseRefused,
    OrderFetched,
    ReceiptRefused,
    Silence,
)
from sekisho.agent.follow import Finding, Followed
from sekisho.agent.halting import Halting
from sekisho.agent.host import Host
from sekisho.agent.quanta import Quanta
from sekisho.model.errors import InvalidInput, SekishoError, StateConflict, Unavailable
from sekisho.orders import Demand, KnownOrder, UnwitnessedRelease
from sekisho.ports.control import FeedItem
from sekisho.ports.driver import Permit, WorkloadReading

__all__ = ["Duty"]

READ_EVERY_S = 1.0
REVIVE_EVERY_S = 2.0
RESEND_EVERY_S = 2.0
FETCH_EVERY_S = 2.0
WAITING_S = 0.02  # while a checkpoint is being written
SOON_S = 0.1
AT_REST_S = 1.0
LEEWAY_S = 5.0
SHORT_LIFE_S = 5.0
LONGEST_REST_S = 30.0


class Duty:
    """One host's agent. `revive` brings a dead watchdog back, or raises Unavailable."""

    def __init__(self, host: Host, revive: Callable[[], None]) -> None:
        self._host = host
        self._revive = revive
        self.quanta = Quanta(host)
        self.halting = Halting(host)
        self.start: Start = "sound"
        self.work: Work = "none"
        self.decision: Decision | None = None
        self._read_at_s = self._revive_at_s = self._resend_at_s = self._fetch_at_s = 0.0
        self._watchdog_lives = True
        self._blind_since_s: float | None = None
        self._outstanding_since_s: float | None = None
        self._demanded_since_s: float | None = None
        self._asked_stamp: int | None = (
            None  # what the checkpoint record was when one was asked for
        )
        self._has_checkpoint = False
        self._stop_failed = False
        self._is_complete = False
        self._lives_since_s = 0.0
        self._short_lives = 0
        self._restart_at_s = 0.0
        self._unkept: list[Followed] = []
        self._unanswered: set[int] = (
            set()
        )  # receipts that were taken without an acknowledgement that holds
        self._permit: Permit | None = None
        self._has_contact = False

    # --- waking ------------------------------------------------------------------------------

    def wake(self, boot: str) -> None:
        """Open the memory, learn again what was accepted, take over living work, send what was not delivered.

        Raises Corrupt where memory cannot be read, Unavailable where the watchdog does not answer.
        """
        opening = self._host.memory.open(boot)
        self._host.latest()
        for followed in self._host.memory.load_followed():
            item = FeedItem(envelope=followed.envelope, proof=followed.proof)
            self._host.follower.take_item(item, followed.seen)
        if opening.start != "sound":
            self.start = opening.start
            self.quanta.forsake_request()
        if opening.start == "rolled-back":
            self._host.raise_finding(Finding(code="rolled-back", detail=opening.detail))
        self._attach()
        for given in list(self._host.memory.pending.values()):
            self._host.outbox.send_receipt(given)
        self.quanta.resume_request()

    def _attach(self) -> None:
        held = self._host.driver.held()
        self._take_reading(self._host.driver.read())
        if held is None:
            return
        permit = held[1]
        if self._host.memory.state.lease is not None and self.start == "sound":
            self.quanta.attach(permit.checkpoint_at_s)

    # --- hearing -----------------------------------------------------------------------------

    def hear(self, event: Event) -> None:
        """Take in one event; nothing is acted on before the next look."""
        if isinstance(event, FeedCame):
            accepted, findings = self._host.follower.take(event.feed, self._host.clock.elapsed_s())
            self._has_contact = True
            self._unkept += accepted
            self._findings(findings)
        elif isinstance(event, OrderFetched):
            self._hear_order(event)
        elif isinstance(event, Delivered):
            self._hear_delivery(event)
        elif isinstance(event, ReceiptRefused):
            detail = f"receipt {event.sequence} was refused: {event.detail}"
            self._findings([Finding(code="receipt-refused", detail=detail)])
        elif isinstance(event, LeaseCame):
            self._hear_lease(event)
        elif isinstance(event, LeaseRefused):
            self.quanta.refused(event)
        elif isinstance(event, Silence):
            pass  # what silence does is decided by what does not come

    def _hear_order(self, event: OrderFetched) -> None:
        if event.item is None:
            return
        kept, finding = self._host.follower.take_item(event.item)
        self._unkept += [kept] if kept else []
        if finding is not None and not _is_too_early(event.item, finding):
            self._findings([finding])

    def _hear_delivery(self, event: Delivered) -> None:
        """Only a quantum's receipt waits for an acknowledgement; what comes instead of one counts for nothing."""
        memory = self._host.memory
        given = memory.pending.get(event.sequence)
        if given is None:
            return
        if given.link.receipt.stage != "quantum":
            memory.deliver(event.sequence)
            return
        self._unanswered.add(event.sequence)
        if event.acknowledgement is None:
            return
        try:
            digests = {sequence: g.link.digest for sequence, g in memory.pending.items()}
            sequence, heads = take_acknowledgement(
                event.acknowledgement, self._host.follower, receipts=digests
            )
            self._host.follower.hear_heads(heads)
        except SekishoError as error:
            self._findings([Finding(code=error.code, detail=str(error), about=given.link.digest)])
            return
        memory.deliver(sequence)
        self._unanswered.discard(sequence)

    def _hear_lease(self, event: LeaseCame) -> None:
        _, covering = self._demand()
        taken, given = self.quanta.take(event, unwanted=bool(covering) or self._is_complete)
        for receipt in given:
            self._host.outbox.send_receipt(receipt)
        if taken:
            self.start = "sound"

    # --- looking -----------------------------------------------------------------------------

    def look(self) -> float:
        """Decide and act once; gives the seconds after which to look again if nothing happens before."""
        now = self._host.clock.elapsed_s()
        if (
            not self._unkept
        ):  # what just came may be an order: then the stop comes before the reading
            self._look_at_work(now)
        demand, covering = self._demand()
        self._note_since(now, demand)
        decision = decide(self._situation(now, demand))
        self.decision = decision
        self._stop(decision, covering)
        self._record(covering)
        self._findings(
            [Finding(code=code, detail="; ".join(decision.reasons)) for code in decision.findings]
        )
        self._findings(self._host.follower.lapses())
        self._keep()
        self._chase(now)
        if self._wants_to_run(covering):
            self.quanta.ask_ahead()
        self._go_on(decision)
        return self._until_next(now)

    def _demand(self) -> tuple[Demand, tuple[KnownOrder, ...]]:
        licence = self._host.licence()
        facts = self._host.follower.facts(licence.licence if licence else None)
        return self._host.follower.demand(self._host.latest(), facts)

    def _note_since(self, now: float, demand: Demand) -> None:
        """Since when orders are outstanding and the present demand is acted on."""
        outstanding = self._host.follower.book.outstanding()
        if not outstanding:
            self._outstanding_since_s = None
        elif self._outstanding_since_s is None:
            self._outstanding_since_s = now
        if not demand.refuses_new_work:
            self._demanded_since_s = None
        elif self._demanded_since_s is None:
            self._demanded_since_s, self._has_checkpoint, self._asked_stamp = now, False, None

    def _situation(self, now: float, demand: Demand) -> Situation:
        host, lease = self._host, self._host.memory.state.lease
        licence = host.licence()
        terms = host.follower.regime.charter.terms if host.follower.regime.charter else None
        facts = None
        if lease is not None and licence is not None:
            grace = float(licence.licence.lease.grace_s)
            facts = LeaseFacts(
                mode=licence.licence.mode, grace_s=grace, ends_s=self.quanta.covered_s()
            )
        ends = self.quanta.ends_s
        return Situation(
            now_s=now,
            work=self.work,
            tier=host.memory.counter.tier,
            start=self.start,
            lease=facts,
            quantum_ends_s=None if ends is None else ends - now,
            has_contact=self._has_contact,
            acknowledged=self.quanta.is_acknowledged,
            affordable=lease is None or self.quanta.is_affordable(),
            demand=demand,
            demanded_s=now - (self._demanded_since_s or now),
            has_checkpoint=self._has_checkpoint,
            outstanding_s=_since(self._outstanding_since_s, now),
            fetch_delay_s=terms.order_fetch_delay_s if terms else 0,
            meter_unreadable_s=_since(self._blind_since_s, now),
            watchdog_lives=self._watchdog_lives,
            licence_revoked=licence is not None and licence.revoked is not None,
            clock_fault=host.follower.clocks.check(now, host.clock.now()),
            stop_failed=self._stop_failed,
            busy_without_lease=terms.busy_without_lease if terms else "freeze",
        )

    # --- acting ------------------------------------------------------------------------------

    def _stop(self, decision: Decision, covering: tuple[KnownOrder, ...]) -> None:
        """Checkpoint, freeze or kill, before anything else is done."""
        act: Act = decision.work
        if not self._watchdog_lives:
            return  # the work is bound to the watchdog's life, and its successor kills what is left
        try:
            if act == "freeze" and self.work == "running":
                self.halting.means = self._host.driver.freeze()
                self._stopped("frozen", decision)
            elif act == "kill" and self.work != "none":
                self.halting.means = self._host.driver.kill()
                self._stopped("none", decision)
            elif act == "checkpoint" and self._asked_stamp is None:
                self._asked_stamp = self._host.folder.stamp()
                self._give_permit(decision.permit)
                if (
                    covering or not self._is_overdue()
                ):  # at a quantum's end the watchdog asks by itself
                    self._host.driver.request_checkpoint()
        except Unavailable:
            self._stop_failed = bool(covering)
            self.halting.cannot_halt(covering, self.work)
            self._read_at_s = 0.0
        except StateConflict:
            self._read_at_s = 0.0  # the work is gone already: the next look sees it

    def _stopped(self, work: Work, decision: Decision) -> None:
        self.work, self._stop_failed = work, False
        if work == "frozen":
            self._give_permit(decision.permit)
        self.quanta.pause()

    def _give_permit(self, permit: Permit | None) -> None:
        if permit is not None:
            self._host.driver.permit(permit)
            self._permit = permit

    def _is_overdue(self) -> bool:
        return self.quanta.ends_s is not None and self.quanta.ends_s <= self._host.clock.elapsed_s()

    def _record(self, covering: tuple[KnownOrder, ...]) -> None:
        """Receipts about orders; once all have their halted-receipt, the leases go back."""
        self.halting.receive(covering, self.work)
        self._look_for_checkpoint(covering)
        if not covering and self.work == "running" and self._has_contact:
            self.halting.resumed(self.work)
        if covering and self.work != "running" and not self._stop_failed:
            self.halting.halted(covering, self.work)
        if self.work != "running" and self._gives_back(covering):
            for given in self.quanta.close(self.work):
                self._host.outbox.send_receipt(given)

    def _gives_back(self, covering: tuple[KnownOrder, ...]) -> bool:
        """Whether the leases in hand are of no more use: halted, over, not of this boot, revoked, work complete."""
        lease, licence = self._host.memory.state.lease, self._host.licence()
        if lease is None:
            return False
        halted = bool(covering) and self.halting.is_reported(covering)
        revoked = licence is not None and licence.revoked is not None
        over = self.quanta.left_s(lease) <= 0 and self._host.memory.state.following is None
        return halted or revoked or over or self._is_complete or self.start != "sound"

    def _look_for_checkpoint(self, covering: tuple[KnownOrder, ...]) -> None:
        if self._asked_stamp is None or self._has_checkpoint:
            return
        if self._host.folder.stamp() == self._asked_stamp:
            return
        written = self._host.folder.load_checkpoint()
        if written is not None:
            self._has_checkpoint = True
            self.halting.checkpointed(covering, written, self.work)

    def _keep(self) -> None:
        for followed in self._unkept:
            self._host.memory.keep(followed)
        self._unkept.clear()

    def _chase(self, now: float) -> None:
        """Fetch what is outstanding, send again what should have been acknowledged."""
        outstanding = self._host.follower.book.outstanding()
        if outstanding and now >= self._fetch_at_s:
            self._fetch_at_s = now + FETCH_EVERY_S
            for register, number in outstanding[:16]:
                self._host.outbox.fetch_order(register, number)
        if self._unanswered and now >= self._resend_at_s:
            self._resend_at_s = now + RESEND_EVERY_S
            for sequence in sorted(self._unanswered & self._host.memory.pending.keys()):
                self._host.outbox.send_receipt(self._host.memory.pending[sequence])

    def _wants_to_run(self, covering: tuple[KnownOrder, ...]) -> bool:
        return bool(
            self._host.settings.command
            and not self._is_complete
            and not covering
            and self._outstanding_since_s is None
        )

    def _go_on(self, decision: Decision) -> None:
        """The next quantum of running work, or the first of work to be started or thawed."""
        now = self._host.clock.elapsed_s()
        if self.work == "running":
            if decision.next_quantum and decision.work == "run" and self.quanta.is_due():
                self._begin_quantum()
            elif decision.work == "run" and self._is_longer(decision.permit):
                self._try_permit(decision)
            return
        starts = decision.work == "run" and decision.new_work and now >= self._restart_at_s
        if starts and self._host.settings.command and not self._is_complete:
            self._begin_quantum()

    def _is_longer(self, permit: Permit | None) -> bool:
        """Where a licence only advises, work goes on past its quantum, and the watchdog must know."""
        held = self._permit
        return permit is not None and (held is None or permit.until_s > held.until_s + LEEWAY_S)

    def _try_permit(self, decision: Decision) -> None:
        try:
            self._give_permit(decision.permit)
        except Unavailable:
            self._read_at_s = 0.0

    def _begin_quantum(self) -> None:
        """Receipt, state, counter (quanta), permit, start or thaw, send."""
        was = self.work
        try:
            given = self.quanta.begin(was)
        except StateConflict:
            return  # no room after all: the next look decides on that
        try:
            now = self._host.clock.elapsed_s()
            demand, _ = self._demand()
            # Crash here: the counter is stepped and no permit given: the quantum counts in full, no work ran in it.
            self._give_permit(permit_to_run(self._situation(now, demand)))
            self._set_going(was)
        except Unavailable:
            self._read_at_s = 0.0
        self._asked_stamp, self._has_checkpoint = None, False
        # Crash here: the receipt is on the disk and is sent at the next start.
        self._host.outbox.send_receipt(given)
        if was != "running" and self.work == "running":
            # Crash here: the next look of the next agent sees work that goes on, and says so then.
            self.halting.resumed(self.work)

    def _set_going(self, was: Work) -> None:
        if was == "frozen":
            self._host.driver.thaw()
            self.work = "running"
        elif was == "none":
            self._start_work()

    def _start_work(self) -> None:
        settings = self._host.settings
        command = settings.command
        written = self._host.folder.load_checkpoint()
        if written is not None and settings.resume:
            command = (*command, *settings.resume, written.path)
        now = self._host.clock.elapsed_s()
        self._lives_since_s = now
        try:
            self._host.driver.start(settings.run, command, settings.environment)
        except InvalidInput as error:
            self._findings([Finding(code="cannot-start", detail=str(error))])
            self._rest(now)
            self.quanta.pause()
            return
        except StateConflict:
            self._read_at_s = 0.0  # something runs there: look at it first
            return
        self.work = "running"
        self._read_at_s = now + READ_EVERY_S

    # --- watching ----------------------------------------------------------------------------

    def _look_at_work(self, now: float) -> None:
        """Once a second while there is work, see whether it lives and is what we think it is."""
        if not self._watchdog_lives:
            self._revive_watchdog(now)
        if self.work == "none" and self._read_at_s != 0.0 and self._watchdog_lives:
            return
        if now < self._read_at_s:
            return
        self._read_at_s = now + READ_EVERY_S
        try:
            reading = self._host.driver.read()
        except Unavailable:
            self._lost_sight(now)
            return
        self._blind_since_s = None
        self._take_reading(reading)

    def _take_reading(self, reading: WorkloadReading) -> None:
        was, self.work = self.work, "none" if reading.state == "ended" else reading.state
        if was != "none" and self.work == "none":
            self.quanta.pause()
            now = self._host.clock.elapsed_s()
            if reading.exit_code == 0:
                self._is_complete = True
            else:
                self._rest(now)
        elif was == "running" and self.work == "frozen":
            self.quanta.pause()

    def _lost_sight(self, now: float) -> None:
        """Tell a blind meter from a watchdog that is gone."""
        try:
            self._host.driver.held()
        except Unavailable:
            self._watchdog_lives, self._revive_at_s = False, now
            return
        self._blind_since_s = now if self._blind_since_s is None else self._blind_since_s

    def _revive_watchdog(self, now: float) -> None:
        if now < self._revive_at_s:
            return
        self._revive_at_s = now + REVIVE_EVERY_S
        try:
            self._revive()
            reading = self._host.driver.read()
        except Unavailable:
            return
        self._watchdog_lives, self._read_at_s = True, now + READ_EVERY_S
        self._take_reading(reading)

    def _rest(self, now: float) -> None:
        """Work that ends by itself is started again, ever more slowly where it keeps dying."""
        short = now - self._lives_since_s < SHORT_LIFE_S
        self._short_lives = self._short_lives + 1 if short else 0
        if self._short_lives:
            self._restart_at_s = now + min(0.5 * 2**self._short_lives, LONGEST_REST_S)
        if self._short_lives == 5:
            self._findings(
                [Finding(code="work-keeps-dying", detail="it ended by itself five times in a row")]
            )

    def _findings(self, findings: list[Finding]) -> None:
        for finding in findings:
            self._host.raise_finding(finding)

    def _until_next(self, now: float) -> float:
        if self._asked_stamp is not None and not self._has_checkpoint and self.work == "running":
            return WAITING_S
        if self._demanded_since_s is not None and self.work == "running" and not self._stop_failed:
            return 0.0  # the checkpoint is there: the next look ends the work
        waits = [AT_REST_S]
        if self.quanta.ends_s is not None:
            before = self.quanta.ends_s - self.quanta.lead_s() - now
            waits.append(max(before, SOON_S))
        waits += [max(wait, 0.0) for wait in self._order_waits() if wait > -SOON_S]
        return min(waits)

    def _order_waits(self) -> list[float]:
        """Seconds until an order that is known begins: by the latest clock, a resume by the earliest."""
        latest, earliest = self._host.latest(), self._host.follower.earliest()
        return [
            known.order.not_before.since(earliest if known.order.kind == "resume" else latest)
            for book in self._host.follower.book.orders.values()
            for known in book.values()
            if known.order.not_before > earliest
        ]


def _is_too_early(item: FeedItem, finding: Finding) -> bool:
    """An order that we asked for and that the witnesses have not seen yet: no lie, we ask again."""
    return item.proof is None and finding.code == UnwitnessedRelease.code


def _since(begun_s: float | None, now_s: float) -> float | None:
    return None if begun_s is None else now_s - begun_s
