"""What follows from the verdicts on all rules, reviews and exceptions, as far as no fact's wording is needed.

Requests with the same verdicts share a plan, so that most requests are answered by looking one up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Final, TypeAlias

import msgspec

from sekisho.rules.acting import is_before, says_nothing
from sekisho.rules.answer import DecisionWord
from sekisho.rules.engine.table import LimbTable, PlantedException, PlantedRule
from sekisho.rules.engine.trees import TRUE, UNKNOWN, WORDS, Node
from sekisho.rules.engine.verdicts import Reader, Slots, Verdict
from sekisho.rules.engine.wording import Recipe, Wording
from sekisho.rules.limbs import Truth
from sekisho.rules.pack import AmountLimb, Outcome, Review
from sekisho.rules.reliance import beyond, doubts, in_order
from sekisho.rules.strictness import Held, could_raise, decision_word, outcome_if_lifted

__all__ = ["BearingRule", "Plan", "Planner", "UsedException"]

_KEPT: Final = 4096
OpenRows: TypeAlias = tuple[tuple[Review, Slots], ...]


class BearingRule(msgspec.Struct, frozen=True):
    """A rule that bears on the answer: the slot of the limb that decided, and how applications are looked at."""

    serial: int
    planted: PlantedRule
    truth: Truth
    limb: Recipe
    lifted_by: tuple[str, ...]
    review: Review | None
    review_holds: bool
    open_reviews: tuple[tuple[Review, Recipe], ...]

    @property
    def parts(self) -> tuple[int, ...]:
        """The parts of a request on which the rule's words rest."""
        return _parts([self.limb, *(recipe for _, recipe in self.open_reviews)])


