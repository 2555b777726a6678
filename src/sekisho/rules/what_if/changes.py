"""Two answers to one request, and what lies between them: caught, freed, stricter, looser, unsure, decided.

All counts are made of one table: how many requests went from which answer to which. `Flows` is that table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.rules.answer import DecisionWord

__all__ = ["CHANGES", "WORDS", "Change", "Flows", "cell_of", "change_of", "change_of_cell"]

Change: TypeAlias = Literal[
    "newly-caught", "newly-freed", "stricter", "looser", "became-unsure", "became-decided"
]
CHANGES: Final[tuple[Change, ...]] = (
    "newly-caught",
    "newly-freed",
    "stricter",
    "looser",
    "became-unsure",
    "became-decided",
)
WORDS: Final[tuple[DecisionWord, ...]] = ("permit", "report", "licence", "deny", "unsure")
_PLACE: Final = {word: place for place, word in enumerate(WORDS)}
_COUNT: Final = len(WORDS)
_UNSURE: Final = _PLACE["unsure"]
_CAUGHT: Final = _PLACE["licence"]


def cell_of(a: DecisionWord, b: DecisionWord) -> int:
    """The place in the table of flows: five rows of five, the answer under A downwards."""
    return _PLACE[a] * _COUNT + _PLACE[b]


def _change(a: int, b: int) -> Change | None:
    if a == b:
        return None
    if b == _UNSURE:
        return "became-unsure"
    if a == _UNSURE:
        return "became-decided"
    if (a >= _CAUGHT) != (b >= _CAUGHT):
        return "newly-caught" if b > a else "newly-freed"
    return "stricter" if b > a else "looser"


_CHANGE_OF_CELL: Final = tuple(_change(a, b) for a in range(_COUNT) for b in range(_COUNT))


def change_of_cell(cell: int) -> Change | None:
    """The change that a cell of the table stands for; None on its diagonal."""
    return _CHANGE_OF_CELL[cell]


def change_of(a: DecisionWord, b: DecisionWord) -> Change | None:
    """What happened to a request: None where the answer is the same.

    Caught means from permit or report to licence or deny; stricter and looser stay on one side of that line.
    """
    return _CHANGE_OF_CELL[cell_of(a, b)]


class Flows(msgspec.Struct, frozen=True):
    """How many requests went from which answer under A to which under B: 25 counts, row by row."""

    counts: tuple[int, ...] = (0,) * (_COUNT * _COUNT)

    @classmethod
    def of(cls, counts: Mapping[int, int]) -> Flows:
        """From the cells that are not empty."""
        return cls(tuple(counts.get(cell, 0) for cell in range(_COUNT * _COUNT)))

    @property
    def requests(self) -> int:
        return sum(self.counts)

    def count(self, a: DecisionWord, b: DecisionWord) -> int:
        return self.counts[cell_of(a, b)]

    def under_a(self, word: DecisionWord) -> int:
        """How many had that answer under A."""
        start = _PLACE[word] * _COUNT
        return sum(self.counts[start : start + _COUNT])

    def under_b(self, word: DecisionWord) -> int:
        """How many had that answer under B."""
        return sum(self.counts[_PLACE[word] :: _COUNT])

    def changed(self, change: Change) -> int:
        """How many changed in that way."""
        pairs = zip(_CHANGE_OF_CELL, self.counts, strict=True)
        return sum(count for found, count in pairs if found == change)

    def unchanged(self) -> int:
        """How many have the same answer."""
        return sum(self.counts[:: _COUNT + 1])

    def mirrored(self) -> Flows:
        """The same requests asked the other way round."""
        cells = range(_COUNT)
        return Flows(tuple(self.counts[b * _COUNT + a] for a in cells for b in cells))

    def plus(self, other: Flows) -> Flows:
        return Flows(tuple(x + y for x, y in zip(self.counts, other.counts, strict=True)))

    def minus(self, part: Flows) -> Flows:
        """What is left without a part of it."""
        return Flows(tuple(x - y for x, y in zip(self.counts, part.counts, strict=True)))

    @classmethod
    def total(cls, parts: Iterable[Flows]) -> Flows:
        """The sum of several."""
        whole = cls()
        for part in parts:
            whole = whole.plus(part)
        return whole
