"""A population asked twice, row by row: the counts behind a comparison, mergeable, bounded in memory.

Whether the rows come in one stream or in parts that are added up, the sums are the same.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from sekisho.model.chips import ChipTable
from sekisho.model.errors import InvalidInput
from sekisho.rules.accounts import Accounts, with_so_far
from sekisho.rules.answer import DecisionWord
from sekisho.rules.facts import facts_of
from sekisho.rules.requests import CloudUseRequest, Request, TransferRequest
from sekisho.rules.requests.shapes import AskedFact
from sekisho.rules.stated import check_facts, stated_fact
from sekisho.rules.what_if.changes import CHANGES, Change, cell_of, change_of_cell
from sekisho.rules.what_if.counting import NameCounts
from sekisho.rules.what_if.measures import Measures, exact_amount
from sekisho.rules.what_if.sides import Side
from sekisho.rules.what_if.sittings import JudgeMaker, Sitting, Sittings, make_judge
from sekisho.rules.what_if.subjects import Subject, subject_of

__all__ = ["EXAMPLES", "REFUSED_SHOWN", "Counts", "Judged", "Kept", "Pair", "Refused", "Tally"]

EXAMPLES: Final = 20
"""Examples of each change that are listed; the rest is counted."""
REFUSED_SHOWN: Final = 100
_MOST_CHECKED: Final = 4096
Pair: TypeAlias = tuple[DecisionWord, tuple[str, ...], DecisionWord, tuple[str, ...]]
"""The answer and the rules that bear on it, under A and under B."""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is no sound request: where it stands and what is wrong with it."""

    line: int
    error: str


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One request with both answers and the rules that bear on each; `change` is None where the answer is the same."""

    line: int
    id: str
    subject: Subject
    a: DecisionWord
    b: DecisionWord
    rules_a: tuple[str, ...]
    rules_b: tuple[str, ...]
    change: Change | None


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """An example whose reasons are asked for at the end."""

    judged: Judged
    request: Request


class Counts:
    """All that is kept of a population that has passed; `limit` examples of each change, the first by their lines."""

    def __init__(self, limit: int = EXAMPLES) -> None:
        self.limit = limit
        self.pairs: dict[Pair, int] = {}
        self.kinds, self.countries = NameCounts(), NameCounts()
        self.owners, self.chips = NameCounts(), NameCounts()
        self.measures = Measures()
        self.kept: dict[Change, list[Kept]] = {change: [] for change in CHANGES}
        self.firsts: dict[
            Pair, Kept
        ] = {}  # of each changed pair, so that every rule's limb can be told
        self.refused: list[Refused] = []
        self.refusals = 0

    def take(self, judged: Judged, request: Request, cell: int) -> None:
        """One request that was judged."""
        pair = (judged.a, judged.rules_a, judged.b, judged.rules_b)
        known = self.pairs.get(pair, 0)
        self.pairs[pair] = known + 1
        if not known and judged.change is not None:
            self.firsts[pair] = Kept(judged=judged, request=request)
        subject = judged.subject
        self.kinds.take(subject.kind, cell)
        self.countries.take(subject.country, cell)
        self.owners.take(subject.owner, cell)
        self.chips.take(subject.chip, cell)
        if judged.change is not None and len(self.kept[judged.change]) < self.limit:
            self.kept[judged.change].append(Kept(judged=judged, request=request))

    def refuse(self, refused: Refused) -> None:
        """One row that could not be judged."""
        self.refusals += 1
        if len(self.refused) < REFUSED_SHOWN:
            self.refused.append(refused)

    def add(self, other: Counts) -> None:
        """Another part of the same population, wherever its lines stand."""
        for pair, count in other.pairs.items():
            self.pairs[pair] = self.pairs.get(pair, 0) + count
        for name in ("kinds", "countries", "owners", "chips", "measures"):
            getattr(self, name).add(getattr(other, name))
        for pair, first in other.firsts.items():
            mine = self.firsts.setdefault(pair, first)
            if first.judged.line < mine.judged.line:
                self.firsts[pair] = first
        for change, kept in other.kept.items():
            joined = sorted([*self.kept[change], *kept], key=lambda one: one.judged.line)
            self.kept[change] = joined[: self.limit]
        self.refusals += other.refusals
        joined_refused = sorted([*self.refused, *other.refused], key=lambda one: one.line)
        self.refused = joined_refused[:REFUSED_SHOWN]


class Tally:
    """Two sides and what their answers have amounted to so far; `counts` is what parts of a population add up.

    With `accounts`, what a request leaves out of its past is filled from the rows that were taken before it: such a
    population is one stream, in order.
    """

    def __init__(
        self,
        a: Side,
        b: Side,
        chips: ChipTable,
        *,
        examples: int = EXAMPLES,
        accounts: Accounts | None = None,
        make: JudgeMaker = make_judge,
    ) -> None:
        self.sittings = Sittings(a, b, chips, make)
        self._examples = examples
        self._accounts = accounts
        self._chips = chips
        stated = {**a.pack.quantities, **b.pack.quantities}
        self._amounts = {name: one for name, one in stated.items() if one.kind == "amount"}
        self._checked: set[tuple[tuple[str, AskedFact], ...]] = set()
        self._met: set[int] = set()
        self.counts = Counts(examples)

    def take(self, line: int, request: Request) -> Judged | Refused:
        """Judge one request under both sides and count it; a request that a judge refuses is counted as refused."""
        try:
            return self._take(line, request)
        except InvalidInput as error:
            return self.refuse(line, error)

    def refuse(self, line: int, error: InvalidInput) -> Refused:
        """Count a row that cannot be judged."""
        refused = Refused(line=line, error=str(error))
        self.counts.refuse(refused)
        return refused

    def hand_over(self) -> Counts:
        """What was counted since the last time: a part to be added up elsewhere."""
        self.counts.measures.settle()
        counts, self.counts = self.counts, Counts(self._examples)
        self._met.clear()
        return counts

    def _take(self, line: int, request: Request) -> Judged:
        if request.facts:
            self._check(request)
        if self._accounts is not None:
            request = _with_past(request, self._accounts)
        sitting = self.sittings.of(request)
        word_a, rules_a = sitting.a.grounds(request)
        word_b, rules_b = sitting.b.grounds(request)
        cell = cell_of(word_a, word_b)
        judged = Judged(
            line=line,
            id=request.id,
            subject=subject_of(request),
            a=word_a,
            b=word_b,
            rules_a=rules_a,
            rules_b=rules_b,
            change=change_of_cell(cell),
        )
        self._measure(request, judged.subject, sitting)
        self.counts.take(judged, request, cell)
        return judged

    def _measure(self, request: Request, subject: Subject, sitting: Sitting) -> None:
        measures = self.counts.measures
        if sitting.number not in self._met:
            self._met.add(sitting.number)
            measures.meet("a", sitting.thresholds_a)
            measures.meet("b", sitting.thresholds_b)
        asked = sitting.asked.get(subject.kind)
        if asked is None:
            return
        facts = facts_of(request, self._chips)
        if request.facts and not self._amounts.keys().isdisjoint(request.facts):
            told = {name: value for name, value in request.facts.items() if name in self._amounts}
            stated = {name: stated_fact(self._amounts[name], told[name]) for name in told}
            facts = {**facts, **stated}
        measures.take_near(asked, facts)
        year = request.on[:4] if request.on else sitting.year
        for quantity in asked.added_up:
            amount = exact_amount(facts.get(quantity))
            measures.take_sum(subject.kind, quantity, subject.owner, year, amount)

    def _check(self, request: Request) -> None:
        """Whether a pack asks for the facts that the request states; many requests state the same."""
        stated = tuple(request.facts.items())
        if stated in self._checked:
            return
        check_facts(request, (self.sittings.a.pack, self.sittings.b.pack))
        if len(self._checked) >= _MOST_CHECKED:
            self._checked.clear()
        self._checked.add(stated)


def _with_past(request: Request, accounts: Accounts) -> Request:
    """The request with its past so far as the rows before it tell; it counts for those after it."""
    if isinstance(request, TransferRequest):
        filled: Request = with_so_far(request, accounts)
    elif isinstance(request, CloudUseRequest):
        filled = with_so_far(request, accounts)
    else:
        return request
    accounts.add(request)
    return filled
