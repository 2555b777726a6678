"""Warnings of a decision for people: what was only recalled on one line, what is past its review on one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from sekisho.catalogue import Language, say

__all__ = ["warnings_in_words"]

# Decisions warn in English sentences of three forms (reliance.py); any other stays as it is.
_RECALLED: Final = re.compile(r"(.+?)(?:: to be verified| is recalled, to be verified)")
_KNOWS: Final = re.compile(r"(\S+) knows the law until (\S+); what came later is not in it")
_REVIEW: Final = re.compile(r"(.+): was to be looked at again by (\S+)")


def warnings_in_words(warnings: Iterable[str], language: Language) -> list[str]:
    """How long each pack knows the law, what else was warned of, then one line for each kind of doubt.

    A dozen entries that were only recalled are one sentence: a reader who has to pass a dozen lines passes them all.
    """
    told: list[str] = []
    recalled: list[str] = []
    past: dict[str, list[str]] = {}
    for warning in warnings:
        if (match := _RECALLED.fullmatch(warning)) is not None:
            recalled.append(match[1])
        elif (match := _KNOWS.fullmatch(warning)) is not None:
            told.append(say("rules.warn.knows", language, pack=match[1], day=match[2]))
        elif (match := _REVIEW.fullmatch(warning)) is not None:
            past.setdefault(match[2], []).append(match[1])
        else:
            told.append(warning)
    for day, names in past.items():
        told.append(say("rules.warn.review", language, names=", ".join(names), day=day))
    if recalled:
        told.append(say("rules.warn.recalled", language, names=", ".join(recalled)))
    return told
