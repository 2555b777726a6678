"""The pure pieces of the pages: bars, postings, amounts, instants, lengths of time, languages."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.licensing import Book
from sekisho.model.instants import parse_instant
from sekisho.web.bars import WIDTH, burn_down
from sekisho.web.rendering import choose_language, say_clock, say_flop, say_span, say_when

FLOP = st.integers(min_value=0, max_value=10**30)


@given(available=FLOP, leased=FLOP, consumed=FLOP, forfeited=FLOP)
def test_the_segments_of_a_bar_fill_it_without_overlap(
    available: int, leased: int, consumed: int, forfeited: int
) -> None:
    """Four segments stand end to end, from nothing to the whole budget, whatever the amounts."""
    book = Book(available=available, leased=leased, consumed=consumed, forfeited=forfeited)
    segments = burn_down(book).segments
    position = 0
    for segment in segments:
        assert segment.x == position
        assert segment.width >= 0
        position += segment.width
    assert position == (WIDTH if book.budget else 0)
    assert sum(segment.flop for segment in segments) == book.budget


@pytest.mark.parametrize(
    ("used", "level"),
    [
        (0, "below-80"),
        (799_999, "below-80"),
        (800_000, "above-80"),
        (949_999, "above-80"),
        (950_000, "above-95"),
        (999_999, "above-95"),
        (1_000_000, "spent"),
    ],
)
def test_the_marks_are_exact(used: int, level: str) -> None:
    """80, 95 and 100 % begin at their FLOP exactly, not one before."""
    book = Book(available=1_000_000 - used, leased=used)
    assert burn_down(book).level == level


@pytest.mark.parametrize(
    ("flop", "words"),
    [
        (0, "0 FLOP"),
        (9_999, "9999 FLOP"),
        (10_000, "1.00 × 10^4 FLOP"),
        (12_345, "1.23 × 10^4 FLOP"),
        (12_350, "1.24 × 10^4 FLOP"),
        (99_999, "1.00 × 10^5 FLOP"),
        (10**25, "1.00 × 10^25 FLOP"),
        (1_254 * 10**22, "1.25 × 10^25 FLOP"),
    ],
)
def test_flop_are_written_with_their_power_of_ten(flop: int, words: str) -> None:
    """Three digits and a power of ten, rounded, with the exact figure in the title."""
    markup = str(say_flop(flop))
    text = re.sub(r"<[^>]+>", "", markup.replace("<sup>", "^")).replace("\u202f", " ")
    assert text == words
    if flop >= 10_000:
        assert f'title="{flop} FLOP"' in markup


def test_instants_are_utc_with_tokyo_beside() -> None:
    """An instant is shown in UTC with Asia/Tokyo nine hours later, exact in its attribute."""
    at = parse_instant("2026-11-22T16:30:05.25Z")
    assert "2026-11-22 16:30:05 UTC" in say_when(at)
    assert "01:30:05 Asia/Tokyo" in say_when(at)
    assert 'datetime="2026-11-22T16:30:05.250Z"' in say_clock(at)


@pytest.mark.parametrize(
    ("seconds", "english", "japanese"),
    [
        (0, "0 s", "0 秒"),
        (-5, "0 s", "0 秒"),
        (59.6, "1 min", "1 分"),
        (61, "1 min 1 s", "1 分 1 秒"),
        (3_600, "1 h", "1 時間"),
        (90_061, "1 d 1 h", "1 日 1 時間"),
    ],
)
def test_lengths_of_time_are_said_in_two_units(seconds: float, english: str, japanese: str) -> None:
    """The two largest units, never below zero."""
    assert say_span(seconds, "en") == english
    assert say_span(seconds, "ja") == japanese


@pytest.mark.parametrize(
    ("query", "cookie", "accept", "expected"),
    [
        ("ja", "en", "en", "ja"),
        ("xx", "ja", "en", "ja"),
        (None, None, "ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        (None, None, "en-GB", "en"),
        (None, None, "ja;q=0", "en"),
        (None, None, "ja;q=x", "en"),
        (None, None, "", "en"),
        (None, None, "," * 10_000, "en"),
    ],
)
def test_the_language_is_chosen_by_wish(
    query: str | None, cookie: str | None, accept: str, expected: str
) -> None:
    """Address, then memory, then the browser's weighed wishes, then the server's default."""
    assert choose_language(query, cookie, accept, "en") == expected
