"""What a document would change against what is in force: read by people before they sign it. Pure.

An order is compared host by host, a charter key by key and power by power, a licence with what its run already has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from sekisho.licensing.lineage import licensed_flop, planned_flop
from sekisho.model.amounts import parse_flop
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    CharterAdopted,
    Effect,
    LicenceIssued,
    OrderIssued,
    OrderReference,
    PowerGrant,
)
from sekisho.operations.licence_terms import against_application, against_regime, entry_of
from sekisho.operations.state import State
from sekisho.orders import HostFacts, KnownOrder, OrderBook, decide_demand, is_covered
from sekisho.signing import PublicKey

__all__ = [
    "Change",
    "HostChange",
    "OrderDifference",
    "Place",
    "check_licence",
    "compare_charter",
    "compare_order",
    "place_of",
]

Place: TypeAlias = Literal["next", "logged", "taken", "gap", "no-register"]
_TERMS = (
    "name",
    "profile",
    "expires",
    "orders_in_force_every_s",
    "order_fetch_delay_s",
    "witness_deadline_s",
    "pause_on_expiry",
    "busy_without_lease",
    "max_lease_s",
    "max_grace_s",
    "clock_error_s",
    "halt_verdict_s",
    "key_drill_every_s",
    "emergency_s",
    "compromise_grace_s",
    "licence_approvals",
    "tpm_roots",
)


class HostChange(msgspec.Struct, frozen=True, kw_only=True):
    """One host whose demand an order changes; None is no demand."""

    host: str
    before: Effect | None
    after: Effect | None


class OrderDifference(msgspec.Struct, frozen=True, kw_only=True):
    """An order against the registers: where it would stand, what covers the same hosts now, and what changes.

    `strictest` is what is in force now for the hosts in scope. `changes` is empty where the order does not fit its
    register, since then it changes nothing.
    """

    place: Place
    strictest: Effect | None
    in_force: tuple[OrderReference, ...]
    changes: tuple[HostChange, ...]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a charter changes: `what` is key, power, witness, register, quorum or term; None is absent."""

    what: str
    item: str
    before: str | None
    after: str | None


def place_of(book: OrderBook, order: OrderIssued, digest: str) -> Place:
    """Whether an order is the next of its register, in the log already, beside another one, or ahead."""
    head = book.heads.get(order.register)
    if head is None:
        return "no-register"
    if book.find(OrderReference(register=order.register, number=order.number, digest=digest)):
        return "logged"
    if order.number <= head.number:
        return "taken"
    follows = order.number == head.number + 1 and order.previous == head.digest
    return "next" if follows else "gap"


def compare_order(
    state: State, order: OrderIssued, digest: str, *, now: Instant
) -> OrderDifference:
    """What an order would change at each enrolled host once it is in force."""
    place = place_of(state.orders, order, digest)
    known = state.known(order, digest)
    facts = _facts(state)
    in_force = state.orders.in_force(now)
    before = {name: decide_demand(in_force, mine) for name, mine in facts.items()}
    changes: list[HostChange] = []
    if place == "next":
        later = state.orders.after(known).in_force(max(now, order.not_before))
        for name, mine in sorted(facts.items()):
            after = decide_demand(later, mine).effect
            if after != before[name].effect:
                changes.append(HostChange(host=name, before=before[name].effect, after=after))
    covered = [mine for mine in facts.values() if is_covered(known, mine)]
    standing = [o for o in in_force if o.digest != digest and _covers_any(o, covered)]
    return OrderDifference(
        place=place,
        strictest=_strictest(standing, covered),
        in_force=tuple(o.reference for o in standing),
        changes=tuple(changes),
    )


def compare_charter(old: CharterAdopted, new: CharterAdopted) -> tuple[Change, ...]:
    """Every key, power, witness, register and term that differs between two charter versions."""
    pairs = (
        ("key", _keys(old), _keys(new)),
        ("power", _powers(old), _powers(new)),
        ("witness", _witnesses(old), _witnesses(new)),
        ("register", _registers(old), _registers(new)),
        ("quorum", _quorum(old), _quorum(new)),
        ("term", _terms(old), _terms(new)),
    )
    return tuple(
        Change(what=what, item=item, before=before.get(item), after=after.get(item))
        for what, before, after in pairs
        for item in dict.fromkeys((*before, *after))
        if before.get(item) != after.get(item)
    )


