"""Whether a licence's terms, as issued or as amended, fit the regime and the application that they grant. Pure.

Asked by whoever signs and again before a licence enters the log; an auditor asks the same of the log.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from sekisho.licensing import ApplicationState, check_approvals, what_is_missing
from sekisho.licensing.terms import within_application
from sekisho.model.statements import (
    LicenceAmended,
    LicenceIssued,
)
from sekisho.operations.running import devices_root
from sekisho.operations.state import State

__all__ = [
    "ApplicationStanding",
    "against_application",
    "against_devices",
    "against_regime",
    "entry_of",
    "standing_of_application",
]


def against_regime(state: State, terms: LicenceIssued | LicenceAmended) -> list[str]:
    """Where terms do not fit hosts, packs and charter, in words; empty where they do."""
    problems = against_devices(state, terms)
    if not terms.period.start < terms.period.end:
        problems.append("its period ends before it begins")
    published = state.pack_in_force(terms.decision.pack.name, terms.effective)
    if published is None or published.pack != terms.decision.pack:
        problems.append(f"pack {terms.decision.pack.name} is not published in the log as named")
    limits = state.regime.in_force().terms
    if terms.lease.interval_s > limits.max_lease_s or terms.lease.grace_s > limits.max_grace_s:
        problems.append("the lease terms exceed what the charter allows")
    return problems


def against_devices(state: State, terms: LicenceIssued | LicenceAmended) -> list[str]:
    """Where terms fix another set of devices than their hosts have enrolled; empty where they do not."""
    unknown = sorted(set(terms.hosts) - set(state.regime.hosts))
    if unknown:
        return [f"hosts not enrolled: {', '.join(unknown)}"]
    problems = []
    if devices_root(state, terms.hosts) != terms.devices_root:
        problems.append("its root of devices is not that of the hosts' enrolled devices")
    count = sum(len(state.regime.hosts[host].devices) for host in terms.hosts)
    if count != terms.devices:
        problems.append(f"counts {terms.devices} devices, its hosts have {count} enrolled")
    return problems


def against_application(
    state: State, terms: LicenceIssued | LicenceAmended, entry: str = "", *, amends: str = ""
) -> list[str]:
    """Why the application and its approvals do not carry these terms; empty where they do, or none are asked.

    `entry` is the leaf of the licence or amendment itself where it is in the log already; `amends` that of the licence
    which an amendment changes.
    """
    charter = state.regime.in_force()
    asked = charter.terms.licence_approvals
    if terms.application is None and not terms.approvals and not asked:
        return []
    application = state.applications.by_reference(terms.application)
    run, licensee = _for_whom(state, terms)
    party = state.regime.parties.get(licensee)
    problems = check_approvals(
        application,
        [state.applications.approval(reference) for reference in terms.approvals],
        asked=asked,
        organisation=party.organisation if party is not None else licensee,
        silenced=frozenset(state.regime.keys.silenced),
    )
    if application is None:
        return problems
    if application.decided not in (None, entry or None):
        problems.append(f"application {application.filed.application} is decided already")
    return problems + within_application(application.filed, terms, run, licensee, amends)


class ApplicationStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Where an application stands: its state, and how many more holders must approve."""

    state: Literal["open", "ready", "refused", "decided"]
    missing: int


def standing_of_application(state: State, application: ApplicationState) -> ApplicationStanding:
    """How far an application has come under the charter in force."""
    party = state.regime.parties.get(application.filed.party)
    missing = what_is_missing(
        application,
        asked=state.regime.in_force().terms.licence_approvals,
        organisation=party.organisation if party is not None else application.filed.party,
        silenced=frozenset(state.regime.keys.silenced),
    )
    if application.decided is not None:
        return ApplicationStanding(state="decided", missing=0)
    if application.is_refused:
        return ApplicationStanding(state="refused", missing=missing)
    return ApplicationStanding(state="open" if missing else "ready", missing=missing)


def entry_of(state: State, digest: str) -> str:
    """The leaf of the licence whose payload has this digest; empty where the log holds none."""
    return next((s.leaf for s in state.licences.licences.values() if s.digest == digest), "")


def _for_whom(state: State, terms: LicenceIssued | LicenceAmended) -> tuple[str, str]:
    if isinstance(terms, LicenceIssued):
        return terms.run, terms.licensee
    held = state.licences.find(terms.licence.leaf).licence
    return held.run, held.licensee
