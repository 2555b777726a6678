"""The agent's duty: hear what happened, decide, act, and only then write and send.

One thread owns all of this. Events come from the outbox's threads; `look` runs the decision over what is known and
says when to look again. The order inside a look is the protocol: (1) decide; (2) stop what must stop; (3) receipts;
(4) give leases back or ask for them; (5) begin a quantum, extend the permit, start or thaw.
"""

from __future__ import annotations

from collections.abc import Callable

from sekisho.agent.charge import Charge
from sekisho.agent.continuity import Continuity
from sekisho.agent.correspondence import Correspondence
from sekisho.agent.decide import Decision, LeaseFacts, Situation, Start, Work, decide, permit_to_run
from sekisho.agent.demands import Demands
from sekisho.agent.events import (
    Delivered,
    DevicesCounted,
    Event,
    FeedCame,
    LeaseCame,
    LeaseRefused,
    LinksRead,
    Noticed,
    OrderFetched,
    Pushed,
    ReceiptRefused,
)
from sekisho.agent.fellows import Fellows
from sekisho.agent.fixed_set import FixedSet
from sekisho.agent.halting import Halting
from sekisho.agent.host import Host
from sekisho.agent.quanta import Quanta
from sekisho.agent.slowing import Slowing
from sekisho.following import Finding, Followed
from sekisho.licensing import LicenceState
from sekisho.model.errors import StateConflict, Unavailable
from sekisho.orders import Demand, KnownOrder
from sekisho.ports.control import Feed

__all__ = ["Duty"]

WAITING_S = 0.02  # while a checkpoint is being written
SOON_S = 0.1
AT_REST_S = 1.0


