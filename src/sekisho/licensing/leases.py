"""Granting a lease at the issuer, and accepting one at the host. Pure decisions with their reasons.

Source: protocol sections 4 to 6. The issuer must not grant while an order in force covers host, run or licence;
the host takes exactly the number after its last, in answer to its own nonce, under register heads not older than
those it knows.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sekisho.licensing.ledger import LicenceLedger, LicenceState
from sekisho.model.errors import VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import LeaseGranted, LeaseRequested, OrderReference, RegisterHead

__all__ = [
    "ForeignLease",
    "LeaseDecision",
    "LeaseReplayed",
    "LeaseTerm",
    "OlderHeads",
    "StaleLease",
    "accept_lease",
    "decide_lease",
]


class ForeignLease(VerificationError):
    """A lease for another host."""

    code = "foreign-lease"


class LeaseReplayed(VerificationError):
    """A lease that does not answer the host's own request: another nonce, or not the number after the last."""

    code = "lease-replayed"


class OlderHeads(VerificationError):
    """A lease granted under register heads that lack an order which the host has seen: somebody hides one."""

    code = "older-heads"


class StaleLease(VerificationError):
    """A lease that has already ended, by the host's latest clock."""

    code = "stale-lease"


class LeaseTerm(msgspec.Struct, frozen=True, kw_only=True):
    """What a granted lease amounts to."""

    allowance_flop: int
    not_after: Instant


class LeaseDecision(msgspec.Struct, frozen=True, kw_only=True):
    """Granted with a term, or refused; always with reasons that a person can act on."""

    term: LeaseTerm | None
    reasons: tuple[str, ...]


def decide_lease(  # the six facts a grant rests on, each from another room
    request: LeaseRequested,
    ledger: LicenceLedger,
    *,
    peak_flop_per_s: int,
    covered_by: tuple[OrderReference, ...],
    max_lease_s: int,
    now: Instant,
) -> LeaseDecision:
    """Whether a host gets its next lease, and how much: peak x (interval + grace), or what is left."""
    state = ledger.licences.get(request.licence.leaf)
    if state is None:
        return _refuse(f"no licence {request.licence.leaf[:16]} is in the log")
    reasons = [*_against_licence(state, request, now), *_against_number(ledger, request)]
    reasons += [
        f"order {o.register} {o.number} is in force and covers this host" for o in covered_by
    ]
    if reasons:
        return LeaseDecision(term=None, reasons=tuple(reasons))
    if peak_flop_per_s < 1:
        return _refuse(f"host {request.host} has no peak, so nothing can be reserved for it")
    terms = state.licence.lease
    quantum = peak_flop_per_s * (terms.quantum_s + terms.grace_s)
    if state.book.available < quantum:
        return _refuse(
            f"{state.book.available} FLOP are available, one quantum with its grace needs {quantum}"
        )
    interval = min(terms.interval_s, max_lease_s)
    not_after = min(now.plus(interval), state.licence.period.end)
    allowance = min(state.book.available, peak_flop_per_s * (interval + terms.grace_s))
    return LeaseDecision(
        term=LeaseTerm(allowance_flop=allowance, not_after=not_after),
        reasons=("all conditions are met",),
    )


def accept_lease(  # what a host holds a lease against
    lease: LeaseGranted,
    *,
    host: str,
    last_number: int,
    nonce: str,
    heads: Mapping[str, RegisterHead],
    latest: Instant,
) -> None:
    """Raise the named error if this host must not take this lease (protocol section 5 and 8)."""
    if lease.host != host:
        raise ForeignLease(f"the lease is for host {lease.host}, this is {host}")
    if lease.number != last_number + 1:
        raise LeaseReplayed(
            f"lease {lease.number} does not follow this host's last lease {last_number}"
        )
    if lease.nonce != nonce:
        raise LeaseReplayed("the lease does not answer this host's own nonce")
    granted_under = {head.register: head for head in lease.heads}
    for register, head in heads.items():
        granted = granted_under.get(register)
        if granted is None or granted.number < head.number:
            raise OlderHeads(
                f"the lease was granted under register {register} at "
                f"{granted.number if granted else 'nothing'}, this host has seen {head.number}"
            )
        if granted.number == head.number and granted.digest != head.digest:
            raise OlderHeads(f"the lease knows another order {head.number} of register {register}")
    if lease.not_after <= latest:
        raise StaleLease(f"the lease ended at {lease.not_after}, it is {latest}")


def _against_licence(state: LicenceState, request: LeaseRequested, now: Instant) -> list[str]:
    licence = state.licence
    reasons = []
    if state.revoked is not None:
        reasons.append(f"licence {licence.number} was revoked at {state.revoked}")
    if not licence.period.start <= now < licence.period.end:
        reasons.append(
            f"licence {licence.number} is valid {licence.period.start} to {licence.period.end}"
        )
    if request.host not in licence.hosts:
        reasons.append(f"licence {licence.number} does not name host {request.host}")
    if state.undisclosed:
        reasons.append(
            f"amounts of {state.undisclosed} leases are undisclosed: what is left is unknown"
        )
    return reasons


def _against_number(ledger: LicenceLedger, request: LeaseRequested) -> list[str]:
    last = ledger.lease_numbers.get(request.host, 0)
    if request.number != last + 1:
        return [f"host {request.host} asks for lease {request.number}, its last is {last}"]
    return []


def _refuse(reason: str) -> LeaseDecision:
    return LeaseDecision(term=None, reasons=(reason,))
