"""Outages as the log tells them: for a while the issuer is away, and grace lasts until that is over. A pure fold.

An outage moves the end of a lease's grace, for the hosts it covers, to its own end, at most 72 hours after its start.
For longer, another one must be declared, by two constituencies again, before the first is over. It gives no allowance,
and nothing to a host that an order covers: whoever asks looks at the orders first. Source: protocol section 6.
"""

from __future__ import annotations

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements import OutageDeclared
from sekisho.signing.recorded import Recorded

__all__ = ["MAX_OUTAGE_S", "DeclaredOutage", "OutageBook", "end_of", "is_covered"]

MAX_OUTAGE_S = 72 * 3_600


class DeclaredOutage(msgspec.Struct, frozen=True, kw_only=True):
    """One outage and the entry that declares it."""

    declared: OutageDeclared
    leaf: str
    digest: str
    index: int

    @property
    def end(self) -> Instant:
        return end_of(self.declared)


class OutageBook(msgspec.Struct, frozen=True, kw_only=True):
    """Every outage in the order of the log."""

    outages: tuple[DeclaredOutage, ...] = ()

    def after(self, recorded: Recorded) -> OutageBook:
        """The book once a statement is in the log."""
        fact = recorded.verified.predicate
        if not isinstance(fact, OutageDeclared):
            return self
        declared = DeclaredOutage(
            declared=fact,
            leaf=recorded.leaf,
            digest=recorded.verified.digest,
            index=recorded.index,
        )
        return OutageBook(outages=(*self.outages, declared))

    def covering(self, host: str, site: str, at: Instant) -> DeclaredOutage | None:
        """The outage under which this host stands at an instant, the one that lasts longest; None where none does."""
        found = [
            outage
            for outage in self.outages
            if outage.declared.period.start <= at < outage.end
            and is_covered(outage.declared, host, site)
        ]
        return max(found, key=lambda outage: outage.end, default=None)

    def extend(self, host: str, site: str, grace_end: Instant, *, licence_end: Instant) -> Instant:
        """Until when grace lasts that would end at `grace_end`: itself where no outage covers the host then.

        No outage carries work past the end of its licence: nobody has allowed it from there on.
        """
        until = grace_end
        while (outage := self.covering(host, site, until)) is not None:
            until = outage.end
        return max(grace_end, min(until, licence_end))


def end_of(outage: OutageDeclared) -> Instant:
    """When an outage is over: at its period's end, and 72 hours after its start whatever it says."""
    return min(outage.period.end, outage.period.start.plus(MAX_OUTAGE_S))


def is_covered(outage: OutageDeclared, host: str, site: str) -> bool:
    """Whether it speaks of this host: it names it, or its site, or it names nobody and means all."""
    if not outage.hosts and not outage.sites:
        return True
    return host in outage.hosts or site in outage.sites
