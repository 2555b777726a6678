"""A pack at an instant, ready to judge many requests: what dates, statuses and thresholds say is settled once.

The answers are those of `decide_plainly`, byte for byte. All that is kept is bounded and rests on arguments alone, so
a judge may be shared and asked in any order.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, TypeVar

from sekisho.model.chips import ChipTable, known_chips
from sekisho.model.instants import Instant
from sekisho.rules.answer import Decision, DecisionWord
from sekisho.rules.engine.law import Law, law_at
from sekisho.rules.engine.parts import Told
from sekisho.rules.engine.plans import Plan, Planner
from sekisho.rules.engine.rows import Writer
from sekisho.rules.engine.table import limb_table
from sekisho.rules.engine.traces import Tracer
from sekisho.rules.engine.wording import Wording
from sekisho.rules.pack import Pack, Reading
from sekisho.rules.reliance import in_order
from sekisho.rules.requests import Request
from sekisho.rules.requests.shapes import RequestKind
from sekisho.rules.stated import check_facts

__all__ = ["Judge", "decide", "judge_of"]

_PLANS: Final = 32768


class Judge:
    """Decides requests under one pack as it stood at `at`, known at `as_of`, in one reading.

    It does not refuse facts under names that the pack does not declare (`check_facts` does): another pack of the call
    may ask for them.
    """

    def __init__(
        self,
        pack: Pack,
        at: Instant,
        as_of: Instant | None = None,
        reading: Reading = "enforced",
        chips: ChipTable | None = None,
    ) -> None:
        self.pack, self.at, self.as_of, self.reading = pack, at, as_of, reading
        self._chips = chips if chips is not None else known_chips()
        self._law = law_at(pack, at, as_of, reading)
        self._benches: dict[RequestKind, _Bench] = {}

    def decide(self, request: Request, *, trace: bool = True) -> Decision:
        """The answer with its reasons, and how each rule was read unless `trace` is False.

        Raises InvalidInput where a fact that the pack asks for is stated with a value of another kind.
        """
        bench = self._benches.get(request.kind) or self._bench(request.kind)
        return bench.decide(request, trace=trace)

    def word(self, request: Request) -> tuple[DecisionWord, tuple[str, ...]]:
        """The answer and the ids of the rules that bear on it, without texts. Raises as `decide`."""
        bench = self._benches.get(request.kind) or self._bench(request.kind)
        return bench.word(request)

    def grounds(self, request: Request) -> tuple[DecisionWord, tuple[str, ...]]:
        """As `word`, with the ids of the exceptions that lift one of these rules after them."""
        bench = self._benches.get(request.kind) or self._bench(request.kind)
        return bench.grounds(request)

    def _bench(self, kind: RequestKind) -> _Bench:
        bench = self._benches[kind] = _Bench(self._law, kind, self._chips)
        return bench


class _Bench:
    """What a judge has ready for one kind of request."""

    def __init__(self, law: Law, kind: RequestKind, chips: ChipTable) -> None:
        table = limb_table(law, kind, chips)
        wording = Wording(table)
        self._law, self._policy = law, law.pack.reference
        self._parts = tuple((part.key, part.kept, part.told) for part in table.parts)
        self._planner = Planner(table, wording)
        self._readers = tuple(
            (reader.kept, reader.chosen, reader.read) for reader in self._planner.readers
        )
        self._writer = Writer()
        self._tracer = Tracer(table, wording)
        self._by_mask: dict[int, Plan] = {}
        self._by_verdicts: dict[tuple[int, ...], Plan] = {}

    def word(self, request: Request) -> tuple[DecisionWord, tuple[str, ...]]:
        mask = 0
        for key, kept, tell in self._parts:
            mask |= (kept.get(key(request)) or tell(request)).mask
        plan = self._by_mask.get(mask) or self._plan(mask)
        return plan.word, plan.ids

    def grounds(self, request: Request) -> tuple[DecisionWord, tuple[str, ...]]:
        mask = 0
        for key, kept, tell in self._parts:
            mask |= (kept.get(key(request)) or tell(request)).mask
        plan = self._by_mask.get(mask) or self._plan(mask)
        return plan.word, plan.grounds

    def decide(self, request: Request, *, trace: bool) -> Decision:
        mask = 0
        tolds: list[Told] = []
        for key, kept, tell in self._parts:
            told = kept.get(key(request)) or tell(request)
            mask |= told.mask
            tolds.append(told)
        plan = self._by_mask.get(mask) or self._plan(mask)
        rules = self._writer.rules(plan, tolds)
        notes = [notes for _, notes in rules if notes]
        traced, definitions = self._tracer.trace(mask, tolds) if trace else ((), ())
        return Decision(
            id=request.id,
            decision=plan.word,
            rules=tuple([row for row, _ in rules]),
            exceptions=tuple(self._writer.exceptions(plan, tolds)),
            missing=plan.why or plan.missing.missing(tolds),
            warnings=in_order([plan.warnings, *notes]) if notes else plan.warnings,
            policy=self._policy,
            at=self._law.at,
            as_of=self._law.as_of,
            reading=self._law.reading,
            definitions=definitions,
            trace=traced,
        )

    def _plan(self, mask: int) -> Plan:
        """By what the rules, the reviews and the exceptions make of it: many masks come to the same."""
        verdicts = [kept.get(mask & chosen) or read(mask) for kept, chosen, read in self._readers]
        key = tuple([verdict.core for verdict in verdicts])
        plan = self._by_verdicts.get(key)
        if plan is None:
            plan = self._planner.plan(verdicts)
            _keep(self._by_verdicts, key, plan)
        _keep(self._by_mask, mask, plan)
        return plan


_Key = TypeVar("_Key")


def _keep(kept: dict[_Key, Plan], key: _Key, plan: Plan) -> None:
    """When there are too many, all are forgotten."""
    if len(kept) >= _PLANS:
        kept.clear()
    kept[key] = plan


class _Same:
    """A value that is the same only where it is the same object: packs and tables hold what cannot be hashed."""

    __slots__ = ("it",)

    def __init__(self, it: object) -> None:
        self.it = it

    def __hash__(self) -> int:
        return id(self.it)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.it is self.it


def judge_of(
    pack: Pack,
    at: Instant,
    as_of: Instant | None = None,
    reading: Reading = "enforced",
    chips: ChipTable | None = None,
) -> Judge:
    """The judge of this pack and instant; the last ones that were asked for are kept."""
    return _kept(_Same(pack), at, as_of, reading, _Same(chips))


@lru_cache(maxsize=16)
def _kept(pack: _Same, at: Instant, as_of: Instant | None, reading: Reading, chips: _Same) -> Judge:
    if not isinstance(pack.it, Pack) or not isinstance(chips.it, ChipTable | None):
        raise TypeError("a judge takes a pack and a table of chips")
    return Judge(pack.it, at, as_of, reading, chips.it)


def decide(
    request: Request,
    pack: Pack,
    at: Instant,
    as_of: Instant | None = None,
    *,
    chips: ChipTable | None = None,
    reading: Reading = "enforced",
) -> Decision:
    """Judge `request` by the rules in force at `at`, as they were known at `as_of` (None: as the pack knows).

    Raises InvalidInput where the request states a fact that the pack does not declare, or one of another kind.
    """
    check_facts(request, (pack,))
    return judge_of(pack, at, as_of, reading, chips).decide(request)
