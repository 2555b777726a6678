"""Times of a cluster's own clock, which Slurm prints without a zone.

An hour that a clock lives through twice is read so that the elapsed time fits; where nobody says how long the job ran,
the earlier start and the later end are taken, because a bound must not lose the hour.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from sekisho.adapters.telemetry.table_columns import parse_time
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant

__all__ = ["LocalTimes"]

_OFFSET: Final = re.compile(r"([+-])(\d\d):?(\d\d)", re.ASCII)
_NAIVE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII)
_WITH_OFFSET: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)([+-]\d\d):?(\d\d)", re.ASCII)
_ELAPSED: Final = re.compile(r"(?:(\d{1,5})-)?(\d{1,3}):(\d\d):(\d\d)", re.ASCII)
_NONE: Final = frozenset({"", "unknown", "none", "n/a", "invalid"})


class LocalTimes:
    """Reads the times of one cluster. `zone` is a name of the tz database, an offset, or "" where nobody says."""

    def __init__(self, zone: str) -> None:
        self._zone = _zone(zone) if zone else None

    def period(
        self, start: str, end: str, elapsed: str = ""
    ) -> tuple[Instant, Instant | None] | None:
        """Start and end; end None for one that is not known, None for no start at all.

        Raises InvalidInput for what is no time, and for a time without a zone where none was given.
        """
        starts, ends = self._readings(start), self._readings(end)
        if not starts:
            return None
        if not ends:
            return Instant(starts[0]), None
        ran = _seconds(elapsed)
        pairs = [
            (s, e) for s in starts for e in ends if ran is not None and e - s == ran * 1_000_000
        ]
        first, last = pairs[0] if pairs else (min(starts), max(ends))
        return Instant(first), Instant(last)

    def _readings(self, text: str) -> tuple[int, ...]:
        """The instants that a text may mean: none, one, or two in an hour that comes twice."""
        text = text.strip()
        if text.lower() in _NONE or text in {"0", "1970-01-01T00:00:00"}:
            return ()
        shifted = _WITH_OFFSET.fullmatch(text)
        text = f"{shifted[1]}{shifted[2]}:{shifted[3]}" if shifted else text
        if not _NAIVE.fullmatch(text):
            found = parse_time(text)
            if isinstance(found, str):
                raise InvalidInput(f"{text[:40]!r} {found}")
            return (found,)
        if self._zone is None:
            raise InvalidInput(
                f"{text!r} is a time of the cluster's clock, and nobody says in which zone",
                remedy="name the cluster's zone (--zone Asia/Tokyo, or +09:00), or export with SLURM_TIME_FORMAT=%s",
            )
        return _both(text, self._zone)


def _both(text: str, zone: tzinfo) -> tuple[int, ...]:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            f"{text!r} is no time", remedy="leave times as sacct writes them: 2026-01-31T09:00:00"
        ) from None
    found = (round(moment.replace(tzinfo=zone, fold=fold).timestamp()) for fold in (0, 1))
    return tuple(dict.fromkeys(second * 1_000_000 for second in found))


def _zone(name: str) -> tzinfo:
    """Raises InvalidInput for a name that the tz database does not have."""
    offset = _OFFSET.fullmatch(name)
    if offset:
        shift = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        if shift < timedelta(hours=24):
            return timezone(-shift if offset[1] == "-" else shift)
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # a name not known is a KeyError
        raise InvalidInput(
            f"{name[:60]!r} is no zone", path="zone", remedy="write Asia/Tokyo, UTC or +09:00"
        ) from None


def _seconds(elapsed: str) -> int | None:
    found = _ELAPSED.fullmatch(elapsed.strip())
    if found is None:
        return int(elapsed) if elapsed.strip().isascii() and elapsed.strip().isdigit() else None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
