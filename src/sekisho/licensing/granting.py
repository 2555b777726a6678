"""Leases in the books of their licence: granted, closed, and added to where a host's receipts forked. Pure steps.

A lease draws on one share of the budget; where the share names an issuer, only that key grants from it and closes what
it granted. An issuer's term fences off its predecessor: once a lease of a higher term is in the log, a lower one is
refused, so a process that was taken for dead grants nothing when it wakes. Source: protocol section 6.
"""

from __future__ import annotations

import msgspec

from sekisho.licensing.books import WHOLE, UnknownShare
from sekisho.licensing.states import Closing, LeaseState, LicenceState
from sekisho.model.errors import StateConflict, VerificationError
from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import BudgetShare, LeaseClosed, LeaseGranted

__all__ = [
    "LeaseOutsideLicence",
    "StaleTerm",
    "WrongIssuer",
    "close_lease",
    "grant_lease",
    "raise_terms",
    "share_of",
    "shares_named",
]


class LeaseOutsideLicence(VerificationError):
    """A lease that its licence does not cover: revoked before it, another host, or past the licence's end."""

    code = "lease-outside-licence"


class WrongIssuer(VerificationError):
    """A lease of a share, or its closing, that the share's own issuer did not sign."""

    code = "wrong-issuer"


class StaleTerm(VerificationError):
    """A lease of a term that its issuer has left behind: by a process that another one took over from."""

    code = "stale-term"


Terms = PersistentMap[str, int]
"""The highest term that each issuer key has granted under, by key id."""


def raise_terms(terms: Terms, fact: LeaseGranted, signers: frozenset[str]) -> Terms:
    """The terms once this lease is in the log. Raises StaleTerm where one of its issuers is further on.

    A lease that names no term is of term 0: once an issuer has taken one, it no longer grants without.
    """
    term = fact.term or 0
    for signer in signers:
        newest = terms.get(signer, 0)
        if term < newest:
            raise StaleTerm(
                f"lease {fact.number} of host {fact.host} is of term {term}, its issuer is at term {newest}",
                remedy="another process took over: stop this one, or start it anew to take the next term",
            )
        if term > newest:
            terms = terms.plus(signer, term)
    return terms


def share_of(state: LicenceState, share: str | None) -> BudgetShare | None:
    """The share of that name; None where there is none."""
    return next((each for each in state.licence.shares if each.share == share), None)


def shares_named(state: LicenceState) -> tuple[str, ...]:
    """The shares that the licence's terms name now; `WHOLE` alone where they do not split the budget."""
    return tuple(share.share for share in state.licence.shares) or (WHOLE,)


def grant_lease(state: LicenceState, lease: LeaseState, signers: frozenset[str]) -> LicenceState:
    """The licence with one more live lease, its allowance moved to leased.

    Raises LeaseOutsideLicence, UnknownShare, WrongIssuer, StateConflict (more than the share has left).
    """
    fact = lease.granted
    _verify_covered(fact, state)
    if (fact.share or WHOLE) not in shares_named(state):
        # A dropped share keeps its book, and nothing more is granted from it, whether its amounts are open or not.
        raise UnknownShare.named(fact.share, shares_named(state))
    books = state.books.lease(fact.share, lease.allowance_flop)
    _verify_issuer(state, fact, signers)
    return msgspec.structs.replace(
        state,
        granted=state.granted.plus(lease.leaf, lease),
        live=state.live.plus(lease.leaf, lease),
        books=books,
    )


def close_lease(
    state: LicenceState, fact: LeaseClosed, consumed: int | None, signers: frozenset[str]
) -> LicenceState:
    """The licence with a lease closed, or with what came to light of a closed one.

    That is a fork's branch, or of a forfeited one a quantum whose receipt was late.

    `consumed` is None where nobody opens the amount. Raises StateConflict where the lease is not open, or where
    nothing is added; WrongIssuer.
    """
    lease = state.granted.get(fact.lease.leaf)
    is_open = lease is not None and (
        lease.ended is None or fact.how == "forked" or fact.how == lease.ended == "forfeited"
    )
    if lease is None or not is_open or not _is_same(lease.granted, fact):
        raise StateConflict(f"lease {fact.number} of host {fact.host} is not open")
    _verify_issuer(state, lease.granted, signers)
    ended = msgspec.structs.replace(
        lease,
        ended=fact.how,
        ended_at=fact.effective,
        consumed_flop=consumed,
        is_returned=lease.is_returned or fact.how == "final-receipt",
        closings=(*lease.closings, Closing(how=fact.how, consumed_flop=consumed)),
    )
    changed = _book_closing(state, lease, ended)
    return msgspec.structs.replace(
        changed, granted=state.granted.plus(ended.leaf, ended), live=state.live.minus(ended.leaf)
    )


def _book_closing(state: LicenceState, lease: LeaseState, ended: LeaseState) -> LicenceState:
    """The books with what the lease took; after an amount that nobody opens they stand still."""
    share, allowance, consumed = lease.granted.share, lease.allowance_flop, ended.consumed_flop
    books = state.books
    if consumed is None:
        return msgspec.structs.replace(state, books=books.unopened(share))
    is_more = lease.ended is None or consumed > (lease.consumed_flop or 0)
    if lease.consumed_flop is not None and not is_more:
        raise StateConflict(
            f"nothing is added to lease {lease.granted.number} of host {lease.granted.host}"
        )
    if allowance is None or not books.is_known(share):
        return state
    book = books.of(share)
    if lease.ended is None:
        forfeited = ended.ended != "final-receipt"
        book = book.close(allowance, consumed, rest_forfeited=forfeited)
    else:
        before = lease.consumed_flop or 0
        book = book.add(allowance, before, consumed, forfeited=not lease.is_returned)
    return msgspec.structs.replace(state, books=books.put(share, book))


def _verify_covered(lease: LeaseGranted, state: LicenceState) -> None:
    licence = state.licence
    obstacle = state.obstacle()
    if obstacle is not None:
        raise LeaseOutsideLicence(f"lease {lease.number} of host {lease.host}: {obstacle}")
    if lease.host not in licence.hosts:
        raise LeaseOutsideLicence(f"licence {licence.number} does not name host {lease.host}")
    if lease.not_after > licence.period.end:
        raise LeaseOutsideLicence(
            f"lease {lease.number} of host {lease.host} outlives licence {licence.number}"
        )


def _verify_issuer(state: LicenceState, lease: LeaseGranted, signers: frozenset[str]) -> None:
    share = share_of(state, lease.share)
    if share is not None and share.issuer is not None and share.issuer not in signers:
        raise WrongIssuer(
            f"share {share.share} of licence {state.licence.number} is issuer {share.issuer[:16]}'s to grant",
            remedy="ask that issuer",
        )


def _is_same(granted: LeaseGranted, closed: LeaseClosed) -> bool:
    return (granted.host, granted.number) == (closed.host, closed.number)
