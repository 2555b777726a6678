"""A licence's terms anew: opened, amended, suspended, closed. Pure steps from one state of a licence to the next.

What stood before an amendment counts up to its entry. Nothing here lets an amendment take back what is in use: not
below leased + consumed + forfeited FLOP, and no host away from under a lease that lives.
"""

from __future__ import annotations

import msgspec

from sekisho.licensing.books import Books
from sekisho.licensing.states import LicenceState, LicenceVersion, Suspension
from sekisho.model.amounts import parse_flop
from sekisho.model.errors import StateConflict
from sekisho.model.statements import (
    LicenceAmended,
    LicenceClosed,
    LicenceIssued,
    LicenceSuspended,
)
from sekisho.signing.regime import Recorded

__all__ = ["amend", "as_amended", "close", "opened", "suspend"]

_TAKEN_OVER = (
    "hosts",
    "devices",
    "devices_root",
    "sites",
    "budget_flop",
    "period",
    "lease",
    "mode",
    "decision",
    "shares",
)


def opened(fact: LicenceIssued, recorded: Recorded) -> LicenceState:
    """The state of a licence that was just issued: its whole budget is available."""
    digest = recorded.verified.digest
    budget = parse_flop(fact.budget_flop)
    return LicenceState(
        licence=fact,
        leaf=recorded.leaf,
        digest=digest,
        newest=digest,
        books=Books.open(budget, fact.shares),
        first=LicenceVersion(
            version=1,
            leaf=recorded.leaf,
            digest=digest,
            since=fact.effective,
            budget_flop=budget,
            hosts=fact.hosts,
            decision=fact.decision,
            shares=fact.shares,
            lease=fact.lease,
        ),
    )


def as_amended(licence: LicenceIssued, fact: LicenceAmended) -> LicenceIssued:
    """The licence with the amendment's terms in place of its own; application and approvals are those of the new."""
    terms = {name: getattr(fact, name) for name in _TAKEN_OVER}
    if fact.egress_bytes_per_s is not None:
        terms["egress_bytes_per_s"] = fact.egress_bytes_per_s
    return msgspec.structs.replace(
        licence, **terms, application=fact.application, approvals=fact.approvals
    )


def amend(state: LicenceState, fact: LicenceAmended, recorded: Recorded) -> LicenceState:
    """The licence under its new terms, its suspension ended where the amendment lifts it.

    Raises StateConflict where the amendment does not follow the version in force, goes below what is in use, takes a
    host away whose lease lives, lifts what is not its suspension, or comes after the licence's end.
    """
    _verify_amendable(state, fact.number)
    _verify_follows(state, fact)
    budget = parse_flop(fact.budget_flop)
    digest = recorded.verified.digest
    version = LicenceVersion(
        version=fact.version,
        leaf=recorded.leaf,
        digest=digest,
        since=fact.effective,
        budget_flop=budget,
        hosts=fact.hosts,
        decision=fact.decision,
        shares=fact.shares,
        reason=fact.reason,
        lease=fact.lease,
    )
    return msgspec.structs.replace(
        state,
        licence=as_amended(state.licence, fact),
        newest=digest,
        amendments=(*state.amendments, version),
        books=state.books.amend(budget, fact.shares),
        suspension=None if fact.lifts is not None else state.suspension,
    )


def suspend(state: LicenceState, fact: LicenceSuspended, recorded: Recorded) -> LicenceState:
    """The licence once it is suspended. Raises StateConflict where it is already, or has ended."""
    _verify_amendable(state, fact.number)
    if state.suspension is not None:
        raise StateConflict(f"licence {fact.number} is suspended since {state.suspended} already")
    held = Suspension(leaf=recorded.leaf, since=fact.effective, reason=fact.reason)
    return msgspec.structs.replace(state, suspension=held)


def close(state: LicenceState, fact: LicenceClosed) -> LicenceState:
    """The licence once its books are closed. Raises StateConflict while a lease lives, or once it is closed."""
    _verify_number(state, fact.number)
    if state.closed is not None:
        raise StateConflict(f"licence {fact.number} is closed since {state.closed} already")
    if state.live:
        raise StateConflict(
            f"licence {fact.number} has {len(state.live)} live leases",
            remedy="revoke or suspend it and wait until its leases are closed or forfeited",
        )
    return msgspec.structs.replace(state, closed=fact.effective, closing=fact)


def _verify_number(state: LicenceState, number: str) -> None:
    if state.licence.number != number:
        raise StateConflict(f"licence {state.licence.number} is referred to as {number}")


def _verify_amendable(state: LicenceState, number: str) -> None:
    _verify_number(state, number)
    ended = state.closed or state.revoked
    if ended is not None:
        word = "closed" if state.closed is not None else "revoked"
        raise StateConflict(
            f"licence {number} is {word} since {ended}", remedy="apply for another licence"
        )


def _verify_follows(state: LicenceState, fact: LicenceAmended) -> None:
    if fact.version != state.version + 1 or fact.previous != state.newest:
        raise StateConflict(
            f"version {fact.version} of licence {fact.number} does not follow version {state.version}",
            remedy="draft it anew from the version in force",
        )
    lost = sorted(
        lease.granted.host for lease in state.live_leases() if lease.granted.host not in fact.hosts
    )
    if lost:
        raise StateConflict(
            f"licence {fact.number} would lose {', '.join(lost)}, which hold live leases",
            remedy="wait until their leases are closed or forfeited",
        )
    if fact.lifts is None:
        return
    if state.suspension is None or fact.lifts.leaf != state.suspension.leaf:
        raise StateConflict(f"licence {fact.number} is not under the suspension that this lifts")
