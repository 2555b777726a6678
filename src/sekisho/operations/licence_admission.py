"""What must hold before a statement about a licence enters the log: of licence, amendment, application, end, outage.

What an auditor would fail is not admitted. Pure; the table that names these is `sekisho.operations.admission`.
"""

from __future__ import annotations

import msgspec

from sekisho.licensing.terms import grants_more
from sekisho.model.amounts import parse_flop
from sekisho.model.errors import StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    ApplicationFiled,
    ApprovalGiven,
    LicenceAmended,
    LicenceClosed,
    LicenceDecision,
    LicenceIssued,
    LicenceRevoked,
    OutageDeclared,
)
from sekisho.operations.difference import check_licence
from sekisho.operations.grounds import Grounds, verify_charter_alive, verify_sound
from sekisho.operations.licence_checks import (
    check_application,
    check_approval,
    check_closing,
    check_licence_amendment,
    check_outage,
)
from sekisho.operations.lineage_hold import check_lineage_free
from sekisho.operations.running import decide_run
from sekisho.operations.state import State

__all__ = [
    "check_amended",
    "check_answered",
    "check_closed",
    "check_declared",
    "check_filed",
    "check_issued",
    "check_revoked",
]


def check_issued(state: State, licence: LicenceIssued, grounds: Grounds) -> None:
    """What an auditor would fail is not admitted: expiry, interests, declaration, devices, pack and decision."""
    charter = state.regime.in_force()
    verify_charter_alive(state, grounds.now)
    problems = check_licence(state, licence, "")
    party = state.regime.parties.get(licence.licensee)
    if party is not None and charter.is_pausing(party.organisation):
        problems.append(
            f"{party.organisation} holds a key in a pause quorum and cannot be licensed"
        )
    problems += check_lineage_free(state, licence.run, grounds.now)
    budget = parse_flop(licence.budget_flop)
    asked = _Asked(run=licence.run, budget_flop=budget, told=licence.decision)
    problems += _against_rules(state, asked, grounds, at=licence.effective)
    if problems:
        raise StateConflict(f"licence {licence.number}: {'; '.join(problems)}")


def check_amended(state: State, fact: LicenceAmended, grounds: Grounds) -> None:
    """As a licence, with the lineage's total; what only restricts may rest on the decision that stands."""
    verify_charter_alive(state, grounds.now)
    problems = check_licence_amendment(state, fact)
    held = state.licences.licences.get(fact.licence.leaf)
    if held is not None and grants_more(held, fact, state.regime.hosts):
        problems += check_lineage_free(state, held.licence.run, grounds.now)
    if held is not None and (
        grants_more(held, fact, state.regime.hosts) or fact.decision != held.licence.decision
    ):
        asked = _Asked(
            run=held.licence.run,
            budget_flop=parse_flop(fact.budget_flop),
            besides=held.leaf,
            told=fact.decision,
        )
        problems += _against_rules(state, asked, grounds, at=fact.effective)
    if problems:
        raise StateConflict(f"amendment of licence {fact.number}: {'; '.join(problems)}")


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules are asked again: a run, the budget for it, and what the issuer says that they answered."""

    run: str
    budget_flop: int
    told: LicenceDecision
    besides: str = ""


def _against_rules(state: State, asked: _Asked, grounds: Grounds, *, at: Instant) -> list[str]:
    """The decision is taken again from the published bytes: an issuer's own word for it is not enough."""
    pack, told = grounds.load_pack(asked.told.pack), asked.told
    if pack is None:
        return [f"the bytes of pack {told.pack.name} are not at hand"]
    if asked.run not in state.licences.runs:
        return []
    decision = decide_run(
        state, asked.run, pack, now=at, budget_flop=asked.budget_flop, besides=asked.besides
    )
    named = tuple(rule.id for rule in decision.rules)
    if (decision.decision, named) != (told.decision, told.rules):
        said = f"{told.decision} by {', '.join(told.rules) or 'no rule'}"
        return [f"the rules say {decision.decision}, the licence says {said}"]
    return []


def check_filed(state: State, fact: ApplicationFiled, grounds: Grounds) -> None:
    """An application as its party may file it now."""
    verify_sound(f"application {fact.application}", check_application(state, fact, grounds.now))


def check_answered(state: State, fact: ApprovalGiven, _: Grounds) -> None:
    """An officer's answer to an application in the log."""
    verify_sound(f"answer to {fact.number}", check_approval(state, fact))


def check_closed(state: State, fact: LicenceClosed, _: Grounds) -> None:
    """A closing that names what is there."""
    verify_sound(f"closing of {fact.number}", check_closing(state, fact))


def check_declared(_state: State, fact: OutageDeclared, grounds: Grounds) -> None:
    """An outage of 72 hours at most, from now."""
    verify_sound(f"outage {fact.outage}", check_outage(fact, grounds.now))


def check_revoked(state: State, fact: LicenceRevoked, _: Grounds) -> None:
    """A licence is revoked once."""
    if state.licences.find(fact.licence.leaf).revoked is not None:
        raise StateConflict(f"licence {fact.number} is revoked already")
