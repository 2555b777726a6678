"""Whom an order is for: by attributes that a host matches against itself, or by a predicate that was resolved."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from sekisho.model.statements.shapes import Count, Digest, Jurisdiction, Name, Text, Wire

__all__ = ["HostLimb", "HostPredicate", "HostQuantity", "LimbGroup", "ResolvedScope", "Scope"]

HostQuantity: TypeAlias = Literal[
    "host",
    "site",
    "jurisdiction",
    "organisation",
    "chip",
    "counter",
    "driver",
    "licensee",
    "licence",
    "run",
    "mode",
    "devices",
    "peak-flop-per-s",
    "licence-budget-flop",
    "lineage-flop",
]


class Scope(Wire, frozen=True, kw_only=True):
    """Whom an order is for: every attribute given must match, any of its values does; none given needs `everywhere`."""

    sites: tuple[Name, ...] = ()
    licensees: tuple[Name, ...] = ()
    licences: tuple[Name, ...] = ()
    runs: tuple[Name, ...] = ()
    lineages: tuple[Digest, ...] = ()
    chips: tuple[Text, ...] = ()
    jurisdictions: tuple[Jurisdiction, ...] = ()
    hosts: tuple[Name, ...] = ()
    everywhere: bool = False


class HostLimb(Wire, frozen=True, kw_only=True):
    """One condition on a host. `is` and `is-not` compare names with any of `values`; the others one number.

    Units: devices are counted; peaks are FLOP per second of all devices in their fastest format; budgets are FLOP.
    """

    quantity: HostQuantity
    op: Literal["is", "is-not", "below", "at-least"]
    values: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1, max_length=64)]


class LimbGroup(Wire, frozen=True, kw_only=True):
    """Conditions that must all hold."""

    all_of: Annotated[tuple[HostLimb, ...], msgspec.Meta(min_length=1, max_length=16)]


class HostPredicate(Wire, frozen=True, kw_only=True):
    """Hosts for which any group holds; what is unknown of a host counts as holding."""

    any_of: Annotated[tuple[LimbGroup, ...], msgspec.Meta(min_length=1, max_length=16)]


class ResolvedScope(Wire, frozen=True, kw_only=True):
    """A predicate with the hosts that it named when its signers read it: in the log's tree of `size` and `tree`.

    `root` is the Merkle root over the sorted ids of these `count` hosts. A host acts on proof of its membership.
    """

    predicate: HostPredicate
    size: Count
    tree: Digest
    root: Digest
    count: Count
