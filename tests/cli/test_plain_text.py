"""Folding for a terminal: Japanese lines begin and end where a reader expects, and no line is wider than asked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sekisho.cli.plain_text import columns, wrap

TEXT = "学習計算量：上限 41 FLOP（全チップが最速形式で常時稼働とした値）、効率 40 %（仮定値、O）。"


def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one() -> None:
    """At every width from narrow to wide."""
    for width in range(24, 100):
        for line in wrap(TEXT, 0, width).split("\n"):
            assert line[0] not in "、。）："
            assert line[-1] not in "（「"


@given(st.text(alphabet="あ。（）「a 、", max_size=400))
def test_no_line_is_wider_than_asked(text: str) -> None:
    """Runs of marks fold as well: an unfolded line would begin again at the left edge, where our labels stand."""
    for line in wrap(text, 4, 100).split("\n"):
        assert columns(line) <= 100


@given(st.text(alphabet="あ。（）「a、", max_size=400))
def test_folding_loses_nothing(text: str) -> None:
    """But the spaces at which it folds."""
    assert wrap(text, 2, 80).replace("\n  ", "") == text
