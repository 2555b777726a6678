"""Messages for people, in English and Japanese, one file for each face.

A key is `room.what`; both languages name the same values in braces. Codes, ids, digests and the
words of the wire are never translated. A key that is missing here is a defect, so `say` raises.

Help texts stand in the code of their command, and remedies where an error is raised, in English. For
these the English itself is the key (`PHRASES`), values in braces; `translate` leaves what it does not
know as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal

from sekisho.catalogue import (
    access,
    access_console,
    agents,
    chip_drill,
    command,
    console,
    control_pages,
    control_room,
    enforcement,
    enrolling,
    gates,
    help_agent,
    help_charter,
    help_home,
    help_licence,
    help_log,
    help_order,
    impact,
    lease_carrying,
    licensing,
    metering_console,
    metering_store,
    notices,
    operating,
    order_limits,
    order_remedies,
    ordering,
    reading,
    register_balance,
    register_console,
    registry,
    rehearsal,
    releases,
    remedies,
    rules,
    rules_console,
    running,
    scopes,
    sealing,
    signing,
    usage,
    what_if,
)

__all__ = ["MESSAGES", "PHRASES", "Language", "say", "translate"]

Language = Literal["en", "ja"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    **agents.MESSAGES,
    **access.MESSAGES,
    **access_console.MESSAGES,
    **chip_drill.MESSAGES,
    **command.MESSAGES,
    **console.MESSAGES,
    **control_pages.MESSAGES,
    **control_room.MESSAGES,
    **enforcement.MESSAGES,
    **enrolling.MESSAGES,
    **impact.MESSAGES,
    **lease_carrying.MESSAGES,
    **licensing.MESSAGES,
    **metering_console.MESSAGES,
    **metering_store.MESSAGES,
    **notices.MESSAGES,
    **operating.MESSAGES,
    **order_limits.MESSAGES,
    **ordering.MESSAGES,
    **scopes.MESSAGES,
    **sealing.MESSAGES,
    **reading.MESSAGES,
    **register_balance.MESSAGES,
    **register_console.MESSAGES,
    **registry.MESSAGES,
    **rehearsal.MESSAGES,
    **releases.MESSAGES,
    **rules.MESSAGES,
    **rules_console.MESSAGES,
    **running.MESSAGES,
    **signing.MESSAGES,
    **usage.MESSAGES,
    **what_if.MESSAGES,
}

PHRASES: Final[Mapping[str, str]] = {
    **access.PHRASES,
    **gates.PHRASES,
    **help_agent.PHRASES,
    **help_charter.PHRASES,
    **help_home.PHRASES,
    **help_licence.PHRASES,
    **help_log.PHRASES,
    **help_order.PHRASES,
    **order_remedies.PHRASES,
    **remedies.PHRASES,
}
"""English -> Japanese, of help texts, remedies and findings of checks; runs of white space count as one blank."""

_COLUMN: Final[Mapping[Language, int]] = {"en": 0, "ja": 1}


def say(key: str, language: Language, **values: object) -> str:
    """The message of `key` in `language`, with its values put in. Raises KeyError for no such key."""
    return MESSAGES[key][_COLUMN[language]].format(**values)


def translate(text: str, language: Language) -> str:
    """A help text or remedy that the code has in English, in `language`; as it is where nobody translated it."""
    if language == "en" or not text:
        return text
    english = " ".join(text.split())
    known = PHRASES.get(english)
    if known is not None:
        return known
    for pattern, japanese in _templates():
        match = pattern.fullmatch(english)
        if match is not None:
            # A value may be a phrase itself: what was found, and what is said of it.
            return japanese.format(*(translate(value, language) for value in match.groups()))
    return text


@lru_cache(maxsize=1)
def _templates() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Phrases with values, the longest first: what says most of itself is asked first."""
    with_values = sorted((k for k in PHRASES if "{}" in k), key=len, reverse=True)
    return tuple(
        (re.compile("(.+?)".join(re.escape(part) for part in key.split("{}"))), PHRASES[key])
        for key in with_values
    )
