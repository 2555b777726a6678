"""How each rule of a pack was read, and each definition: rows that are written once for what they rest on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any as Anything
from typing import Final, TypeAlias

import msgspec

from sekisho.rules.answer import DefinitionTrace, RuleTrace
from sekisho.rules.engine.parts import Told
from sekisho.rules.engine.rows import Kept
from sekisho.rules.engine.table import LimbTable, PlantedDefinition, PlantedRule
from sekisho.rules.engine.trees import FALSE, WORDS, Node
from sekisho.rules.engine.verdicts import Reader, Slots
from sekisho.rules.engine.wording import Recipe, Wording, told_of_entry
from sekisho.rules.limbs import LimbTrace, Truth
from sekisho.rules.rows import Unread, evaluated_trace, unread_trace

__all__ = ["Tracer"]

Row: TypeAlias = RuleTrace | DefinitionTrace
# From a tree's truth, what it misses, and its limbs to its row.
Write: TypeAlias = Callable[[Truth, tuple[str, ...], tuple[LimbTrace, ...]], Row]


_LEARNT: Final = 4096


class _Recipes(msgspec.Struct, frozen=True):
    """A verdict ready for its words: its truth, its limbs and those that miss a fact."""

    truth: Truth
    limbs: Recipe
    missing: Recipe
    parts: tuple[int, ...]


class _Subject:
    """One rule or definition: its rows by the bits that it asks about and by what its parts of the request told."""

    __slots__ = ("_reader", "_recipes", "_rows", "_slots", "_wording", "_write", "parts")

    def __init__(self, table: LimbTable, node: Node | None, write: Write, wording: Wording) -> None:
        self._reader = Reader(table, [node], blank=FALSE)
        self._write, self._wording = write, wording
        self._slots = _slots(node)
        self._recipes: dict[int, _Recipes] = {}
        self._rows: Kept[Row] = Kept()
        # Where every definition is open, every part that can matter does.
        self.parts = wording.recipe(self._slots, 0, 0).parts

    def row(self, mask: int, tolds: Sequence[Told]) -> Row:
        """The row for one request."""
        bits = mask & self._reader.chosen
        recipes = self._recipes.get(bits) or self._learn(bits)
        key = (bits, *[tolds[part].serial for part in recipes.parts])
        found = self._rows.rows.get(key)
        if found is None:
            missing, limbs = recipes.missing.missing(tolds), recipes.limbs.limbs(tolds)
            found = self._rows.put(key, self._write(recipes.truth, missing, limbs))
        return found

    def _learn(self, bits: int) -> _Recipes:
        verdict = self._reader.read(bits)
        limbs = self._wording.recipe(self._slots, verdict.true, verdict.false)
        missing = self._wording.recipe(verdict.missing[0], 0, 0)
        parts = tuple(sorted({*limbs.parts, *missing.parts}))
        if len(self._recipes) >= _LEARNT:
            self._recipes.clear()
        found = _Recipes(WORDS[verdict.codes[0]], limbs, missing, parts)
        self._recipes[bits] = found
        return found


class _Group:
    """Subjects that rest on the same parts of the request: all their rows at once where these told the same before."""

    __slots__ = ("_rows", "_subjects", "parts")

    def __init__(self, parts: Sequence[int], subjects: Sequence[_Subject]) -> None:
        self.parts, self._subjects = tuple(parts), tuple(subjects)
        self._rows: Kept[tuple[Row, ...]] = Kept()

    def rows(self, serials: Sequence[int], mask: int, tolds: Sequence[Told]) -> tuple[Row, ...]:
        key = tuple([serials[part] for part in self.parts])
        found = self._rows.rows.get(key)
        if found is None:
            rows = tuple([subject.row(mask, tolds) for subject in self._subjects])
            found = self._rows.put(key, rows)
        return found


class Tracer:
    """The traces of one table: rules in the order of the pack, and the definitions that they ask about."""

    def __init__(self, table: LimbTable, wording: Wording) -> None:
        self._rules: list[RuleTrace] = []
        subjects: list[tuple[int, _Subject]] = []
        planted = {one.standing.rule.id: one for one in table.rules}
        for place, one in enumerate(table.law.rules):
            asked = table.kind in one.rule.kinds
            why: Unread = "not in force" if asked else "not asked"
            self._rules.append(unread_trace(one.rule, one.status, why))
            rule = planted.get(one.rule.id)
            if rule is not None:
                subjects.append((place, _Subject(table, rule.node, _of_rule(rule), wording)))
        self._end = len(self._rules)
        traced = [one for one in table.definitions if one.traced]
        subjects += [
            (self._end + number, _Subject(table, one.node, _of_definition(one), wording))
            for number, one in enumerate(traced)
        ]
        self._groups, self._places = _grouped(subjects)
        self._blank: list[Anything] = [*self._rules, *traced]

    def trace(
        self, mask: int, tolds: Sequence[Told]
    ) -> tuple[tuple[RuleTrace, ...], tuple[DefinitionTrace, ...]]:
        """How each rule was read, and each definition."""
        serials = [told.serial for told in tolds]
        found: list[Anything] = []
        for group in self._groups:
            found += group.rows(serials, mask, tolds)
        rows = self._blank.copy()
        for place, row in zip(self._places, found, strict=True):
            rows[place] = row
        return tuple(rows[: self._end]), tuple(rows[self._end :])


def _grouped(
    subjects: Sequence[tuple[int, _Subject]],
) -> tuple[tuple[_Group, ...], tuple[int, ...]]:
    """Subjects by their parts, and the place in the trace of each in this order."""
    by_parts: dict[tuple[int, ...], list[tuple[int, _Subject]]] = {}
    for place, subject in subjects:
        by_parts.setdefault(subject.parts, []).append((place, subject))
    groups = tuple(
        _Group(parts, [subject for _, subject in pairs]) for parts, pairs in by_parts.items()
    )
    return groups, tuple(place for pairs in by_parts.values() for place, _ in pairs)


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