class UsedException(msgspec.Struct, frozen=True):
    """An exception that could lift a licence that bears on the answer, with each condition's truth."""

    serial: int
    planted: PlantedException
    lifts: tuple[str, ...]
    conditions: tuple[tuple[Truth, Recipe], ...]

    @property
    def parts(self) -> tuple[int, ...]:
        """The parts of a request on which the exception's words rest."""
        return _parts(recipe for _, recipe in self.conditions)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to every request with the same verdicts.

    `missing` tells the facts that would settle an unsure answer, `why` what is missing whatever is told. `grounds` are
    the ids of the rules and then of the exceptions that lift some of them.
    """

    word: DecisionWord
    ids: tuple[str, ...] = ()
    grounds: tuple[str, ...] = ()
    bearing: tuple[BearingRule, ...] = ()
    exceptions: tuple[UsedException, ...] = ()
    missing: Recipe = Recipe(())
    why: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Planner:
    """Makes the plans of one table; `readers` are of the acting rules, then of their reviews, then of exceptions."""

    def __init__(self, table: LimbTable, wording: Wording) -> None:
        self._table, self._wording = table, wording
        self._serials = count()
        self._rows: dict[object, BearingRule | UsedException] = {}
        law = table.law
        self._beyond = beyond(law.pack, law.at)
        before = law.pack.coverage if is_before(law.pack.coverage, law.at) else None
        self._silence = says_nothing(law.pack.name, table.kind, before)
        self._acting = tuple(one for one in table.rules if one.standing.acts)
        self._amounts = {bit for bit, limb, _ in table.asked if isinstance(limb, AmountLimb)}
        self._doubts = self._doubts_by_slot()
        self.readers = () if table.silent else self._readers()

    def _readers(self) -> tuple[Reader, ...]:
        trees: list[Sequence[Node | None]] = [
            *([one.node] for one in self._acting),
            *([node for _, node in one.reviews] for one in self._acting),
            *(list(one.conditions) for one in self._table.exceptions),
        ]
        return tuple(Reader(self._table, nodes) for nodes in trees)

    def plan(self, verdicts: Sequence[Verdict]) -> Plan:
        """The plan for what the readers found."""
        if self._table.silent:
            return Plan(word="unsure", why=(self._silence,), warnings=self._beyond)
        if len(self._rows) >= _KEPT:
            self._rows.clear()
        rules = len(self._acting)
        found, reviews = verdicts[:rules], verdicts[rules : 2 * rules]
        tried = verdicts[2 * rules :]
        lifters = [self._lifters(one, tried) for one in self._acting]
        truths = [WORDS[verdict.codes[0]] for verdict in found]
        held: list[Held] = [
            (_comes_to(one, lifting), truth)
            for one, lifting, truth in zip(self._acting, lifters, truths, strict=True)
        ]
        bears = [
            place
            for place, raises in enumerate(could_raise(held))
            if truths[place] == "true" or raises
        ]
        bearing = tuple(
            self._bearing(self._acting[n], found[n], lifters[n], reviews[n]) for n in bears
        )
        word = decision_word(held)
        used = self._used(tried, self._at_issue(found, lifters, bearing))
        missing = [found[n].missing[0] for n in bears] if word == "unsure" else []
        return Plan(
            word=word,
            ids=tuple(one.planted.standing.rule.id for one in bearing),
            grounds=in_order(
                [
                    [one.planted.standing.rule.id for one in bearing],
                    *(one.lifted_by for one in bearing),
                ]
            ),
            bearing=bearing,
            exceptions=used,
            missing=self._facts(slot for slots in missing for slot in slots),
            warnings=in_order([self._beyond, *self._rests_on(found, bearing, used, tried)]),
        )

    # --- rules that bear, exceptions that could lift them ---------------------------------------

    def _lifters(self, one: PlantedRule, tried: Sequence[Verdict]) -> list[PlantedException]:
        rule = one.standing.rule
        if rule.outcome != "licence":
            return []
        return [
            planted
            for planted, verdict in zip(self._table.exceptions, tried, strict=True)
            if _holds(verdict) and rule.id in planted.exception.lifts
        ]

    def _bearing(
        self,
        one: PlantedRule,
        found: Verdict,
        lifters: list[PlantedException],
        reviews: Verdict,
    ) -> BearingRule:
        slots = found.deciding[0]
        slot = next((slot for slot in slots if slot in self._amounts), slots[0])
        lifted_by = tuple(lifting.exception.id for lifting in lifters)
        key = (one.standing.rule.id, found.core, slot, lifted_by, reviews.core)
        kept = self._rows.get(key)
        if not isinstance(kept, BearingRule):
            row, holds, open_rows = (None, False, ()) if lifters else _review(one, reviews)
            kept = self._rows[key] = BearingRule(
                next(self._serials),
                one,
                WORDS[found.codes[0]],
                self._wording.recipe([slot], found.true, found.false),
                lifted_by,
                row,
                holds,
                tuple((row, self._facts(missing)) for row, missing in open_rows),
            )
        return kept

    def _facts(self, slots: Iterable[int]) -> Recipe:
        """Limbs on facts, which no definition's truth changes."""
        return self._wording.recipe(dict.fromkeys(slots), 0, 0)

    def _at_issue(
        self,
        found: Sequence[Verdict],
        lifters: Sequence[list[PlantedException]],
        bearing: Sequence[BearingRule],
    ) -> set[str]:
        """The licences that bear on the answer, and those that would if nothing lifted them."""
        rules = [one.planted.standing.rule for one in bearing]
        for one, verdict, lifting in zip(self._acting, found, lifters, strict=True):
            if lifting and verdict.codes[0] == UNKNOWN:
                rules.append(one.standing.rule)
        return {rule.id for rule in rules if rule.outcome == "licence"}

    def _used(self, tried: Sequence[Verdict], licences: set[str]) -> tuple[UsedException, ...]:
        found = []
        for planted, verdict in zip(self._table.exceptions, tried, strict=True):
            lifts = tuple(rule for rule in planted.exception.lifts if rule in licences)
            if lifts:
                found.append(self._use(planted, verdict, lifts))
        return tuple(found)

    def _use(
        self, planted: PlantedException, verdict: Verdict, lifts: tuple[str, ...]
    ) -> UsedException:
        key = (planted.exception.id, lifts, verdict.core)
        kept = self._rows.get(key)
        if not isinstance(kept, UsedException):
            conditions = tuple(
                (WORDS[code], self._facts(missing))
                for code, missing in zip(verdict.codes, verdict.missing, strict=True)
            )
            kept = UsedException(next(self._serials), planted, lifts, conditions)
            self._rows[key] = kept
        return kept

    # --- what the answer rests on -------------------------------------------------------------

    def _doubts_by_slot(self) -> dict[int, tuple[str, ...]]:
        at = self._table.law.at
        found = {}
        for bit, limb, entry in self._table.asked:
            name = getattr(limb, "parameter", "") or getattr(limb, "place_set", "")
            found[bit] = doubts(name, entry, at)
        for rank, one in enumerate(self._table.definitions):
            slot = self._table.width + 2 * rank
            found[slot] = found[slot + 1] = doubts(one.name, one.dated, at)
        return found

    def _rests_on(
        self,
        found: Sequence[Verdict],
        bearing: Sequence[BearingRule],
        used: Sequence[UsedException],
        tried: Sequence[Verdict],
    ) -> Iterable[tuple[str, ...]]:
        at = self._table.law.at
        for one, verdict in zip(self._acting, found, strict=True):
            yield doubts(one.standing.rule.id, one.standing.status, at)
            yield from (self._doubts[slot] for slot in verdict.deciding[0])
        for row in bearing:
            yield doubts(f"review of {row.planted.standing.rule.id}", row.review, at)
        at_issue = {row.planted.exception.id for row in used}
        for planted, verdict in zip(self._table.exceptions, tried, strict=True):
            if planted.exception.id in at_issue and _holds(verdict):
                yield doubts(planted.exception.id, planted.status, at)
                for slots in verdict.deciding:
                    yield from (self._doubts[slot] for slot in slots)


def _parts(recipes: Iterable[Recipe]) -> tuple[int, ...]:
    return tuple(sorted({part for recipe in recipes for part in recipe.parts}))


def _holds(verdict: Verdict) -> bool:
    return bool(verdict.codes) and set(verdict.codes) == {TRUE}


def _comes_to(one: PlantedRule, lifters: list[PlantedException]) -> Outcome:
    if not lifters:
        return one.standing.rule.outcome
    return outcome_if_lifted(len(lifting.exception.notices) for lifting in lifters)


def _review(one: PlantedRule, verdict: Verdict) -> tuple[Review | None, bool, OpenRows]:
    """The row that counts, whether it is known to hold, and the rows before it that are open."""
    open_rows: list[tuple[Review, Slots]] = []
    for (row, _), code, missing in zip(one.reviews, verdict.codes, verdict.missing, strict=True):
        if code == TRUE:
            return row, True, tuple(open_rows)
        if code == UNKNOWN:
            open_rows.append((row, missing))
    return (open_rows[0][0] if open_rows else None), False, tuple(open_rows)
