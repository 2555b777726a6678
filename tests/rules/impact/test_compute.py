"""Chips x hours x peak x utilisation, exactly."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.amounts import MAX_FLOP
from sekisho.rules.impact.compute import chips_of, computed, designed_in_china
from tests.rules.impact.companies import maker


def test_eight_h100_for_thirty_days_at_forty_per_cent() -> None:
    """8.2e21 FLOP, 0.08 % of 1e25 (derived from 989.5 TFLOP/s dense); the bound counts FP8 without a pause."""
    found = computed(maker(utilisation="40"))
    assert found is not None
    seconds = 8 * 720 * 3600
    assert found.estimate == (seconds * 989_500_000_000_000 * 2 // 5,) * 3
    assert found.bound == seconds * 1_979_000_000_000_000
    assert format(found.estimate[1] / 1e25, ".2%") == "0.08%"


def test_an_assumed_utilisation_is_a_range_and_says_so() -> None:
    """30, 40, 50 per cent."""
    found = computed(maker())
    assert found is not None
    assert not found.stated
    low, best, high = found.estimate
    assert low * 4 == best * 3
    assert high * 4 == best * 5


@pytest.mark.parametrize("left_out", ["chip", "chip_count", "hours"])
def test_what_is_not_known_is_not_computed(left_out: str) -> None:
    """No figure, rather than a small one."""
    assert computed(maker(**{left_out: None})) is None


def test_a_chip_of_no_table_counts_by_its_stated_peak() -> None:
    """For the bound and for the estimate; without a peak nothing is computed."""
    found = computed(maker(chip="Example X1", chip_peak="100", utilisation="50"))
    assert found is not None
    assert found.bound == 2 * found.estimate[1] == 8 * 720 * 3600 * 10**14
    assert computed(maker(chip="Example X1")) is None
    chips = chips_of(maker(chip="Example X1", chip_peak="100"))
    assert chips is not None
    assert chips.declared is not None


@given(
    st.integers(1, 10**9),
    st.fractions(min_value=0, max_value=10**7, max_denominator=1000),
    st.integers(0, 100),
)
def test_the_estimate_never_exceeds_the_bound(count: int, hours: Fraction, percent: int) -> None:
    """Whatever was answered; and both stay within 38 digits."""
    given_ = maker(chip_count=str(count), hours=str(float(hours)), utilisation=str(percent))
    found = computed(given_)
    assert found is not None
    assert 0 <= found.estimate[1] <= found.bound <= MAX_FLOP


def test_where_a_chip_was_designed_is_known_or_unknown_never_guessed() -> None:
    """Between the thresholds of 3A090 it depends on the die."""
    assert designed_in_china(maker()) is False
    assert designed_in_china(maker(chip="Ascend 910B2")) is True
    assert designed_in_china(maker(chip="Example X1")) is None
    assert designed_in_china(maker(chip="Example X1", chip_designed_in="CN")) is None
    assert designed_in_china(maker(chip="Example X1", chip_designed_in="FR")) is False
