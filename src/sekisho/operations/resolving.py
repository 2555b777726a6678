"""Resolving a predicate on the log: to the hosts that it names in one tree, and again by everybody who checks that.

The rosters of the fold keep who was enrolled and licensed in every tree so far (licensing.rosters), so resolving takes
one pass over the hosts of that tree, however long the log is and however long ago that was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sekisho.licensing.rosters import Roster, Rosters
from sekisho.model.errors import InvalidInput, StateConflict, VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import HostPredicate, OrderIssued, ResolvedScope
from sekisho.orders import KnownOrder
from sekisho.orders.predicates import (
    HostFigures,
    Named,
    WidenedScope,
    figures_of,
    name_hosts,
    resolve_hosts,
    verify_resolved,
)
from sekisho.orders.validity import ISSUE_LIMIT_S

__all__ = [
    "OtherTree",
    "RootAt",
    "StaleScope",
    "known_with_hosts",
    "name_at",
    "name_newcomers",
    "resolve_predicate",
    "verify_fresh",
    "verify_scope",
    "verify_tree",
]

RootAt = Callable[[int], bytes]
"""The log's own root at a size that it had."""


class OtherTree(VerificationError):
    """A scope that was resolved in a tree which this log never had."""

    code = "other-tree"


class StaleScope(StateConflict):
    """A scope that was resolved too long ago: others may have been enrolled since."""

    code = "stale-scope"


def name_at(rosters: Rosters, predicate: HostPredicate, size: int) -> tuple[Named, ...]:
    """The hosts that a predicate names in the tree of this size, each with why. Raises InvalidInput."""
    return name_hosts(predicate, _rows(rosters.at(size)))


def resolve_predicate(
    rosters: Rosters, predicate: HostPredicate, *, size: int, tree: str
) -> ResolvedScope:
    """The scope to be signed, resolved in the tree of this size whose root is `tree`. Raises InvalidInput."""
    hosts = (one.host for one in name_at(rosters, predicate, size))
    return resolve_hosts(predicate, hosts, size=size, tree=tree)


def verify_scope(rosters: Rosters, resolved: ResolvedScope, *, log_size: int) -> None:
    """Check that root and count are those of the predicate in its tree, by one's own fold of the log.

    Raises OtherTree where that tree is ahead of ours, WidenedScope where the hosts differ, InvalidInput.
    """
    if resolved.size > log_size:
        raise OtherTree(
            f"its scope was resolved in a tree of {resolved.size} entries, {log_size} are known here",
            remedy="read the log anew and look again",
        )
    verify_resolved(
        resolved, (one.host for one in name_at(rosters, resolved.predicate, resolved.size))
    )


def verify_tree(resolved: ResolvedScope, root_at: RootAt) -> None:
    """Check that the tree which the drafter read is one of this very log. Raises OtherTree."""
    root = root_at(resolved.size).hex()
    if root != resolved.tree:
        raise OtherTree(
            f"its scope was resolved in a tree of {resolved.size} entries with the root {resolved.tree[:16]}, "
            f"this log's is {root[:16]}",
            remedy="do not sign: the drafter reads another log than you, which is an attack until it is explained",
        )


def verify_fresh(resolved: ResolvedScope, superseded: Instant | None, *, now: Instant) -> None:
    """Check that the reading is not older than any signature may be. Raises StaleScope.

    `superseded`: by when the log surely held what came next after that tree; None where nothing did yet.
    """
    if superseded is not None and now.since(superseded) > ISSUE_LIMIT_S:
        raise StaleScope(
            f"its scope was resolved in a tree of {resolved.size} entries, which was over by {superseded}",
            remedy="draft it anew",
        )


def known_with_hosts(
    rosters: Rosters, order: OrderIssued, digest: str, *, log_size: int
) -> KnownOrder:
    """An order as its reader's own fold knows it: with the hosts of its predicate, where root and count are theirs.

    Where they are not its hosts stay unknown, and it counts as covering everybody.
    """
    return KnownOrder(
        order=order, digest=digest, witnessed=True, named=_named(rosters, order, log_size)
    )


def name_newcomers(rosters: Rosters, resolved: ResolvedScope) -> tuple[str, ...]:
    """The hosts that the predicate would name now and did not name in its tree: the order is not for them."""
    before = {one.host for one in name_at(rosters, resolved.predicate, resolved.size)}
    now = name_hosts(resolved.predicate, _rows(rosters.newest))
    return tuple(one.host for one in now if one.host not in before)


def _named(rosters: Rosters, order: OrderIssued, log_size: int) -> frozenset[str] | None:
    resolved = order.resolved
    if resolved is None or resolved.size > log_size:
        return None
    try:
        hosts = frozenset(one.host for one in name_at(rosters, resolved.predicate, resolved.size))
        verify_resolved(resolved, hosts)
    except (InvalidInput, WidenedScope):
        return None
    return hosts


def _rows(roster: Roster) -> Iterable[tuple[str, tuple[HostFigures, ...]]]:
    for host, held in roster.rows():
        figures = tuple(figures_of(host, each.licence, each.lineage_flop) for each in held)
        yield host.host, figures or (figures_of(host),)
