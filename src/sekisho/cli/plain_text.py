"""Foreign text on a terminal: nothing that somebody wrote may move the cursor, hide, or pose as a line of ours."""

from __future__ import annotations

import unicodedata

__all__ = ["quote", "tame", "wrap"]

WIDTH = 100
# Spaces that Japanese and English prose needs; every other character that shows nothing is written as its number.
_SPACES = (" ", "　")
# Japanese lines neither begin with these nor end with those.
_CLOSING = "、。，．・：；！？）」』】〕々ー"
_OPENING = "（「『【〔"
_LONGEST = 64  # columns of a word that is not folded


def tame(text: str) -> str:
    """The text with every control, format and private character as its number; printable text is as it was."""
    return "".join(_show(c) if _is_hidden(c) else c for c in text)


def quote(text: str) -> str:
    """Somebody else's free text, in quotation marks: backslashes and marks doubled, so that it reads back one way.

    Runs of spaces are written out, since a long one could push words to where our own lines begin.
    """
    marked = "".join("\\" + c if c in '\\"' else _show(c) if _is_hidden(c) else c for c in text)
    while "  " in marked or "　　" in marked:
        marked = marked.replace("  ", " \\u{20}").replace("　　", "　\\u{3000}")
    return f'"{marked}"'


def wrap(text: str, indent: int, width: int = WIDTH) -> str:
    """The text folded to `width` columns, later lines indented: our labels alone begin at the left edge."""
    lines: list[str] = []
    line, used = "", 0
    for word in _words(text):
        size = columns(word)
        if used + size > width - indent and line:
            lines.append(line.rstrip())
            line, used = "", 0
            word = word.lstrip()  # noqa: PLW2901 - a folded line does not begin with the space before it
            size = columns(word)
        line += word
        used += size
    return ("\n" + " " * indent).join([*lines, line])


def columns(text: str) -> int:
    """How many columns a terminal gives the text: East Asian wide characters take two."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _words(text: str) -> list[str]:
    """Pieces between which a line may be folded: before a space, around wide characters, within very long words."""
    words: list[str] = []
    for c in text:
        wide = unicodedata.east_asian_width(c) in "WF"
        kept = words and c != " " and (c in _CLOSING or words[-1][-1] in _OPENING)
        if kept and columns(words[-1]) < _LONGEST:
            words[-1] += c
        elif (
            not words
            or c == " "
            or wide
            or columns(words[-1]) >= _LONGEST
            or columns(words[-1][-1]) == 2
        ):
            words.append(c)
        else:
            words[-1] += c
    return words


def _is_hidden(c: str) -> bool:
    return not (c.isprintable() or c in _SPACES)


def _show(c: str) -> str:
    return f"\\u{{{ord(c):x}}}"
