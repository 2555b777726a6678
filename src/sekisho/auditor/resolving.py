"""The hosts that a predicate names in a tree of the log, found by the auditor's own reading of it."""

from __future__ import annotations

from collections.abc import Iterator

from sekisho.licensing.rosters import Roster
from sekisho.model.statements import ResolvedScope
from sekisho.orders.predicates import HostFigures, figures_of, name_hosts, verify_resolved

__all__ = ["named_anew"]


def named_anew(roster: Roster, resolved: ResolvedScope) -> frozenset[str]:
    """The hosts that a predicate names in the tree of this roster. Raises WidenedScope where others were signed."""
    hosts = frozenset(one.host for one in name_hosts(resolved.predicate, _rows(roster)))
    verify_resolved(resolved, hosts)
    return hosts


def _rows(roster: Roster) -> Iterator[tuple[str, tuple[HostFigures, ...]]]:
    for host, held in roster.rows():
        figures = tuple(figures_of(host, each.licence, each.lineage_flop) for each in held)
        yield host.host, figures or (figures_of(host),)
