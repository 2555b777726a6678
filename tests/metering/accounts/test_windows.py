"""Windows: lengths and calendars, read strictly and cut without a gap."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.metering.accounts import parse_window
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from tests.metering.accounts.made import DAY, T0, at


@given(
    st.sampled_from(["1d", "14d", "7h", "day", "month", "year"]),
    st.integers(0, 2_000_000_000),
    st.integers(1, 5_000_000),
)
def test_calendar_windows_follow_each_other_and_hold_every_instant(
    text: str, start_s: int, length_s: int
) -> None:
    """From the one that holds the start to the one that holds the end, without a gap."""
    start, end = start_s * 10**6, (start_s + length_s) * 10**6
    buckets = list(parse_window(text).buckets(start, end))
    assert buckets[0].start.us <= start
    assert buckets[-1].end.us >= end
    assert [b.start for b in buckets[1:]] == [b.end for b in buckets[:-1]]


def test_months_and_years_are_those_of_the_calendar() -> None:
    """February has its days, and December ends with the year."""
    leap = parse_window("month").bucket_at(Instant.parse("2028-02-29T12:00:00Z").us)
    assert (str(leap.start), str(leap.end)) == ("2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z")
    last = parse_window("month").bucket_at(Instant.parse("2026-12-31T23:59:59.999999Z").us)
    assert str(last.end) == "2027-01-01T00:00:00Z"
    year = parse_window("year").bucket_at(T0.us)
    assert (year.start, str(year.end)) == (T0, "2027-01-01T00:00:00Z")


def test_windows_of_so_many_days_are_counted_from_their_anchor() -> None:
    """Another anchor makes other windows, backwards too."""
    window = parse_window("14d", anchor=at(3))
    assert window.bucket_at(at(2).us).start == at(3 - 14)
    assert window.bucket_at(at(17).us).start == at(17)
    assert parse_window("14d").bucket_at(0).start == Instant(0)


@pytest.mark.parametrize("text", ["", "0d", "-1d", "30", "1w", "1e9d", "month2", "9" * 9 + "d"])
def test_what_is_no_window_is_refused_with_a_remedy(text: str) -> None:
    """A number without a unit could mean anything."""
    with pytest.raises(InvalidInput, match="30d"):
        parse_window(text)


def test_windows_without_number_are_refused() -> None:
    """A microsecond's windows over a year would fill any memory."""
    with pytest.raises(InvalidInput, match="longer windows"):
        list(parse_window("1us").buckets(0, 366 * DAY * 10**6))
