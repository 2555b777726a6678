"""One word of a closed list, as people type it."""

from __future__ import annotations

from typing import TypeVar

from sekisho.model.errors import InvalidInput

__all__ = ["parse_choice"]

Word = TypeVar("Word", bound=str)


def parse_choice(word: str, offered: tuple[Word, ...], *, path: str, noun: str) -> Word:
    """The word of the list that was typed as the option `path`. Raises InvalidInput naming every one offered."""
    for one in offered:
        if one == word:
            return one
    raise InvalidInput(f"{word[:40]!r} is no {noun}", path=path, remedy=f"use {', '.join(offered)}")
