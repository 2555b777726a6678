"""Fixed English words of answers for people: why a pack has no answer, and what a deadline counts from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from sekisho.catalogue import MESSAGES, Language, say
from sekisho.rules.acting import KIND_WORDS

__all__ = ["event_in_words", "event_key", "missing_in_words"]

# The two sentences that `says_nothing` (acting.py) writes; whatever else is missing is the path of a fact.
_KIND: Final = re.compile(r"(\S+) says nothing about (.+) on that date")
_BEFORE: Final = re.compile(r"(\S+) says nothing before (\S+)")
_KINDS: Final[Mapping[str, str]] = {words: kind for kind, words in KIND_WORDS.items()}


def missing_in_words(missing: Iterable[str], language: Language) -> list[str]:
    """What an answer lacks: facts by their paths as they are, a pack's silence in the reader's language."""
    return [_silence(one, language) for one in missing]


def event_in_words(event: str, language: Language) -> str:
    """What a deadline counts from; the pack's own English where the catalogue does not know it."""
    key = event_key(event)
    return say(key, language) if key in MESSAGES else event


def event_key(event: str) -> str:
    """Under which key the catalogue has an event of a shipped pack."""
    return f"rules.event.{event.replace(' ', '-')}"


def _silence(text: str, language: Language) -> str:
    if (match := _KIND.fullmatch(text)) is not None and match[2] in _KINDS:
        if language == "en":
            return text
        kind = say(f"law.kind.{_KINDS[match[2]]}", language)
        return say("rules.silent.kind", language, pack=match[1], kind=kind)
    if (match := _BEFORE.fullmatch(text)) is not None:
        return say("rules.silent.before", language, pack=match[1], day=match[2])
    return text
