"""Hosts that are late under an order, the next step against each, and what the ladder bars them from. Pure."""

from __future__ import annotations

import msgspec

from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import OrderReference, RefusalRecorded, RefusalStep
from sekisho.operations.state import State, facts_under
from sekisho.orders import KnownOrder
from sekisho.orders.refusals import (
    NextStep,
    StepMade,
    Straggler,
    halt_due,
    is_late,
    is_secret,
    is_stopping,
    next_step,
    why_late,
)

__all__ = [
    "LateHost",
    "RefusalPlan",
    "barring_orders",
    "draft_refusal",
    "due_of",
    "late_host",
    "late_hosts",
    "late_under",
    "recorded_by",
]

_SIGNED_WITHIN_S = 3_600


class LateHost(msgspec.Struct, frozen=True, kw_only=True):
    """A straggler as people list it: where it stands, what was done, and what comes next until when."""

    late: Straggler
    known: KnownOrder
    site: str
    organisation: str
    devices: int
    steps: tuple[StepMade, ...]
    upcoming: NextStep

    def is_due(self, at: Instant) -> bool:
        """Whether a next step may be taken."""
        return bool(self.upcoming.steps) and at >= self.upcoming.from_

    def is_overdue(self, at: Instant) -> bool:
        """Whether it should have been taken by now."""
        return bool(self.upcoming.steps) and at >= self.upcoming.overdue


class RefusalPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a drafter of a step decides.

    Without `step` the next one; without `answer_within_s` the charter's time, and an hour for the signatures.
    """

    host: str
    order: OrderReference
    step: RefusalStep | None = None
    answer_within_s: int | None = None
    reasons: tuple[str, ...] = ()
    measure: str | None = None


def recorded_by(state: State, known: KnownOrder) -> Instant | None:
    """By when the log surely held an order; where no mark says so yet the mark before it, None where there is none.

    An order that dates itself back is in no log before that mark: its hosts were not late before they could hear of it.
    """
    spoken = state.regime.spoken.get(known.digest)
    if spoken is None:
        return None
    marks = state.regime.marks
    return marks.after(spoken.index) or marks.before(spoken.index)


def due_of(state: State, known: KnownOrder) -> Instant:
    """By when every covered host must have halted under an order."""
    return halt_due(known.order, state.regime.in_force().terms, recorded_by(state, known))


def late_hosts(state: State, at: Instant) -> tuple[LateHost, ...]:
    """Every straggler under every order in force, oldest order first, then by name; none under a sealed one."""
    return tuple(
        row
        for known in state.orders.in_force(at)
        if not is_secret(known)
        for row in late_under(state, known, at)
    )


def late_under(state: State, known: KnownOrder, at: Instant) -> tuple[LateHost, ...]:
    """The stragglers under one order in force, by name."""
    if not is_stopping(known.order) or at < due_of(state, known):
        return ()
    found = (
        late_host(state, known, host.host, at)
        for host in sorted(facts_under(state, known), key=lambda each: each.host)
    )
    return tuple(row for row in found if row is not None)


def late_host(state: State, known: KnownOrder, name: str, at: Instant) -> LateHost | None:
    """One covered host as a straggler under an order in force; None where it is none."""
    terms, host = state.regime.in_force().terms, state.regime.hosts.get(name)
    life = state.lives.of(known.reference, name)
    late = is_late(known, life, terms, recorded=recorded_by(state, known), at=at)
    if late is None or host is None:
        return None
    steps = state.refusals.of(known.reference, name)
    last = state.regime.marks.after(steps[-1].index) if steps else None
    return LateHost(
        late=late,
        known=known,
        site=host.site,
        organisation=host.organisation,
        devices=len(host.devices),
        steps=steps,
        upcoming=next_step(steps, late, terms, last_recorded=last),
    )


def barring_orders(state: State, host: str, at: Instant) -> tuple[OrderReference, ...]:
    """The orders in force whose ladder ended this host's leases, and under which it has still not halted.

    Wider than the order's scope by design: it is the host that refuses, so no licence of it is granted anything.
    """
    ended = state.refusals.ended_leases(host)
    if not ended:
        return ()
    in_force = {known.digest for known in state.orders.in_force(at)}
    return tuple(
        made.fact.order
        for made in ended
        if made.fact.order.digest in in_force
        and why_late(state.lives.of(made.fact.order, host)) is not None
    )


def draft_refusal(state: State, plan: RefusalPlan, *, now: Instant) -> RefusalRecorded:
    """The next step against a straggler, with the evidence that the log holds, for the judge to sign.

    Raises StateConflict where the host is not late, or where the step does not come next or not yet.
    """
    known = state.orders.find(plan.order)
    where = f"order {plan.order.register} {plan.order.number}"
    if known is None:
        raise StateConflict(f"{where} is not in its register")
    row = _require_late(state, known, plan.host, now)
    step = plan.step or _only(row.upcoming)
    if step not in row.upcoming.steps:
        raise StateConflict(
            f"{step} is not the next step against host {plan.host}",
            remedy=f"the ladder asks for {' or '.join(row.upcoming.steps) or 'nothing more'}",
        )
    if now < row.upcoming.from_:
        raise StateConflict(
            f"{step} against host {plan.host} comes at {row.upcoming.from_} at the earliest",
            remedy="wait until then: each step has its deadline",
        )
    length = state.regime.in_force().terms.refusal_step_s
    within = length + _SIGNED_WITHIN_S if plan.answer_within_s is None else plan.answer_within_s
    if within < length:
        raise InvalidInput(
            f"leaves {within} s to answer, the charter gives {length} s", path="--answer-within"
        )
    return RefusalRecorded(
        effective=now,
        host=plan.host,
        order=plan.order,
        step=step,
        answer_by=now.plus(within),
        evidence=_evidence(state, row),
        reasons=plan.reasons or (_reason(row),),
        measure=plan.measure,
    )


def _require_late(state: State, known: KnownOrder, host: str, now: Instant) -> LateHost:
    where = f"order {known.order.register} {known.order.number}"
    if all(each.digest != known.digest for each in state.orders.in_force(now)):
        raise StateConflict(f"{where} is not in force: nobody is late under it")
    enrolled = state.regime.hosts.get(host)
    if enrolled is None:
        raise StateConflict(f"host {host} is not enrolled")
    if not state.is_host_covered(known, enrolled):
        raise StateConflict(f"{where} does not cover host {host}")
    row = late_host(state, known, host, now)
    if row is None:
        raise StateConflict(
            f"host {host} is not late under {where}",
            remedy=f"it has until {due_of(state, known)}; see sekisho order stragglers",
        )
    return row


def _only(upcoming: NextStep) -> RefusalStep:
    if len(upcoming.steps) != 1:
        raise InvalidInput(
            "more than one step may come next" if upcoming.steps else "the ladder is at its end",
            path="--step",
            remedy=f"name one of {', '.join(upcoming.steps)}" if upcoming.steps else "",
        )
    return upcoming.steps[0]


def _evidence(state: State, row: LateHost) -> tuple[str, ...]:
    """What the log holds about this host under this order: its last receipt, the verdict, the steps so far."""
    life = state.lives.of(row.late.order, row.late.host)
    found = [stage.digest for stage in life.stages[-1:]]
    found += [each for each in (life.observation_digest, life.verdict_digest) if each]
    found += [made.digest for made in row.steps]
    return tuple(dict.fromkeys(found))


def _reason(row: LateHost) -> str:
    told = {
        "silent": "the host has given no receipt under the order",
        "not-halted": f"the host's last receipt says {row.late.stage}, and none that it halted",
        "contradicted": "the host says that it halted, and an observer saw work",
        "went-on": "the host says that it resumed while the order stands",
    }
    return f"{told[row.late.why]}; it was due at {row.late.due}"
