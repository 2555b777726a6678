"""Margins below a threshold: exact steps on both sides, and a test for bunching that is what it says."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import RunRequest, load_pack
from sekisho.rules.what_if import Diff, Margin, Side, binomial_tail, diff
from tests.rules.what_if.small_packs import BIG, shipment, shipments, side, small_pack

NOT_OVER = '{not: {quantity: shipment_chips, op: "<=", parameter: cap, unit: chips}}'


def margin_of(found: Diff, quantity: str = "shipment_chips") -> Margin:
    """The one margin on that quantity."""
    (margin,) = [one for one in found.margins if one.threshold.quantity == quantity]
    return margin


@pytest.mark.parametrize("when", [BIG, NOT_OVER], ids=["over", "not-at-most"])
def test_each_step_of_one_per_cent_is_counted_on_its_side(when: str) -> None:
    """The cap of a thousand itself is below, 990 lies in the second step, 1,001 above, 799 and 1,200 out of reach."""
    pack = small_pack(1000, when=when)
    margin = margin_of(
        diff(shipments([1000, 991, 990, 801, 799, 1001, 1199, 1200]), *[side(pack)] * 2)
    )
    assert (margin.below[0], margin.below[1], margin.below[19]) == (2, 1, 1)
    assert (margin.above[0], margin.above[19]) == (1, 1)
    assert [margin.within(percent) for percent in (1, 2, 5, 10, 20)] == [2, 3, 3, 3, 4]
    assert (margin.measured, margin.open_amounts, margin.values) == (8, 0, 6)


def test_a_threshold_that_is_met_at_itself_has_its_value_above() -> None:
    """`>= 1000`: a thousand is beyond it."""
    pack = small_pack(1000, when=BIG.replace('">"', '">="'))
    margin = margin_of(diff(shipments([1000, 999]), *[side(pack)] * 2))
    assert (margin.below[0], margin.above[0]) == (1, 1)


def test_two_packs_with_one_threshold_have_one_margin_and_two_with_two() -> None:
    """A request is counted once for each; the sides say where the threshold stands."""
    rows = shipments([95])
    same = diff(rows, side(small_pack(100)), side(small_pack(100, name="other")))
    assert [(m.sides, m.within(10)) for m in same.margins] == [(("a", "b"), 1)]
    other = diff(rows, side(small_pack(100)), side(small_pack(90)))
    assert [(m.sides, m.threshold.value) for m in other.margins] == [(("b",), 90), (("a",), 100)]


def test_an_amount_that_is_not_known_is_counted_as_such() -> None:
    """It is never measured as nought."""
    margin = margin_of(diff([shipment("a", None)], *[side(small_pack(100))] * 2))
    assert (margin.measured, margin.open_amounts, margin.p_value) == (0, 1, None)


def test_exact_amounts_decide_where_floats_would_not() -> None:
    """10^24 - 1 is below, 10^24 + 1 above the strict threshold of 10^24."""
    flops = (10**24 - 1, 10**24, 10**24 + 1)
    rows = [
        RunRequest(id=f"r{n}", planned_flop=str(f), origin="scratch") for n, f in enumerate(flops)
    ]
    found = diff(rows, *[side(load_pack("treaty-2511"))] * 2)
    margins = [
        m
        for m in found.margins
        if m.threshold.quantity == "run_flop" and m.threshold.value == 10**24
    ]
    assert [(m.below[0], m.above[0]) for m in margins] == [(2, 1)]


def test_a_rule_that_does_not_act_has_no_margin() -> None:
    """Its threshold is nobody's concern."""
    pack = small_pack(100, status="codified", acts="false")
    assert diff(shipments([99]), *[side(pack)] * 2).margins == ()


def test_caps_of_acting_exceptions_have_margins() -> None:
    """The licence-free amount is where a shipper would stay below, once its exception is in force."""
    pack = load_pack("us-diffusion-tightened")
    found = {}
    for day in ("2026-12-31", "2027-01-01"):
        at = parse_date_or_instant(day)
        asked = Side(pack=pack, at=at, now=at)
        margins = diff([shipment("a", 10)], asked, asked).margins
        found[day] = {m.threshold.parameter: m.threshold.op for m in margins}
    assert "lpp-cap" not in found["2026-12-31"]
    assert found["2027-01-01"]["lpp-cap"] == ">"


@given(trials=st.integers(1, 1200), share=st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_the_tail_is_the_binomial_one(trials: int, share: float) -> None:
    """Against the sum of all terms in whole numbers."""
    successes = round(trials * share)
    ways = sum(math.comb(trials, k) for k in range(successes, trials + 1))
    exact = float(Fraction(ways, 2**trials))
    assert binomial_tail(successes, trials) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize(
    ("successes", "trials", "expected"),
    [(0, 10, 1.0), (10, 10, 2**-10), (5, 10, 0.623046875), (1, 1, 0.5)],
)
def test_known_values_of_the_tail(successes: int, trials: int, expected: float) -> None:
    """All heads, none, half."""
    assert binomial_tail(successes, trials) == pytest.approx(expected, rel=1e-12)


def test_a_million_trials_have_a_tail() -> None:
    """Three standard deviations above the half: about 0.00135."""
    assert binomial_tail(501_500, 1_000_000) == pytest.approx(0.00135, rel=0.01)


def test_bunching_below_gives_a_small_value_and_an_even_spread_none() -> None:
    """Forty of forty below against twenty of forty."""
    pack = small_pack(1000)
    bunched = margin_of(diff(shipments([990] * 40), *[side(pack)] * 2))
    even = margin_of(diff(shipments([990] * 20 + [1010] * 20), *[side(pack)] * 2))
    assert bunched.p_value == pytest.approx(2**-40)
    assert even.p_value is not None
    assert even.p_value > 0.5
