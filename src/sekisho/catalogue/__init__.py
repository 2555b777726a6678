"""Messages for people, in English and Japanese, one file for each face.

A key is `room.what`; both languages name the same values in braces. Codes, ids, digests and the
words of the wire are never translated. A key that is missing here is a defect, so `say` raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from sekisho.catalogue import (
    chip_drill,
    command,
    console,
    enforcement,
    enrolling,
    impact,
    lease_carrying,
    licensing,
    metering_console,
    metering_store,
    ordering,
    reading,
    register_balance,
    register_console,
    registry,
    rehearsal,
    releases,
    rules,
    rules_console,
    running,
    signing,
    usage,
    what_if,
)

__all__ = ["MESSAGES", "Language", "say"]

Language = Literal["en", "ja"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    **chip_drill.MESSAGES,
    **command.MESSAGES,
    **console.MESSAGES,
    **enforcement.MESSAGES,
    **enrolling.MESSAGES,
    **impact.MESSAGES,
    **lease_carrying.MESSAGES,
    **licensing.MESSAGES,
    **metering_console.MESSAGES,
    **metering_store.MESSAGES,
    **ordering.MESSAGES,
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

_COLUMN: Final[Mapping[Language, int]] = {"en": 0, "ja": 1}


def say(key: str, language: Language, **values: object) -> str:
    """The message of `key` in `language`, with its values put in. Raises KeyError for no such key."""
    return MESSAGES[key][_COLUMN[language]].format(**values)
