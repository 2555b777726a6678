"""Words and flags as requests say them; the same words give the same fact."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from sekisho.rules.facts.shapes import FlagFact, WordFact

__all__ = ["flag", "word", "words"]

YES: Final = FlagFact(value=True)
NO: Final = FlagFact(value=False)


@lru_cache(maxsize=4096)
def word(value: str | None, name: str) -> WordFact:
    """One word, or the name of the field that would tell it."""
    if value is None:
        return WordFact(values=None, missing=(name,))
    return WordFact(values=(value,))


@lru_cache(maxsize=4096)
def words(values: tuple[str, ...] | None, name: str) -> WordFact:
    """Several words, or the name of the field that would tell them."""
    if values is None:
        return WordFact(values=None, missing=(name,))
    return WordFact(values=values)


@lru_cache(maxsize=1024)
def flag(value: bool | None, name: str) -> FlagFact:
    """Yes, no, or the name of the field that would tell it."""
    if value is None:
        return FlagFact(value=None, missing=(name,))
    return YES if value else NO
