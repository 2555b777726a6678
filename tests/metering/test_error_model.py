"""The error model: every part has a number or a formula, a source and a mark, and they combine as documented."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.metering.error_model import (
    ERROR_MODEL,
    ErrorPart,
    combine_errors,
    error_part,
    sampling_error,
    tile_error,
)

SHARES = st.integers(0, 1000).map(lambda permille: Fraction(permille, 1000))
PARTS = st.lists(st.tuples(SHARES, SHARES, st.booleans()), max_size=6)


@pytest.mark.parametrize("part", ERROR_MODEL, ids=lambda part: part.name)
def test_every_part_says_how_much_why_and_who_says_so(part: ErrorPart) -> None:
    """A number is a share; a part without one says how it is computed."""
    assert part.source
    assert part.why
    assert set(part.tiers.split()) <= {"1", "2", "3"}
    for share in (part.low, part.high):
        assert share is None or 0 <= share <= 1
    assert error_part(part.name) is part


def test_systematic_parts_add_and_random_ones_add_in_quadrature() -> None:
    """1 % + 2 % + root(3 %^2 + 4 %^2) = 8 %."""
    low, high = combine_errors(
        [
            (Fraction(1, 100), Fraction(0), False),
            (Fraction(2, 100), Fraction(1, 100), False),
            (Fraction(3, 100), Fraction(3, 100), True),
            (Fraction(4, 100), Fraction(4, 100), True),
        ]
    )
    assert (low, high) == (Fraction(8, 100), Fraction(6, 100))


@given(PARTS, st.tuples(SHARES, SHARES, st.booleans()))
def test_one_more_part_never_makes_an_error_smaller(
    parts: list[tuple[Fraction, Fraction, bool]], more: tuple[Fraction, Fraction, bool]
) -> None:
    """And no error below is more than everything."""
    low, high = combine_errors(parts)
    lower, higher = combine_errors([*parts, more])
    assert lower >= low
    assert higher >= high
    assert lower <= 1


@given(st.integers(1, 10**6), st.integers(1, 10**7), st.integers(1, 10**7), st.integers(0, 10**6))
def test_sampling_grows_with_the_period_and_as_activity_falls(
    period: int, active: int, allocated: int, less: int
) -> None:
    """Active time alone decides, so a gap that hides busy readings widens it."""
    whole = Fraction(max(active, allocated))
    error = sampling_error(Fraction(period), Fraction(active), whole)
    assert error <= sampling_error(Fraction(period + 1), Fraction(active), whole)
    assert error <= sampling_error(Fraction(period), Fraction(max(active - less, 1)), whole)


def test_spot_readings_of_an_hour_at_forty_per_cent() -> None:
    """360 readings: 2 x root(1.5 / 360) = 12.9 %; nothing active is wholly unknown; always active has none."""
    hour = Fraction(3_600_000)
    error = sampling_error(Fraction(10_000), hour * 4 / 10, hour)
    assert abs(float(error) - 2 * (1.5 / 360) ** 0.5) < 1e-5
    assert sampling_error(Fraction(1), Fraction(0), hour) == 1
    assert sampling_error(Fraction(10_000), hour, hour) == 0


def test_padding_is_feared_most_where_little_was_active() -> None:
    """The steps that the table names."""
    shares = [
        Fraction(1),
        Fraction(25, 100),
        Fraction(24, 100),
        Fraction(10, 100),
        Fraction(9, 100),
    ]
    assert [tile_error(share) * 100 for share in shares] == [8, 8, 35, 35, 97]
