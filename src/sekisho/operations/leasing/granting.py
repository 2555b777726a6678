"""One grant at the counter: decide, conceal the allowance, state the lease."""

from __future__ import annotations

from collections.abc import Callable

from sekisho.licensing import LeaseTerm, decide_lease
from sekisho.model.amounts import format_flop
from sekisho.model.instants import Instant
from sekisho.model.statements import LeaseGranted, LeaseRequested
from sekisho.operations.leasing.facts import grounds_of
from sekisho.operations.leasing.records import Work
from sekisho.operations.leasing.shapes import LeaseRefused
from sekisho.ports.private_store import Paper
from sekisho.signing import Recorded, Verified, conceal

__all__ = ["Granter"]


class Granter:
    """Grants leases in a batch, under one issuer's key."""

    def __init__(
        self, issuer: str, draw_salt: Callable[[], bytes], draw_challenge: Callable[[], str]
    ) -> None:
        self._issuer = issuer
        self._draw_salt = draw_salt
        self._draw_challenge = draw_challenge

    def grant(
        self, work: Work, verified: Verified, request: LeaseRequested, term: int, now: Instant
    ) -> Recorded:
        """The lease that answers a verified request. Raises LeaseRefused with every reason."""
        if work.record(request.host).forks:
            raise LeaseRefused(
                f"host {request.host} gave two receipts with one number: its leases ended",
                remedy="find out which of the two it is, retire the host and enrol it anew under another name",
            )
        grounds = grounds_of(work.state, request, self._issuer, now)
        decision = decide_lease(request, work.state.licences, grounds)
        if decision.term is None:
            raise LeaseRefused("; ".join(decision.reasons))
        # Kept only where it is granted, so that asking fills no disk. Crash here: it is asked again, and kept once.
        work.batch.keep(
            Paper(
                kind="request",
                host=request.host,
                number=request.number,
                digest=verified.digest,
                envelope=verified.envelope.raw,
            )
        )
        challenge = self._draw_challenge() if grounds.tier == "C2" else None
        return self._state(work, verified.digest, request, decision.term, (term, challenge, now))

    def _state(
        self,
        work: Work,
        request_digest: str,
        request: LeaseRequested,
        term: LeaseTerm,
        under: tuple[int, str | None, Instant],
    ) -> Recorded:
        number, challenge, now = under
        concealed, disclosure = conceal(
            "allowance_flop", format_flop(term.allowance_flop), self._draw_salt()
        )
        fact = LeaseGranted(
            effective=now,
            licence=request.licence,
            host=request.host,
            number=request.number,
            not_after=term.not_after,
            nonce=request.nonce,
            request=request_digest,
            heads=tuple(work.state.orders.heads.values()),
            share=term.share,
            term=number or None,
            challenge=challenge,
            concealed=(concealed,),
        )
        recorded = work.batch.state_fact(fact, (disclosure.text,))
        if challenge is not None:
            work.put(work.record(request.host).challenged(challenge))
        return recorded
