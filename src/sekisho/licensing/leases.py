"""Granting a lease at the issuer, and accepting one at the host. Pure decisions with their reasons.

Source: protocol sections 4 to 6. The issuer must not grant while an order in force covers host, run or licence;
the host takes exactly the number after its last, in answer to its own nonce, under register heads not older than
those it knows.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sekisho.licensing.granting import share_of, shares_named
from sekisho.licensing.ledger import LicenceLedger
from sekisho.licensing.states import LicenceState
from sekisho.model.errors import VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import LeaseGranted, LeaseRequested, OrderReference, RegisterHead

__all__ = [
    "ForeignLease",
    "Grounds",
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
    """What a granted lease amounts to, and the share of the budget that it draws on (None: the whole)."""

    allowance_flop: int
    not_after: Instant
    share: str | None = None


class Grounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a grant rests on beside licence and request: the host as enrolled, who grants, what covers the host.

    `issuer` is the key id of whoever would sign, `max_lease_s` the charter's.
    """

    peak_flop_per_s: int
    covered_by: tuple[OrderReference, ...]
    max_lease_s: int
    now: Instant
    site: str = ""
    tier: str = "C0"
    issuer: str = ""


class LeaseDecision(msgspec.Struct, frozen=True, kw_only=True):
    """Granted with a term, or refused; always with reasons that a person can act on."""

    term: LeaseTerm | None
    reasons: tuple[str, ...]


def decide_lease(request: LeaseRequested, ledger: LicenceLedger, grounds: Grounds) -> LeaseDecision:
    """Whether a host gets its next lease, and how much: peak x (interval + grace), or what its share has left.

    A host with a certified counter (C2) may hold leases ahead: each begins where the one before ends, all of them end
    within the charter's longest lease from now, so that an order still stops the host by silence in that time.
    """
    state = ledger.licences.get(request.licence.leaf)
    if state is None:
        return _refuse(f"no licence {request.licence.leaf[:16]} is in the log")
    reasons = [
        *_against_licence(state, request, grounds.now),
        *_against_number(ledger, request),
        *(
            f"order {o.register} {o.number} is in force and covers this host"
            for o in grounds.covered_by
        ),
    ]
    if reasons:
        return LeaseDecision(term=None, reasons=tuple(reasons))
    if grounds.peak_flop_per_s < 1:
        return _refuse(f"host {request.host} has no peak, so nothing can be reserved for it")
    share, against = _choose_share(state, grounds)
    if share is None:
        return LeaseDecision(term=None, reasons=tuple(against))
    return _decide_term(state, request, grounds, share)


def _decide_term(
    state: LicenceState, request: LeaseRequested, grounds: Grounds, share: str
) -> LeaseDecision:
    """How long and how much, from the share that has a quantum left."""
    terms, now, peak = state.licence.lease, grounds.now, grounds.peak_flop_per_s
    begin = _begin(state, request.host, grounds)
    interval = min(terms.interval_s, grounds.max_lease_s)
    last = min(now.plus(grounds.max_lease_s), state.licence.period.end)
    not_after = min(begin.plus(interval), last)
    if not_after <= begin or (begin > now and not_after.since(begin) < terms.quantum_s):
        return _refuse(
            f"host {request.host} holds leases until {begin} already, as far ahead as charter and licence allow: "
            "close those that it no longer uses by their final receipts"
        )
    left = state.books.of(share).available
    allowance = min(left, peak * (interval + terms.grace_s))
    return LeaseDecision(
        term=LeaseTerm(allowance_flop=allowance, not_after=not_after, share=share or None),
        reasons=("all conditions are met",),
    )


def _begin(state: LicenceState, host: str, grounds: Grounds) -> Instant:
    """Where the next lease begins: now, or for a certified counter where the last that it holds ends."""
    if grounds.tier != "C2":
        return grounds.now
    held = [each.granted.not_after for each in state.live_leases() if each.granted.host == host]
    return max([grounds.now, *held])


def _choose_share(state: LicenceState, grounds: Grounds) -> tuple[str | None, list[str]]:
    """The first share that this issuer may grant from at this host's site and that has a quantum left.

    None where there is none such, with what stands against each.
    """
    terms, reasons = state.licence.lease, []
    quantum = grounds.peak_flop_per_s * (terms.quantum_s + terms.grace_s)
    for name in shares_named(state):
        against = _against_share(state, name, grounds, quantum)
        if not against:
            return name, []
        reasons.append(against)
    return None, reasons


def _against_share(state: LicenceState, name: str, grounds: Grounds, quantum: int) -> str:
    """Why nothing is granted from a share here; "" where nothing stands against it."""
    where = f"share {name}: " if name else ""
    share = share_of(state, name or None)
    if share is not None and share.issuer not in (None, grounds.issuer):
        return f"{where}is granted by issuer {(share.issuer or '')[:16]}, ask there"
    if share is not None and share.sites and grounds.site not in share.sites:
        return f"{where}is for {', '.join(share.sites)}, the host stands at {grounds.site}"
    unknown = state.books.unknown.get(name, 0)
    if unknown:
        return f"{where}amounts of {unknown} leases are undisclosed: what is left is unknown"
    left = state.books.of(name).available
    if left < quantum:
        return f"{where}{left} FLOP are available, one quantum with its grace needs {quantum}"
    return ""


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
    obstacle = state.obstacle()
    if obstacle is not None:
        reasons.append(obstacle)
    if not licence.period.start <= now < licence.period.end:
        reasons.append(
            f"licence {licence.number} is valid {licence.period.start} to {licence.period.end}"
        )
    if request.host not in licence.hosts:
        reasons.append(f"licence {licence.number} does not name host {request.host}")
    return reasons


def _against_number(ledger: LicenceLedger, request: LeaseRequested) -> list[str]:
    last = ledger.lease_numbers.get(request.host, 0)
    if request.number != last + 1:
        return [f"host {request.host} asks for lease {request.number}, its last is {last}"]
    return []


def _refuse(reason: str) -> LeaseDecision:
    return LeaseDecision(term=None, reasons=(reason,))
