"""Laws of the checks: what they say can never hold never holds, what they say always holds never fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.model.instants import Instant, parse_date_or_instant
from sekisho.rules import decide_plainly, parse_pack
from sekisho.rules.pack import AmountLimb, PlaceLimb, WordLimb
from sekisho.rules.requests import ItemAsked, PartyAsked, TransferRequest
from sekisho.rules.review.consistency import Law, can_hold
from sekisho.rules.review.room import Choice, Range
from tests.random_reforms import FIRST, Document, bases
from tests.written_packs import as_yaml, read

_DAYS = st.integers(0, 1600).map(
    lambda days: parse_date_or_instant(str(FIRST + timedelta(days=days)))
)
_PARTIES = st.builds(
    PartyAsked,
    country=st.sampled_from(["CN", "JP", "US", "AE", None]),
    headquarters=st.sampled_from(["CN", "JP", "US", "AE", None]),
    parent_headquarters=st.sampled_from(["CN", "HK", "JP", None]),
    listed=st.sampled_from([True, False, None]),
)
_REQUESTS = st.builds(
    TransferRequest,
    kind=st.just("transfer"),
    id=st.just("t"),
    item=st.just(ItemAsked(form="other")),
    end_user=_PARTIES,
    consignee=_PARTIES,
    facts=st.sampled_from([{}, *({"cargo": str(10**n)} for n in (21, 22, 23, 24, 26))]),
    end_use=st.sampled_from([None, ("military",), ("commercial",), ("wmd", "research")]),
)


@settings(max_examples=25, deadline=None)
@given(bases(), st.lists(_REQUESTS, min_size=3, max_size=8), _DAYS)
def test_no_request_does_what_the_checks_call_impossible(
    base: Document, requests: list[TransferRequest], at: Instant
) -> None:
    """Each rule of a random pack, as it was evaluated for random requests."""
    pack = parse_pack(as_yaml(base), "ground.yaml")
    law = Law(pack, at)
    rules = {rule.id: rule for rule in pack.rules}
    for request in requests:
        for row in decide_plainly(request, pack, at, reading="announced").trace:
            wanted = (rules[row.rule].when, row.truth == "true")
            assert row.truth not in ("true", "false") or can_hold(law, wanted)


_BOUNDS = st.fractions(min_value=0, max_value=8, max_denominator=2)
_COMPARED = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


@given(st.lists(st.tuples(st.sampled_from(sorted(_COMPARED)), _BOUNDS), max_size=5))
def test_a_range_is_open_where_an_amount_meets_every_comparison(
    comparisons: list[tuple[str, Fraction]],
) -> None:
    """Amounts at, between and beyond all bounds are tried."""
    room = Range()
    for op, bound in comparisons:
        room = room.limited(op, bound)
    tried = [Fraction(n, 8) for n in range(80)]
    meets = any(all(_COMPARED[op](a, bound) for op, bound in comparisons) for a in tried)
    assert room.is_open is meets


_WORDS = frozenset("abcd")
_SETS = st.frozensets(st.sampled_from(sorted(_WORDS)), min_size=1)
_LIMITS: Mapping[str, Callable[[frozenset[str], frozenset[str]], object]] = {
    "only": lambda told, words: told <= words,
    "none_of": lambda told, words: not told & words,
    "one_of": lambda told, words: bool(told & words),
    "one_outside": lambda told, words: bool(told - words),
}


@given(st.lists(st.tuples(st.sampled_from(sorted(_LIMITS)), _SETS), max_size=5))
def test_a_choice_is_open_where_a_set_of_words_meets_every_limit(
    limits: list[tuple[str, frozenset[str]]],
) -> None:
    """Every set of four words and of one more that nobody named is tried."""
    choice = Choice()
    for name, words in limits:
        choice = getattr(choice, name)(words)
    letters = "abcde"
    told = [
        frozenset(letter for n, letter in enumerate(letters) if mask >> n & 1)
        for mask in range(1, 32)
    ]
    assert choice.is_open is any(
        all(_LIMITS[name](t, words) for name, words in limits) for t in told
    )


def test_a_long_search_is_given_up_as_possible() -> None:
    """A guess, which accuses nobody."""
    law = Law(read(), parse_date_or_instant("2026-01-01"))
    limb = AmountLimb(quantity="tpp", op="<", value=0, unit="TPP")
    assert not can_hold(law, (limb, True))
    law.patience.left = 0
    assert can_hold(law, (limb, True))


@pytest.mark.parametrize(
    ("quantity", "can"), [("form", False), ("end_use", True)], ids=["one word", "several words"]
)
def test_quantities_of_one_word_cannot_be_two(quantity: str, can: bool) -> None:
    """An item is a chip or a computer; an end use may be two."""
    law = Law(read(), parse_date_or_instant("2026-01-01"))
    first, second = (WordLimb(quantity=quantity, words=(word,)) for word in ("ic", "hbm"))
    assert can_hold(law, (first, True), (second, True)) is can


def test_a_set_without_a_value_limits_nothing() -> None:
    """Before it began nobody knows who belongs to it."""
    limb = PlaceLimb(quantity="destination", place_set="group-d")
    inside = PlaceLimb(quantity="destination", op="all-of", places=("JP",))
    wanted = ((limb, True), (inside, True))
    early, late = (parse_date_or_instant(day) for day in ("2021-01-01", "2022-01-01"))
    assert can_hold(Law(read(), early), *wanted)
    assert not can_hold(Law(read(), late), *wanted)
