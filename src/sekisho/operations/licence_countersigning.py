"""Whether anybody should sign a document about a licence now: licence, amendment, application, end, outage, run, lock.

Each raises the named error where not; the table that names these is `sekisho.operations.countersigning`. Pure.
"""

from __future__ import annotations

from sekisho.model.errors import StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    ApplicationFiled,
    ApprovalGiven,
    LicenceAmended,
    LicenceIssued,
    LicenceRevoked,
    LicenceSuspended,
    OutageDeclared,
    RunDeclared,
    WeightsLocked,
)
from sekisho.operations.access_admission import check_weights_locked
from sekisho.operations.difference import check_licence
from sekisho.operations.footing import (
    Footing,
    ForeignDocument,
    charter_of,
    root_of,
    state_of,
    verify_own_log,
)
from sekisho.operations.grounds import verify_sound, verify_unexpired
from sekisho.operations.licence_checks import (
    check_application,
    check_approval,
    check_licence_amendment,
    check_outage,
)

__all__ = [
    "verify_amendment",
    "verify_application",
    "verify_approval",
    "verify_licence",
    "verify_lock",
    "verify_outage",
    "verify_revocation",
    "verify_run",
    "verify_suspension",
]


def verify_licence(footing: Footing, licence: LicenceIssued, digest: str, now: Instant) -> None:
    """A licence rests on this log, ends later than now, and is what the rules and the books allow."""
    origin = root_of(footing).origin
    if licence.declaration.log != origin:
        raise ForeignDocument(
            f"the licence rests on the log {licence.declaration.log}, trusted is {origin}"
        )
    if licence.period.end <= now:
        raise StateConflict(f"licence {licence.number} ended at {licence.period.end}")
    verify_unexpired(charter_of(footing), now)
    problems = check_licence(footing.state, licence, digest) if footing.state else []
    if problems:
        raise StateConflict(f"licence {licence.number}: {'; '.join(problems)}")


def verify_revocation(footing: Footing, fact: LicenceRevoked, _: str, __: Instant) -> None:
    """A revocation is of a licence that stands."""
    origin = root_of(footing).origin
    if fact.licence.log != origin:
        raise ForeignDocument(f"it revokes a licence of {fact.licence.log}, trusted is {origin}")
    if footing.state is not None:
        held = footing.state.licences.find(fact.licence.leaf)
        if held.licence.number != fact.number or held.revoked is not None:
            raise StateConflict(f"licence {fact.number} is not one that this can revoke")


def verify_amendment(footing: Footing, fact: LicenceAmended, _: str, now: Instant) -> None:
    """An amendment follows the version in force, and gives what the rules and the books allow."""
    verify_own_log(footing, fact.licence.log, "amends a licence")
    state = state_of(footing)
    verify_unexpired(charter_of(footing), now)
    held = state.licences.find(fact.licence.leaf)
    if (fact.version, fact.previous) != (held.version + 1, held.newest):
        raise StateConflict(
            f"version {fact.version} of licence {fact.number} does not follow version {held.version}",
            remedy="draft it anew from the version in force",
        )
    verify_sound(f"amendment of licence {fact.number}", check_licence_amendment(state, fact))


def verify_suspension(footing: Footing, fact: LicenceSuspended, _: str, __: Instant) -> None:
    """A suspension is of a licence that can be used."""
    verify_own_log(footing, fact.licence.log, "suspends a licence")
    if footing.state is not None:
        held = footing.state.licences.find(fact.licence.leaf)
        if held.licence.number != fact.number or held.obstacle() is not None:
            raise StateConflict(f"licence {fact.number} is not one that this can suspend")


def verify_application(footing: Footing, fact: ApplicationFiled, _: str, now: Instant) -> None:
    """An application rests on a declaration of this log, and may be filed now."""
    verify_own_log(footing, fact.declaration.log, "rests on a declaration")
    if footing.state is not None:
        problems = check_application(footing.state, fact, now)
        verify_sound(f"application {fact.application}", problems)


def verify_approval(footing: Footing, fact: ApprovalGiven, _: str, __: Instant) -> None:
    """An approval is of something that its giver has read: without the log nobody can."""
    verify_own_log(footing, fact.application.log, "answers an application")
    verify_sound(f"answer to {fact.number}", check_approval(state_of(footing), fact))


def verify_outage(footing: Footing, fact: OutageDeclared, _: str, now: Instant) -> None:
    """Signed without the log as well: that it cannot be read may be why."""
    verify_sound(f"outage {fact.outage}", check_outage(fact, now))
    charter_of(footing)


def verify_run(footing: Footing, fact: RunDeclared, _: str, now: Instant) -> None:
    """A run is declared once, and not after its end."""
    root_of(footing)
    if fact.period.end <= now:
        raise StateConflict(f"run {fact.run} would have ended at {fact.period.end}")
    if footing.state is not None and fact.run in footing.state.licences.runs:
        raise StateConflict(
            f"run {fact.run} is declared already", remedy="declare it under another name"
        )


def verify_lock(footing: Footing, fact: WeightsLocked, _: str, __: Instant) -> None:
    """Weights are locked under a licence of this log."""
    verify_own_log(footing, fact.licence.log, "locks weights under a licence")
    if footing.state is not None:
        check_weights_locked(footing.state, fact)
