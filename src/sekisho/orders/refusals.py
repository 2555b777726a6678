"""Hosts that do not follow an order, and the ladder that is climbed against them, step by step. A pure fold.

A straggler is a covered host that has neither halted nor been believed to have halted so long after the order's grace
as the charter says, by the time that the log recorded and not by what the host says. The ladder: notice, then the end
of its leases, then the refusal on record, then an inspection or a supply measure; no step is left out, and each waits
for the charter's time and for the answer that the one before allowed. A drill has no ladder: it is an exercise.
Source: protocol section 8.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import (
    CharterAdopted,
    OrderIssued,
    OrderReference,
    RefusalRecorded,
    RefusalStep,
    Stage,
)
from sekisho.orders.lifecycle import HostUnderOrder
from sekisho.orders.registers import KnownOrder
from sekisho.orders.scope import halts_work
from sekisho.signing.regime import Recorded

__all__ = [
    "LADDER",
    "MEASURES",
    "NextStep",
    "RefusalBook",
    "StepMade",
    "Straggler",
    "Why",
    "check_step",
    "halt_due",
    "is_late",
    "is_secret",
    "is_stopping",
    "next_step",
    "why_late",
]

MEASURES: Final[tuple[RefusalStep, ...]] = ("inspection", "supply-measure")
LADDER: Final[tuple[tuple[RefusalStep, ...], ...]] = (
    ("notice",),
    ("leases-ended",),
    ("refusal",),
    MEASURES,
    MEASURES,
)
"""Which steps may come next, by how many there were; of the measures each may be taken once, in either order."""
Why: TypeAlias = Literal["silent", "not-halted", "contradicted", "went-on"]
_Names = PersistentMap[str, None]
_Key: TypeAlias = tuple[str, str]


class StepMade(msgspec.Struct, frozen=True, kw_only=True):
    """One step as the log has it; `at` is when it speaks of, and `index` its place."""

    fact: RefusalRecorded
    digest: str
    index: int

    @property
    def at(self) -> Instant:
        return self.fact.effective


class Straggler(msgspec.Struct, frozen=True, kw_only=True):
    """A host that is late under an order: since when, why, and how far it came by its own word."""

    host: str
    order: OrderReference
    due: Instant
    why: Why
    stage: Stage | None = None

    def late_s(self, at: Instant) -> float:
        return at.since(self.due)


class NextStep(msgspec.Struct, frozen=True, kw_only=True):
    """Which steps may be taken next (none: the ladder is at its end), from when on, and after when that is overdue."""

    steps: tuple[RefusalStep, ...]
    from_: Instant
    overdue: Instant


class RefusalBook(msgspec.Struct, frozen=True, kw_only=True):
    """All steps against all hosts, by (order digest, host), in the log's sequence."""

    steps: PersistentMap[_Key, tuple[StepMade, ...]] = PersistentMap()
    hosts: PersistentMap[str, _Names] = PersistentMap()

    def after(self, recorded: Recorded) -> RefusalBook:
        """The book once a statement is in the log."""
        fact = recorded.verified.predicate
        if not isinstance(fact, RefusalRecorded):
            return self
        key = (fact.order.digest, fact.host)
        made = StepMade(fact=fact, digest=recorded.verified.digest, index=recorded.index)
        names = self.hosts.get(fact.host, PersistentMap[str, None]())
        return RefusalBook(
            steps=self.steps.plus(key, (*self.steps.get(key, ()), made)),
            hosts=self.hosts.plus(fact.host, names.plus(fact.order.digest, None)),
        )

    def of(self, order: OrderReference, host: str) -> tuple[StepMade, ...]:
        """The steps against one host under one order, the first one first."""
        return self.steps.get((order.digest, host), ())

    def ended_leases(self, host: str) -> tuple[StepMade, ...]:
        """The steps that ended a host's leases, under whichever orders."""
        return tuple(
            made
            for digest in self.hosts.get(host, PersistentMap[str, None]())
            for made in self.steps.get((digest, host), ())
            if made.fact.step == "leases-ended"
        )


