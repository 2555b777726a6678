"""What is left open for one quantity while limb after limb limits it."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TypeAlias

import msgspec

__all__ = ["Choice", "Range", "Room"]

_Bound: TypeAlias = int | Fraction | float  # the only float is infinity


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts from `low` to `high`, an end of its own where it is excluded, without `holes`; never below 0."""

    low: _Bound = 0
    low_excluded: bool = False
    high: _Bound = math.inf
    high_excluded: bool = False
    holes: frozenset[_Bound] = frozenset()

    @property
    def is_open(self) -> bool:
        """Whether any amount is left."""
        if self.low == self.high:
            return not (self.low_excluded or self.high_excluded or self.low in self.holes)
        return self.low < self.high

    def limited(self, op: str, bound: int | Fraction) -> Range:
        """With one comparison more."""
        if op == "!=":
            return msgspec.structs.replace(self, holes=self.holes | {bound})
        room = self
        if op in (">", ">=", "="):
            room = _raised(room, bound, excluded=op == ">")
        if op in ("<", "<=", "="):
            room = _lowered(room, bound, excluded=op == "<")
        return room


def _raised(room: Range, bound: _Bound, *, excluded: bool) -> Range:
    if (bound, excluded) <= (room.low, room.low_excluded):
        return room
    return msgspec.structs.replace(room, low=bound, low_excluded=excluded)


def _lowered(room: Range, bound: _Bound, *, excluded: bool) -> Range:
    if (bound, not excluded) >= (room.high, not room.high_excluded):
        return room
    return msgspec.structs.replace(room, high=bound, high_excluded=excluded)


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A set of words or places, not empty: inside `within`, outside `without`, with one of each of `hits`.

    Of each set in `escapes` it has a member outside.
    """

    within: frozenset[str] | None = None
    without: frozenset[str] = frozenset()
    hits: tuple[frozenset[str], ...] = ()
    escapes: tuple[frozenset[str], ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether any set is left; of endlessly many words there is always one more."""
        if self.within is None:
            return all(hit - self.without for hit in self.hits)
        left = self.within - self.without
        hits = all(hit & left for hit in self.hits)
        return bool(left) and hits and all(left - escape for escape in self.escapes)

    def only(self, words: frozenset[str]) -> Choice:
        within = words if self.within is None else self.within & words
        return msgspec.structs.replace(self, within=within)

    def none_of(self, words: frozenset[str]) -> Choice:
        return msgspec.structs.replace(self, without=self.without | words)

    def one_of(self, words: frozenset[str]) -> Choice:
        return msgspec.structs.replace(self, hits=(*self.hits, words))

    def one_outside(self, words: frozenset[str]) -> Choice:
        return msgspec.structs.replace(self, escapes=(*self.escapes, words))


Room: TypeAlias = Range | Choice
