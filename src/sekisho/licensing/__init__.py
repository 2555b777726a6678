"""Licences, budgets, leases and receipts: permission that is counted, and ends by itself."""

from sekisho.licensing.books import Book, OverSpent
from sekisho.licensing.leases import (
    ForeignLease,
    LeaseDecision,
    LeaseReplayed,
    LeaseTerm,
    OlderHeads,
    StaleLease,
    accept_lease,
    decide_lease,
)
from sekisho.licensing.ledger import (
    LeaseOutsideLicence,
    LeaseState,
    LicenceLedger,
    LicenceState,
    UnknownLicence,
    WrongLeaseNumber,
)
from sekisho.licensing.receipts import BrokenChain, Chain, Link, ReceiptFork, fold_chain
from sekisho.licensing.spending import (
    AllowanceSpent,
    HeldLease,
    HostState,
    RolledBack,
    check_start,
)

__all__ = [
    "AllowanceSpent",
    "Book",
    "BrokenChain",
    "Chain",
    "ForeignLease",
    "HeldLease",
    "HostState",
    "LeaseDecision",
    "LeaseOutsideLicence",
    "LeaseReplayed",
    "LeaseState",
    "LeaseTerm",
    "LicenceLedger",
    "LicenceState",
    "Link",
    "OlderHeads",
    "OverSpent",
    "ReceiptFork",
    "RolledBack",
    "StaleLease",
    "UnknownLicence",
    "WrongLeaseNumber",
    "accept_lease",
    "check_start",
    "decide_lease",
    "fold_chain",
]