class Duty:
    """One host's agent. `revive` brings a dead watchdog back, or raises Unavailable."""

    def __init__(self, host: Host, revive: Callable[[], None]) -> None:
        self._host = host
        self.quanta = Quanta(host)
        self.charge = Charge(host, self.quanta, revive)
        self.halting = Halting(host)
        self.slowing = Slowing(host, self.charge, self.halting)
        self.fixed_set = FixedSet(host)
        self.letters = Correspondence(host)
        self.continuity = Continuity(host)
        self.demands = Demands(host, lambda: self.fellows.is_bound)
        self.fellows = Fellows(host, self.quanta, self.charge, self._stands)
        self.start: Start = "sound"
        self.decision: Decision | None = None
        self._stop_failed = False

    @property
    def work(self) -> Work:
        """What the work is believed to do."""
        return self.charge.work

    # --- waking ------------------------------------------------------------------------------

    def wake(self, boot: str) -> None:
        """Open the memory, learn again what was accepted, take over living work, send what was not delivered.

        `boot` is the kernel's word for this boot. Raises Corrupt where memory cannot be read, Unavailable where the
        watchdog or a TPM does not answer.
        """
        self._host.latest()
        self._host.follower.boot = boot
        # Twice: a resume is taken only where the heads, which come last, reach what it lifts.
        untold = list(self._host.memory.load_followed())
        for _ in range(2):
            untold = [followed for followed in untold if not self._is_told(followed)]
        # After the enrolment is known again: whether a TPM's word for this boot counts is what that says.
        opening = self._host.memory.open(self.continuity.boot_of(boot))
        self.continuity.remember_time()
        if opening.start != "sound":
            self.start = opening.start
            self.quanta.requests.forsake()
        if opening.start == "rolled-back":
            self._host.raise_finding(Finding(code="rolled-back", detail=opening.detail))
        permit = self.charge.attach()
        if (
            permit is not None
            and self._host.memory.state.lease is not None
            and self.start == "sound"
        ):
            self.quanta.attach(permit.checkpoint_at_s)
        self.quanta.finish_closing(self.work)
        for given in list(self._host.memory.pending.values()):
            self._host.outbox.send_receipt(given)
        self.quanta.requests.resume()

    def _is_told(self, followed: Followed) -> bool:
        """Whether the follower takes what was kept."""
        kept, finding = self._host.follower.take_again(followed)
        return kept is not None or finding is None

    # --- hearing -----------------------------------------------------------------------------

    def hear(self, event: Event) -> None:
        """Take in one event; nothing is acted on before the next look."""
        if isinstance(event, FeedCame):
            self.letters.has_contact = True
            self.take_carried(event.feed)
        elif isinstance(event, Pushed):
            self._findings(self.letters.take_pushed(event.feed))
        elif isinstance(event, OrderFetched):
            self._findings(self.letters.hear_order(event))
        elif isinstance(event, Delivered):
            self._findings(self.letters.hear_delivery(event))
        elif isinstance(event, ReceiptRefused):
            self._hear_refusal(event)
        elif isinstance(event, LeaseCame):
            self._hear_lease(event)
        elif isinstance(event, LeaseRefused):
            self.quanta.refused(event)
        elif isinstance(event, Noticed):
            self._findings(list(event.findings))
        elif isinstance(event, DevicesCounted | LinksRead):
            self.fixed_set.hear(event, self.work)
            self._note_blindness()
        # Silence needs no word: what it does is decided by what does not come.

    def take_carried(self, feed: Feed) -> tuple[int, list[Finding]]:
        """Fold a feed that came by hand: how many items are accepted, and what is wrong with the others."""
        accepted, findings = self.letters.take(feed)
        self._findings(findings)
        return accepted, findings

    def _hear_refusal(self, event: ReceiptRefused) -> None:
        detail = f"receipt {event.sequence} was refused: {event.detail}"
        self._findings([Finding(code="receipt-refused", detail=detail)])
        if event.is_kept:
            self.quanta.bar(event.sequence)

    def _hear_lease(self, event: LeaseCame) -> None:
        _, covering = self.demands.demand()
        taken, given = self.quanta.take(event, unwanted=bool(covering) or self.charge.is_complete)
        for receipt in given:
            self._host.outbox.send_receipt(receipt)
        if taken:
            self.start = "sound"

    # --- looking -----------------------------------------------------------------------------

    def look(self) -> float:
        """Decide and act once; gives the seconds after which to look again if nothing happens before."""
        now = self._host.clock.elapsed_s()
        self._note_sleep(now)
        self._note_blindness()
        if (
            not self.letters.unkept
        ):  # what just came may be an order: the stop comes before the reading
            self.charge.look(now)
        demand, covering = self.demands.demand()
        self._note_demand(now, demand)
        halts = demand.effect not in (None, "cap")
        self.slowing.keep(self.demands.caps(), now, halts=halts)
        situation = self.fellows.beside(self._situation(now, demand))
        self.decision = decision = decide(situation)
        self.fellows.waive(situation, decision)
        if demand.refuses_new_work:
            self._keep_gate(now, demand)  # what is let in while we stop the rest would be missed
        self._stop(decision, covering)
        # Before any receipt: whoever said halted must not forget by which order (tests/simulation).
        self.letters.keep()
        self._record(covering)
        self.slowing.record(self.work, halts=halts, has_contact=self.letters.has_contact)
        self._findings(self.slowing.measure())
        self._findings(
            [Finding(code=code, detail="; ".join(decision.reasons)) for code in decision.findings]
        )
        self._findings(self._host.follower.lapses(self._host.latest()))
        self._findings(self.fixed_set.findings())
        self.letters.chase(now)
        if self._wants_to_run(covering):
            self.quanta.ask_ahead()
        self._go_on(decision)
        self._keep_gate(now, demand)
        return self._until_next(now)

    def _keep_gate(self, now: float, demand: Demand) -> None:
        """After all that a look does, show the scheduler's gate what has become of it."""
        if self._host.gatekeeper is not None:
            view = self._host.gate_view()
            situation = self._situation(now, demand)
            self._findings(list(self._host.gatekeeper.keep(view, situation, decide(situation))))

    def _note_demand(self, now: float, demand: Demand) -> None:
        if self.demands.note(now, demand):
            self.charge.forget_checkpoint()

    def _stands(self) -> Situation:
        """How things stand at this moment, as another charter of the host asks."""
        now = self._host.clock.elapsed_s()
        demand, _ = self.demands.demand()
        self._note_demand(now, demand)
        return self._situation(now, demand)

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
        outage = self.quanta.outage()
        return Situation(
            now_s=now,
            work=self.work,
            tier=host.memory.counter.tier,
            start=self.start,
            lease=facts,
            quantum_ends_s=None if ends is None else ends - now,
            has_contact=self.letters.has_contact,
            acknowledged=self.quanta.is_acknowledged,
            affordable=lease is None or self.quanta.is_affordable(),
            demand=demand,
            demanded_s=now - (self.demands.demanded_since_s or now),
            has_checkpoint=self.charge.has_checkpoint,
            outstanding_s=_since(self.demands.outstanding_since_s, now),
            fetch_delay_s=terms.order_fetch_delay_s if terms else 0,
            meter_unreadable_s=_worst(self.charge.blind_s(now), self.fixed_set.blind_s(now)),
            watchdog_lives=self.charge.watchdog_lives,
            licence_revoked=licence is not None and self._has_ended(licence),
            licence_suspended=licence is not None and licence.suspended is not None,
            outage_s=None if outage is None else outage[0],
            outage_for_s=0.0 if outage is None else outage[1],
            counter_answers=self.quanta.counter_answers,
            clock_fault=host.follower.clocks.check(now, host.clock.now()),
            stop_failed=self._stop_failed,
            cap_kept=self.slowing.is_kept,
            busy_without_lease=terms.busy_without_lease if terms else "freeze",
            device_set=self.fixed_set.facts(self.work),
            is_bound=self.fellows.is_bound,
        )

    def _has_ended(self, licence: LicenceState) -> bool:
        """Whether a licence is over for this host: revoked, closed, or amended so that it names it no more."""
        gone = self._host.settings.host not in licence.licence.hosts
        return licence.revoked is not None or licence.closed is not None or gone

    def _note_blindness(self) -> None:
        """While nobody can count the accelerators no meter bounds the work: its quantum counts in full."""
        if self.fixed_set.blind_s(self._host.clock.elapsed_s()) is not None:
            self.quanta.meter.lose_count()

    def _note_sleep(self, now: float) -> None:
        """After a suspend nothing new runs before a fresh lease, unless a TPM says that it kept its power."""
        if not self.continuity.has_slept(now) or self.start != "sound":
            return
        if not self.continuity.lost_power():
            return
        self.start = "woken"
        self._host.memory.distrust()
        self.quanta.requests.forsake()

    # --- acting ------------------------------------------------------------------------------

    def _stop(self, decision: Decision, covering: tuple[KnownOrder, ...]) -> None:
        """Checkpoint, freeze or kill, before anything else is done."""
        act, charge = decision.work, self.charge
        if not charge.watchdog_lives:
            return  # the work is bound to the watchdog's life, and its successor kills what is left
        try:
            if act == "freeze" and self.work == "running":
                charge.freeze(decision.permit)
            elif act == "kill" and self.work != "none":
                charge.kill()
            elif act == "checkpoint" and not charge.is_asked:
                charge.ask_checkpoint(
                    decision.permit, by_us=bool(covering) or not self._is_overdue()
                )
        except Unavailable:
            self._stop_failed = bool(covering)
            self.halting.cannot_halt(covering, self.work)
            charge.look_again()
        except StateConflict:
            charge.look_again()  # the work is gone already: the next look sees it
        else:
            self._stop_failed = self._stop_failed and self.work == "running"

    def _is_overdue(self) -> bool:
        return self.quanta.ends_s is not None and self.quanta.ends_s <= self._host.clock.elapsed_s()

    def _record(self, covering: tuple[KnownOrder, ...]) -> None:
        """Receipts about orders; once all have their halted-receipt, the leases go back."""
        self.halting.receive(covering, self.work)
        written = self.charge.find_checkpoint()
        if written is not None:
            self.halting.checkpointed(covering, written, self.work)
        if not covering and self.work == "running" and self.letters.has_contact:
            self.halting.resumed(self.work)
        if covering and self.work != "running" and not self._stop_failed:
            self.halting.halted(covering, self.work, self.charge.means)
        for given in self.quanta.finish_closing(self.work):
            self._host.outbox.send_receipt(given)
        is_over = self.work != "running" or not self.fellows.is_bound
        if is_over and self._gives_back(covering):
            for given in self.quanta.close(self.work):
                self._host.outbox.send_receipt(given)

    def _gives_back(self, covering: tuple[KnownOrder, ...]) -> bool:
        """Whether the leases in hand are of no more use: halted, over, used up, unlicensed, another boot, work done."""
        lease, licence = self._host.memory.state.lease, self._host.licence()
        if lease is None:
            return False
        halted = bool(covering) and self.halting.is_reported(covering)
        revoked = licence is not None and (
            self._has_ended(licence) or licence.suspended is not None
        )
        over = self.quanta.covered_s() <= 0 or not self.quanta.is_affordable()
        left = self.charge.is_complete or self.start != "sound" or not self.fellows.is_bound
        return halted or revoked or over or left

    def _wants_to_run(self, covering: tuple[KnownOrder, ...]) -> bool:
        return bool(
            (self._host.settings.command or self._host.settings.adopts)
            and not self.charge.is_complete
            and not self.fellows.is_leaving
            and not covering
            and self.demands.outstanding_since_s is None
        )

    def _go_on(self, decision: Decision) -> None:
        """The next quantum of running work, or the first of work to be started or thawed."""
        if self.fellows.is_leaving:
            return
        if self.work == "running" and decision.work == "run":
            if decision.next_quantum and self.quanta.is_due():
                self._begin_quantum()
            else:
                self.charge.lengthen_permit(decision.permit)
            return
        starts = self.work != "running" and decision.work == "run" and decision.new_work
        if starts and self.charge.may_start(self._host.clock.elapsed_s()):
            self._begin_quantum()

    def _begin_quantum(self) -> None:
        """Receipt, state, counter (quanta), permit, start or thaw, send."""
        try:
            given = self.quanta.begin(self.work)
        except StateConflict:
            return  # no room after all: the next look decides on that
        demand, _ = self.demands.demand()
        # Crash here: the counter is stepped and no permit given: the quantum counts in full, no work ran in it.
        self.charge.set_going(permit_to_run(self._situation(self._host.clock.elapsed_s(), demand)))
        self.charge.forget_checkpoint()
        # Crash here: the receipt is on the disk and is sent at the next start.
        self._host.outbox.send_receipt(given)
        if self.work == "running":
            # Crash here: the next agent's look sees work that goes on, and says so then.
            self.halting.resumed(self.work)

    def _findings(self, findings: list[Finding]) -> None:
        for finding in findings:
            self._host.raise_finding(finding)

    def _until_next(self, now: float) -> float:
        if self.work == "running" and self.charge.is_asked and not self.charge.has_checkpoint:
            return WAITING_S
        if (
            self.work == "running"
            and self.demands.demanded_since_s is not None
            and not self._stop_failed
        ):
            return 0.0  # the checkpoint is there: the next look ends the work
        waits = [AT_REST_S]
        if self.quanta.ends_s is not None:
            before = self.quanta.ends_s - self.quanta.lead_s() - now
            waits.append(max(before, SOON_S))
        waits += [max(wait, 0.0) for wait in self.demands.waits_s() if wait > -SOON_S]
        return min(waits)


def _worst(one_s: float | None, other_s: float | None) -> float | None:
    """The longer of two times that something could not be read; None where both could."""
    return max((s for s in (one_s, other_s) if s is not None), default=None)


def _since(begun_s: float | None, now_s: float) -> float | None:
    return None if begun_s is None else now_s - begun_s
