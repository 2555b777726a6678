"""Text broken into lines, in both scripts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.adapters.paper.lines import printable, wrapped


def lines(text: str, width: int) -> list[str]:
    return wrapped(text, width, len)


def test_words_stay_whole_and_wide_characters_part() -> None:
    """English between words, Japanese between characters."""
    assert lines("one two three", 8) == ["one two", "three"]
    assert lines("影響診断書です", 3) == ["影響診", "断書で", "す"]


@pytest.mark.parametrize("mark", list("。、）」ー"))
def test_no_line_begins_with_a_closing_mark(mark: str) -> None:
    """行頭禁則."""
    assert all(not line.startswith(mark) for line in lines(f"影響診{mark}断書", 3))


def test_no_line_ends_with_an_opening_bracket() -> None:
    """行末禁則."""
    assert all(not line.endswith("（") for line in lines("影響（診断書）", 3))


@given(st.text(alphabet="abc 影響、（）。-/", max_size=80), st.integers(1, 20))
def test_nothing_is_lost_but_spaces(text: str, width: int) -> None:
    """Whatever the width."""
    assert "".join(lines(text, width)).replace(" ", "") == text.replace(" ", "")


def test_a_word_of_many_characters_is_parted() -> None:
    """A digest fits a narrow cell."""
    assert max(map(len, lines("f" * 64, 24))) <= 24


def test_what_shows_nothing_is_written_as_its_number() -> None:
    """Control and format characters; a new line is a space."""
    assert printable("a\x00b\u202ec\nd　e") == "a\\u{0}b\\u{202e}c d　e"
