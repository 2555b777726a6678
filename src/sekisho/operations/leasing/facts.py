"""What a lease rests on, gathered from the state: the host's peak, the orders over it, how long its grace lasts."""

from __future__ import annotations

from sekisho.licensing import Grounds, LeaseState, LicenceState, Link
from sekisho.licensing.granting import share_of
from sekisho.model.amounts import parse_flop
from sekisho.model.errors import NotAuthorised, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    HostEnrolled,
    LeaseRequested,
    OrderReference,
    ReceiptGiven,
    parse_payload,
)
from sekisho.operations.state import State
from sekisho.orders import halts_work, is_covered
from sekisho.ports.private_store import Paper
from sekisho.signing import Verified, parse_envelope

__all__ = [
    "covering_orders",
    "grace_end",
    "grounds_of",
    "is_mine",
    "link_of",
    "link_of_paper",
    "peak_of",
]


def peak_of(host: HostEnrolled) -> int:
    """The enrolled peak of all devices of a host, in FLOP per second."""
    return sum(parse_flop(device.peak_flop_per_s) for device in host.devices)


def covering_orders(
    state: State, host: str, licence_leaf: str, now: Instant
) -> tuple[OrderReference, ...]:
    """The orders in force that cover a host working under a licence. Raises NotAuthorised for an unknown host.

    A suspension of access is about users, and the gate's to follow; a cap slows work: under both it goes on.
    """
    enrolled = _enrolled(state, host)
    facts = state.host_facts(enrolled, state.licences.licences.get(licence_leaf))
    return tuple(
        k.reference
        for k in state.orders.in_force(now)
        if halts_work(k.order) and is_covered(k, facts)
    )


def grounds_of(state: State, request: LeaseRequested, issuer: str, now: Instant) -> Grounds:
    """What a grant to this host rests on. Raises NotAuthorised for an unknown host."""
    host = _enrolled(state, request.host)
    return Grounds(
        peak_flop_per_s=peak_of(host),
        covered_by=covering_orders(state, request.host, request.licence.leaf, now),
        max_lease_s=state.regime.in_force().terms.max_lease_s,
        now=now,
        site=host.site,
        tier=host.counter,
        issuer=issuer,
    )


def grace_end(state: State, licence: LicenceState, lease: LeaseState) -> Instant:
    """When a lease's grace is over: so long after its end, or with the outage that covers its host by then.

    An outage lengthens it to the end of the licence's period at most.
    """
    granted = lease.granted
    usual = granted.not_after.plus(licence.licence.lease.grace_s)
    host = state.regime.hosts.get(granted.host)
    if host is None:
        return usual
    end = licence.licence.period.end
    return state.outages.extend(host.host, host.site, usual, licence_end=end)


def is_mine(licence: LicenceState, lease: LeaseState, issuer: str) -> bool:
    """Whether this issuer's key may close a lease: its share names no issuer, or this one."""
    share = share_of(licence, lease.granted.share)
    return share is None or share.issuer in (None, issuer)


def link_of(verified: Verified) -> Link:
    """A verified receipt as a link of its chain. Raises StateConflict for another kind."""
    if not isinstance(verified.predicate, ReceiptGiven):
        raise StateConflict(f"a {verified.kind} is not a receipt")
    return Link(digest=verified.digest, receipt=verified.predicate)


def link_of_paper(paper: Paper) -> Link:
    """A kept receipt, verified when it came: the host may be retired by now, or enrolled under another key."""
    statement = parse_payload(parse_envelope(paper.envelope).payload, path="private store")
    if not isinstance(statement.predicate, ReceiptGiven):
        raise StateConflict(f"a {statement.kind} is kept as a receipt")
    return Link(digest=statement.digest, receipt=statement.predicate)


def _enrolled(state: State, host: str) -> HostEnrolled:
    enrolled = state.regime.hosts.get(host)
    if enrolled is None:
        raise NotAuthorised(f"host {host} is not enrolled")
    return enrolled
