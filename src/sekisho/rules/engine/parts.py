"""The parts of a request: which of its fields tell which quantities, so that what was told once is not read again.

Many requests share an item, a destination, a customer. A part is read when its fields have values that were not seen
before; what it tells is kept with the mask of the limbs that it makes true or false.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from itertools import count
from typing import Final, TypeAlias

from sekisho.rules.engine.locating import Asked, Locate, locator
from sekisho.rules.facts import Fact
from sekisho.rules.limbs import LimbTrace, fact_text, judge_limb, told_of
from sekisho.rules.requests import Request

__all__ = ["Part", "Read", "Told"]

# From a request to facts by their quantities, at least those of the part.
Read: TypeAlias = Callable[[Request], Mapping[str, Fact]]
_KEPT: Final = 4096


class Told:
    """What a part of one request tells; `serial` names it, since equal fields give the same object while it is kept."""

    __slots__ = ("_part", "_traces", "facts", "mask", "serial")

    def __init__(self, part: Part, facts: Sequence[Fact | None], mask: int, serial: int) -> None:
        self._part, self.facts, self.mask, self.serial = part, facts, mask, serial
        self._traces: tuple[LimbTrace, ...] | None = None

    @property
    def traces(self) -> tuple[LimbTrace, ...]:
        """Every limb of the part, in the order of its slots."""
        if self._traces is None:
            self._traces = tuple(self._part.trace(self.facts, self.mask))
        return self._traces


class Part:
    """Some fields of a request, the quantities that they tell, and the limbs that ask about these.

    `key` gives the values of the fields; `asked` the limbs of each quantity, all their bits in a row, `bits`.
    """

    def __init__(
        self,
        key: Callable[[Request], Hashable],
        read: Read,
        asked: Mapping[str, Sequence[Asked]],
        width: int,
    ) -> None:
        self.key, self._read, self._width = key, read, width
        self.kept: dict[Hashable, Told] = {}
        self.quantities = tuple(asked)
        self._asked = tuple(tuple(limbs) for limbs in asked.values())
        self._locate: tuple[Locate, ...] = tuple(locator(limbs, width) for limbs in self._asked)
        self._plain = tuple(
            tuple((bit, limb, entry, told_of(limb, entry, ())) for bit, limb, entry in limbs)
            for limbs in self._asked
        )
        self._serials = count()
        bits = [bit for limbs in self._asked for bit, _, _ in limbs]
        self.bits = range(min(bits, default=0), max(bits, default=-1) + 1)

    def told(self, request: Request) -> Told:
        """What the request tells in this part."""
        key = self.key(request)
        found = self.kept.get(key)
        if found is None:
            found = self._tell(request)
            if len(self.kept) >= _KEPT:
                self.kept.clear()
            self.kept[key] = found
        return found

    def _tell(self, request: Request) -> Told:
        read = self._read(request)
        facts = [read.get(quantity) for quantity in self.quantities]
        mask = 0
        for fact, locate in zip(facts, self._locate, strict=True):
            if fact is not None:
                mask |= locate(fact)
        return Told(self, facts, mask, next(self._serials))

    def trace(self, facts: Sequence[Fact | None], mask: int) -> Iterator[LimbTrace]:
        """The limbs with what was found."""
        for fact, limbs in zip(facts, self._plain, strict=True):
            value = fact_text(fact)
            notes = fact.notes if fact is not None else ()
            for bit, limb, entry, plain in limbs:
                told = told_of(limb, entry, notes) if notes else plain
                if mask >> bit & 1:
                    yield LimbTrace(value=value, truth="true", **told)
                elif mask >> (bit + self._width) & 1:
                    yield LimbTrace(value=value, truth="false", **told)
                else:
                    missing = judge_limb(limb, fact, entry)[1]
                    yield LimbTrace(value=value, truth="unknown", missing=missing, **told)
