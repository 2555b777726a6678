"""FLOP intervals are exact and round outwards; declarations and host peaks are whole numbers."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.model.flop import FlopInterval, HostPeak, cpu_time_bound, declared_6nd, gemm

FLOP = st.integers(min_value=0, max_value=10**38)


@given(FLOP, FLOP, FLOP, FLOP)
def test_adding_intervals_adds_what_they_hold(a: int, b: int, c: int, d: int) -> None:
    """The sum of any two members lies in the sum, and the ends are reached exactly."""
    first, second = FlopInterval(min(a, b), max(a, b)), FlopInterval(min(c, d), max(c, d))
    total = first + second
    assert total == FlopInterval(first.low + second.low, first.high + second.high)
    assert total.holds(a + c)


@given(FLOP, st.fractions(min_value=0, max_value=1000))
def test_scaling_rounds_outwards(flop: int, factor: Fraction) -> None:
    """The exact product always stays inside, at most one FLOP wide of it."""
    scaled = FlopInterval(flop, flop).scale(factor)
    assert scaled.low <= flop * factor <= scaled.high
    assert scaled.high - scaled.low <= 1


def test_an_interval_has_its_ends_in_order_and_none_below_zero() -> None:
    """Negative FLOP and swapped ends are refused, as is a negative factor."""
    for low, high in ((2, 1), (-1, 1)):
        with pytest.raises(InvalidInput):
            FlopInterval(low, high)
    with pytest.raises(InvalidInput):
        FlopInterval(1, 2).scale(-1)
    assert FlopInterval(1, 2).hull(FlopInterval(5, 9)) == FlopInterval(1, 9)


def test_declared_compute_of_gpt3_is_six_n_d() -> None:
    """175e9 parameters and 1,207,959,552 tokens, to the last FLOP."""
    assert declared_6nd(175 * 10**9, 1_207_959_552) == 1_268_357_529_600_000_000_000


def test_a_matrix_product_counts_a_multiply_and_an_add() -> None:
    """2 m n k, and negative sizes are refused."""
    assert gemm(2, 3, 4) == 48
    with pytest.raises(InvalidInput):
        gemm(-1, 3, 4)
    with pytest.raises(InvalidInput):
        declared_6nd(1, -1)


def test_a_host_peak_is_cores_times_clock_times_width_and_says_declared() -> None:
    """The figure of issue part 6, marked as what it is."""
    peak = HostPeak(cores=8, clock_hz=3_000_000_000, flop_per_cycle=32)
    assert peak.peak_flop_per_s == 768 * 10**9
    assert peak.per_core_flop_per_s == 96 * 10**9
    assert peak.mark == "declared"
    with pytest.raises(InvalidInput):
        HostPeak(cores=0, clock_hz=1, flop_per_cycle=1)


def test_cpu_time_bounds_what_a_core_can_have_computed() -> None:
    """From 0 up to CPU seconds x peak, rounded up; nonsense is refused."""
    assert cpu_time_bound(Fraction(1, 3), 10) == FlopInterval(0, 4)
    assert cpu_time_bound(1.5, 96 * 10**9) == FlopInterval(0, 144 * 10**9)
    for seconds in (float("nan"), float("inf"), -1.0):
        with pytest.raises(InvalidInput):
            cpu_time_bound(seconds, 1)
    with pytest.raises(InvalidInput):
        cpu_time_bound(1, 0)
