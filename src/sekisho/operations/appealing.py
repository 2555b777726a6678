"""Appeals in the making: who may file one against which order, and what deciding it says. Pure."""

from __future__ import annotations

import msgspec

from sekisho.model.errors import StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    AppealDecided,
    AppealFiled,
    AppealOutcome,
    OrderReference,
    Reference,
)
from sekisho.operations.grounds import verify_sound
from sekisho.operations.state import State, facts_under
from sekisho.orders import KnownOrder
from sekisho.orders.appeals import (
    Appeal,
    AppealStanding,
    PartyUnderOrder,
    check_decision,
    standing_of_appeal,
)

__all__ = [
    "AppealPlan",
    "DecisionPlan",
    "appeal_standing",
    "draft_appeal",
    "draft_decision",
    "party_under",
    "problems_of_appeal",
    "problems_of_decision",
]


class AppealPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What who appeals decides: a name, the order, what it asks, and the digest of grounds kept elsewhere."""

    appeal: str
    order: OrderReference
    party: str
    asks: str
    grounds: str | None = None


class DecisionPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the adjudicator decides; `resume_within_s` only where it is upheld."""

    appeal: str
    outcome: AppealOutcome
    reasons: str
    resume_within_s: int | None = None


def party_under(state: State, known: KnownOrder, party: str) -> PartyUnderOrder:
    """In which ways an order touches an enrolled party as the log stands; in none for a stranger."""
    enrolled = state.regime.parties.get(party)
    covered = facts_under(state, known)
    names = {host.host for host in covered}
    own = enrolled.organisation if enrolled is not None else None
    return PartyUnderOrder(
        licences=tuple(
            sorted(
                each.licence.number
                for host in names
                for each in state.licences.by_host(host)
                if each.licence.licensee == party
            )
        ),
        hosts=tuple(sorted(host.host for host in covered if host.organisation == own)),
    )


def problems_of_appeal(state: State, fact: AppealFiled) -> list[str]:
    """Why an appeal cannot be filed; an empty list where it can."""
    known = state.orders.find(fact.order)
    if known is None:
        return [f"order {fact.order.register} {fact.order.number} is not in its register"]
    problems = []
    if known.order.kind == "resume":
        problems.append("a resume lifts an order: the appeal is against the order itself")
    if fact.appeal in state.appeals.appeals:
        problems.append("is filed already: an appeal has a name of its own")
    if not party_under(state, known, fact.party).may_appeal:
        problems.append(
            f"party {fact.party} holds no licence under this order, and runs no host that it covers"
        )
    return problems


def problems_of_decision(state: State, fact: AppealDecided) -> list[str]:
    """Why an appeal cannot be decided so; an empty list where it can."""
    return check_decision(state.appeals, fact)


def draft_appeal(state: State, plan: AppealPlan, *, now: Instant) -> AppealFiled:
    """An appeal for its party to sign. Raises StateConflict with every reason against it."""
    fact = AppealFiled(
        effective=now,
        appeal=plan.appeal,
        order=plan.order,
        party=plan.party,
        asks=plan.asks,
        grounds=plan.grounds,
    )
    verify_sound(f"appeal {plan.appeal}", problems_of_appeal(state, fact))
    return fact


def draft_decision(state: State, plan: DecisionPlan, *, now: Instant) -> AppealDecided:
    """A decision for the adjudicators to sign. Raises StateConflict with every reason against it."""
    appeal = state.appeals.appeals.get(plan.appeal)
    if appeal is None:
        raise StateConflict(
            f"appeal {plan.appeal[:80]} is not filed", remedy="see sekisho order appeal list"
        )
    within = plan.resume_within_s
    fact = AppealDecided(
        effective=now,
        appeal=plan.appeal,
        filed=Reference(log=state.regime.in_force().terms.log.origin, leaf=appeal.leaf),
        order=appeal.filed.order,
        outcome=plan.outcome,
        reasons=plan.reasons,
        resume_by=None if within is None else now.plus(within),
    )
    verify_sound(f"appeal {plan.appeal}", problems_of_decision(state, fact))
    return fact


def appeal_standing(state: State, appeal: Appeal, at: Instant) -> AppealStanding:
    """How an appeal stands at an instant; an order that has not begun stands as it will when it begins."""
    known = state.orders.find(appeal.filed.order)
    seen = at if known is None else max(at, known.order.not_before)
    in_force = (known.reference for known in state.orders.in_force(seen))
    return standing_of_appeal(appeal, in_force, at)
