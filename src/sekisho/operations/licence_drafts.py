"""Drafts around a licence, for their signers: application, answer, amendment, suspension, revocation, outage."""

from __future__ import annotations

import msgspec

from sekisho.licensing import ApplicationState, LicenceState
from sekisho.licensing.lineage import planned_flop
from sekisho.licensing.terms import grants_more
from sekisho.model.amounts import format_flop, parse_flop
from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    ApplicationFiled,
    ApprovalGiven,
    BudgetShare,
    Evidence,
    LeaseTerms,
    LicenceAmended,
    LicenceRevoked,
    LicenceSuspended,
    Mode,
    OutageDeclared,
    Reference,
    RunDeclared,
    Span,
)
from sekisho.operations.running import (
    RunRefused,
    decide_run,
    decision_of,
    devices_root,
    named_approvals,
    verify_published,
)
from sekisho.operations.state import State
from sekisho.rules import Pack

__all__ = [
    "AmendedTerms",
    "AnswerPlan",
    "ApplicationPlan",
    "OutagePlan",
    "draft_application",
    "draft_approval",
    "draft_licence_amendment",
    "draft_licence_revocation",
    "draft_outage",
    "draft_suspension",
    "find_application",
    "find_licence",
]


class ApplicationPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What an applicant asks for. What is left out is taken from the licence to be amended, else from the declaration.

    A first licence drains where no mode is asked for.
    """

    application: str
    run: str
    lasts_s: int | None = None
    budget_flop: int | None = None
    hosts: tuple[str, ...] = ()
    mode: Mode | None = None
    reason: str = ""
    evidence: tuple[Evidence, ...] = ()
    amends: str = ""


class AnswerPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What an officer says of an application, under the key of this id."""

    application: str
    key: str
    reason: str
    refuses: bool = False
    conditions: tuple[str, ...] = ()


class AmendedTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What an amendment changes; None leaves a term as it stands. `lifts` ends the suspension in force."""

    reason: str
    mode: Mode | None = None
    budget_flop: int | None = None
    until: Instant | None = None
    hosts: tuple[str, ...] | None = None
    terms: LeaseTerms | None = None
    shares: tuple[BudgetShare, ...] | None = None
    application: str = ""
    lifts: bool = False
    egress_bytes_per_s: int | None = None


class OutagePlan(msgspec.Struct, frozen=True, kw_only=True):
    """An outage of the issuer: its name, why, how long, and where; nowhere named is everywhere."""

    outage: str
    reason: str
    lasts_s: int
    sites: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


def draft_application(state: State, plan: ApplicationPlan, *, now: Instant) -> ApplicationFiled:
    """What the party of a declared run signs to ask for a licence, or for a change of one. Raises StateConflict."""
    found = state.licences.runs.get(plan.run)
    if found is None:
        raise StateConflict(f"run {plan.run} is not declared", remedy="declare it first")
    leaf, declared = found
    log = state.regime.in_force().terms.log.origin
    held = find_licence(state, plan.amends) if plan.amends else None
    if held is not None and held.licence.run != plan.run:
        raise StateConflict(f"licence {plan.amends} is for run {held.licence.run}")
    start = held.licence.period.start if held is not None else now
    end = now.plus(86_400 if plan.lasts_s is None else plan.lasts_s)
    if held is not None and plan.lasts_s is None:
        end = held.licence.period.end
    return ApplicationFiled(
        effective=now,
        application=plan.application,
        party=declared.party,
        run=plan.run,
        declaration=Reference(log=log, leaf=leaf),
        hosts=plan.hosts or (held.licence.hosts if held is not None else declared.hosts),
        budget_flop=format_flop(_asked_budget(plan, declared, held)),
        period=Span(start=start, end=end),
        mode=plan.mode or (held.licence.mode if held is not None else "drain"),
        reason=plan.reason,
        evidence=plan.evidence,
        amends=Reference(log=log, leaf=held.leaf) if held is not None else None,
    )


def _asked_budget(plan: ApplicationPlan, declared: RunDeclared, held: LicenceState | None) -> int:
    """As the applicant says; else what the licence to be amended has, or what was declared."""
    if plan.budget_flop is not None:
        return plan.budget_flop
    return planned_flop(declared) if held is None else parse_flop(held.licence.budget_flop)


def draft_approval(state: State, plan: AnswerPlan, *, now: Instant) -> ApprovalGiven:
    """One officer's answer to an application, under the key that is to sign it. Raises InvalidInput."""
    filed = find_application(state, plan.application)
    return ApprovalGiven(
        effective=now,
        application=Reference(log=state.regime.in_force().terms.log.origin, leaf=filed.leaf),
        number=plan.application,
        key=plan.key,
        outcome="refuse" if plan.refuses else "approve",
        reason=plan.reason,
        conditions=plan.conditions,
    )


