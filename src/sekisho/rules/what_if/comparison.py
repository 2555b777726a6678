"""The answer to "what if these rules were those": who changes, why, what it costs, who comes near or splits.

1 judge every request under both sides and count (`Tally`); 2 add up the parts (`Counts.add`); 3 ask the examples for
their reasons (`conclude`). `diff` does all three over one stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from sekisho.model.chips import ChipTable, known_chips
from sekisho.model.errors import InvalidInput
from sekisho.rules.answer import DecisionWord
from sekisho.rules.requests import Request
from sekisho.rules.what_if.changes import CHANGES, Change, Flows, cell_of
from sekisho.rules.what_if.counting import Grouping
from sekisho.rules.what_if.load import Load, by_answer, load_of
from sekisho.rules.what_if.margins import Margin
from sekisho.rules.what_if.reasons import (
    Reason,
    RuleEffect,
    reasons_of,
    responsible,
    rule_effects,
)
from sekisho.rules.what_if.sides import Side, SideShown
from sekisho.rules.what_if.sittings import JudgeMaker, Sittings, make_judge
from sekisho.rules.what_if.splitting import Split
from sekisho.rules.what_if.tally import EXAMPLES, Counts, Kept, Pair, Refused, Tally

__all__ = ["Diff", "Example", "conclude", "diff"]

_GROUPS_SHOWN = 50


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One request that changed, with the rules responsible; an empty name is one that nobody told."""

    line: int
    id: str
    kind: str
    country: str
    owner: str
    chip: str
    a: DecisionWord
    b: DecisionWord
    reasons: tuple[Reason, ...]


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """What changes for a population between two sides.

    `requests` were judged; `refused` rows were not, and are in no other figure. `flows` has every pair of answers;
    `same_answer_other_rules` counts requests whose answer is the same for other reasons. `splits` is None where an
    owner's sums were too many to keep.
    """

    a: SideShown
    b: SideShown
    requests: int
    refused: int
    flows: Flows
    same_answer_other_rules: int
    rules: tuple[RuleEffect, ...]
    by_kind: Grouping
    by_country: Grouping
    by_owner: Grouping
    by_chip: Grouping
    load: Load
    margins: tuple[Margin, ...]
    splits: tuple[Split, ...] | None
    examples: Mapping[Change, tuple[Example, ...]]
    refused_rows: tuple[Refused, ...]

    def changed(self, change: Change) -> int:
        """How many requests changed in that way."""
        return self.flows.changed(change)

    @property
    def decided_nothing(self) -> bool:
        """Whether there were requests and each is unsure on both sides."""
        return self.requests > 0 and self.flows.count("unsure", "unsure") == self.requests


def diff(
    population: Iterable[Request | tuple[int, Request | InvalidInput]],
    a: Side,
    b: Side,
    *,
    chips: ChipTable | None = None,
    examples: int = EXAMPLES,
    make: JudgeMaker = make_judge,
) -> Diff:
    """Ask every request of a population under both sides.

    A row is a request, or its line with the request or the error that stands there; rows without a line are numbered
    from 1. A request that a judge refuses is counted as refused.
    """
    table = chips if chips is not None else known_chips()
    tally = Tally(a, b, table, examples=examples, make=make)
    for number, row in enumerate(population, 1):
        line, asked = row if isinstance(row, tuple) else (number, row)
        if isinstance(asked, InvalidInput):
            tally.refuse(line, asked)
        else:
            tally.take(line, asked)
    return conclude(tally.hand_over(), tally.sittings)


def conclude(counts: Counts, sittings: Sittings) -> Diff:
    """The answer of what was counted; the judges are asked once more, for the examples' reasons."""
    a, b = sittings.a, sittings.b
    flows = _flows(counts.pairs)
    reasons = {pair: _reasons(kept, sittings) for pair, kept in counts.firsts.items()}
    splits = counts.measures.splits()
    whole = tuple(split for split in splits if split is not None)
    return Diff(
        a=a.shown(),
        b=b.shown(),
        requests=flows.requests,
        refused=counts.refusals,
        flows=flows,
        same_answer_other_rules=sum(
            n for pair, n in counts.pairs.items() if pair[0] == pair[2] and pair[1] != pair[3]
        ),
        rules=rule_effects(counts.pairs, reasons, (a.pack, b.pack)),
        by_kind=counts.kinds.foremost(_GROUPS_SHOWN),
        by_country=counts.countries.foremost(_GROUPS_SHOWN),
        by_owner=counts.owners.foremost(_GROUPS_SHOWN),
        by_chip=counts.chips.foremost(_GROUPS_SHOWN),
        load=_load(counts.pairs, a, b),
        margins=counts.measures.margins(),
        splits=whole if len(whole) == len(splits) else None,
        examples={
            change: tuple(_example(kept, sittings) for kept in counts.kept[change])
            for change in CHANGES
        },
        refused_rows=tuple(counts.refused),
    )


def _flows(pairs: Mapping[Pair, int]) -> Flows:
    cells: dict[int, int] = {}
    for (a, _, b, _), count in pairs.items():
        cells[cell_of(a, b)] = cells.get(cell_of(a, b), 0) + count
    return Flows.of(cells)


def _load(pairs: Mapping[Pair, int], a: Side, b: Side) -> Load:
    of_a = by_answer((pair[0], pair[1], count) for pair, count in pairs.items())
    of_b = by_answer((pair[2], pair[3], count) for pair, count in pairs.items())
    return load_of((a, b), (of_a, of_b))


def _reasons(kept: Kept, sittings: Sittings) -> tuple[Reason, ...]:
    judged, sitting = kept.judged, sittings.of(kept.request)
    names = responsible(judged.rules_a, judged.rules_b)
    return reasons_of(sitting.a.decide(kept.request), sitting.b.decide(kept.request), names)


def _example(kept: Kept, sittings: Sittings) -> Example:
    judged = kept.judged
    return Example(
        line=judged.line,
        id=judged.id,
        kind=judged.subject.kind,
        country=judged.subject.country,
        owner=judged.subject.owner,
        chip=judged.subject.chip,
        a=judged.a,
        b=judged.b,
        reasons=_reasons(kept, sittings),
    )
