"""How a lease ends at the issuer: by its final receipt, by running out, or by a fork, which adds every branch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from sekisho.licensing import LeaseState, LicenceState
from sekisho.model.amounts import format_flop, parse_flop
from sekisho.model.errors import VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import FindingRaised, LeaseClosed, ReceiptGiven, Reference
from sekisho.operations.leasing.facts import grace_end, is_mine
from sekisho.operations.leasing.records import HostRecord, Work
from sekisho.operations.state import State
from sekisho.signing import conceal

__all__ = ["Closer", "overdue_leases", "raise_finding"]

How = Literal["final-receipt", "forfeited", "forked"]


def overdue_leases(
    state: State, issuer: str, now: Instant
) -> Iterator[tuple[LicenceState, LeaseState]]:
    """Every live lease that this issuer may close and that is past its end, grace, outage and clock error."""
    error_s = state.regime.in_force().terms.clock_error_s
    for licence in state.licences.licences.values():
        for lease in licence.live_leases():
            # Most are not due: the outages are looked at only where the lease is over.
            is_over = now > lease.granted.not_after and is_mine(licence, lease, issuer)
            if is_over and now > grace_end(state, licence, lease).plus(error_s):
                yield licence, lease


class Closer:
    """States the ends of leases in a batch."""

    def __init__(self, origin: str, issuer: str, draw_salt: Callable[[], bytes]) -> None:
        self._origin = origin
        self._issuer = issuer
        self._draw_salt = draw_salt

    def close(
        self,
        work: Work,
        found: tuple[LicenceState, LeaseState],
        consumed: int,
        how: How,
        now: Instant,
        receipt: str | None = None,
    ) -> None:
        """State that a lease has ended, with what it consumed, concealed."""
        licence, lease = found
        concealed, disclosure = conceal("consumed_flop", format_flop(consumed), self._draw_salt())
        fact = LeaseClosed(
            effective=now,
            lease=Reference(log=self._origin, leaf=lease.leaf),
            licence=Reference(log=self._origin, leaf=licence.leaf),
            host=lease.granted.host,
            number=lease.granted.number,
            how=how,
            receipt=receipt,
            concealed=(concealed,),
        )
        work.batch.state_fact(fact, (disclosure.text,))
        record = work.record(lease.granted.host)
        work.put(record.pruned(work.state.licences))

    def add_branches(self, work: Work, record: HostRecord, now: Instant) -> None:
        """End every lease that a forked host's branches spend, with all of them added; again where one grew."""
        record = record.with_own(work.state.licences)
        work.put(record)
        for leaf, flop in record.forked_flop(work.state.licences).items():
            found = work.state.licences.by_lease(leaf)
            if found is not None and self._adds(found, flop):
                self.close(work, found, flop, "forked", now)
        for licence, lease in _live_of(work.state, record.chain.host):
            if is_mine(licence, lease, self._issuer):
                self.close(work, (licence, lease), 0, "forked", now)

    def add_late(self, work: Work, receipt: ReceiptGiven, now: Instant) -> None:
        """A quantum of a lease that is forfeited already, begun in time and told late: it was consumed all the same."""
        found = (
            None
            if receipt.spend is None
            else work.state.licences.by_lease(receipt.spend.lease.leaf)
        )
        if receipt.spend is None or found is None or found[1].ended != "forfeited":
            return
        flop = parse_flop(receipt.spend.reserved_flop)
        if found[1].consumed_flop is not None and flop > found[1].consumed_flop:
            self.close(work, found, flop, "forfeited", now)

    def _adds(self, found: tuple[LicenceState, LeaseState], flop: int) -> bool:
        licence, lease = found
        if not is_mine(licence, lease, self._issuer):
            return False
        if lease.ended is None:
            return True
        # An amount that was erased stays so: it is not stated anew.
        return lease.consumed_flop is not None and flop > lease.consumed_flop


def raise_finding(work: Work, host: str, fault: VerificationError, now: Instant) -> None:
    """State a finding about a host, once in a batch; the caller knows which ones the log holds."""
    if (host, fault.code) in work.found:
        return
    work.found.add((host, fault.code))
    work.batch.state_fact(
        FindingRaised(effective=now, finding=fault.code, host=host, detail=fault.message)
    )


def _live_of(state: State, host: str) -> list[tuple[LicenceState, LeaseState]]:
    return [
        (licence, lease)
        for licence in state.licences.by_host(host)
        for lease in licence.live_leases()
        if lease.granted.host == host
    ]
