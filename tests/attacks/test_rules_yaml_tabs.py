"""Attack: a tab, or a character that looks like none, so that indentation reads differently in two editors."""

from __future__ import annotations

import pytest

from sekisho.model.errors import InvalidInput
from tests.written_packs import FULL, line_of, read


@pytest.mark.parametrize("where", ["outcome: licence", "standing: law", "lifts: [to-concern]"])
def test_a_tab_is_refused_with_its_line(where: str) -> None:
    """Inside a line as well as before it."""
    for text in (
        FULL.replace(where, where.replace(" ", "\t", 1), 1),
        FULL.replace(where, f"\t{where}"),
    ):
        with pytest.raises(InvalidInput, match="a tab") as caught:
            read(text)
        assert caught.value.path == f"p.yaml:{line_of(text, chr(9))}"


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\ufeff", "\x7f", "\u2028"])
def test_a_control_character_is_refused(character: str) -> None:
    """What an editor does not show cannot be part of a rule."""
    with pytest.raises(InvalidInput):
        read(FULL.replace("title: A pack", f"title: A{character} pack"))


def test_a_no_break_space_is_no_indentation() -> None:
    """It looks like a space and is text."""
    with pytest.raises(InvalidInput):
        read(FULL.replace("    outcome: licence", "   \u00a0outcome: licence"))
