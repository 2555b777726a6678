"""Forecasts: when a threshold will be met, if what runs goes on."""

from __future__ import annotations

from fractions import Fraction

import pytest

from sekisho.metering.accounts import Forecast, Stretch, WorkLine, forecast
from sekisho.metering.accounts.forecast import Ahead
from sekisho.model.instants import Instant

NOW = 1_000
PAST = WorkLine([Stretch(0, NOW, 1_000, 1_000)])  # one a microsecond, until now


def asked(
    rate: Fraction | None, threshold: int, *, window: int | None = None, until: int | None = None
) -> Forecast:
    ahead = Ahead(now=NOW, horizon=10_000, window_us=window)
    return forecast(PAST, [(rate, until)], threshold, ahead)


def test_the_instant_is_when_the_rate_reaches_the_rest() -> None:
    """A thousand so far, two a microsecond from now: fifteen hundred after 250."""
    found = asked(Fraction(2), 1_500)
    assert (found.outlook, found.at) == ("will be met", Instant(1_250))
    assert "1 allocations" in found.rests_on
    assert "without an end" in found.rests_on


def test_a_rate_of_thirds_is_met_at_the_first_whole_microsecond() -> None:
    """1,001 at a third each: three microseconds."""
    assert asked(Fraction(1, 3), 1_001).at == Instant(NOW + 3)


def test_what_slides_out_counts_against() -> None:
    """In a window of 500 the same rate holds the sum; a faster one raises it by the difference."""
    assert asked(Fraction(1), 501, window=500).outlook == "not within the horizon"
    assert asked(Fraction(3), 700, window=500).at == Instant(NOW + 100)


def test_an_allocation_that_ends_before_does_not_meet_it() -> None:
    """Its end is believed, since the record says it."""
    assert asked(Fraction(2), 1_500, until=NOW + 249).outlook == "not within the horizon"
    assert asked(Fraction(2), 1_500, until=NOW + 250).at == Instant(1_250)


def test_what_is_met_is_met() -> None:
    """No date is foreseen for what is behind."""
    assert asked(None, 1_000).outlook == "met"


def test_what_cannot_be_told_is_not_measured_and_not_never() -> None:
    """A rate that nobody knows may meet anything."""
    assert asked(None, 1_001).outlook == "not measured"
    ahead = Ahead(now=NOW, horizon=10_000, window_us=None)
    assert forecast(PAST, [], 2_000, ahead, lacking=1).outlook == "not measured"
    assert forecast(PAST, [], 2_000, ahead).outlook == "not within the horizon"


def test_one_known_rate_beside_an_unknown_one_meets_it_by_then() -> None:
    """What is known suffices for a date; the unknown rate is said."""
    ahead = Ahead(now=NOW, horizon=10_000, window_us=None)
    found = forecast(PAST, [(Fraction(1), None), (None, None)], 1_100, ahead)
    assert (found.outlook, found.at) == ("will be met", Instant(1_100))
    assert "not measured" in found.rests_on


@pytest.mark.parametrize("rate", [Fraction(1, 7), Fraction(5), Fraction(10**30, 3)])
def test_the_forecast_is_what_the_account_finds_when_it_came_so(rate: Fraction) -> None:
    """Had the rate gone on, the crossing would have been at this very instant."""
    threshold = 1_000 + int(rate * 700)
    found = asked(rate, threshold)
    going = Stretch(NOW, 10_000, rate.numerator, rate.denominator)
    came = WorkLine([*PAST.stretches, going]).find_passings([threshold], None)
    assert found.at is not None
    assert [passing.at for passing in came] == [found.at.us]
