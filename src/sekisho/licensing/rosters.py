"""Who was enrolled, and licensed for what, in any tree of the log: what predicates on hosts are resolved against.

A pure fold. It keeps a small value for each entry that changed hosts or licences, all of which share what they can, so
that a scope that was resolved some hours ago can be resolved again in the very same tree. Only what everybody reads
alike is kept: nothing here hangs on a disclosure, so the desk, a signer and an auditor find the same hosts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from sekisho.licensing.ledger import LicenceLedger
from sekisho.licensing.lineage import ancestors_of, planned_flop
from sekisho.model.amounts import parse_flop
from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import (
    HostEnrolled,
    HostRetired,
    LicenceAmended,
    LicenceClosed,
    LicenceIssued,
    LicenceRevoked,
    LicenceSuspended,
)
from sekisho.signing import Recorded

__all__ = ["HeldLicence", "Roster", "Rosters"]

_OF_LICENCES = LicenceAmended | LicenceClosed | LicenceRevoked | LicenceSuspended


class HeldLicence(msgspec.Struct, frozen=True, kw_only=True):
    """A licence as amended, and whether anything stands against it.

    `lineage_flop`: what was licensed, whole, for its run and all runs that its weights come from, when the licence was
    issued or last changed; None where an origin was not known.
    """

    licence: LicenceIssued
    is_standing: bool
    lineage_flop: int | None


class Roster(msgspec.Struct, frozen=True, kw_only=True):
    """The hosts enrolled and the licences held once the log has `size` entries."""

    size: int = 0
    hosts: PersistentMap[str, HostEnrolled] = PersistentMap()
    licences: PersistentMap[str, HeldLicence] = PersistentMap()

    def rows(self) -> Iterator[tuple[HostEnrolled, tuple[HeldLicence, ...]]]:
        """Each host with the licences that count for it: all that stand, else the newest that names it, else none."""
        by_host: dict[str, list[HeldLicence]] = {}
        for held in self.licences.values():
            for each in held.licence.hosts:
                by_host.setdefault(each, []).append(held)
        for name, host in self.hosts.items():
            mine = by_host.get(name, [])
            yield host, tuple(held for held in mine if held.is_standing) or tuple(mine[-1:])


class Rosters(msgspec.Struct, frozen=True, kw_only=True):
    """Every roster so far, one for each entry that changed it, the first first."""

    past: PersistentMap[int, Roster] = PersistentMap()

    def after(
        self, recorded: Recorded, hosts: Mapping[str, HostEnrolled], ledger: LicenceLedger
    ) -> Rosters:
        """With one more entry, given the hosts and the licences behind it."""
        fact = recorded.verified.predicate
        licences = self.newest.licences
        if isinstance(fact, LicenceIssued):
            licences = licences.plus(recorded.leaf, _held(ledger, recorded.leaf))
        elif isinstance(fact, _OF_LICENCES):
            leaf = fact.licence.leaf
            licences = licences.plus(leaf, _held(ledger, leaf))
        elif not isinstance(fact, HostEnrolled | HostRetired):
            return self
        roster = Roster(size=recorded.index + 1, hosts=PersistentMap.of(hosts), licences=licences)
        return Rosters(past=self.past.plus(len(self.past), roster))

    @property
    def newest(self) -> Roster:
        return self.past[len(self.past) - 1] if self.past else Roster()

    def at(self, size: int) -> Roster:
        """The roster of the tree of this size: the last one that is not behind it."""
        low, high = 0, len(self.past)
        while low < high:
            middle = (low + high) // 2
            if self.past[middle].size <= size:
                low = middle + 1
            else:
                high = middle
        return self.past[low - 1] if low else Roster()


def _held(ledger: LicenceLedger, leaf: str) -> HeldLicence:
    state = ledger.find(leaf)
    return HeldLicence(
        licence=state.licence,
        is_standing=state.obstacle() is None,
        lineage_flop=_lineage_flop(ledger, state.licence.run),
    )


def _lineage_flop(ledger: LicenceLedger, run: str) -> int | None:
    """All that was ever licensed for a run and its ancestors, whole, whatever came back; else as planned."""
    above, is_known = ancestors_of(ledger, run)
    return sum(_cost(ledger, name) for name in (run, *above)) if is_known else None


def _cost(ledger: LicenceLedger, run: str) -> int:
    budgets = [parse_flop(state.licence.budget_flop) for state in ledger.by_run(run)]
    declared = ledger.runs.get(run)
    return sum(budgets) if budgets or declared is None else planned_flop(declared[1])
