"""Whom an order is for, and what it asks of a host: matched by the agent against its own enrolment and licence.

A missing attribute matches: who does not say where a host stands cannot escape an order by it. The strictest effect
wins. Source: protocol section 8.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sekisho.model.statements import (
    Effect,
    HostEnrolled,
    LicenceIssued,
    OrderIssued,
    OrderReference,
    Scope,
    unknown_critical,
)
from sekisho.orders.registers import KnownOrder

__all__ = [
    "Demand",
    "HostFacts",
    "acting_effect",
    "decide_demand",
    "effect_of",
    "facts_of",
    "halts_work",
    "is_covered",
    "is_in_scope",
]

_STRICTNESS: dict[Effect, int] = {
    "lift": 0,
    "suspend-access": 0,
    "cap": 1,
    "freeze": 2,
    "checkpoint-then-stop": 3,
}


class HostFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a host knows of itself and of the work it runs; None is unknown, and unknown matches."""

    host: str
    site: str | None = None
    jurisdiction: str | None = None
    chips: tuple[str, ...] | None = None
    licensee: str | None = None
    licence: str | None = None
    run: str | None = None
    lineage: tuple[str, ...] | None = None
    canary: str | None = None


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """What the orders in force ask of one host: the strictest effect, by which orders, with the shortest grace."""

    effect: Effect | None = None
    grace_s: int = 0
    orders: tuple[OrderReference, ...] = ()
    only_holds: bool = False

    @property
    def refuses_new_work(self) -> bool:
        return self.effect in ("freeze", "checkpoint-then-stop")


def facts_of(host: HostEnrolled, licence: LicenceIssued | None) -> HostFacts:
    """The facts that scopes are matched against, from a host's enrolment and the licence it works under."""
    return HostFacts(
        host=host.host,
        site=host.site,
        jurisdiction=host.jurisdiction,
        chips=tuple(device.chip for device in host.devices),
        licensee=licence.licensee if licence else None,
        licence=licence.number if licence else None,
        run=licence.run if licence else None,
        lineage=licence.lineage.parents if licence else None,
        canary=host.canary,
    )


def is_in_scope(scope: Scope, facts: HostFacts) -> bool:
    """Whether every attribute that the scope gives matches; an empty scope matches only with `everywhere`."""
    wanted: tuple[tuple[tuple[str, ...], tuple[str, ...] | None], ...] = (
        (scope.hosts, (facts.host,)),
        (scope.sites, _one(facts.site)),
        (scope.licensees, _one(facts.licensee)),
        (scope.licences, _one(facts.licence)),
        (scope.runs, _one(facts.run)),
        (scope.lineages, facts.lineage),
        (scope.chips, facts.chips),
        (scope.jurisdictions, _one(facts.jurisdiction)),
    )
    given = [(values, mine) for values, mine in wanted if values]
    if not given:
        return scope.everywhere
    return all(mine is None or not set(values).isdisjoint(mine) for values, mine in given)


def is_covered(known: KnownOrder, facts: HostFacts) -> bool:
    """Whether an order acts on this host: in scope, not exempt, and a drill only on the declared canary."""
    order = known.order
    if known.sealed is not None and known.membership == "out":
        return False
    if facts.run is not None and facts.run in order.exemptions:
        return False
    if order.drill and (
        facts.canary is None or (facts.run is not None and facts.run != facts.canary)
    ):
        return False
    if order.resolved is not None:
        return _is_named(known, facts.host)
    return is_in_scope(order.scope, facts)


def _is_named(known: KnownOrder, host: str) -> bool:
    """Whether a resolved scope names a host, whatever its attributes say now; where nobody can tell it does."""
    if known.named is not None:
        return host in known.named
    return known.membership != "out"


def effect_of(order: OrderIssued) -> Effect:
    """The effect to act on: where the order has a critical field that we do not know, its kind's strictest."""
    if order.kind == "pause" and unknown_critical(order):
        return "checkpoint-then-stop"
    return order.effect


def halts_work(order: OrderIssued) -> bool:
    """Whether an order asks covered hosts to rest: no lease is granted under it, and work does not go on."""
    return effect_of(order) in ("freeze", "checkpoint-then-stop")


def acting_effect(known: KnownOrder) -> Effect:
    """The effect that an order has on hosts now: in doubt it freezes, since what was ended cannot be given back."""
    effect = effect_of(known.order)
    return "freeze" if known.doubtful and effect == "checkpoint-then-stop" else effect


def decide_demand(in_force: Iterable[KnownOrder], facts: HostFacts) -> Demand:
    """The strictest of what all orders in force ask of this host.

    The grace is the shortest of all that end or freeze work (of caps where nothing does): one more order never makes
    a demand milder, so a long grace on a pause does not undo a hold without any.
    """
    covering = [known for known in in_force if is_covered(known, facts)]
    acting = [known for known in covering if _STRICTNESS[acting_effect(known)] > 0]
    if not acting:
        return Demand()
    effect = max((acting_effect(known) for known in acting), key=_STRICTNESS.__getitem__)
    stops = [
        known for known in acting if _STRICTNESS[acting_effect(known)] >= _STRICTNESS["freeze"]
    ]
    return Demand(
        effect=effect,
        grace_s=min(known.order.grace_s for known in stops or acting),
        orders=tuple(known.reference for known in acting),
        only_holds=all(known.order.kind == "hold" for known in acting),
    )


def _one(value: str | None) -> tuple[str, ...] | None:
    return None if value is None else (value,)
