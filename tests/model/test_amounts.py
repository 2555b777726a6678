"""Amounts: one text for one value, exact, of at most 38 digits."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.amounts import (
    MAX_FLOP,
    format_flop,
    format_flop_short,
    parse_amount,
    parse_flop,
    parse_quantity,
)
from sekisho.model.errors import InvalidInput


@given(st.integers(min_value=0, max_value=MAX_FLOP))
def test_flop_go_there_and_back(flop: int) -> None:
    """Writing and reading gives the same integer."""
    assert parse_flop(format_flop(flop)) == flop


@pytest.mark.parametrize(
    "text", ["", "01", "-1", "+1", "1.0", "1e3", " 1", "1 ", "١", "1_0", "1" * 39, "NaN"]
)
def test_a_flop_text_with_another_spelling_is_refused(text: str) -> None:
    """Anything but 0 or a plain integer of up to 38 digits."""
    with pytest.raises(InvalidInput, match="FLOP amount"):
        parse_flop(text, path="planned_flop")


def test_flop_outside_the_wire_range_are_refused() -> None:
    """Below zero and from 10^38."""
    for flop in (-1, MAX_FLOP + 1):
        with pytest.raises(InvalidInput):
            format_flop(flop)


@pytest.mark.parametrize(
    ("flop", "short"),
    [
        (0, "0 FLOP"),
        (9999, "9999 FLOP"),
        (10_000, "1.00e4 FLOP"),
        (1_268_357_529_600_000_000_000, "1.27e21 FLOP"),
        (9_996 * 10**20, "1.00e24 FLOP"),
    ],
)
def test_people_read_three_digits(flop: int, short: str) -> None:
    """Rounded, with the carry where it rounds up to the next power."""
    assert format_flop_short(flop) == short


@pytest.mark.parametrize(
    ("text", "value"), [("12.5", Fraction(25, 2)), ("-0.1", Fraction(-1, 10)), ("0", Fraction(0))]
)
def test_an_amount_is_read_exactly(text: str, value: Fraction) -> None:
    """A tenth is a tenth, not its binary neighbour."""
    assert parse_amount(text) == value


@pytest.mark.parametrize("text", ["-0", "-0.0", "1e3", ".5", "5.", "01", "", "NaN", "9" * 81])
def test_an_amount_with_a_second_spelling_is_refused(text: str) -> None:
    """Negative zero, exponents and bare points have another text for the same value."""
    with pytest.raises(InvalidInput):
        parse_amount(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e24", 10**24),
        ("6.5e11", 650_000_000_000),
        ("1207959552.0", 1_207_959_552),
        (" 7 ", 7),
        ("1.25E+21", 1_250_000_000_000_000_000_000),
    ],
)
def test_a_count_that_a_person_wrote_is_read_exactly(text: str, value: int) -> None:
    """Scientific notation without floating point."""
    assert parse_quantity(text) == value


@pytest.mark.parametrize(
    "text", ["1e400", "1" + "0" * 400, "1.5", "-1", "NaN", "inf", "1e-3", "", "0x10", "1e38"]
)
def test_a_count_that_is_none_is_refused(text: str) -> None:
    """10^400, fractions, negatives and words."""
    with pytest.raises(InvalidInput):
        parse_quantity(text)
