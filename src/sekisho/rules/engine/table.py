"""The limbs that a law asks about one kind of request: each once, with a bit, and the trees over these bits.

Bits of limbs on facts come first, part by part of the request; then one bit for each definition. A slot is a limb's
place in a trace: its bit for a limb on a fact; a definition has one slot for `is true` and one for `is false`.
"""

from __future__ import annotations

import msgspec

from sekisho.model.chips import ChipTable
from sekisho.rules.acting import is_before
from sekisho.rules.engine.law import Law, Standing
from sekisho.rules.engine.limbs_asked import gather, group, part_of
from sekisho.rules.engine.locating import Asked
from sekisho.rules.engine.parts import Part
from sekisho.rules.engine.trees import Leaf, Named, Node, plant
from sekisho.rules.limbs import FactLimb
from sekisho.rules.pack import (
    Condition,
    DatedCondition,
    DefinitionLimb,
    LicenceException,
    Limb,
    Review,
    Status,
)
from sekisho.rules.requests.shapes import RequestKind

__all__ = ["LimbTable", "PlantedDefinition", "PlantedException", "PlantedRule", "limb_table"]


class PlantedRule(msgspec.Struct, frozen=True):
    """A rule that is evaluated, as a tree; its reviews in force, each with a tree or none."""

    standing: Standing
    node: Node
    reviews: tuple[tuple[Review, Node | None], ...]


class PlantedDefinition(msgspec.Struct, frozen=True):
    """A definition's entry on the date and its tree; no tree where it does not exist then.

    `traced` where a rule asks about it, not only an exception or a review.
    """

    name: str
    label: str
    dated: DatedCondition | None
    node: Node | None
    traced: bool


class PlantedException(msgspec.Struct, frozen=True):
    """An exception that could lift a rule of this kind, each condition as a tree."""

    exception: LicenceException
    status: Status
    conditions: tuple[Node, ...]


class LimbTable(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is asked about one kind of request under a law.

    `asked` gives for each bit below `width` the limb with its entry; `definitions` have the bits from `width` on. A
    `silent` pack has no answer on that date, whatever is asked.
    """

    law: Law
    kind: RequestKind
    asked: tuple[Asked, ...]
    parts: tuple[Part, ...]
    definitions: tuple[PlantedDefinition, ...]
    rules: tuple[PlantedRule, ...]
    exceptions: tuple[PlantedException, ...]
    silent: bool

    @property
    def width(self) -> int:
        return len(self.asked)


def limb_table(law: Law, kind: RequestKind, chips: ChipTable) -> LimbTable:
    """Number the limbs and plant the trees of what this law asks about requests of this kind."""
    evaluated = [one for one in law.rules if one.evaluated and kind in one.rule.kinds]
    acting = [one for one in evaluated if one.acts]
    licences = {one.rule.id for one in acting if one.rule.outcome == "licence"}
    exceptions = [pair for pair in law.exceptions if not licences.isdisjoint(pair[0].lifts)]
    reviews = {one.rule.id: _reviews(one, law) for one in acting}
    of_rules = [one.rule.when for one in evaluated]
    of_others = [part.when for one, _ in exceptions for part in one.eligibility]
    of_others += [row.when for rows in reviews.values() for row in rows if row.when is not None]
    limbs, names = gather([*of_rules, *of_others], law)
    traced = gather(of_rules, law)[1]
    grouped = group(limbs, kind, law.pack)
    asked = _number(law, [limb for g in grouped.values() for rows in g.values() for limb in rows])
    garden = _Garden(law, asked, names)
    definitions = tuple(
        PlantedDefinition(
            name, law.pack.definitions[name].label, law.definitions[name], node, name in traced
        )
        for name, node in garden.definitions.items()
    )
    return LimbTable(
        law=law,
        kind=kind,
        asked=asked,
        parts=tuple(
            part_of(
                fields,
                {name: [asked[garden.bits[limb]] for limb in rows] for name, rows in g.items()},
                len(asked),
                law.pack,
                chips,
            )
            for fields, g in grouped.items()
        ),
        definitions=definitions,
        rules=tuple(garden.rule(one, reviews.get(one.rule.id, ())) for one in evaluated),
        exceptions=tuple(garden.exception(one, status) for one, status in exceptions),
        silent=not acting or is_before(law.pack.coverage, law.at),
    )


def _reviews(one: Standing, law: Law) -> tuple[Review, ...]:
    return tuple(row for row in one.rule.reviews if row.counts(law.at, law.as_of))


def _number(law: Law, limbs: list[FactLimb]) -> tuple[Asked, ...]:
    return tuple((bit, limb, law.entry_of(limb)) for bit, limb in enumerate(limbs))


class _Garden:
    """Plants trees over numbered limbs, the definitions first."""

    def __init__(self, law: Law, asked: tuple[Asked, ...], names: set[str]) -> None:
        self.bits: dict[FactLimb, int] = {limb: bit for bit, limb, _ in asked}
        self.width = len(asked)
        self.definitions: dict[str, Node | None] = {}
        self._ranks: dict[str, int] = {}
        for name in law.definitions:
            if name in names:
                dated = law.definitions[name]
                when = dated.when if dated is not None else None
                node = None if when is None else self.plant(when)
                self._ranks[name] = len(self._ranks)
                self.definitions[name] = node

    def plant(self, condition: Condition) -> Node:
        return plant(condition, self._leaf)

    def rule(self, standing: Standing, reviews: tuple[Review, ...]) -> PlantedRule:
        rows = tuple((row, None if row.when is None else self.plant(row.when)) for row in reviews)
        return PlantedRule(standing, self.plant(standing.rule.when), rows)

    def exception(self, exception: LicenceException, status: Status) -> PlantedException:
        conditions = tuple(self.plant(part.when) for part in exception.eligibility)
        return PlantedException(exception, status, conditions)

    def _leaf(self, limb: Limb, positive: bool) -> Leaf:
        """A limb that asks whether a definition does not hold is the opposite of the definition's bit."""
        if not isinstance(limb, DefinitionLimb):
            bit = self.bits[limb]
            return Leaf(bit, bit, positive=positive)
        rank = self._ranks[limb.definition]
        slot = self.width + 2 * rank + (not limb.value)
        inner = self.definitions[limb.definition]
        return Named(self.width + rank, slot, inner, positive=positive is limb.value)
