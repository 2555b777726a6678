"""What must hold before an application, an answer to it, an amendment, a closing or an outage enters the log. Pure.

Signatures are the regime's to judge, sequence and books the folds'; here stands what needs two rooms or the clock.
Each check returns its problems in words; empty is sound.
"""

from __future__ import annotations

from sekisho.licensing import LicenceState
from sekisho.licensing.terms import grants_more, keeps_devices
from sekisho.model.amounts import parse_flop
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    ApplicationFiled,
    ApprovalGiven,
    LicenceAmended,
    LicenceClosed,
    OutageDeclared,
)
from sekisho.operations.licence_terms import against_application, against_devices, against_regime
from sekisho.operations.state import State
from sekisho.signing import same_organisation

__all__ = [
    "MAX_OUTAGE_S",
    "check_application",
    "check_approval",
    "check_closing",
    "check_licence_amendment",
    "check_outage",
]

MAX_OUTAGE_S = 72 * 3_600
"""An outage that lasts longer is no outage any more (protocol section 6)."""


def check_application(state: State, fact: ApplicationFiled, now: Instant) -> list[str]:
    """Of a declared run of its own, on hosts that were declared, for a period to come; an amendment of its licence."""
    problems = []
    found = state.licences.runs.get(fact.run)
    if found is None or found[0] != fact.declaration.leaf:
        return [f"run {fact.run} is not declared as the application says"]
    declared = found[1]
    if declared.party != fact.party:
        problems.append(f"run {fact.run} was declared by {declared.party}, not {fact.party}")
    if set(fact.hosts) - set(declared.hosts):
        problems.append("names hosts that the declaration does not")
    if not fact.period.start < fact.period.end or fact.period.end <= now:
        problems.append("its period is over, or ends before it begins")
    if fact.amends is not None:
        problems += _against_amended(state, fact)
    return problems


def check_approval(state: State, fact: ApprovalGiven) -> list[str]:
    """Of an application in the log, by nobody of the applicant's own organisation, and not said already."""
    filed = state.applications.by_reference(fact.application)
    if filed is None or filed.filed.application != fact.number:
        return [f"no application {fact.number} is filed as this answer names it"]
    problems = []
    held = state.regime.in_force().holder_of(fact.key)
    party = state.regime.parties.get(filed.filed.party)
    if held is not None and party is not None and same_organisation(held[0], party.organisation):
        problems.append(f"{held[0]} is the applicant's own organisation: it approves nothing here")
    said = next((a.given for a in filed.standing if a.given.key == fact.key), None)
    if said is not None and _meaning(said) == _meaning(fact):
        problems.append(f"key {fact.key[:16]} has said so already")
    return problems


def check_licence_amendment(state: State, fact: LicenceAmended) -> list[str]:
    """That it follows, fits regime and declaration, and has its approvals where it grants more than stands."""
    held = state.licences.licences.get(fact.licence.leaf)
    if held is None:
        return [f"no licence {fact.licence.leaf[:16]} is in the log"]
    problems = _against_declared(state, held, fact)
    more = grants_more(held, fact, state.regime.hosts)
    unchanged = fact.decision == held.licence.decision
    if more or not unchanged:
        problems += against_regime(state, fact)
    else:
        problems += _against_restricted(state, held, fact)
    if more or fact.application is not None or fact.approvals:
        problems += against_application(state, fact, amends=fact.licence.leaf)
    if more:
        problems += _against_interest(state, held)
    return problems


def check_closing(state: State, fact: LicenceClosed) -> list[str]:
    """What a closing names is there: usage reports of its licensee, and checkpoints that its run wrote."""
    held = state.licences.licences.get(fact.licence.leaf)
    if held is None:
        return [f"no licence {fact.licence.leaf[:16]} is in the log"]
    problems, licensee = [], held.licence.licensee
    reports = {r.leaf for r in state.usage.reports.values() if r.fact.licensee == licensee}
    strangers = [r.leaf for r in fact.usage if r.leaf not in reports]
    if strangers:
        problems.append(f"names {strangers[0][:16]}, which is no usage report of its licensee")
    written = set(state.licences.origins.written.get(held.licence.run, ()))
    strange = [digest for digest in fact.checkpoints if digest not in written]
    if strange:
        problems.append(f"names checkpoint {strange[0][:16]}, which no host of its run recorded")
    return problems


def check_outage(fact: OutageDeclared, now: Instant) -> list[str]:
    """A period that has not passed, of 72 hours at most."""
    length = fact.period.end.since(fact.period.start)
    problems = []
    if not 0 < length <= MAX_OUTAGE_S:
        problems.append(f"lasts {length:.0f} s, an outage lasts at most {MAX_OUTAGE_S} s")
    if fact.period.end <= now:
        problems.append(f"is over since {fact.period.end}")
    # Declared ahead of time it would be a licence to go on without leases for longer than 72 hours from today.
    if fact.period.end > now.plus(MAX_OUTAGE_S):
        problems.append(f"ends at {fact.period.end}, later than 72 hours from now")
    return problems


def _meaning(fact: ApprovalGiven) -> tuple[str, tuple[str, ...]]:
    return fact.outcome, fact.conditions


def _against_amended(state: State, fact: ApplicationFiled) -> list[str]:
    held = state.licences.licences.get(fact.amends.leaf) if fact.amends is not None else None
    if held is None or (held.licence.run, held.licence.licensee) != (fact.run, fact.party):
        return ["asks to amend a licence that is not one of this run and party"]
    if held.revoked is not None or held.closed is not None:
        return [f"asks to amend what has ended: {held.obstacle()}"]
    return []


def _against_declared(state: State, held: LicenceState, fact: LicenceAmended) -> list[str]:
    licence = held.licence
    found = state.licences.runs.get(licence.run)
    problems = []
    if licence.number != fact.number:
        problems.append(f"is of licence {licence.number}, and says {fact.number}")
    if found is None or set(fact.hosts) - set(found[1].hosts):
        problems.append("names hosts that the run's declaration does not")
    sites = {state.regime.hosts[h].site for h in fact.hosts if h in state.regime.hosts}
    if not sites <= set(fact.sites):
        problems.append("is for hosts at a site that it does not name")
    if parse_flop(fact.budget_flop) < held.book.taken and not held.undisclosed:
        problems.append(f"its budget is below the {held.book.taken} FLOP in use")
    return problems + _against_dropped(held, fact)


def _against_restricted(state: State, held: LicenceState, fact: LicenceAmended) -> list[str]:
    """What only restricts needs no leave, and still fixes the devices that its hosts have, for some time.

    As they were fixed they may stay: a host that left since must keep nobody from having less.
    """
    problems = [] if keeps_devices(held, fact) else against_devices(state, fact)
    if not fact.period.start < fact.period.end:
        problems.append("its period ends before it begins")
    return problems


def _against_dropped(held: LicenceState, fact: LicenceAmended) -> list[str]:
    """Which shares it no longer names although something of them is in use, or what is in use is not known."""
    return [
        f"{flop if flop is not None else 'unknown'} FLOP of "
        f"{f'share {name}' if name else 'the whole budget'}, which it drops, are leased, consumed or forfeited"
        for name, flop in held.books.in_use_of_dropped(fact.shares).items()
    ]


def _against_interest(state: State, held: LicenceState) -> list[str]:
    party = state.regime.parties.get(held.licence.licensee)
    if party is not None and state.regime.in_force().is_pausing(party.organisation):
        return [f"{party.organisation} holds a key in a pause quorum and cannot be licensed more"]
    return []
