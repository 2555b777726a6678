"""The truth of one tree after another, each remembered by the bits that it asks about and no others.

A verdict keeps what the trace needs; its `core` names all that the answer needs, so that verdicts which differ only in
limbs that decided nothing count as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Final, TypeAlias

from sekisho.rules.engine.table import LimbTable
from sekisho.rules.engine.trees import FALSE, TRUE, UNKNOWN, Leaf, Named, Node

__all__ = ["Bits", "Reader", "Slots", "Verdict"]

Slots: TypeAlias = tuple[int, ...]
_KEPT: Final = 4096


class Bits:
    """From a mask of limbs on facts to the bits of the definitions that a tree asks about."""

    def __init__(self, table: LimbTable, nodes: Iterable[Node | None]) -> None:
        slots = {slot for node in nodes if node is not None for slot in _opened(node)}
        self.width = table.width
        self._facts = (1 << table.width) - 1
        self.chosen = sum(
            1 << slot | 1 << (slot + table.width) for slot in slots if slot < table.width
        )
        ranks = sorted({(slot - table.width) // 2 for slot in slots if slot >= table.width})
        self._definitions = [
            (1 << (table.width + rank), table.definitions[rank].node) for rank in ranks
        ]

    def spread(self, mask: int) -> tuple[int, int]:
        """The bits that are true and those that are false; each definition asks only about those before it."""
        true, false = mask & self._facts, mask >> self.width
        for bit, node in self._definitions:
            code = FALSE if node is None else node.truth(true, false)
            if code == TRUE:
                true |= bit
            elif code == FALSE:
                false |= bit
        return true, false


class Verdict:
    """What some trees come to: their truths, the slots that made them so, the slots that leave them open."""

    __slots__ = ("codes", "core", "deciding", "false", "missing", "true")

    def __init__(self, nodes: Sequence[Node | None], blank: int, true: int, false: int) -> None:
        self.true, self.false = true, false
        self.codes = tuple([blank if n is None else n.truth(true, false) for n in nodes])
        self.deciding = tuple([_deciding(node, true, false) for node in nodes])
        self.missing = tuple([_missing(node, true, false) for node in nodes])
        self.core = -1


class Reader:
    """Reads some trees together: a rule's one, the conditions of an exception, the rows of a review.

    Where there is no tree the truth is `blank`: a review without a condition holds, a definition outside its periods
    does not.
    """

    def __init__(
        self, table: LimbTable, nodes: Sequence[Node | None], *, blank: int = TRUE
    ) -> None:
        self.nodes, self._blank = tuple(nodes), blank
        self._bits = Bits(table, nodes)
        self.chosen = self._bits.chosen
        self.kept: dict[int, Verdict] = {}
        self._cores: dict[tuple[object, ...], int] = {}
        self._serials = count()

    def read(self, mask: int) -> Verdict:
        """The verdict for a mask of limbs on facts."""
        key = mask & self.chosen
        found = self.kept.get(key)
        if found is None:
            found = Verdict(self.nodes, self._blank, *self._bits.spread(key))
            definitions = found.true >> self._bits.width, found.false >> self._bits.width
            core = (found.codes, found.deciding, found.missing, definitions)
            if len(self._cores) >= _KEPT:
                self._cores.clear()  # a core that comes again gets a new number: no number means two
            number = self._cores.get(core)
            found.core = self._cores[core] = next(self._serials) if number is None else number
            if len(self.kept) >= _KEPT:
                self.kept.clear()
            self.kept[key] = found
        return found


def _opened(node: Node) -> list[int]:
    """The slots of a tree and of the definitions that it names."""
    found: list[int] = []
    waiting: list[Node] = [node]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, Leaf):
            waiting += one.parts
            continue
        found.append(one.slot)
        if isinstance(one, Named) and one.inner is not None:
            waiting.append(one.inner)
    return found


def _deciding(node: Node | None, true: int, false: int) -> Slots:
    found: list[int] = []
    if node is not None:
        node.deciding(true, false, found)
    return tuple(found)


def _missing(node: Node | None, true: int, false: int) -> Slots:
    found: list[int] = []
    if node is not None and node.truth(true, false) == UNKNOWN:
        node.missing(true, false, found)
    return tuple(found)
