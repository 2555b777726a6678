"""Whether an order is for a host, by the licences that the log had given it at a step."""

from __future__ import annotations

from sekisho.licensing import LicenceLedger
from sekisho.model.statements import HostEnrolled
from sekisho.orders import KnownOrder, facts_of, is_covered

__all__ = ["is_host_covered"]


def is_host_covered(ledger: LicenceLedger, known: KnownOrder, host: HostEnrolled) -> bool:
    """Whether an order is for a host under any licence that it may work under; else under its newest."""
    held = ledger.standing_of(host.host) or ledger.by_host(host.host)[-1:]
    facts = [facts_of(host, each.licence) for each in held] or [facts_of(host, None)]
    return any(is_covered(known, each) for each in facts)
