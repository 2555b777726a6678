"""Lengths of time as people type and read them: 90s, 30m, 24h, 14d."""

from __future__ import annotations

import re

from sekisho.catalogue import Language, say
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant

__all__ = ["length_in_words", "parse_length", "when_in_words"]

_LENGTH = re.compile(r"([0-9]{1,9})\s*(s|m|h|d)|0")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_MAX_S = 10**9


def parse_length(text: str, *, path: str) -> int:
    """Seconds from `90s`, `30m`, `24h`, `14d`, or 0. Raises InvalidInput, also where a number has no unit."""
    match = _LENGTH.fullmatch(text.strip())
    seconds = _MAX_S + 1
    if match:
        seconds = int(match[1]) * _SECONDS[match[2]] if match[1] else 0
    if seconds > _MAX_S:
        raise InvalidInput(
            f"{text[:40]!r} is not a length of time", path=path, remedy="write 90s, 30m, 24h or 14d"
        )
    return seconds


def length_in_words(seconds: float, language: Language) -> str:
    """The two largest units of a length of time; below a minute seconds."""
    whole = round(seconds)
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, whole = divmod(whole, size)
        if count:
            parts.append(say(f"length.{unit}", language, count=count))
    return " ".join(parts[:2]) or say("length.s", language, count=0)


def when_in_words(at: Instant, now: Instant, language: Language) -> str:
    """An instant with how far it lies from now."""
    away = at.since(now)
    length = length_in_words(abs(away), language)
    return f"{at} ({say('when.ahead' if away >= 0 else 'when.past', language, length=length)})"
