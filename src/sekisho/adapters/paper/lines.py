"""Text broken into lines of a width: between words, and in Japanese between any two characters but at full stops."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Final

__all__ = ["printable", "wrapped"]

# 行頭禁則: these never begin a line.
_NEVER_FIRST: Final = frozenset(
    "。、，．：；）」』】〕％！？)],.;:!?%々ーぁぃぅぇぉっゃゅょァィゥェォッャュョ–〜"
)
# 行末禁則: these never end one.
_NEVER_LAST: Final = frozenset("（「『【([{〔")
_LONGEST: Final = 24


def printable(text: str) -> str:
    """The text with every character that shows nothing, or turns other text round, written as its number."""
    return "".join(
        c if c.isprintable() or c == "　" else " " if c == "\n" else f"\\u{{{ord(c):x}}}"
        for c in text
    )


def wrapped(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """The lines; at least one. What is wider than a whole line stands in a line of its own."""
    lines: list[str] = []
    line = ""
    for piece in _pieces(text):
        if line and measure(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()]


def _pieces(text: str) -> list[str]:
    """What stays together: a word with the space behind it, one wide character with what must not begin a line."""
    pieces: list[str] = []
    for character in text:
        last = pieces[-1] if pieces else ""
        joins = bool(last) and (character in _NEVER_FIRST or _is_one_word(last, character))
        if joins:
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def _is_one_word(last: str, character: str) -> bool:
    if character == " " or last[-1] in _NEVER_LAST:
        return True
    is_wide = _is_wide(character) or _is_wide(last[-1])
    return not is_wide and last[-1] not in " -/" and len(last) < _LONGEST


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"
