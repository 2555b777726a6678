"""One grant at the counter: decide, conceal the allowance, state the lease."""

from __future__ import annotations

from collections.abc import Callable

from sekisho.licensing import (
    LeaseState,
    LeaseTerm,
    RequestBehindChain,
    decide_lease,
    place_of,
    verify_place,
)
from sekisho.model.amounts import format_flop
from sekisho.model.errors import StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import LeaseGranted, LeaseRequested
from sekisho.operations.leasing.closing import raise_finding
from sekisho.operations.leasing.facts import grounds_of
from sekisho.operations.leasing.records import Work
from sekisho.operations.leasing.shapes import LeaseRefused
from sekisho.operations.lineage_hold import find_lineage_orders
from sekisho.operations.straggling import barring_orders
from sekisho.ports.private_store import Paper
from sekisho.signing import Verified, conceal

__all__ = ["Granter"]


class Granter:
    """Grants leases in a batch, under one issuer's key."""

    def __init__(
        self,
        issuer: str,
        draw_salt: Callable[[], bytes],
        draw_challenge: Callable[[], str],
        is_found: Callable[[str, str], bool],
    ) -> None:
        self._issuer = issuer
        self._draw_salt = draw_salt
        self._draw_challenge = draw_challenge
        self._is_found = is_found

    def grant(
        self, work: Work, verified: Verified, request: LeaseRequested, term: int, now: Instant
    ) -> str:
        """The digest of the lease that answers a verified request. Raises LeaseRefused with every reason.

        Raises as well what stands against the receipt that the request names: RequestBehindChain, with a finding,
        ReceiptsOutstanding.
        """
        if work.record(request.host).forks:
            raise LeaseRefused(
                f"host {request.host} gave two receipts with one number: its leases ended",
                remedy="find out which of the two it is, retire the host and enrol it anew under another name",
            )
        self._verify_place(work, request, now)
        forgotten = unclaimed_lease(work, request)
        if forgotten is not None:
            return forgotten.digest
        self._verify_unbarred(work, request.host, now)
        self._verify_lineage(work, request, now)
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
    ) -> str:
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
        return recorded.verified.digest

    def _verify_unbarred(self, work: Work, host: str, now: Instant) -> None:
        """A host whose leases the ladder of refusal ended gets none under any licence until it halts."""
        barring = barring_orders(work.state, host, now)
        if barring:
            names = ", ".join(f"{order.register} {order.number}" for order in barring)
            raise LeaseRefused(
                f"the leases of host {host} ended on record, since it does not follow {names}",
                remedy="halt under the order first; the receipt opens the counter again",
            )

    def _verify_lineage(self, work: Work, request: LeaseRequested, now: Instant) -> None:
        """What was kept under an order in force is not trained on elsewhere while it stands."""
        licence = work.state.licences.licences.get(request.licence.leaf)
        orders = find_lineage_orders(work.state, licence.licence.run, now) if licence else ()
        if orders:
            names = ", ".join(f"{order.register} {order.number}" for order in orders)
            raise LeaseRefused(
                f"the run's weights come from a checkpoint that is held under {names}",
                remedy="wait until the order is lifted",
            )

    def _verify_place(self, work: Work, request: LeaseRequested, now: Instant) -> None:
        """Hold the request against the host's chain; a contradiction is a finding, and is evidence all the same."""
        host, chain = request.host, work.record(request.host).chain
        named = request.last_receipt
        kept = work.batch.find_paper("receipt", named) if named not in (None, chain.head) else None
        if kept is not None and kept.host == host and kept.number > chain.sequence:
            return  # another issuer over the same papers has taken it
        enrolled = work.state.regime.hosts.get(host)
        place = place_of(request, chain, is_kept=kept is not None and kept.host == host)
        try:
            verify_place(
                request,
                chain,
                place,
                tier=enrolled.counter if enrolled is not None else "C0",
                error_s=work.state.regime.in_force().terms.clock_error_s,
            )
        except RequestBehindChain as fault:
            if not self._is_found(host, fault.code):
                raise_finding(work, host, fault, now)
            raise
        except StateConflict as error:
            raise LeaseRefused(error.message, remedy=error.remedy) from None


def unclaimed_lease(work: Work, request: LeaseRequested) -> LeaseState | None:
    """A live lease of the number that a host asks for, granted to another request of its own and never spent.

    A request that was refused once may be handed in again by anybody, and be granted, when the host has drawn another
    nonce long since. It would ask for that number for ever: so it is told of the lease, which it gives back unused.
    """
    if work.state.licences.lease_numbers.get(request.host, 0) != request.number:
        return None
    spent = work.record(request.host).reserved
    return next(
        (
            lease
            for licence in work.state.licences.by_host(request.host)
            for lease in licence.live_leases()
            if (lease.granted.host, lease.granted.number) == (request.host, request.number)
            and lease.leaf not in spent
        ),
        None,
    )
