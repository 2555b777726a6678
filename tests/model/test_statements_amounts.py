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


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_flop_around_a_threshold_are_exact(offset: int) -> None:
    """10^24 - 1, 10^24 and 10^24 + 1 are three amounts, there and back."""
    text = str(10**24 + offset)
    assert parse_flop(text) == 10**24 + offset
    assert format_flop(parse_flop(text)) == text
    assert (parse_flop(text) > 10**24) is (offset > 0)


def test_38_digits_are_the_most() -> None:
    """10^38 - 1 is an amount, 10^38 has 39 digits and is refused both ways."""
    assert parse_flop("9" * 38) == MAX_FLOP
    with pytest.raises(InvalidInput, match="38 digits"):
        parse_flop("1" + "0" * 38)
    with pytest.raises(InvalidInput, match=r"10\^38"):
        format_flop(10**38)


@pytest.mark.parametrize(
    "text",
    ["", "-1", "-0", "+1", "01", "1.0", "1e24", " 1", "1\n", "1_000", "١", "0x10", "NaN", "1,000"],
)
def test_what_is_no_plain_integer_is_no_flop_amount(text: str) -> None:
    """FLOP on the wire have one spelling."""
    with pytest.raises(InvalidInput, match="FLOP"):
        parse_flop(text, path="budget_flop")


def test_numbers_are_not_flop_text() -> None:
    """A JSON number where a string belongs is refused, however small."""
    for value in (1, 1.0, None, True, ["1"]):
        with pytest.raises(InvalidInput):
            parse_flop(value)
        with pytest.raises(InvalidInput):
            parse_amount(value)


@pytest.mark.parametrize("flop", [-1, 10**38, 10**400, -(10**400)])
def test_an_amount_outside_its_range_is_never_written(flop: int) -> None:
    """Also a number that floating point cannot hold is refused by name."""
    with pytest.raises(InvalidInput):
        format_flop(flop)


@given(st.integers(0, MAX_FLOP))
def test_flop_go_there_and_back(flop: int) -> None:
    """Writing and reading an amount changes nothing."""
    assert parse_flop(format_flop(flop)) == flop


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", Fraction(0)),
        ("-12.50", Fraction(-25, 2)),
        ("0.1", Fraction(1, 10)),
        ("7", Fraction(7)),
    ],
)
def test_other_amounts_are_exact_decimals(text: str, value: Fraction) -> None:
    """A tenth is a tenth."""
    assert parse_amount(text) == value


@pytest.mark.parametrize("text", ["-0", "-0.00", ".5", "5.", "1e3", "--1", "00", "", "1" * 81])
def test_negative_zero_and_second_spellings_are_no_amounts(text: str) -> None:
    """Negative zero, bare points, exponents and endless digits are refused."""
    with pytest.raises(InvalidInput):
        parse_amount(text, path="mass")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e24", 10**24),
        ("6.5e11", 650_000_000_000),
        ("1207959552.0", 1_207_959_552),
        ("9.99E+2", 999),
        (" 12 ", 12),
    ],
)
def test_what_people_write_is_read_exactly(text: str, value: int) -> None:
    """Scientific notation of a table never goes through floating point."""
    assert parse_quantity(text) == value


@pytest.mark.parametrize("text", ["1.5", "1e400", "1e38", "-1", "1e-3", "nan", "", "1e", "0x10"])
def test_a_quantity_that_is_no_whole_number_is_refused(text: str) -> None:
    """Halves, negatives, text and 10^400 are refused."""
    with pytest.raises(InvalidInput):
        parse_quantity(text, path="declared")


@pytest.mark.parametrize(
    ("flop", "text"),
    [
        (9_999, "9999 FLOP"),
        (1_250 * 10**18, "1.25e21 FLOP"),
        (9_999 * 10**20, "1.00e24 FLOP"),
        (10**24 - 1, "1.00e24 FLOP"),
        (10**24, "1.00e24 FLOP"),
    ],
)
def test_short_form_for_people_has_three_digits(flop: int, text: str) -> None:
    """Large amounts are shortened, small ones are not."""
    assert format_flop_short(flop) == text
