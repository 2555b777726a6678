"""From slots to words: the trace of each limb of one request, on a fact or on a definition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any as Anything

from sekisho.rules.engine.parts import Told
from sekisho.rules.engine.table import LimbTable, PlantedDefinition
from sekisho.rules.engine.trees import FALSE, TRUE, UNKNOWN, WORDS
from sekisho.rules.engine.verdicts import Slots
from sekisho.rules.limbs import LimbTrace
from sekisho.rules.pack import Dated
from sekisho.rules.reliance import in_order

__all__ = ["Recipe", "Wording", "told_of_entry"]


class Recipe:
    """How some limbs are put into words.

    Each is found at a place of a part of the request, or is the same for all requests, or is an open definition, whose
    missing facts are found at such places. `parts` are all the parts on which these words rest.
    """

    __slots__ = ("_steps", "parts")

    def __init__(self, steps: Sequence[_Step]) -> None:
        self._steps = tuple(steps)
        found = {part for part, _, limb in steps if limb is None}
        for _, _, limb in steps:
            if isinstance(limb, _OpenDefinition):
                found.update(part for part, _ in limb.places)
        self.parts = tuple(sorted(found))

    def limbs(self, tolds: Sequence[Told]) -> tuple[LimbTrace, ...]:
        """The limbs in words, for what the parts of one request told."""
        return tuple(
            [
                tolds[part].traces[place] if limb is None else _word(limb, tolds)
                for part, place, limb in self._steps
            ]
        )

    def missing(self, tolds: Sequence[Told]) -> tuple[str, ...]:
        """What these limbs lack, each fact once."""
        return in_order(limb.missing for limb in self.limbs(tolds))


class _OpenDefinition:
    """A limb on a definition that is open: the fields that no request changes, and where its missing facts are."""

    __slots__ = ("places", "plain")

    def __init__(self, plain: dict[str, Anything], places: tuple[tuple[int, int], ...]) -> None:
        self.plain, self.places = plain, places


_Step = tuple[int, int, "LimbTrace | _OpenDefinition | None"]


def _word(limb: LimbTrace | _OpenDefinition, tolds: Sequence[Told]) -> LimbTrace:
    if isinstance(limb, LimbTrace):
        return limb
    missing = in_order(tolds[part].traces[place].missing for part, place in limb.places)
    return LimbTrace(value="unknown", truth="unknown", missing=missing, **limb.plain)


class Wording:
    """The limbs of a table in words."""

    def __init__(self, table: LimbTable) -> None:
        self._width = table.width
        self._definitions = table.definitions
        self._place = {
            bit: (number, bit - part.bits.start)
            for number, part in enumerate(table.parts)
            for bit in part.bits
        }
        self._plain = [
            tuple(_plain(one, value=value) for value in (True, False)) for one in table.definitions
        ]
        self._known = [
            tuple(_known(plain, opposite) for opposite, plain in enumerate(both))
            for both in self._plain
        ]

    def recipe(self, slots: Iterable[int], true: int, false: int) -> Recipe:
        """How these slots are put into words where the definitions have these truths."""
        return Recipe([self._step(slot, true, false) for slot in slots])

    def _step(self, slot: int, true: int, false: int) -> _Step:
        if slot < self._width:
            return (*self._place[slot], None)
        rank, opposite = divmod(slot - self._width, 2)
        bit = 1 << (self._width + rank)
        if true & bit or false & bit:
            return -1, -1, self._known[rank][opposite][bool(true & bit)]
        missing = self.missing_of(self._definitions[rank], true, false)
        places = tuple(self._place[one] for one in missing)
        return -1, -1, _OpenDefinition(self._plain[rank][opposite], places)

    def missing_of(self, one: PlantedDefinition, true: int, false: int) -> Slots:
        """The slots whose facts would settle an open definition."""
        found: list[int] = []
        if one.node is not None and one.node.truth(true, false) == UNKNOWN:
            one.node.missing(true, false, found)
        return tuple(found)


def _known(plain: dict[str, Anything], opposite: int) -> tuple[LimbTrace, LimbTrace]:
    """The limb where the definition does not hold, and where it does."""
    return (
        LimbTrace(value="false", truth=WORDS[TRUE if opposite else FALSE], **plain),
        LimbTrace(value="true", truth=WORDS[FALSE if opposite else TRUE], **plain),
    )


def _plain(one: PlantedDefinition, *, value: bool) -> dict[str, Anything]:
    """The fields of such a limb's trace that no request changes."""
    recalled = one.dated is not None and one.dated.mark == "R"
    notes = ("no such definition on that date",) if one.node is None else ()
    return {
        "quantity": one.name,
        "op": "is",
        "threshold": "true" if value else "false",
        "definition": one.name,
        "notes": notes + ((f"{one.name}: to be verified",) if recalled else ()),
        **told_of_entry(one.dated),
    }


def told_of_entry(entry: Dated | None) -> dict[str, Anything]:
    """Source, mark and period of an entry."""
    if entry is None:
        return {}
    source = f"{entry.source}, {entry.cite}"
    return {"source": source, "mark": entry.mark, "since": entry.start, "until": entry.end}
