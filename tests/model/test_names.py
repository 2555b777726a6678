"""Names as they are counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.names import fold_name


@pytest.mark.parametrize(
    "written", ["Acme Inc", "ACME  INC", "ａｃｍｅ\u3000ｉｎｃ", " acme\tinc ", "ac\u200bme inc"]
)
def test_spellings_that_a_person_takes_for_one_name_are_one(written: str) -> None:
    """Capitals, widths, spaces, and what nobody sees."""
    assert fold_name(written) == "acme inc"


def test_a_name_of_which_nothing_is_left_is_no_name() -> None:
    """It may be anybody's."""
    assert fold_name(" \u200b ") == ""


@given(st.text(max_size=30))
def test_folding_twice_is_folding_once(written: str) -> None:
    """A key found again is the same key."""
    assert fold_name(fold_name(written)) == fold_name(written)
