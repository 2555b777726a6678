"""Invariants 1 and 4 of the protocol over the agent's pure parts, whatever happens in whatever order."""

from __future__ import annotations

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sekisho.agent.decide import LeaseFacts, Situation, decide, permit_to_run
from sekisho.licensing import AllowanceSpent, HeldLease, HostState, check_start
from sekisho.model.statements import OrderReference
from sekisho.orders import Demand
from tests.factory import NOW, REFERENCE

ORDER = OrderReference(register="pause/JP", number=1, digest="0" * 64)
PEAK, QUANTUM_S, GRACE_S = 10, 4, 3
STOPPING = ("drain", "freeze", "kill")

DEMANDS = st.builds(
    Demand,
    effect=st.sampled_from([None, "freeze", "checkpoint-then-stop", "cap"]),
    grace_s=st.integers(0, 5),
    orders=st.sampled_from([(), (ORDER,)]),
    only_holds=st.booleans(),
)
LEASES = st.builds(
    LeaseFacts,
    mode=st.sampled_from(STOPPING),
    grace_s=st.floats(0, 10),
    ends_s=st.floats(-100, 100),
)
SITUATIONS = st.builds(
    Situation,
    now_s=st.floats(0, 1_000),
    work=st.sampled_from(["none", "running", "frozen"]),
    tier=st.sampled_from(["C0", "C1", "C2"]),
    start=st.sampled_from(["sound", "rolled-back", "rebooted", "woken"]),
    lease=st.none() | LEASES,
    quantum_ends_s=st.none() | st.floats(-100, 100),
    has_contact=st.booleans(),
    acknowledged=st.booleans(),
    affordable=st.booleans(),
    demand=DEMANDS,
    demanded_s=st.floats(0, 20),
    has_checkpoint=st.booleans(),
    outstanding_s=st.none() | st.floats(0, 200),
    meter_unreadable_s=st.none() | st.floats(0, 20),
    watchdog_lives=st.booleans(),
    licence_revoked=st.booleans(),
    licence_suspended=st.booleans(),
    outage_s=st.none() | st.floats(-10, 1_000),
    outage_for_s=st.floats(0, 1_000),
    counter_answers=st.booleans(),
    clock_fault=st.sampled_from([None, "clock-behind", "clock-ahead"]),
    stop_failed=st.booleans(),
    busy_without_lease=st.sampled_from(["freeze", "stop"]),
)


def is_spared(situation: Situation) -> bool:
    covered = bool(situation.demand.orders) or situation.outstanding_s is not None
    return not covered and (situation.outage_s or 0) > 0


@given(SITUATIONS)
@settings(max_examples=400)
def test_past_lease_and_grace_nothing_runs_and_nothing_begins(situation: Situation) -> None:
    """Invariant 1: beyond a lease's end and grace running work is frozen or ended, but for a declared outage."""
    decision = decide(situation)
    lease = situation.lease
    if lease is None or -lease.ends_s < lease.grace_s or lease.ends_s > 0 or is_spared(situation):
        return
    assert not decision.new_work
    assert not decision.next_quantum
    if situation.work == "running":
        assert decision.work in ("freeze", "kill")


@given(SITUATIONS)
@settings(max_examples=400)
def test_no_quantum_begins_on_what_is_not_permitted(situation: Situation) -> None:
    """Neither the next one nor a first one without lease, room, counter, licence or a sound start."""
    decision = decide(situation)
    refused = (
        situation.lease is None
        or not situation.affordable
        or not situation.counter_answers
        or situation.licence_revoked
        or situation.licence_suspended
        or situation.start != "sound"
        or situation.demand.refuses_new_work
    )
    if refused:
        assert not decision.new_work
        assert not decision.next_quantum
    if situation.tier != "C2" and not situation.acknowledged and not is_spared(situation):
        assert not decision.next_quantum


@given(SITUATIONS)
@settings(max_examples=400)
def test_a_permit_reaches_no_further_than_the_quantum_and_its_grace(situation: Situation) -> None:
    """Invariant 1 without the agent: what the watchdog holds ends with the quantum that was paid for."""
    permit = permit_to_run(situation)
    if permit is None or situation.lease is None:
        return
    paid = max(situation.quantum_ends_s or 0.0, 0.0) + situation.lease.grace_s
    assert permit.until_s <= situation.now_s + paid + 1e-6


