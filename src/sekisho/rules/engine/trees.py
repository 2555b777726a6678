"""Condition trees over bit masks: each limb and each definition is a bit that is true, false, or neither.

`not` is pushed down to the leaves, which changes neither truth nor reasons in Kleene's logic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from sekisho.rules.limbs import Truth
from sekisho.rules.pack import All, Any, Condition, Limb, Not

__all__ = ["FALSE", "TRUE", "UNKNOWN", "WORDS", "Joined", "Leaf", "Named", "Node", "plant"]

FALSE: Final = 0
TRUE: Final = 1
UNKNOWN: Final = 2
WORDS: Final[tuple[Truth, Truth, Truth]] = ("false", "true", "unknown")


class Leaf:
    """One limb: its bit or the opposite of it, and the slot under which a trace finds it."""

    __slots__ = ("bit", "mask", "positive", "slot")

    def __init__(self, bit: int, slot: int, *, positive: bool) -> None:
        self.bit, self.slot, self.positive, self.mask = bit, slot, positive, 1 << bit

    def truth(self, true: int, false: int) -> int:
        if true & self.mask:
            return TRUE if self.positive else FALSE
        if false & self.mask:
            return FALSE if self.positive else TRUE
        return UNKNOWN

    def deciding(self, true: int, false: int, found: list[int]) -> None:  # noqa: ARG002 - as a joined node's
        found.append(self.slot)

    def missing(self, true: int, false: int, found: list[int]) -> None:
        if not (true | false) & self.mask:
            found.append(self.slot)

    def slots(self, found: list[int]) -> None:
        found.append(self.slot)


class Named(Leaf):
    """A limb that asks about a definition: what decides or is missing there decides or is missing here."""

    __slots__ = ("inner",)

    def __init__(self, bit: int, slot: int, inner: Node | None, *, positive: bool) -> None:
        super().__init__(bit, slot, positive=positive)
        self.inner = inner

    def deciding(self, true: int, false: int, found: list[int]) -> None:
        found.append(self.slot)
        if self.inner is not None:
            self.inner.deciding(true, false, found)

    def missing(self, true: int, false: int, found: list[int]) -> None:
        if self.inner is not None:
            self.inner.missing(true, false, found)


class Joined:
    """All or any of several parts: `decisive` is the truth of one part that settles the whole."""

    __slots__ = ("decisive", "must_be_false", "must_be_true", "nested", "parts")

    def __init__(self, parts: Sequence[Node], decisive: int) -> None:
        self.parts, self.decisive = tuple(parts), decisive
        leaves = [part for part in parts if isinstance(part, Leaf)]
        self.nested = tuple(part for part in parts if isinstance(part, Joined))
        # Which bits have to be true and which false for every leaf to be the opposite of `decisive`.
        wanted = decisive == FALSE
        self.must_be_true = sum({leaf.mask for leaf in leaves if leaf.positive is wanted})
        self.must_be_false = sum({leaf.mask for leaf in leaves if leaf.positive is not wanted})

    def truth(self, true: int, false: int) -> int:
        if false & self.must_be_true or true & self.must_be_false:
            return self.decisive
        wanting = self.must_be_true & ~true or self.must_be_false & ~false
        is_open = bool(wanting)
        for part in self.nested:
            found = part.truth(true, false)
            if found == self.decisive:
                return found
            is_open = is_open or found == UNKNOWN
        if is_open:
            return UNKNOWN
        return TRUE if self.decisive == FALSE else FALSE

    def deciding(self, true: int, false: int, found: list[int]) -> None:
        """The limbs that made the truth what it is: of decisive parts the first, else all of the same truth."""
        whole = self.truth(true, false)
        for part in self.parts:
            if part.truth(true, false) == whole:
                part.deciding(true, false, found)
                if whole == self.decisive:
                    return

    def missing(self, true: int, false: int, found: list[int]) -> None:
        """The limbs on facts that would settle an open whole."""
        if self.truth(true, false) == UNKNOWN:
            for part in self.parts:
                part.missing(true, false, found)

    def slots(self, found: list[int]) -> None:
        for part in self.parts:
            part.slots(found)


Node: TypeAlias = Leaf | Joined


def plant(
    condition: Condition, leaf: Callable[[Limb, bool], Leaf], *, positive: bool = True
) -> Node:
    """The tree of a condition; `leaf` gives the leaf of a limb, or of its opposite."""
    if isinstance(condition, Not):
        return plant(condition.part, leaf, positive=not positive)
    if isinstance(condition, All | Any):
        parts = [plant(part, leaf, positive=positive) for part in condition.parts]
        return Joined(parts, FALSE if isinstance(condition, All) is positive else TRUE)
    return leaf(condition, positive)
