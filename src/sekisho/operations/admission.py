"""What must hold before a statement may enter the log, beyond its signatures; and what must be unique.

Pure: a table of kinds. Authority is checked by the regime, order in the registers by their own fold; here stand the
conditions that need two rooms, the clock, or the private store's word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    KINDS,
    CharterAdopted,
    HostEnrolled,
    LicenceIssued,
    LicenceRevoked,
    ObservationMade,
    OrderIssued,
    OrdersInForce,
    PackReference,
    ReceiptGiven,
    RunDeclared,
)
from sekisho.operations.difference import check_licence
from sekisho.operations.running import decide_run
from sekisho.operations.state import State
from sekisho.orders import check_release, verify_issue
from sekisho.rules import Pack
from sekisho.signing import Recorded
from sekisho.signing.charter import PAUSE_POWERS

__all__ = ["Grounds", "check_admission", "unique_keys"]

# Statements that only the control plane itself makes, after its own checks; from outside they are refused.
OWN_KINDS = frozenset(
    {"time-marked", "orders-in-force", "lease-granted", "lease-closed", "usage-reported"}
)
# Receipts enter the log only behind the chain that they are links of.
CHAINED_KINDS = frozenset({"receipt-given"})
CLOCK_SLACK_S = 300


class Grounds(msgspec.Struct, frozen=True, kw_only=True):
    """What an admission rests on beside the log: the time, and the bytes of published packs (None: not at hand)."""

    now: Instant
    load_pack: Callable[[PackReference], Pack | None]


def check_admission(
    state: State, recorded: Recorded, grounds: Grounds, *, own: bool = False
) -> None:
    """Raise the named error where a verified statement must not enter the log now."""
    kind, fact = recorded.verified.kind, recorded.verified.predicate
    if not KINDS[kind].logged:
        raise InvalidInput(f"a {kind} is not a log entry", remedy="send it to its own address")
    if kind in OWN_KINDS and not own:
        raise InvalidInput(
            f"a {kind} is made by the control plane itself", remedy="send what it rests on"
        )
    if kind in CHAINED_KINDS and not own:
        raise InvalidInput(
            f"a {kind} enters the log with its chain", remedy="send it to /api/v1/receipts"
        )
    if fact.effective > grounds.now.plus(CLOCK_SLACK_S):
        raise InvalidInput(f"is dated {fact.effective}, it is {grounds.now}", path="effective")
    check = _CHECKS.get(type(fact))
    if check is not None:
        check(state, fact, grounds)


def unique_keys(recorded: Recorded) -> tuple[str, ...]:
    """The identifiers that no second statement may bear; enforced in the transaction that sequences."""
    fact = recorded.verified.predicate
    keys = _UNIQUE.get(type(fact))
    return keys(fact) if keys is not None else ()


def _check_order(state: State, order: OrderIssued, grounds: Grounds) -> None:
    charter = state.regime.in_force()
    verify_issue(order, charter, log=charter.terms.log.origin, now=grounds.now)
    for lifted in order.lifts:
        if state.orders.find(lifted) is None:
            raise StateConflict(f"order {lifted.register} {lifted.number} is not in its register")
    problems = check_release(order, state.orders)
    if problems:
        raise StateConflict("; ".join(problems))


def _check_licence(state: State, licence: LicenceIssued, grounds: Grounds) -> None:
    """What an auditor would fail is not admitted: expiry, interests, declaration, devices, pack and decision."""
    charter = state.regime.in_force()
    _check_charter_alive(state, grounds.now)
    problems = check_licence(state, licence, "")
    party = state.regime.parties.get(licence.licensee)
    if party is not None and party.organisation in charter.organisations_of(PAUSE_POWERS):
        problems.append(
            f"{party.organisation} holds a key in a pause quorum and cannot be licensed"
        )
    problems += _against_rules(state, licence, grounds)
    if problems:
        raise StateConflict(f"licence {licence.number}: {'; '.join(problems)}")


def _against_rules(state: State, licence: LicenceIssued, grounds: Grounds) -> list[str]:
    """The decision is taken again from the published bytes: an issuer's own word for it is not enough."""
    pack = grounds.load_pack(licence.decision.pack)
    if pack is None:
        return [f"the bytes of pack {licence.decision.pack.name} are not at hand"]
    if licence.run not in state.licences.runs:
        return []
    decision = decide_run(state, licence.run, pack, now=licence.effective)
    named = tuple(rule.id for rule in decision.rules)
    if (decision.decision, named) != (licence.decision.decision, licence.decision.rules):
        said = f"{licence.decision.decision} by {', '.join(licence.decision.rules) or 'no rule'}"
        return [f"the rules say {decision.decision}, the licence says {said}"]
    return []


def _check_amendment(state: State, fact: CharterAdopted, grounds: Grounds) -> None:
    if fact.version > 1:
        _check_charter_alive(state, grounds.now)


def _check_charter_alive(state: State, now: Instant) -> None:
    """An expired charter stops new licences and amendments, nothing else: hold, pause and resume go on."""
    expires = state.regime.in_force().terms.expires
    if expires <= now:
        raise StateConflict(
            f"the charter expired at {expires}", remedy="recover it by its recovery keys"
        )


def _check_revocation(state: State, fact: LicenceRevoked, _: Grounds) -> None:
    if state.licences.find(fact.licence.leaf).revoked is not None:
        raise StateConflict(f"licence {fact.number} is revoked already")


def _check_receipt(state: State, receipt: ReceiptGiven, _: Grounds) -> None:
    if receipt.order is None or receipt.spend is not None:
        raise InvalidInput(
            "only receipts about orders, without figures, enter the log",
            remedy="send it as a receipt",
        )
    if state.orders.find(receipt.order) is None:
        raise StateConflict(
            f"order {receipt.order.register} {receipt.order.number} is not in the log"
        )


def _check_observation(state: State, fact: ObservationMade, _: Grounds) -> None:
    if state.orders.find(fact.order) is None:
        raise StateConflict("the observation is about an order that is not in the log")
    if fact.host not in state.regime.hosts:
        raise StateConflict(f"host {fact.host} is not enrolled")


def _check_host(_state: State, fact: HostEnrolled, _: Grounds) -> None:
    """A host's name is a folder of every bundle: none may take the place of another host's files."""
    if any(part.endswith(".jsonl") for part in fact.host.split("/")):
        raise InvalidInput("is named like a file of a bundle", path="host", remedy="rename it")


def _check_run(state: State, fact: RunDeclared, _: Grounds) -> None:
    if fact.run in state.licences.runs:
        raise StateConflict(
            f"run {fact.run} is declared already", remedy="declare it under another name"
        )


def _check_heartbeat(state: State, fact: OrdersInForce, _: Grounds) -> None:
    state.orders.verify_heads(fact, fact.effective)


_CHECKS: dict[type, Callable[[State, Any, Grounds], None]] = {
    CharterAdopted: _check_amendment,
    HostEnrolled: _check_host,
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
