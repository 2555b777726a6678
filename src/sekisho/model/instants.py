"""Instants and periods: RFC 3339 in UTC on the wire, exact microseconds inside, periods half-open."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache, total_ordering

import msgspec

from sekisho.model.errors import InvalidInput

__all__ = ["Instant", "Period", "format_instant", "parse_date_or_instant", "parse_instant"]

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@total_ordering
class Instant:
    """A moment, counted in whole microseconds since 1970-01-01T00:00:00Z; immutable.

    A plain class, not a Struct, so that the wire hooks write it as RFC 3339 text.
    """

    __slots__ = ("us",)
    us: int

    def __init__(self, us: int) -> None:
        object.__setattr__(self, "us", us)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an Instant does not change: {name}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Instant) and self.us == other.us

    def __lt__(self, other: Instant) -> bool:
        return self.us < other.us

    def __hash__(self) -> int:
        return hash(self.us)

    def __repr__(self) -> str:
        return f"Instant({format_instant(self)})"

    @classmethod
    def from_seconds(cls, seconds: float) -> Instant:
        return cls(round(seconds * 1_000_000))

    @classmethod
    def parse(cls, text: str, *, path: str = "") -> Instant:
        return parse_instant(text, path=path)

    @property
    def seconds(self) -> float:
        return self.us / 1_000_000

    def plus(self, seconds: float) -> Instant:
        return Instant(self.us + round(seconds * 1_000_000))

    def since(self, earlier: Instant) -> float:
        """Seconds from `earlier` to this instant; negative where this one comes first."""
        return (self.us - earlier.us) / 1_000_000

    def to_datetime(self) -> datetime:
        """Raises InvalidInput outside the years 1 to 9999, which RFC 3339 cannot write."""
        try:
            return _EPOCH + timedelta(microseconds=self.us)
        except OverflowError:
            raise InvalidInput(
                "an instant outside the years 1 to 9999 has no RFC 3339 form"
            ) from None

    def __str__(self) -> str:
        return format_instant(self)


class Period(msgspec.Struct, frozen=True):
    """A half-open stretch of time: `start` belongs to it, `end` does not."""

    start: Instant
    end: Instant

    def holds(self, at: Instant) -> bool:
        return self.start <= at < self.end

    def overlaps(self, other: Period) -> bool:
        return self.start < other.end and other.start < self.end


def format_instant(at: Instant) -> str:
    """RFC 3339 UTC with the shortest exact fraction: no fraction, milliseconds or microseconds."""
    moment = at.to_datetime()
    head = moment.isoformat()[:19]  # strftime drops zeros of early years
    if moment.microsecond == 0:
        return f"{head}Z"
    fraction = f"{moment.microsecond:06d}"
    return f"{head}.{fraction[:3] if fraction.endswith('000') else fraction}Z"


def parse_instant(text: str, *, path: str = "") -> Instant:
    """Read an RFC 3339 instant in UTC ('Z' only); other offsets and naive times are refused."""
    return _parse(text) if not path else _parse_at(text, path)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Instant:
    """One statement is read several times on its way, and its instants with it."""
    return _parse_at(text, "")


def _parse_at(text: str, path: str) -> Instant:
    if not _INSTANT.fullmatch(text):
        raise InvalidInput(
            f"{text[:40]!r} is not an RFC 3339 instant in UTC",
            path=path,
            remedy="write 2026-01-31T09:00:00Z",
        )
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{text!r}: {error}", path=path) from None
    delta = moment - _EPOCH
    return Instant(delta.days * 86_400_000_000 + delta.seconds * 1_000_000 + delta.microseconds)


def parse_date_or_instant(text: str, *, path: str = "") -> Instant:
    """Read a date (its first moment in UTC) or an instant, as people type them on a command line."""
    is_day = re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) is not None
    try:
        return parse_instant(f"{text}T00:00:00Z" if is_day else text, path=path)
    except InvalidInput:
        raise InvalidInput(
            f"{text[:40]!r} is no day of the calendar and no instant in UTC",
            path=path,
            remedy="write 2026-01-31 or 2026-01-31T09:00:00Z",
        ) from None
