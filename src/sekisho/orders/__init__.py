"""Orders: who is to stop, by whose power, how sure we are that they did, and how they may go on."""

from sekisho.orders.halts import (
    ChallengeEvidence,
    HaltEvidence,
    halt_nonce,
    judge_halt,
    shows_work,
)
from sekisho.orders.instruments import InstrumentsShow, judge_instruments
from sekisho.orders.observers import is_own_side
from sekisho.orders.recording import doubted_orders, record_in_book
from sekisho.orders.registers import (
    EMPTY_HEAD,
    HeadsConflict,
    KnownOrder,
    OrderBook,
    RegisterGap,
    TwoDigests,
    WrongRegister,
    in_force_root,
    names_scope_of,
)
from sekisho.orders.renewal import due_again, longest_delay_s
from sekisho.orders.scope import (
    Demand,
    HostFacts,
    acting_effect,
    decide_demand,
    effect_of,
    facts_of,
    halts_work,
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
    check_release,
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
    "InstrumentsShow",
    "KnownOrder",
    "OrderBook",
    "OrderFault",
    "RegisterGap",
    "StaleSignatures",
    "TwoDigests",
    "UnwitnessedRelease",
    "WrongRegister",
    "acting_effect",
    "check_order",
    "check_release",
    "decide_demand",
    "doubted_orders",
    "due_again",
    "effect_of",
    "facts_of",
    "halt_nonce",
    "halts_work",
    "in_force_root",
    "is_covered",
    "is_in_scope",
    "is_own_side",
    "judge_halt",
    "judge_instruments",
    "longest_delay_s",
    "names_scope_of",
    "record_in_book",
    "shows_work",
    "verify_issue",
    "verify_on_sight",
]
