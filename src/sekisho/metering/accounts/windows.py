"""Windows over time: sliding ones of any length, and calendar ones, which begin at fixed instants.

All calendar windows are in UTC. Windows of so many days are counted from an anchor, the epoch unless one is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, Period

__all__ = ["DAY_US", "Calendar", "Window", "parse_window"]

Calendar: TypeAlias = Literal["day", "month", "year"]
DAY_US: Final = 86_400_000_000
MOST_BUCKETS: Final = 200_000
_LENGTH: Final = re.compile(r"([1-9][0-9]{0,8})(us|ms|s|m|h|d)")
_UNITS: Final = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": DAY_US,
}
_LONGEST_US: Final = 100 * 366 * DAY_US


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A length in microseconds, or a calendar's step (then `length_us` is None, and nothing slides)."""

    text: str
    length_us: int | None = None
    calendar: Calendar | None = None
    anchor: Instant = Instant(0)

    def bucket_at(self, at: int) -> Period:
        """The calendar window that holds a time in epoch microseconds."""
        if self.length_us is not None:
            start = self.anchor.us + (at - self.anchor.us) // self.length_us * self.length_us
            return Period(Instant(start), Instant(start + self.length_us))
        return _step(at, self.calendar or "day")

    def buckets(self, start: int, end: int) -> Iterator[Period]:
        """The calendar windows that [start, end) touches, in order. Raises InvalidInput for more than 200,000."""
        if self.length_us is not None and (end - start) // self.length_us > MOST_BUCKETS:
            raise InvalidInput(
                f"{self.text} makes more than {MOST_BUCKETS} windows between "
                f"{Instant(start)} and {Instant(end)}",
                path="window",
                remedy="ask for longer windows, or for less time",
            )
        at = start
        while at < end:
            bucket = self.bucket_at(at)
            yield bucket
            at = bucket.end.us


def parse_window(text: str, *, anchor: Instant | None = None, path: str = "window") -> Window:
    """Read `30d`, `12h`, or `day`, `month`, `year`. Raises InvalidInput for anything else, or beyond 100 years."""
    word = text.strip().casefold()
    if word in ("day", "month", "year"):
        calendar: Calendar = "day" if word == "day" else "month" if word == "month" else "year"
        return Window(text=word, calendar=calendar)
    match = _LENGTH.fullmatch(word)
    length = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 0 < length <= _LONGEST_US:
        raise InvalidInput(
            f"{text[:40]!r} is not a window", path=path, remedy="write 30d, 12h, day, month or year"
        )
    return Window(text=word, length_us=length, anchor=anchor or Instant(0))


def _step(at: int, calendar: Calendar) -> Period:
    moment = Instant(at).to_datetime()
    if calendar == "day":
        start = at // DAY_US * DAY_US
        return Period(Instant(start), Instant(start + DAY_US))
    months = moment.year * 12 + (moment.month - 1 if calendar == "month" else 0)
    return Period(_first_of(months), _first_of(months + (1 if calendar == "month" else 12)))


def _first_of(months: int) -> Instant:
    year, month = divmod(months, 12)
    if year > 9999:
        raise InvalidInput("a window that ends after the year 9999", path="window")
    return Instant(round(datetime(year, month + 1, 1, tzinfo=UTC).timestamp()) * 1_000_000)
