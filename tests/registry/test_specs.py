from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.registry.specs import exact, rounded, specs_of


def test_an_h100_is_one_h100_equivalent_under_both_texts() -> None:
    """The specifications of an H100 are recomputed: TPP 15832, and exactly one H100e by either text's constants."""
    specs = specs_of("NVIDIA H100-SXM5-80GB")
    assert specs is not None
    assert (specs.chip, specs.tpp.value, specs.tpp_bits) == ("H100 SXM5", "15832", 16)
    assert [figure.exact for figure in specs.h100e] == ["1", "1"]
    assert specs.h100e[0].source.startswith("arXiv")
    assert specs.performance_density.exact == str(Fraction(15832, 814))
    assert specs.performance_density.value == "19.4496"


def test_an_unknown_model_has_no_specifications() -> None:
    """A model that the table does not know is not measured: no figure, and never zero."""
    assert specs_of("Abacus 9000") is None


def test_an_unknown_die_is_not_measured() -> None:
    """Where the table has no die area the density has unit and source, and no value."""
    specs = specs_of("MI300A")
    assert specs is not None
    assert (specs.performance_density.value, specs.performance_density.exact) == (None, None)
    assert specs.performance_density.unit == "TPP/mm2"


def test_a_figure_is_no_better_known_than_its_worst_part() -> None:
    """A recalled value marks what follows from it as recalled, and is listed as to be verified."""
    specs = specs_of("H100 PCIe")
    assert specs is not None
    assert specs.tpp.mark == "R"
    assert specs.memory.mark == "P"
    assert set(specs.to_be_verified) == {"fp8", "int8"}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Fraction(0), "0"),
        (Fraction(16), "16"),
        (Fraction(1, 3), "0.3333"),
        (Fraction(-1, 8), "-0.125"),
        (Fraction(1, 10**6), "0"),
        (Fraction(123456789, 10), "12345678.9"),
    ],
)
def test_a_figure_is_written_with_four_decimals(value: Fraction, said: str) -> None:
    """A figure is written without an exponent and without idle zeros."""
    assert rounded(value) == said


@given(st.fractions())
def test_what_is_written_lies_within_half_a_unit(value: Fraction) -> None:
    """The rounded figure is nearest to the exact one, which is written in full."""
    assert abs(Fraction(rounded(value)) - value) <= Fraction(1, 20_000)
    assert Fraction(exact(value)) == value
