from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, Period, parse_date_or_instant, parse_instant

FIRST = parse_instant("0001-01-01T00:00:00Z").us
LAST = parse_instant("9999-12-31T23:59:59.999999Z").us


@given(st.integers(FIRST, LAST))
def test_every_microsecond_goes_there_and_back(us: int) -> None:
    """Years 1 to 9999, whatever the fraction."""
    assert parse_instant(str(Instant(us))).us == us


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.5Z", 500_000),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
    ],
)
def test_instants_count_exact_microseconds(text: str, us: int) -> None:
    """Fractions are counted, not rounded."""
    assert parse_instant(text).us == us


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T09:00:00",
        "2026-01-31T09:00:00+00:00",
        "2026-01-31T18:00:00+09:00",
        "2026-01-31T09:00:00-00:00",
        "2026-01-31T09:00:00z",
        "2026-01-31t09:00:00Z",
        "2026-01-31 09:00:00Z",
        "2026-01-31",
        "2026-W05-6T09:00:00Z",
        "2016-12-31T23:59:60Z",
        "2026-01-31T24:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "2026-01-31T09:00:00.0000001Z",
        "2026-01-31T09:00:00.Z",
        "2026-01-31T09:00:00Z\n",
        "٢٠٢٦-01-31T09:00:00Z",
        "",
    ],
)
def test_naive_offset_leap_second_and_malformed_instants_are_refused(text: str) -> None:
    """One spelling of UTC, and only moments that exist in it."""
    with pytest.raises(InvalidInput) as refused:
        parse_instant(text, path="effective")
    assert refused.value.path == "effective"


def test_what_lies_beyond_year_9999_has_no_text() -> None:
    """Arithmetic may pass the last year; writing it is refused by name."""
    beyond = Instant(LAST).plus(1)
    assert beyond > Instant(LAST)
    with pytest.raises(InvalidInput, match="9999"):
        str(beyond)


def test_an_instant_does_not_change_and_orders_by_time() -> None:
    """Instants are values: equal, hashable, ordered, immutable."""
    early, late = Instant(1), Instant(2)
    assert early < late
    assert late > early
    assert len({early, Instant(1), late}) == 2
    assert early != 1
    with pytest.raises(AttributeError):
        early.us = 5


def test_seconds_are_added_and_measured_exactly() -> None:
    """`plus` and `since` are inverse to the microsecond."""
    start = parse_instant("2026-11-22T09:00:00Z")
    assert str(start.plus(5.5)) == "2026-11-22T09:00:05.500Z"
    assert start.plus(5.5).since(start) == 5.5
    assert start.since(start.plus(5.5)) == -5.5


def test_a_period_is_half_open() -> None:
    """The start belongs to it, the end to the next."""
    period, following = Period(Instant(0), Instant(10)), Period(Instant(10), Instant(20))
    assert period.holds(Instant(0))
    assert not period.holds(Instant(10))
    assert following.holds(Instant(10))
    assert not period.overlaps(following)
    assert period.overlaps(Period(Instant(9), Instant(11)))


def test_a_typed_date_is_its_first_moment() -> None:
    """People type dates; they mean midnight UTC."""
    assert str(parse_date_or_instant("2026-11-22")) == "2026-11-22T00:00:00Z"
    assert str(parse_date_or_instant("2026-11-22T09:00:00Z")) == "2026-11-22T09:00:00Z"
    with pytest.raises(InvalidInput):
        parse_date_or_instant("yesterday")
