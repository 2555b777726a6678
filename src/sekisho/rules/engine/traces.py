"""How each rule of a pack was read, and each definition: rows that are written once for what they rest on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any as Anything
from typing import TypeAlias

import msgspec

from sekisho.rules.answer import DefinitionTrace, RuleTrace
from sekisho.rules.engine.parts import Told
from sekisho.rules.engine.rows import Kept
from sekisho.rules.engine.table import LimbTable, PlantedDefinition, PlantedRule
from sekisho.rules.engine.trees import FALSE, WORDS, Node
from sekisho.rules.engine.verdicts import Reader, Slots, Verdict
from sekisho.rules.engine.wording import Recipe, Wording, told_of_entry
from sekisho.rules.limbs import LimbTrace, Truth
from sekisho.rules.rows import evaluated_trace, unread_trace

__all__ = ["Tracer"]

Row: TypeAlias = RuleTrace | DefinitionTrace
# From a tree's truth, what it misses, and its limbs to its row.
Write: TypeAlias = Callable[[Truth, tuple[str, ...], tuple[LimbTrace, ...]], Row]


class _Recipes(msgspec.Struct, frozen=True):
    """A verdict ready for its words: of each tree its truth, its limbs and those that miss a fact."""

    trees: tuple[tuple[Truth, Recipe, Recipe], ...]
    parts: tuple[int, ...]


class _Subject:
    """Rules or definitions that are traced together: those that rest on the same parts of the request."""

    __slots__ = ("_reader", "_recipes", "_rows", "_slots", "_wording", "_writes")

    def __init__(self, reader: Reader, writes: Sequence[Write], wording: Wording) -> None:
        self._reader, self._writes, self._wording = reader, tuple(writes), wording
        self._slots: tuple[Slots, ...] = tuple(_slots(node) for node in reader.nodes)
        self._recipes: dict[int, _Recipes] = {}
        self._rows: Kept[tuple[Row, ...]] = Kept()

    def rows(self, mask: int, tolds: Sequence[Told]) -> tuple[Row, ...]:
        """The rows for one request."""
        bits = mask & self._reader.chosen
        recipes = self._recipes.get(bits) or self._learn(bits)
        key = (bits, *[tolds[part].serial for part in recipes.parts])
        return self._rows.rows.get(key) or self._rows.put(key, self._write(recipes, tolds))

    def _learn(self, bits: int) -> _Recipes:
        verdict = self._reader.read(bits)
        trees = tuple(
            (WORDS[code], self._limbs(verdict, number), self._missing(verdict, number))
            for number, code in enumerate(verdict.codes)
        )
        parts = {part for _, *both in trees for recipe in both for part in recipe.parts}
        if len(self._recipes) >= len(self._rows.rows) + 4096:
            self._recipes.clear()
        found = self._recipes[bits] = _Recipes(trees, tuple(sorted(parts)))
        return found

    def _limbs(self, verdict: Verdict, number: int) -> Recipe:
        return self._wording.recipe(self._slots[number], verdict.true, verdict.false)

    def _missing(self, verdict: Verdict, number: int) -> Recipe:
        return self._wording.recipe(verdict.missing[number], 0, 0)

    def _write(self, recipes: _Recipes, tolds: Sequence[Told]) -> tuple[Row, ...]:
        return tuple(
            [
                write(truth, missing.missing(tolds), limbs.limbs(tolds))
                for write, (truth, limbs, missing) in zip(self._writes, recipes.trees, strict=True)
            ]
        )


class Tracer:
    """The traces of one table: rules in the order of the pack, and the definitions that they ask about."""

    def __init__(self, table: LimbTable, wording: Wording) -> None:
        self._rules: list[RuleTrace] = []
        self._evaluated: list[tuple[int, _Subject]] = []
        planted = {one.standing.rule.id: one for one in table.rules}
        for place, one in enumerate(table.law.rules):
            asked = table.kind in one.rule.kinds
            self._rules.append(
                unread_trace(one.rule, one.status, "not in force" if asked else "not asked")
            )
            rule = planted.get(one.rule.id)
            if rule is not None:
                reader = Reader(table, [rule.node])
                self._evaluated.append((place, _Subject(reader, [_of_rule(rule)], wording)))
        traced = [one for one in table.definitions if one.traced]
        self._definitions, self._order = _grouped(traced, table, wording)

    def trace(
        self, mask: int, tolds: Sequence[Told]
    ) -> tuple[tuple[RuleTrace, ...], tuple[DefinitionTrace, ...]]:
        """How each rule was read, and each definition."""
        rules: list[Anything] = self._rules.copy()
        for place, subject in self._evaluated:
            (rules[place],) = subject.rows(mask, tolds)
        found: list[Anything] = []
        for group in self._definitions:
            found += group.rows(mask, tolds)
        return tuple(rules), tuple([found[place] for place in self._order])


def _grouped(
    traced: Sequence[PlantedDefinition], table: LimbTable, wording: Wording
) -> tuple[list[_Subject], tuple[int, ...]]:
    """Definitions that rest on the same parts together, and where each comes to lie among all."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for number, one in enumerate(traced):
        slots = _slots(one.node)
        parts = wording.recipe(slots, 0, 0).parts  # all open: every part that can matter
        groups.setdefault(parts, []).append(number)
    subjects = [
        _Subject(
            Reader(table, [traced[n].node for n in numbers], blank=FALSE),
            [_of_definition(traced[n]) for n in numbers],
            wording,
        )
        for numbers in groups.values()
    ]
    lies = [number for numbers in groups.values() for number in numbers]
    return subjects, tuple(sorted(range(len(lies)), key=lies.__getitem__))


def _slots(node: Node | None) -> Slots:
    found: list[int] = []
    if node is not None:
        node.slots(found)
    return tuple(found)


def _of_rule(planted: PlantedRule) -> Write:
    rule, status, acts = planted.standing.rule, planted.standing.status, planted.standing.acts
    if status is None:
        raise ValueError(f"{rule.id} is evaluated without a status")

    def write(truth: Truth, missing: tuple[str, ...], limbs: tuple[LimbTrace, ...]) -> RuleTrace:
        return evaluated_trace(rule, status, (truth, missing), limbs, acts=acts)

    return write


def _of_definition(one: PlantedDefinition) -> Write:
    told = told_of_entry(one.dated)

    def write(
        truth: Truth, missing: tuple[str, ...], limbs: tuple[LimbTrace, ...]
    ) -> DefinitionTrace:
        return DefinitionTrace(
            definition=one.name,
            label=one.label,
            truth=truth,
            limbs=limbs,
            missing=missing,
            **told,
        )

    return write
