"""The issuer's counter: leases granted, receipts taken and acknowledged, leases closed or forfeited.

Source: protocol sections 5 and 6. A request, a receipt or an acknowledgement that comes again is answered as before.
Whoever waits at the same time is served in one batch (`line`, `sekisho.operations.batch`).
"""

from sekisho.operations.leasing.counter import LeaseCounter
from sekisho.operations.leasing.facts import covering_orders, peak_of
from sekisho.operations.leasing.shapes import (
    GrantedLease,
    LeaseRefused,
    OtherIssuer,
    OverReserved,
    SpentLease,
)
from sekisho.operations.leasing.terms import claim_term

__all__ = [
    "GrantedLease",
    "LeaseCounter",
    "LeaseRefused",
    "OtherIssuer",
    "OverReserved",
    "SpentLease",
    "claim_term",
    "covering_orders",
    "peak_of",
]
