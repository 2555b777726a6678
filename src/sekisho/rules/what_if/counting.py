"""Counts by name, one table for each way that an answer went; bounded, and the same however the rows are split."""

from __future__ import annotations

import heapq
from typing import Final

import msgspec

from sekisho.rules.what_if.changes import Flows, change_of_cell

__all__ = ["MOST_NAMES", "Group", "Grouping", "NameCounts"]

MOST_NAMES: Final = 500_000
"""Names in one table, each with the ways that its answers went: some 100 MB. Beyond, the table is not kept."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """All requests of one name, and how their answers went; an empty name is one that nobody told."""

    name: str
    flows: Flows


class Grouping(msgspec.Struct, frozen=True, kw_only=True):
    """The requests by one name: those with most changes, the rest together in `others`.

    `names` is how many names there are; None where they were too many to keep apart, and then no group stands.
    """

    groups: tuple[Group, ...]
    others: Flows
    names: int | None


class NameCounts:
    """How the requests of each name went. It holds at most `MOST_NAMES`, then none: a part would mislead."""

    def __init__(self) -> None:
        self._cells: dict[int, dict[str, int]] = {}
        self.is_overfull = False

    def take(self, name: str, cell: int) -> None:
        """One request of that name whose answers are that cell of the table of flows."""
        table = self._cells.get(cell)
        if table is None:
            table = self._cells[cell] = {}
        if name in table:
            table[name] += 1
        elif not self.is_overfull:
            table[name] = 1
            # Which names came first must not decide what is shown: one too many drops them all.
            if len(table) & 0xFFF == 0:
                self._check()

    def add(self, other: NameCounts) -> None:
        """Another part of the same population."""
        self.is_overfull = self.is_overfull or other.is_overfull
        for cell, table in other._cells.items():
            mine = self._cells.setdefault(cell, {})
            for name, count in table.items():
                mine[name] = mine.get(name, 0) + count
        self._check()

    def foremost(self, limit: int) -> Grouping:
        """The names with most changes, then most requests, then by name; all others together."""
        self._check()
        if self.is_overfull:
            return Grouping(groups=(), others=Flows(), names=None)
        weights: dict[str, list[int]] = {}
        for cell, table in self._cells.items():
            is_change = change_of_cell(cell) is not None
            for name, count in table.items():
                weight = weights.setdefault(name, [0, 0])
                weight[0] -= count if is_change else 0
                weight[1] -= count
        names = heapq.nsmallest(limit, weights, key=lambda name: (weights[name], name))
        groups = tuple(Group(name=name, flows=self._flows_of(name)) for name in names)
        whole = Flows.of({cell: sum(table.values()) for cell, table in self._cells.items()})
        others = whole.minus(Flows.total(group.flows for group in groups))
        return Grouping(groups=groups, others=others, names=len(weights))

    def _flows_of(self, name: str) -> Flows:
        return Flows.of({cell: table.get(name, 0) for cell, table in self._cells.items()})

    def _check(self) -> None:
        if self.is_overfull or sum(len(table) for table in self._cells.values()) > MOST_NAMES:
            self.is_overfull = True
            self._cells = {}
