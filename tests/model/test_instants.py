"""Instants: UTC only, exact microseconds, one text for one moment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import (
    Instant,
    Period,
    format_instant,
    parse_date_or_instant,
    parse_instant,
)

# 0001-01-01 to 9999-12-31
MICROSECONDS = st.integers(min_value=-62_135_596_800_000_000, max_value=253_402_300_799_999_999)


@given(MICROSECONDS)
def test_an_instant_goes_there_and_back(us: int) -> None:
    """To the microsecond, over all years that RFC 3339 can write."""
    assert parse_instant(format_instant(Instant(us))).us == us


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_500_000, "1970-01-01T00:00:01.500Z"),
        (1_000_001, "1970-01-01T00:00:01.000001Z"),
    ],
)
def test_the_shortest_exact_fraction_is_written(us: int, text: str) -> None:
    """No fraction, milliseconds or microseconds."""
    assert str(Instant(us)) == text


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00+00:00",
        "2026-01-01T09:00:00+09:00",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01t00:00:00z",
        "2026-01-01T00:00:00.1234567Z",
        "",
    ],
)
def test_a_time_that_is_naive_foreign_or_impossible_is_refused(text: str) -> None:
    """Only UTC with Z, only days that exist."""
    with pytest.raises(InvalidInput):
        parse_instant(text, path="effective")


def test_a_date_is_its_first_moment_in_utc() -> None:
    """As people type it on a command line."""
    assert str(parse_date_or_instant("2026-01-31")) == "2026-01-31T00:00:00Z"
    with pytest.raises(InvalidInput):
        parse_date_or_instant("2026-02-30")


def test_an_instant_does_not_change_and_orders_by_time() -> None:
    """It can be a key, and sorting is by moment."""
    early, late = Instant(1), Instant(2)
    assert early < late
    assert early <= Instant(1)
    assert {early: "x"}[Instant(1)] == "x"
    assert late.since(early) == 0.000001
    assert early.plus(1).us == 1_000_001
    with pytest.raises(AttributeError):
        early.us = 3


def test_a_period_holds_its_start_and_not_its_end() -> None:
    """Half-open, so that neighbours share no moment."""
    first, second = Period(Instant(0), Instant(10)), Period(Instant(10), Instant(20))
    assert first.holds(Instant(0))
    assert not first.holds(Instant(10))
    assert not first.overlaps(second)
    assert first.overlaps(Period(Instant(9), Instant(11)))
