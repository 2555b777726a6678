"""The exact binomial interval: against closed forms, against sums, and what little a small count proves."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.metering import Coverage, binomial_interval
from sekisho.model.errors import InvalidInput

GRID = Fraction(1, 1 << 20)


@pytest.mark.parametrize("of", [1, 2, 5, 15, 100])
def test_all_held_has_the_closed_form(of: int) -> None:
    """Lower end = 0.025^(1/n), to one step of the grid, rounded down."""
    low, high = binomial_interval(of, of)
    exact = 0.025 ** (1 / of)
    assert high == 1
    assert exact - 2 * GRID <= low <= exact


def test_published_values_come_out() -> None:
    """3 of 10: 6.67 % to 65.25 %; 0 of 20: 0 to 16.84 %."""
    low, high = binomial_interval(3, 10)
    assert (round(float(low), 4), round(float(high), 4)) == (0.0667, 0.6525)
    assert binomial_interval(0, 20)[0] == 0
    assert round(float(binomial_interval(0, 20)[1]), 4) == 0.1684


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_each_end_leaves_a_fortieth_in_its_tail(case: tuple[int, int]) -> None:
    """At the end itself the tail is at most 1/40, one grid step inwards it is more."""
    held, of = case
    low, high = binomial_interval(held, of)

    def upper_tail(k: int, share: Fraction) -> Fraction:
        return sum(
            (comb(of, i) * share**i * (1 - share) ** (of - i) for i in range(k, of + 1)),
            Fraction(0),
        )

    assert low <= Fraction(held, of) <= high
    if held:
        assert upper_tail(held, low) <= Fraction(1, 40) < upper_tail(held, low + GRID)
    if held < of:
        assert 1 - upper_tail(held + 1, high) <= Fraction(1, 40)
        assert 1 - upper_tail(held + 1, high - GRID) > Fraction(1, 40)


@given(st.integers(0, 30), st.integers(0, 30))
def test_what_held_and_what_failed_mirror_each_other(held: int, failed: int) -> None:
    """The interval of k is one less the interval of n - k."""
    of = held + failed
    low, high = binomial_interval(held, of)
    if of:
        assert low == 1 - binomial_interval(failed, of)[1]
    assert high == 1 - binomial_interval(failed, of)[0]


def test_five_of_five_systems_leave_room_for_less_than_half() -> None:
    """Which is why the product says that a handful proves little."""
    found = Coverage.count(5, 5)
    assert found.low < 0.5
    assert str(found) == "5 of 5 (95 %: 47.8% to 100.0%)"


def test_nothing_tried_proves_nothing() -> None:
    """[0, 1], and impossible counts are refused."""
    assert binomial_interval(0, 0) == (Fraction(0), Fraction(1))
    for held, of in ((2, 1), (-1, 3)):
        with pytest.raises(InvalidInput, match="count of cases"):
            binomial_interval(held, of)
