"""From a declared run to a licence: decide by the rules, draft the licence that its quorum is to sign."""

from __future__ import annotations

from typing import Final

import msgspec

from sekisho.licensing.lineage import judged_run, planned_flop
from sekisho.model.amounts import parse_flop
from sekisho.model.errors import StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    ApplicationFiled,
    BudgetShare,
    LeaseTerms,
    LicenceDecision,
    LicenceIssued,
    Mode,
    Reference,
    RunDeclared,
    Span,
)
from sekisho.model.wire import canonical, sha256_hex
from sekisho.operations.state import State
from sekisho.rules import Decision, Pack, decide, request_from_run

__all__ = [
    "LicencePlan",
    "RunRefused",
    "decide_run",
    "decision_of",
    "devices_root",
    "draft_licence",
    "named_approvals",
    "verify_published",
]

DAY_S: Final = 86_400


class RunRefused(StateConflict):
    """The rules do not let this run be licensed; the decision says why."""

    code = "run-refused"

    def __init__(self, decision: Decision) -> None:
        named = ", ".join(f"{rule.id} ({rule.cite})" for rule in decision.rules)
        super().__init__(f"the rules say {decision.decision}: {named or 'no rule named'}")
        self.decision = decision


class LicencePlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the issuer decides beyond the declaration. No budget given: the planned FLOP are the budget.

    `application` is the name of the one that this licence grants; its approvals so far go with it, and what is left
    out here (budget, period, mode) is what was applied for. Without one a licence lasts a day and drains.
    """

    number: str
    budget_flop: int | None = None
    lasts_s: int | None = None
    terms: LeaseTerms
    mode: Mode | None = None
    shares: tuple[BudgetShare, ...] = ()
    application: str = ""


def decide_run(  # a run, by what, when, and the budget that is asked for it
    state: State, run: str, pack: Pack, *, now: Instant, budget_flop: int = 0, besides: str = ""
) -> Decision:
    """The rules' answer to a run in the log, with its lineage's total. Raises StateConflict for one not declared.

    `budget_flop` is to be licensed beside what the run has, in place of the licence whose leaf is `besides`.
    """
    declared = _declared(state, run)[1]
    judged = judged_run(state.licences, declared, budget_flop=budget_flop, besides=besides)
    hosts = [state.regime.hosts[name] for name in declared.hosts if name in state.regime.hosts]
    request = request_from_run(judged.run, hosts, lineage_flop=judged.lineage_flop)
    return decide(request, pack, now)


def draft_licence(
    state: State, run: str, pack: Pack, plan: LicencePlan, *, now: Instant
) -> LicenceIssued:
    """The licence for its quorum to read and sign. Raises RunRefused where the rules deny or are unsure."""
    leaf, declared = _declared(state, run)
    asked = _applied_for(state, plan.application)
    budget = plan.budget_flop
    if budget is None:
        budget = planned_flop(declared) if asked is None else parse_flop(asked.budget_flop)
    hosts = declared.hosts if asked is None else asked.hosts
    said = decision_of(decide_run(state, run, pack, now=now, budget_flop=budget), pack)
    verify_published(state, pack, now=now)
    application, approvals = named_approvals(state, plan.application)
    return LicenceIssued(
        effective=now,
        number=plan.number,
        licensee=declared.party,
        run=run,
        declaration=Reference(log=state.regime.in_force().terms.log.origin, leaf=leaf),
        lineage=declared.lineage,
        hosts=hosts,
        devices=sum(len(state.regime.hosts[name].devices) for name in hosts),
        devices_root=devices_root(state, hosts),
        sites=(declared.site,),
        budget_flop=str(budget),
        period=_period(plan, asked, now),
        lease=plan.terms,
        mode=plan.mode or ("drain" if asked is None else asked.mode),
        decision=said,
        shares=plan.shares,
        application=application,
        approvals=approvals,
    )


def _applied_for(state: State, name: str) -> ApplicationFiled | None:
    """What a named application asks for; None for no name, and for one that nobody filed."""
    found = state.applications.find(name) if name else None
    return found.filed if found is not None else None


def _period(plan: LicencePlan, asked: ApplicationFiled | None, now: Instant) -> Span:
    """As long as the plan says, else what is left of the period applied for. Raises StateConflict where it is over."""
    if plan.lasts_s is not None or asked is None:
        lasts_s = DAY_S if plan.lasts_s is None else plan.lasts_s
        return Span(start=now, end=now.plus(lasts_s))
    if asked.period.end <= now:
        raise StateConflict(
            f"the period applied for ended at {asked.period.end}", remedy="file a new application"
        )
    return Span(start=max(now, asked.period.start), end=asked.period.end)


def decision_of(decision: Decision, pack: Pack) -> LicenceDecision:
    """The rules' answer as a licence carries it. Raises RunRefused where they deny or are unsure."""
    if decision.decision == "deny" or decision.decision == "unsure":  # noqa: PLR1714  # mypy narrows this form only
        raise RunRefused(decision)
    return LicenceDecision(
        decision=decision.decision,
        rules=tuple(rule.id for rule in decision.rules),
        pack=pack.reference,
    )


def verify_published(state: State, pack: Pack, *, now: Instant) -> None:
    """Raise StateConflict unless the log holds this very pack as the one in force."""
    published = state.pack_in_force(pack.reference.name, now)
    if published is None or published.pack != pack.reference:
        raise StateConflict(
            f"pack {pack.reference.name} is not published in the log as it is here",
            remedy="publish it first: a decision rests on bytes that anybody can get",
        )


def named_approvals(
    state: State, application: str
) -> tuple[Reference | None, tuple[Reference, ...]]:
    """An application and its approvals as a licence names them; nothing for no name. Raises StateConflict."""
    if not application:
        return None, ()
    filed = state.applications.find(application)
    if filed is None:
        raise StateConflict(f"application {application} is not filed", remedy="file it first")
    log = state.regime.in_force().terms.log.origin
    approvals = tuple(Reference(log=log, leaf=answer.leaf) for answer in filed.approvals[:16])
    return Reference(log=log, leaf=filed.leaf), approvals


def devices_root(state: State, hosts: tuple[str, ...]) -> str:
    """SHA-256 of the canonical, sorted list of the device ids of these hosts: the licence's fixed set of chips."""
    devices = sorted(d.device for name in hosts for d in state.regime.hosts[name].devices)
    return sha256_hex(canonical(devices))


def _declared(state: State, run: str) -> tuple[str, RunDeclared]:
    found = state.licences.runs.get(run)
    if found is None:
        raise StateConflict(f"run {run} is not declared", remedy="declare it first")
    return found
