"""Whom a predicate names: conditions on hosts, evaluated to yes, no or unknown. Pure, exact integers.

What is unknown of a host counts as holding, so nobody escapes an order by saying nothing: a host without a licence is
in every scope that asks only about licences. `is-not` says no where any of a host's values is among those named. Units:
devices are counted, peaks are FLOP per second of all devices together, budgets are FLOP. Source: protocol section 8.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from sekisho.model.amounts import parse_flop
from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.statements import (
    HostEnrolled,
    HostLimb,
    HostPredicate,
    LicenceIssued,
    LimbGroup,
    ResolvedScope,
)
from sekisho.orders.membership import HostTree, host_leaf

__all__ = [
    "COUNTED",
    "HostFigures",
    "Named",
    "WidenedScope",
    "check_predicate",
    "evaluate_limb",
    "figures_of",
    "name_hosts",
    "resolve_hosts",
    "verify_resolved",
]

COUNTED = ("devices", "peak-flop-per-s", "licence-budget-flop", "lineage-flop")
_NAMING = ("is", "is-not")


class WidenedScope(VerificationError):
    """A scope whose root and count are not those of its own predicate: it was changed after it was resolved."""

    code = "widened-scope"


class HostFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a host and of one licence that it works under; None is unknown."""

    host: str
    site: str | None = None
    jurisdiction: str | None = None
    organisation: str | None = None
    chips: tuple[str, ...] | None = None
    counter: str | None = None
    driver: str | None = None
    licensee: str | None = None
    licence: str | None = None
    run: str | None = None
    mode: str | None = None
    devices: int | None = None
    peak_flop_per_s: int | None = None
    licence_budget_flop: int | None = None
    lineage_flop: int | None = None


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """One host that a predicate names: by which group (counted from 1), and on which conditions nothing is known."""

    host: str
    group: int
    unknown: tuple[HostLimb, ...] = ()


def figures_of(
    host: HostEnrolled, licence: LicenceIssued | None = None, lineage_flop: int | None = None
) -> HostFigures:
    """The figures of a host under one licence, as enrolment and licence say them."""
    return HostFigures(
        host=host.host,
        site=host.site,
        jurisdiction=host.jurisdiction,
        organisation=host.organisation,
        chips=tuple(device.chip for device in host.devices),
        counter=host.counter,
        driver=host.driver,
        licensee=licence.licensee if licence else None,
        licence=licence.number if licence else None,
        run=licence.run if licence else None,
        mode=licence.mode if licence else None,
        devices=len(host.devices),
        peak_flop_per_s=sum(parse_flop(device.peak_flop_per_s) for device in host.devices),
        licence_budget_flop=parse_flop(licence.budget_flop) if licence else None,
        lineage_flop=lineage_flop,
    )


def check_predicate(predicate: HostPredicate, *, path: str = "predicate") -> None:
    """Raise InvalidInput naming the first condition that cannot be evaluated: names as numbers, or no number at all."""
    for number, group in enumerate(predicate.any_of):
        for place, limb in enumerate(group.all_of):
            _check_limb(limb, f"{path}.any_of[{number}].all_of[{place}]")


def evaluate_limb(limb: HostLimb, figures: HostFigures) -> bool | None:
    """Whether one condition holds; None where what it asks of the host is unknown. Raises InvalidInput."""
    if limb.quantity in COUNTED:
        mine: int | None = getattr(figures, limb.quantity.replace("-", "_"))
        bound = _number(limb, limb.quantity)
        if mine is None:
            return None
        return mine < bound if limb.op == "below" else mine >= bound
    values = _values(limb, figures)
    if values is None:
        return None
    return (not values.isdisjoint(limb.values)) == (limb.op == "is")


def name_hosts(
    predicate: HostPredicate, rows: Iterable[tuple[str, Sequence[HostFigures]]]
) -> tuple[Named, ...]:
    """The hosts for which the predicate holds, or may hold, under any of their licences; sorted by id.

    Raises InvalidInput naming the condition that cannot be evaluated.
    """
    check_predicate(predicate)
    found = (_named(predicate, host, each) for host, each in rows)
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.host))


def resolve_hosts(
    predicate: HostPredicate, hosts: Iterable[str], *, size: int, tree: str
) -> ResolvedScope:
    """The scope that is signed: the predicate with root and count of the hosts that it named in one tree of the log."""
    found = HostTree(host_leaf(host) for host in hosts)
    return ResolvedScope(
        predicate=predicate, size=size, tree=tree, root=found.root, count=found.size
    )


def verify_resolved(resolved: ResolvedScope, hosts: Iterable[str]) -> None:
    """Check a signed scope against the hosts that its predicate names anew in its tree. Raises WidenedScope."""
    again = resolve_hosts(resolved.predicate, hosts, size=resolved.size, tree=resolved.tree)
    if (again.root, again.count) != (resolved.root, resolved.count):
        raise WidenedScope(
            f"the predicate names {again.count} hosts with the root {again.root[:16]} in the tree of {resolved.size}, "
            f"the order says {resolved.count} with {resolved.root[:16]}",
            remedy="do not sign and do not issue: have it drafted anew",
        )


def _named(predicate: HostPredicate, host: str, each: Sequence[HostFigures]) -> Named | None:
    """Why a host is named: the group that holds for certain where there is one, else the first that may hold."""
    told = [
        (_evaluate_group(group, figures), number, group, figures)
        for figures in each
        for number, group in enumerate(predicate.any_of, 1)
    ]
    sure = next((number for holds, number, _, _ in told if holds is True), None)
    if sure is not None:
        return Named(host=host, group=sure)
    for holds, number, group, figures in told:
        if holds is None:
            unknown = tuple(limb for limb in group.all_of if evaluate_limb(limb, figures) is None)
            return Named(host=host, group=number, unknown=unknown)
    return None


def _evaluate_group(group: LimbGroup, figures: HostFigures) -> bool | None:
    told = [evaluate_limb(limb, figures) for limb in group.all_of]
    if False in told:
        return False
    return None if None in told else True


def _values(limb: HostLimb, figures: HostFigures) -> frozenset[str] | None:
    if limb.quantity == "chip":
        return None if figures.chips is None else frozenset(figures.chips)
    mine: str | None = getattr(figures, limb.quantity)
    return None if mine is None else frozenset((mine,))


def _check_limb(limb: HostLimb, path: str) -> None:
    if limb.quantity in COUNTED:
        if limb.op in _NAMING:
            raise InvalidInput(
                f"{limb.quantity} is a number and cannot be compared by {limb.op}",
                path=f"{path}.op",
                remedy="use below or at-least",
            )
        _number(limb, path)
    elif limb.op not in _NAMING:
        raise InvalidInput(
            f"{limb.quantity} is a name and cannot be compared by {limb.op}",
            path=f"{path}.op",
            remedy="use is or is-not",
        )


def _number(limb: HostLimb, path: str) -> int:
    if len(limb.values) != 1:
        raise InvalidInput(
            f"{limb.op} takes one number, {len(limb.values)} are given", path=f"{path}.values"
        )
    return parse_flop(limb.values[0], path=f"{path}.values[0]")
