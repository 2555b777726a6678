"""What must hold before a statement may enter the log, beyond its signatures; and what must be unique.

Pure: a table of kinds. Authority is checked by the regime, order in the registers by their own fold; here stand the
conditions that need two rooms, the clock, or the private store's word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    KINDS,
    LicenceIssued,
    LicenceRevoked,
    ObservationMade,
    OrderIssued,
    OrdersInForce,
    ReceiptGiven,
    RunDeclared,
)
from sekisho.operations.state import State
from sekisho.orders import check_release, verify_issue
from sekisho.signing import Recorded

__all__ = ["check_admission", "unique_keys"]

# Statements that only the control plane itself makes, after its own checks; from outside they are refused.
OWN_KINDS = frozenset(
    {"time-marked", "orders-in-force", "lease-granted", "lease-closed", "usage-reported"}
)
CLOCK_SLACK_S = 300


def check_admission(state: State, recorded: Recorded, *, now: Instant, own: bool = False) -> None:
    """Raise the named error where a verified statement must not enter the log now."""
    kind, fact = recorded.verified.kind, recorded.verified.predicate
    if not KINDS[kind].logged:
        raise InvalidInput(f"a {kind} is not a log entry", remedy="send it to its own address")
    if kind in OWN_KINDS and not own:
        raise InvalidInput(
            f"a {kind} is made by the control plane itself", remedy="send what it rests on"
        )
    if fact.effective > now.plus(CLOCK_SLACK_S):
        raise InvalidInput(f"is dated {fact.effective}, it is {now}", path="effective")
    check = _CHECKS.get(type(fact))
    if check is not None:
        check(state, fact, now)


def unique_keys(recorded: Recorded) -> tuple[str, ...]:
    """The identifiers that no second statement may bear; enforced in the transaction that sequences."""
    fact = recorded.verified.predicate
    keys = _UNIQUE.get(type(fact))
    return keys(fact) if keys is not None else ()


def _check_order(state: State, order: OrderIssued, now: Instant) -> None:
    charter = state.regime.in_force()
    verify_issue(order, charter, log=charter.terms.log.origin, now=now)
    for lifted in order.lifts:
        if state.orders.find(lifted) is None:
            raise StateConflict(f"order {lifted.register} {lifted.number} is not in its register")
    problems = check_release(order, state.orders)
    if problems:
        raise StateConflict("; ".join(problems))


def _check_licence(state: State, licence: LicenceIssued, _: Instant) -> None:
    declared = state.licences.runs.get(licence.run)
    if declared is None or declared[0] != licence.declaration.leaf:
        raise StateConflict(f"run {licence.run} is not declared as the licence says")
    unknown = sorted(set(licence.hosts) - set(state.regime.hosts))
    if unknown:
        raise StateConflict(f"hosts not enrolled: {', '.join(unknown)}")
    if licence.licensee != declared[1].party:
        raise StateConflict(f"run {licence.run} was declared by {declared[1].party}")
    terms = state.regime.in_force().terms
    if licence.lease.interval_s > terms.max_lease_s or licence.lease.grace_s > terms.max_grace_s:
        raise StateConflict("the lease terms exceed what the charter allows")


def _check_revocation(state: State, fact: LicenceRevoked, _: Instant) -> None:
    if state.licences.find(fact.licence.leaf).revoked is not None:
        raise StateConflict(f"licence {fact.number} is revoked already")


def _check_receipt(state: State, receipt: ReceiptGiven, _: Instant) -> None:
    if receipt.order is None or receipt.spend is not None:
        raise InvalidInput(
            "only receipts about orders, without figures, enter the log",
            remedy="send it as a receipt",
        )
    if state.orders.find(receipt.order) is None:
        raise StateConflict(
            f"order {receipt.order.register} {receipt.order.number} is not in the log"
        )


def _check_observation(state: State, fact: ObservationMade, _: Instant) -> None:
    if state.orders.find(fact.order) is None:
        raise StateConflict("the observation is about an order that is not in the log")
    if fact.host not in state.regime.hosts:
        raise StateConflict(f"host {fact.host} is not enrolled")


def _check_run(state: State, fact: RunDeclared, _: Instant) -> None:
    if fact.run in state.licences.runs:
        raise StateConflict(
            f"run {fact.run} is declared already", remedy="declare it under another name"
        )


def _check_heartbeat(state: State, fact: OrdersInForce, _: Instant) -> None:
    state.orders.verify_heads(fact, fact.effective)


_CHECKS: dict[type, Callable[[State, Any, Instant], None]] = {
    OrderIssued: _check_order,
    LicenceIssued: _check_licence,
    LicenceRevoked: _check_revocation,
    ReceiptGiven: _check_receipt,
    ObservationMade: _check_observation,
    RunDeclared: _check_run,
    OrdersInForce: _check_heartbeat,
}
_UNIQUE: dict[type, Callable[[Any], tuple[str, ...]]] = {
    LicenceIssued: lambda p: (f"licence:{p.number}",),
    OrderIssued: lambda p: (f"order:{p.register}:{p.number}",),
    RunDeclared: lambda p: (f"run:{p.run}",),
    ReceiptGiven: lambda p: (f"receipt:{p.host}:{p.sequence}",),
}
