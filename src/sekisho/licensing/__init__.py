"""Licences, budgets, leases and receipts: permission that is counted, and ends by itself."""

from sekisho.licensing.applications import (
    ApplicationBook,
    ApplicationState,
    Approval,
    check_approvals,
    what_is_missing,
)
from sekisho.licensing.asking import ReceiptsOutstanding, RequestBehindChain, place_of, verify_place
from sekisho.licensing.books import Book, Books, OverSpent, UnknownShare
from sekisho.licensing.burn_down import BurnDown, BurnPoint, Forecast, Mark, burn_down
from sekisho.licensing.leases import (
    ForeignLease,
    Grounds,
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
    LicenceLedger,
    StaleTerm,
    UnknownLicence,
    WrongIssuer,
    WrongLeaseNumber,
)
from sekisho.licensing.outages import MAX_OUTAGE_S, DeclaredOutage, OutageBook
from sekisho.licensing.receipts import (
    BrokenChain,
    Chain,
    Link,
    ReceiptFork,
    fold_chain,
    reserved_in_branches,
)
from sekisho.licensing.spending import (
    AllowanceSpent,
    HeldLease,
    HostState,
    RolledBack,
    check_start,
    parse_state,
)
from sekisho.licensing.states import LeaseState, LicenceState, LicenceVersion, Suspension

__all__ = [
    "MAX_OUTAGE_S",
    "AllowanceSpent",
    "ApplicationBook",
    "ApplicationState",
    "Approval",
    "Book",
    "Books",
    "BrokenChain",
    "BurnDown",
    "BurnPoint",
    "Chain",
    "DeclaredOutage",
    "Forecast",
    "ForeignLease",
    "Grounds",
    "HeldLease",
    "HostState",
    "LeaseDecision",
    "LeaseOutsideLicence",
    "LeaseReplayed",
    "LeaseState",
    "LeaseTerm",
    "LicenceLedger",
    "LicenceState",
    "LicenceVersion",
    "Link",
    "Mark",
    "OlderHeads",
    "OutageBook",
    "OverSpent",
    "ReceiptFork",
    "ReceiptsOutstanding",
    "RequestBehindChain",
    "RolledBack",
    "StaleLease",
    "StaleTerm",
    "Suspension",
    "UnknownLicence",
    "UnknownShare",
    "WrongIssuer",
    "WrongLeaseNumber",
    "accept_lease",
    "burn_down",
    "check_approvals",
    "check_start",
    "decide_lease",
    "fold_chain",
    "parse_state",
    "place_of",
    "reserved_in_branches",
    "verify_place",
    "what_is_missing",
]
