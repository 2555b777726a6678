"""Exact sums: what rounding and comparison say is what one long fraction says."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from sekisho.metering.accounts.exact_sums import ExactSum

PARTS = st.lists(st.tuples(st.integers(0, 10**30), st.integers(1, 10**13)), max_size=12)


@given(PARTS)
def test_floor_ceiling_and_value_are_those_of_one_fraction(parts: list[tuple[int, int]]) -> None:
    """However many denominators meet."""
    total = sum((Fraction(n, d) for n, d in parts), Fraction(0))
    found = ExactSum(parts)
    assert found.value() == total
    assert found.floor() == total.numerator // total.denominator
    assert found.ceil() == -(-total.numerator // total.denominator)


@given(PARTS, st.integers(0, 10**31))
def test_a_sum_reaches_an_amount_exactly(parts: list[tuple[int, int]], amount: int) -> None:
    """At least means at least, to the last operation."""
    total = sum((Fraction(n, d) for n, d in parts), Fraction(0))
    assert ExactSum(parts).is_at_least(amount) == (total >= amount)


def test_thirds_that_make_a_whole_are_a_whole() -> None:
    """An enclosure alone could not tell: three thirds are one, not a little less."""
    assert ExactSum([(1, 3), (1, 7), (1, 3), (6, 7), (1, 3)]).floor() == 2
    assert ExactSum([(1, 3)] * 3).ceil() == 1


def test_equal_halves_over_coprime_times_touch_exactly() -> None:
    """A touch of coprime denominators is decided by the one long fraction."""
    parts = [(1, 3), (2, 5), (4, 15)]
    assert ExactSum(parts).is_at_least(1)
    assert not ExactSum([*parts[:2], (4 * 10**40 - 1, 15 * 10**40)]).is_at_least(1)
