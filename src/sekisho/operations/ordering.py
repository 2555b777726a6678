"""Drafting an order: the next number of its register, and what it would touch before anybody signs it."""

from __future__ import annotations

import msgspec

from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    AccessTerms,
    Effect,
    OrderIssued,
    OrderKind,
    OrderReference,
    ResolvedScope,
    Scope,
)
from sekisho.operations.state import State
from sekisho.orders import check_order

__all__ = ["OrderPlan", "draft_order"]


class OrderPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a drafter decides; number, register and predecessor follow from the log."""

    kind: OrderKind
    scope: Scope
    effect: Effect
    lasts_s: int
    legal_basis: str
    appeal: str
    grace_s: int = 0
    starts_in_s: int = 0
    issue_within_s: int = 3_600
    lifts: tuple[OrderReference, ...] = ()
    exemptions: tuple[str, ...] = ()
    drill: bool = False
    access: AccessTerms | None = None
    cap_percent: int | None = None
    resolved: ResolvedScope | None = None


def draft_order(state: State, plan: OrderPlan, *, now: Instant) -> OrderIssued:
    """The order that would be next in its register. Raises InvalidInput naming every rule that it breaks."""
    charter = state.regime.in_force()
    register = next((r.name for r in charter.terms.registers if r.power == plan.kind), None)
    if register is None:
        raise StateConflict(f"the charter has no register for orders of kind {plan.kind}")
    head = state.orders.heads[register]
    start = (_whole_second(now) if plan.kind == "resume" else now).plus(plan.starts_in_s)
    order = OrderIssued(
        effective=now,
        log=charter.terms.log.origin,
        charter=charter.digest,
        register=register,
        number=head.number + 1,
        previous=head.digest,
        kind=plan.kind,
        scope=plan.scope,
        effect=plan.effect,
        grace_s=plan.grace_s,
        not_before=start,
        expires=start.plus(plan.lasts_s),
        on_expiry=charter.terms.pause_on_expiry if plan.kind == "pause" else "lapse",
        issue_until=now.plus(plan.issue_within_s),
        legal_basis=plan.legal_basis,
        appeal=plan.appeal,
        exemptions=plan.exemptions,
        lifts=plan.lifts,
        drill=plan.drill,
        access=plan.access,
        cap_percent=plan.cap_percent,
        resolved=plan.resolved,
    )
    problems = check_order(order, charter)
    if problems:
        raise InvalidInput("; ".join(problems), path="order")
    return order


def _whole_second(at: Instant) -> Instant:
    """The second's beginning: witnesses sign whole seconds, and hosts end a pause by these.

    A resume that began within a second would begin after the checkpoint that shows it: an agent that starts anew and
    has heard nothing yet would take the pause for still in force, and stop its work again.
    """
    return Instant(at.us - at.us % 1_000_000)
