"""Figures as people type them, read exactly."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.rules.impact.numerals import format_exact, read_amount, read_threshold


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("5760", "hours", 5760),
        ("３０日", "hours", 720),
        ("30 days", "hours", 720),
        ("2週間", "hours", 336),
        ("1か月", "hours", 744),
        ("1年", "hours", 8784),
        ("1.2億", "money/year", 120_000_000),
        ("3億5000万円", "money/year", 350_000_000),
        ("¥5,000", "money/hour", 5000),
        ("３．８×１０^２５", "FLOP", 38 * 10**24),
        ("3.8e25 FLOP", "FLOP", 38 * 10**24),
        ("10²⁵", "FLOP", 10**25),
        ("10^25", "FLOP", 10**25),
        ("40％", "%", 40),
        ("989.5 TFLOP/s", "TFLOP/s", Fraction(9895, 10)),
        ("2 PFLOPS", "TFLOP/s", 2000),
        ("１６枚", "chips", 16),
        ("1,234,567", "chips", 1_234_567),
    ],
)
def test_figures_in_both_languages_and_widths_are_read(
    text: str, unit: str, value: int | Fraction
) -> None:
    """Digits of either width, myriads, powers, separators and units."""
    assert read_amount(text, unit) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "万",
        "1億2億",
        "2万1億",
        "-3",
        "1e",
        "NaN",
        "1e99",
        "5e5e5",
        "3x",
        "1.2.3",
        "1,5",
        "12,34",
        "十",
        "1" * 90,
    ],
)
def test_what_is_no_figure_is_refused_with_an_example(text: str) -> None:
    """Nothing is guessed: a comma before one digit may be a decimal point elsewhere."""
    with pytest.raises(InvalidInput, match="write digits") as refused:
        read_amount(text, "FLOP", path="answers.base_flop")
    assert refused.value.path == "answers.base_flop"


@given(st.fractions(min_value=0, max_value=10**30, max_denominator=10**6))
def test_a_written_figure_is_never_smaller_than_the_figure(value: Fraction) -> None:
    """Six places, rounded up, and read back the same: a bound stays a bound."""
    text = format_exact(value)
    assert 0 <= Fraction(text) - value < Fraction(1, 10**6)
    assert read_amount(text, "USD") == Fraction(text)


def test_a_trace_s_numbers_are_read_and_its_words_are_not() -> None:
    """Of an interval the upper end; what has no end is no number."""
    assert read_threshold("12.5") == Fraction(25, 2)
    assert read_threshold("1/3") == Fraction(1, 3)
    assert read_threshold("3 to 7") == 7
    assert read_threshold("at least 3") is None
    assert read_threshold("unknown") is None
