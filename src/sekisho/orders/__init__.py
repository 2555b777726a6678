"""Orders: who is to stop, by whose power, how sure we are that they did, and how they may go on."""

from sekisho.orders.halts import ChallengeEvidence, HaltEvidence, halt_nonce, judge_halt
from sekisho.orders.registers import (
    EMPTY_HEAD,
    HeadsConflict,
    KnownOrder,
    OrderBook,
    RegisterGap,
    TwoDigests,
    WrongRegister,
    in_force_root,
)
from sekisho.orders.scope import (
    Demand,
    HostFacts,
    decide_demand,
    facts_of,
    is_covered,
    is_in_scope,
)
from sekisho.orders.validity import (
    ExpiredOrder,
    ForeignOrder,
    OrderFault,
    StaleSignatures,
    UnwitnessedRelease,
    check_order,
    verify_issue,
    verify_on_sight,
)

__all__ = [
    "EMPTY_HEAD",
    "ChallengeEvidence",
    "Demand",
    "ExpiredOrder",
    "ForeignOrder",
    "HaltEvidence",
    "HeadsConflict",
    "HostFacts",
    "KnownOrder",
    "OrderBook",
    "OrderFault",
    "RegisterGap",
    "StaleSignatures",
    "TwoDigests",
    "UnwitnessedRelease",
    "WrongRegister",
    "check_order",
    "decide_demand",
    "facts_of",
    "halt_nonce",
    "in_force_root",
    "is_covered",
    "is_in_scope",
    "judge_halt",
    "verify_issue",
    "verify_on_sight",
]
