"""Counting rules: what one operation is worth, as three texts would have it."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.metering.counting import BITS_OF, COUNTS, CountingRule, parse_counting_rule
from sekisho.model.chips import Chip, known_chips
from sekisho.model.errors import InvalidInput

FORMATS = st.sampled_from(sorted(BITS_OF))
CHIPS = st.sampled_from(list(known_chips()))


def chip(name: str) -> Chip:
    """A chip of the table."""
    found = known_chips().find(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("count", "fp32", "bf16", "fp8", "fp4"),
    [
        ("format-used", 1, 1, 1, 1),
        ("bf16-equivalent", 2, 1, Fraction(1, 2), Fraction(1, 4)),
        ("max-over-formats", 2, 1, 1, 1),
    ],
)
def test_an_operation_weighs_by_the_rule(
    count: str, fp32: int, bf16: int, fp8: Fraction, fp4: Fraction
) -> None:
    """One; its bits over sixteen; the larger of the two."""
    rule = parse_counting_rule(count)
    assert [rule.weight(name) for name in ("fp32", "bf16", "fp8", "fp4")] == [fp32, bf16, fp8, fp4]


@given(FORMATS)
def test_the_treaty_rule_is_the_larger_of_the_other_two(name: str) -> None:
    """Draft Art. II.4, for every format."""
    used, by_bits, larger = (
        CountingRule(count=count).weight(name)
        for count in ("format-used", "bf16-equivalent", "max-over-formats")
    )
    assert larger == max(used, by_bits)


@given(st.dictionaries(FORMATS, st.integers(0, 10**30)), st.sampled_from(COUNTS))
def test_flop_of_a_mixture_add_up_exactly(operations: dict[str, int], count: str) -> None:
    """Format by format, without rounding."""
    rule = parse_counting_rule(count)
    assert rule.count_flop(operations) == sum(
        rule.count_flop({name: n}) for name, n in operations.items()
    )


def test_the_default_peak_is_the_fastest_format_and_equivalents_are_the_16_bit_one() -> None:
    """H100: 1,979e12 in FP8, half of that as BF16 equivalents; twice with skipped zeros."""
    h100 = chip("H100 SXM5")
    assert CountingRule().peak(h100) == 1979 * 10**12
    assert CountingRule(count="bf16-equivalent").peak(h100) == Fraction(1979 * 10**12, 2)
    nominal = CountingRule(sparsity="nominal")
    assert nominal.peak(h100) == 2 * 1979 * 10**12
    assert nominal.peak(h100, has_sparsity=False) == 1979 * 10**12


@given(CHIPS, FORMATS, st.sampled_from(COUNTS))
def test_no_rate_of_a_format_passes_the_peak_of_the_rule(one: Chip, name: str, count: str) -> None:
    """Else a bound by the peak would not hold."""
    rule = parse_counting_rule(count)
    rate = rule.rate(one, name)
    assert rate is None or rate <= rule.peak(one)


def test_tf32_runs_at_half_the_16_bit_rate_and_counts_for_two() -> None:
    """So the treaty rule gives both the same; operations in the format used are half."""
    h100 = chip("H100 SXM5")
    assert CountingRule().rate(h100, "tf32") == CountingRule().rate(h100, "bf16")
    used = CountingRule(count="format-used")
    assert used.rate(h100, "tf32") == Fraction(9895 * 10**11, 2)
    assert used.rate(h100, "fp64") is None


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("sparsity", ["", ", nominal"])
def test_a_rule_goes_there_and_back_as_text(count: str, sparsity: str) -> None:
    """Its name is what is parsed."""
    assert parse_counting_rule(count + sparsity).name == count + sparsity


@pytest.mark.parametrize("text", ["", "fp16", "bf16-equivalent, nominal, nominal", "nominal"])
def test_another_word_is_refused_with_the_words_that_are_known(text: str) -> None:
    """The remedy lists them."""
    with pytest.raises(InvalidInput, match="max-over-formats"):
        parse_counting_rule(text)


def test_an_unknown_format_is_refused() -> None:
    """A weight of one would be a guess."""
    with pytest.raises(InvalidInput, match="fp3"):
        CountingRule().weight("fp3")