@given(SITUATIONS)
@settings(max_examples=400)
def test_an_outage_loosens_nothing_but_silence_and_the_lease_s_end(situation: Situation) -> None:
    """With an outage no new work is allowed that was not allowed without; where an order covers it changes nothing."""
    without = decide(msgspec.structs.replace(situation, outage_s=None))
    decision = decide(situation)

    assert decision.new_work <= without.new_work
    if situation.demand.orders or situation.outstanding_s is not None:
        assert decision == without


class Spending(RuleBasedStateMachine):
    """Invariant 4: a host that leases from one budget, runs, crashes, switches and gives back."""

    @initialize(budget=st.integers(0, 2_000))
    def open(self, budget: int) -> None:
        self.available = self.budget = budget
        self.state = self.stored = HostState()
        self.counter = 0
        self.closed = 0  # what final receipts said, lease by lease
        self.running_s: int | None = None

    @precondition(lambda self: len(self.state.waiting) < 3)
    @rule(wanted=st.integers(1, 300))
    def take(self, wanted: int) -> None:
        """Granted what is left at most; taken durably."""
        allowance = min(wanted, self.available)
        if allowance == 0:
            return
        self.available -= allowance
        lease = HeldLease(
            lease=REFERENCE,
            licence=REFERENCE,
            number=self.state.lease_number + 1,
            run="run-1",
            not_after=NOW.plus(60),
            allowance=str(allowance),
        )
        self.state = self.stored = self.state.take(lease, ahead=3)

    @precondition(lambda self: self.state.lease is not None and self.running_s is None)
    @rule(crash=st.sampled_from(["", "before the write", "before the step", "after the step"]))
    def begin(self, crash: str) -> None:
        try:
            reserved = self.state.reserve(PEAK * (QUANTUM_S + GRACE_S))
        except AllowanceSpent:
            return
        if crash == "before the write":
            self.restart()
            return
        self.stored = reserved
        if crash == "before the step":
            self.restart()
            return
        self.counter += 1
        self.state = reserved
        if crash == "after the step":
            self.restart()
            return
        self.running_s = 0

    @precondition(lambda self: self.running_s is not None)
    @rule(ran_s=st.integers(0, QUANTUM_S + GRACE_S), is_seen=st.booleans())
    def end(self, ran_s: int, is_seen: bool) -> None:
        """The work ran for so long at peak; a crash hides it, and then it counts in full."""
        self.running_s = None
        if is_seen:
            self.state = self.stored = self.state.credit(PEAK * ran_s)
        else:
            self.restart()

    @precondition(lambda self: self.state.lease is not None and self.running_s is None)
    @rule()
    def give_back(self) -> None:
        """A final receipt: what was spent is consumed, the rest is available again."""
        lease = self.state.lease
        assert lease is not None
        self.closed += int(lease.spent)
        self.available += int(lease.allowance) - int(lease.spent)
        self.state = self.stored = self.state.switch()

    def restart(self) -> None:
        if check_start(self.stored.quantum, self.counter) == "crash":
            self.counter += 1
        self.state = self.stored = self.stored.forget_quantum()
        self.running_s = None

    @invariant()
    def reserved_never_exceeds_the_budget(self) -> None:
        if not hasattr(self, "budget"):
            return
        in_hand = sum(int(lease.allowance) for lease in self.state.in_hand)
        reserved = sum(int(lease.reserved) for lease in self.state.in_hand)
        assert self.available + in_hand + self.closed == self.budget
        assert self.closed + reserved <= self.budget
        assert self.stored.quantum - self.counter in (0, 1)


def test_the_sum_of_what_is_reserved_never_exceeds_the_budget() -> None:
    """Invariant 4, over random lives of a host with crashes at every write."""
    run_state_machine_as_test(
        Spending,
        settings=settings(
            max_examples=60, stateful_step_count=30, suppress_health_check=list(HealthCheck)
        ),
    )
