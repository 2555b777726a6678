"""The compiled engine: the plain way's answer, byte for byte, for every pack, request, date and reading."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sekisho.model.chips import known_chips
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.wire import canonical, to_plain
from sekisho.rules import Judge, Pack, Request, RunRequest, decide, decide_plainly
from sekisho.rules.engine import judge_of
from sekisho.rules.engine.fields import FIELDS, every_field
from sekisho.rules.engine.locating import Asked, locator
from sekisho.rules.facts import AmountFact, facts_of
from sekisho.rules.library import load_pack, pack_names
from sekisho.rules.limbs import judge_limb
from sekisho.rules.pack import AmountLimb, Reading
from sekisho.rules.quantities import QUANTITIES
from sekisho.rules.requests.shapes import RequestKind
from tests.rule_strategies import DATES, packs, requests_for

READINGS: st.SearchStrategy[Reading] = st.sampled_from(["enforced", "codified", "announced"])
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
SHIPPED = pack_names()


def assert_agree(judge: Judge, request: Request) -> None:
    """The judge and the plain way say the same, and the quick word too."""
    plainly = decide_plainly(request, judge.pack, judge.at, judge.as_of, reading=judge.reading)
    answer = judge.decide(request)
    assert answer == plainly
    assert canonical(to_plain(answer)) == canonical(to_plain(plainly))
    assert judge.decide(request, trace=False) == msgspec.structs.replace(
        plainly, trace=(), definitions=()
    )
    assert judge.word(request) == (plainly.decision, tuple(rule.id for rule in plainly.rules))


@lru_cache(maxsize=256)
def judge_for(name: str, at: Instant, reading: Reading) -> Judge:
    """One judge for many requests, so that what it keeps is used again."""
    return Judge(load_pack(name), at, None, reading)


def agrees_on_shipped(data: st.DataObject) -> None:
    """One random request under one shipped pack."""
    name = data.draw(st.sampled_from(SHIPPED))
    judge = judge_for(name, data.draw(st.sampled_from(DATES)), data.draw(READINGS))
    assert_agree(judge, data.draw(requests_for(judge.pack)))


def agrees_on_random(data: st.DataObject) -> None:
    """Three random requests under one random pack, by one judge."""
    pack, at = data.draw(packs()), data.draw(st.sampled_from(DATES[1:]))
    as_of = data.draw(st.sampled_from([None, None, *DATES]))
    judge = Judge(pack, at, as_of, data.draw(READINGS))
    for _ in range(3):
        assert_agree(judge, data.draw(requests_for(pack)))


@settings(max_examples=400, deadline=None, suppress_health_check=SLOW)
@given(st.data())
def test_shipped_packs_are_judged_as_the_plain_way_judges_them(data: st.DataObject) -> None:
    """Every kind of request, on dates from before the first rule to after the last."""
    agrees_on_shipped(data)


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(st.data())
def test_random_packs_are_judged_as_the_plain_way_judges_them(data: st.DataObject) -> None:
    """Definitions, sets, exceptions, reviews, marks and periods as they come."""
    agrees_on_random(data)


@pytest.mark.soak
@settings(max_examples=20_000, deadline=None, suppress_health_check=SLOW)
@given(st.data())
def test_thousands_of_random_packs_and_requests_are_judged_alike(data: st.DataObject) -> None:
    """The same laws for longer."""
    agrees_on_random(data)
    agrees_on_shipped(data)


AMOUNTS = st.one_of(
    st.integers(0, 6),
    st.fractions(min_value=0, max_value=6, max_denominator=4),
    st.sampled_from([10**24 - 1, 10**24, 10**24 + 1, float("inf")]),
)
THRESHOLDS = st.one_of(
    st.integers(0, 6),
    st.fractions(min_value=0, max_value=6, max_denominator=4),
    st.just(10**24),
    st.just(Fraction(4)),
)


@given(
    st.lists(
        st.tuples(st.sampled_from([">", ">=", "<", "<=", "=", "!="]), THRESHOLDS),
        min_size=1,
        max_size=8,
    ),
    AMOUNTS,
    AMOUNTS,
)
def test_an_interval_is_found_among_thresholds_as_each_limb_judges_it(
    limbs: list[tuple[Any, Any]], one: Any, other: Any
) -> None:
    """Bisection of both ends gives the truth of every limb."""
    fact = AmountFact(low=min(one, other), high=max(one, other), missing=("m",))
    width = len(limbs)
    asked: list[Asked] = [
        (bit, AmountLimb(quantity="q", op=op, value=value, unit="u"), None)
        for bit, (op, value) in enumerate(limbs)
    ]
    mask = locator(asked, width)(fact)
    for bit, limb, entry in asked:
        truth = judge_limb(limb, fact, entry)[0]
        assert bool(mask >> bit & 1) == (truth == "true")
        assert bool(mask >> (bit + width) & 1) == (truth == "false")


@pytest.mark.parametrize("kind", FIELDS)
def test_every_quantity_of_a_kind_is_told_by_named_fields(kind: RequestKind) -> None:
    """A quantity that is missing here would rest on the whole request: right, and slow."""
    told = {name for names in FIELDS[kind].values() for name in names.split()}
    assert told >= {name for name, known in QUANTITIES.items() if kind in known.kinds}
    fields = {name for names in FIELDS[kind] for name in names.split()}
    assert fields <= set(every_field(kind))


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(st.data())
def test_facts_rest_on_the_fields_that_the_table_names_and_on_no_other(data: st.DataObject) -> None:
    """Two requests that agree in these fields tell the same quantities, whatever else differs."""
    requests = requests_for(load_pack("us-ear"), data.draw(st.sampled_from(sorted(FIELDS))))
    one, other = data.draw(requests), data.draw(requests)
    chips = known_chips()
    told = facts_of(one, chips)
    for names, quantities in FIELDS[one.kind].items():
        kept = {name: getattr(one, name) for name in names.split()}
        try:
            mixed = facts_of(msgspec.structs.replace(other, **kept), chips)
        except InvalidInput:  # fields that contradict each other make no request
            continue
        for quantity in quantities.split():
            assert mixed.get(quantity) == told.get(quantity)


def test_the_answer_does_not_depend_on_what_was_asked_before() -> None:
    """A judge that has answered others gives what a new one gives."""
    pack, at = load_pack(), DATES[-1]
    judge = Judge(pack, at)
    requests = [
        RunRequest(id=f"r{number}", planned_flop=str(10**24 + number % 3), origin="scratch")
        for number in range(9)
    ]
    for request in [*requests, *reversed(requests)]:
        assert judge.decide(request) == Judge(pack, at).decide(request)


def test_what_a_judge_keeps_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for three of everything, a hundred different requests are still answered alike."""
    for module in ("parts", "rows", "verdicts", "locating", "plans"):
        monkeypatch.setattr(f"sekisho.rules.engine.{module}._KEPT", 3)
    monkeypatch.setattr("sekisho.rules.engine.judge._PLANS", 3)
    monkeypatch.setattr("sekisho.rules.engine.traces._LEARNT", 3)
    judge = Judge(load_pack(), DATES[-1])
    for number in range(100):
        request = RunRequest(
            id="r", planned_flop=str(10 ** (20 + number % 7) + number), origin="scratch"
        )
        assert_agree(judge, request)


def test_the_last_judges_are_kept_by_pack_date_and_reading() -> None:
    """The same question finds the same judge; another pack of the same bytes is another object."""
    pack: Pack = load_pack()
    assert judge_of(pack, DATES[-1]) is judge_of(pack, DATES[-1])
    assert judge_of(pack, DATES[-1]) is not judge_of(pack, DATES[-1], None, "announced")
    assert judge_of(pack, DATES[-1]) is not judge_of(msgspec.structs.replace(pack), DATES[-1])


def test_a_stated_fact_of_another_kind_is_refused_by_both_ways() -> None:
    """Even where no rule of that kind asks for it."""
    request = RunRequest(id="r", facts={"red-flags-resolved": "perhaps"})
    pack = load_pack("us-ear")
    for judge in (Judge(pack, DATES[-1]).decide, Judge(pack, DATES[-1]).word):
        with pytest.raises(InvalidInput, match=r"facts\.red-flags-resolved"):
            judge(request)
    with pytest.raises(InvalidInput, match=r"facts\.red-flags-resolved"):
        decide_plainly(request, pack, DATES[-1])
    with pytest.raises(InvalidInput, match=r"facts\.red-flags-resolved"):
        decide(request, pack, DATES[-1])