def is_stopping(order: OrderIssued) -> bool:
    """Whether an order asks hosts to halt, so that one which does not is late: no drill, no cap, no resume."""
    return halts_work(order) and not order.drill


def is_secret(known: KnownOrder) -> bool:
    """Whether an order is sealed still: whom it is for is for nobody else to read, on whatever list."""
    return known.sealed is not None and not known.is_opened


def halt_due(order: OrderIssued, terms: CharterAdopted, recorded: Instant | None) -> Instant:
    """By when a host must have halted: the charter's time after its grace, counted from when the order was known.

    `recorded` is by when the log surely held the order (None: not known yet): nobody is late under an order that was
    written down after the time it names.
    """
    begins = order.not_before if recorded is None else max(order.not_before, recorded)
    return begins.plus(order.grace_s + terms.halt_due_s)


def is_late(
    known: KnownOrder,
    life: HostUnderOrder,
    terms: CharterAdopted,
    *,
    recorded: Instant | None,
    at: Instant,
) -> Straggler | None:
    """A covered host as a straggler under an order in force at `at`; None where it halted, or still has time.

    Under a sealed order that the reader was not shown nobody is known to be late.
    A contradiction is healed neither by waiting nor by saying again that it halted: it stands, lapsed or not, until
    another verdict, or until the host has resumed and halts anew.
    """
    due = halt_due(known.order, terms, recorded)
    if at < due or not known.is_shown or not is_stopping(known.order):
        return None
    why = why_late(life)
    if why is None:
        return None
    stage = life.stages[-1].stage if life.stages else None
    return Straggler(host=life.host, order=known.reference, due=due, why=why, stage=stage)


def why_late(life: HostUnderOrder) -> Why | None:
    """Why a host has not halted under an order, as the log tells it; None where it has."""
    if life.halted is not None:
        verdict = life.verdict_on_halt
        lied = verdict is not None and verdict.degree == "contradicted"
        return "contradicted" if lied else None
    if not life.stages:
        return "silent"
    return "went-on" if life.stages[-1].stage == "resumed" else "not-halted"


def next_step(
    made: tuple[StepMade, ...],
    late: Straggler,
    terms: CharterAdopted,
    *,
    last_recorded: Instant | None = None,
) -> NextStep:
    """What may come next against a straggler, and when: a step waits for the time and the answer of the one before.

    `last_recorded` is by when the log held the last step: who dates one back wins no time by it.
    """
    wait = terms.refusal_step_s
    taken = {step.fact.step for step in made}
    left = LADDER[len(made)] if len(made) < len(LADDER) else ()
    start = late.due
    if made:
        last = made[-1]
        start = max((last_recorded or last.at).plus(wait), last.fact.answer_by)
    return NextStep(
        steps=tuple(step for step in left if step not in taken),
        from_=start,
        overdue=start.plus(wait),
    )


def check_step(
    fact: RefusalRecorded,
    upcoming: NextStep,
    terms: CharterAdopted,
    *,
    earliest: Instant,
    latest: Instant,
) -> list[str]:
    """Every rule of the ladder that a step breaks, in words; an empty list where it is sound.

    `earliest` and `latest` are between which it was recorded: at the desk both are now, an auditor knows an interval,
    and says only what is certain.
    """
    problems = []
    if fact.step not in upcoming.steps:
        expected = " or ".join(upcoming.steps) or "nothing: the ladder is at its end"
        problems.append(f"{fact.step} is not the next step, which is {expected}")
    elif latest < upcoming.from_:
        problems.append(f"{fact.step} comes at {upcoming.from_} at the earliest")
    if fact.answer_by < earliest.plus(terms.refusal_step_s):
        problems.append(
            f"leaves until {fact.answer_by} to answer, the charter gives {terms.refusal_step_s} s"
        )
    if fact.step in MEASURES and fact.measure is None:
        problems.append(f"a step {fact.step} says what is to be done, in `measure`")
    if fact.step not in MEASURES and fact.measure is not None:
        problems.append(f"a step {fact.step} names no measure")
    return problems
