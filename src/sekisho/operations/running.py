"""From a declared run to a licence: decide by the rules, draft the licence that its quorum is to sign."""

from __future__ import annotations

import msgspec

from sekisho.model.amounts import parse_flop
from sekisho.model.errors import StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import (
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

__all__ = ["LicencePlan", "RunRefused", "decide_run", "devices_root", "draft_licence"]


class RunRefused(StateConflict):
    """The rules do not let this run be licensed; the decision says why."""

    code = "run-refused"

    def __init__(self, decision: Decision) -> None:
        named = ", ".join(f"{rule.id} ({rule.cite})" for rule in decision.rules)
        super().__init__(f"the rules say {decision.decision}: {named or 'no rule named'}")
        self.decision = decision


class LicencePlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the issuer decides beyond the declaration. No budget given: the planned FLOP are the budget."""

    number: str
    budget_flop: int | None = None
    lasts_s: int = 86_400
    terms: LeaseTerms
    mode: Mode


def decide_run(state: State, run: str, pack: Pack, *, now: Instant) -> Decision:
    """The rules' answer to a run in the log. Raises StateConflict for one that is not declared."""
    declared = _declared(state, run)[1]
    hosts = [state.regime.hosts[name] for name in declared.hosts if name in state.regime.hosts]
    return decide(request_from_run(declared, hosts), pack, now)


def draft_licence(
    state: State, run: str, pack: Pack, plan: LicencePlan, *, now: Instant
) -> LicenceIssued:
    """The licence for its quorum to read and sign. Raises RunRefused where the rules deny or are unsure."""
    leaf, declared = _declared(state, run)
    decision = decide_run(state, run, pack, now=now)
    if decision.decision == "deny" or decision.decision == "unsure":  # noqa: PLR1714  # mypy narrows this form only
        raise RunRefused(decision)
    published = state.pack_in_force(pack.reference.name, now)
    if published is None or published.pack != pack.reference:
        raise StateConflict(
            f"pack {pack.reference.name} is not published in the log as it is here",
            remedy="publish it first: a decision rests on bytes that anybody can get",
        )
    planned = max(parse_flop(declared.planned_flop), parse_flop(declared.planned_flop_hardware))
    return LicenceIssued(
        effective=now,
        number=plan.number,
        licensee=declared.party,
        run=run,
        declaration=Reference(log=state.regime.in_force().terms.log.origin, leaf=leaf),
        lineage=declared.lineage,
        hosts=declared.hosts,
        devices=sum(len(state.regime.hosts[name].devices) for name in declared.hosts),
        devices_root=devices_root(state, declared.hosts),
        sites=(declared.site,),
        budget_flop=str(planned if plan.budget_flop is None else plan.budget_flop),
        period=Span(start=now, end=now.plus(plan.lasts_s)),
        lease=plan.terms,
        mode=plan.mode,
        decision=LicenceDecision(
            decision=decision.decision,
            rules=tuple(rule.id for rule in decision.rules),
            pack=pack.reference,
        ),
    )


def devices_root(state: State, hosts: tuple[str, ...]) -> str:
    """SHA-256 of the canonical, sorted list of the device ids of these hosts: the licence's fixed set of chips."""
    devices = sorted(d.device for name in hosts for d in state.regime.hosts[name].devices)
    return sha256_hex(canonical(devices))


def _declared(state: State, run: str) -> tuple[str, RunDeclared]:
    found = state.licences.runs.get(run)
    if found is None:
        raise StateConflict(f"run {run} is not declared", remedy="declare it first")
    return found