def check_licence(state: State, licence: LicenceIssued, digest: str) -> list[str]:
    """Where a licence does not fit what the log holds, in words; empty where it does."""
    taken = state.licences.by_number(licence.number)
    problems = []
    if taken is not None:
        same = taken.digest == digest
        problems.append(f"number {licence.number} is {'issued already' if same else 'taken'}")
    problems += _against_declaration(state, licence, digest)
    problems += against_regime(state, licence)
    problems += against_application(state, licence, entry_of(state, digest))
    return problems


def _against_declaration(state: State, licence: LicenceIssued, digest: str) -> list[str]:
    declared = state.licences.runs.get(licence.run)
    if declared is None or declared[0] != licence.declaration.leaf:
        return [f"run {licence.run} is not declared as the licence says"]
    run = declared[1]
    problems = []
    if run.party != licence.licensee:
        problems.append(f"run {licence.run} was declared by {run.party}, not {licence.licensee}")
    if set(licence.hosts) - set(run.hosts):
        problems.append("names hosts that the declaration does not")
    if run.lineage != licence.lineage:
        problems.append("names another lineage than the declaration")
    planned, budget = planned_flop(run), parse_flop(licence.budget_flop)
    others = licensed_flop(state.licences, licence.run, besides=entry_of(state, digest))
    if budget > planned:
        problems.append(f"its budget is above the {planned} FLOP that were declared")
    elif budget + others > planned:
        problems.append(
            f"with the {others} FLOP licensed for this run already it is above the {planned} declared"
        )
    return problems


def _facts(state: State) -> Mapping[str, HostFacts]:
    return {name: state.newest_facts(host) for name, host in state.regime.hosts.items()}


def _covers_any(known: KnownOrder, covered: list[HostFacts]) -> bool:
    return any(is_covered(known, facts) for facts in covered)


def _strictest(standing: list[KnownOrder], covered: list[HostFacts]) -> Effect | None:
    """The strictest of all hosts' demands, asked as one question of the room that ranks effects."""
    effects = [decide_demand(standing, facts).effect for facts in covered]
    order: tuple[Effect, ...] = ("checkpoint-then-stop", "freeze", "cap")
    return next((effect for effect in order if effect in effects), None)


def _keys(terms: CharterAdopted) -> dict[str, str]:
    return {
        PublicKey.from_text(key.public).key_id: f"{c.name}: {key.organisation}, {key.holder}"
        + (f", deposit {key.deposit}" if key.deposit is not None else "")
        for c in terms.constituencies
        for key in c.keys
    }


def _powers(terms: CharterAdopted) -> dict[str, str]:
    return {grant.power: _quorums(grant) for grant in terms.powers}


def _quorums(grant: PowerGrant) -> str:
    parts = " + ".join(f"{part.constituency} {part.k}" for part in grant.quorums)
    limit = "" if grant.max_duration_s is None else f" (at most {grant.max_duration_s} s)"
    return parts + limit


def _witnesses(terms: CharterAdopted) -> dict[str, str]:
    return {w.vkey: f"{w.name}: {w.owner}" for w in terms.log.witnesses}


def _registers(terms: CharterAdopted) -> dict[str, str]:
    return {r.name: f"{r.power}, {r.jurisdiction}" for r in terms.registers}


def _quorum(terms: CharterAdopted) -> dict[str, str]:
    log = terms.log
    found = {
        "log": f"{log.vkey} of {log.owner}",
        "witnesses": f"{log.witness_quorum} of {len(log.witnesses)}, {log.witness_faults} faulty",
    }
    found |= {f"cosignature {row.name}": f"until {row.until}" for row in log.cosignatures}
    if terms.recovery is not None:
        keys = sorted(
            f"{PublicKey.from_text(k.public).key_id} ({k.organisation}, {k.holder})"
            for k in terms.recovery.keys
        )
        notice = terms.recovery.notice_days
        found["recovery"] = f"{terms.recovery.k} of {', '.join(keys)}, {notice} days"
    return found


def _terms(terms: CharterAdopted) -> dict[str, str]:
    return {name: str(getattr(terms, name)) for name in _TERMS}