def draft_licence_amendment(
    state: State, number: str, terms: AmendedTerms, pack: Pack, *, now: Instant
) -> LicenceAmended:
    """A licence's terms anew, with the rules asked again for what it would then have of its lineage's total.

    What only restricts keeps the decision that it rests on where the rules would refuse it today. Raises RunRefused,
    StateConflict.
    """
    held = find_licence(state, number)
    licence = held.licence
    log = state.regime.in_force().terms.log.origin
    if terms.lifts and held.suspension is None:
        raise StateConflict(f"licence {number} is not suspended")
    hosts = licence.hosts if terms.hosts is None else terms.hosts
    _verify_enrolled(state, hosts)
    application, approvals = named_approvals(state, terms.application)
    budget = parse_flop(licence.budget_flop) if terms.budget_flop is None else terms.budget_flop
    until = licence.period.end if terms.until is None else terms.until
    draft = LicenceAmended(
        effective=now,
        licence=Reference(log=log, leaf=held.leaf),
        number=number,
        version=held.version + 1,
        previous=held.newest,
        reason=terms.reason,
        hosts=hosts,
        devices=sum(len(state.regime.hosts[name].devices) for name in hosts),
        devices_root=devices_root(state, hosts),
        sites=tuple(dict.fromkeys(state.regime.hosts[name].site for name in hosts)),
        budget_flop=format_flop(budget),
        period=Span(start=licence.period.start, end=until),
        lease=terms.terms or licence.lease,
        mode=terms.mode or licence.mode,
        decision=licence.decision,
        shares=licence.shares if terms.shares is None else terms.shares,
        application=application,
        approvals=approvals,
        lifts=Reference(log=log, leaf=held.suspension.leaf)
        if terms.lifts and held.suspension is not None
        else None,
        egress_bytes_per_s=terms.egress_bytes_per_s,
    )
    return _decided_anew(state, held, draft, pack, now=now)


def draft_suspension(state: State, number: str, reason: str, *, now: Instant) -> LicenceSuspended:
    """Nothing is granted and no quantum begun under a licence from this entry on. Raises StateConflict."""
    held = find_licence(state, number)
    obstacle = held.obstacle()
    if obstacle is not None:
        raise StateConflict(obstacle)
    log = state.regime.in_force().terms.log.origin
    return LicenceSuspended(
        effective=now, licence=Reference(log=log, leaf=held.leaf), number=number, reason=reason
    )


def draft_licence_revocation(
    state: State, number: str, reason: str, *, now: Instant
) -> LicenceRevoked:
    """The end of a licence before its time. Raises StateConflict."""
    held = find_licence(state, number)
    if held.revoked is not None or held.closed is not None:
        raise StateConflict(held.obstacle() or "")
    log = state.regime.in_force().terms.log.origin
    return LicenceRevoked(
        effective=now, licence=Reference(log=log, leaf=held.leaf), number=number, reason=reason
    )


def draft_outage(state: State, plan: OutagePlan, *, now: Instant) -> OutageDeclared:
    """The issuer is away: grace lasts until the end of the period, 72 hours at most. Raises InvalidInput."""
    unknown = sorted(set(plan.hosts) - set(state.regime.hosts))
    if unknown:
        raise InvalidInput(f"{', '.join(unknown)} are not enrolled", path="hosts")
    return OutageDeclared(
        effective=now,
        outage=plan.outage,
        period=Span(start=now, end=now.plus(plan.lasts_s)),
        reason=plan.reason,
        sites=plan.sites,
        hosts=plan.hosts,
    )


def find_licence(state: State, number: str) -> LicenceState:
    """A licence by its number. Raises InvalidInput."""
    held = state.licences.by_number(number)
    if held is None:
        raise InvalidInput(
            f"no licence {number[:60]!r} is in the log",
            path="NUMBER",
            remedy="see sekisho licence list",
        )
    return held


def find_application(state: State, name: str) -> ApplicationState:
    """An application by its name. Raises InvalidInput."""
    filed = state.applications.find(name)
    if filed is None:
        raise InvalidInput(
            f"no application {name[:60]!r} is in the log",
            path="APPLICATION",
            remedy="see sekisho licence applications",
        )
    return filed


def _decided_anew(
    state: State, held: LicenceState, draft: LicenceAmended, pack: Pack, *, now: Instant
) -> LicenceAmended:
    budget = parse_flop(draft.budget_flop)
    said = decide_run(state, held.licence.run, pack, now=now, budget_flop=budget, besides=held.leaf)
    try:
        decision = decision_of(said, pack)
    except RunRefused:
        if grants_more(held, draft, state.regime.hosts):
            raise
        return draft
    verify_published(state, pack, now=now)
    return msgspec.structs.replace(draft, decision=decision)


def _verify_enrolled(state: State, hosts: tuple[str, ...]) -> None:
    unknown = sorted(set(hosts) - set(state.regime.hosts))
    if unknown or not hosts:
        raise StateConflict(
            f"hosts not enrolled: {', '.join(unknown) or 'none named'}", remedy="enrol them first"
        )
