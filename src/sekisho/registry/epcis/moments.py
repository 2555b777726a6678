"""Date-times as EPCIS writes them: with a zone, real days only; hashed in UTC with milliseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from sekisho.model.instants import Instant

__all__ = ["canonical_moment", "is_zone", "parse_moment"]

_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,12})?"
    r"(?:Z|[+\-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+\-]14:00)"
)
# The published schema's pattern: hours 00 to 14, minutes 00 to 59.
_ZONE: Final = re.compile(r"[+\-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST: Final = -62_135_596_800_000_000  # year 1
_LATEST: Final = 253_402_300_799_000_000  # the last second of year 9999: rounding stays within it


@lru_cache(maxsize=4096)  # the events of one document share many
def parse_moment(text: str) -> Instant | None:
    """The instant of an EPCIS date-time, digits behind the microsecond cut off; None where it is none.

    30 February, hour 24, second 60, a missing or impossible zone and years beyond 1 to 9999 are none.
    """
    if not _MOMENT.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    past = moment - _EPOCH
    us = past.days * 86_400_000_000 + past.seconds * 1_000_000 + past.microseconds
    return Instant(us) if _EARLIEST <= us <= _LATEST else None


def canonical_moment(at: Instant) -> str:
    """UTC with exactly three digits of a second, the fourth rounded half up (CBV 2.0)."""
    moment = _EPOCH + timedelta(milliseconds=(at.us + 500) // 1000)
    return f"{moment.isoformat(timespec='milliseconds')[:23]}Z"


def is_zone(text: object) -> bool:
    """Whether this is a time zone offset such as +09:00, at most 14 hours."""
    return isinstance(text, str) and _ZONE.fullmatch(text) is not None
