"""What files of the store are called. Every name that is read back is matched against these, whole."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.errors import InvalidInput

__all__ = [
    "DAY_US",
    "Kind",
    "SegmentName",
    "check_day",
    "check_site",
    "check_trash",
    "day_of",
    "day_start_us",
    "days_between",
    "format_moment",
    "is_trash",
    "manifest_path",
    "parse_segment",
    "part_path",
    "segments_folder",
]

Kind: TypeAlias = Literal["readings", "minutes"]

DAY_US: Final = 86_400_000_000
MAX_SPAN_DAYS: Final = 32
"""The days that one segment may touch, counted from its first: as many as its mask has bits."""
_SITE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}[A-Za-z0-9]|[A-Za-z0-9]", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SEGMENT: Final = re.compile(
    r"(?P<received>\d{16})-(?P<first>\d{8})-(?P<mask>[0-9a-f]{1,8})-(?P<rows>\d{1,10})"
    r"-(?P<random>[0-9a-f]{16})-(?P<sha256>[0-9a-f]{64})\.parquet",
    re.ASCII,
)
_TRASH: Final = re.compile(r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{8}", re.ASCII)
_EPOCH: Final = date(1970, 1, 1)


class SegmentName(msgspec.Struct, frozen=True, kw_only=True):
    """An incoming file's name, which is its manifest: when it came, the days it touches, its rows, its SHA-256.

    `mask` has bit n where a row lies on the n-th day after `first`.
    """

    received_us: int
    first: str
    mask: int
    rows: int
    random: str
    sha256: str

    @property
    def id(self) -> str:
        """What a manifest calls it."""
        return f"{self.received_us:016d}-{self.random}"

    @property
    def days(self) -> tuple[str, ...]:
        begin = date.fromisoformat(self.first)
        return tuple(
            (begin + timedelta(days=bit)).isoformat()
            for bit in range(MAX_SPAN_DAYS)
            if self.mask >> bit & 1
        )

    def __str__(self) -> str:
        first = self.first.replace("-", "")
        return (
            f"{self.received_us:016d}-{first}-{self.mask:x}-{self.rows}"
            f"-{self.random}-{self.sha256}.parquet"
        )


def parse_segment(name: str) -> SegmentName | None:
    """A file's name as that of a segment; None where it is not one."""
    found = _SEGMENT.fullmatch(name)
    if found is None:
        return None
    text = found["first"]
    first = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    try:
        check_day(first)
    except InvalidInput:
        return None
    return SegmentName(
        received_us=int(found["received"]),
        first=first,
        mask=int(found["mask"], 16),
        rows=int(found["rows"]),
        random=found["random"],
        sha256=found["sha256"],
    )


def check_site(site: str) -> str:
    """The site's name, fit to be a folder's. Raises InvalidInput."""
    if not _SITE.fullmatch(site) or ".." in site:
        raise InvalidInput(
            f"{site[:80]!r} is no name of a site",
            path="site",
            remedy="use at most 64 letters, digits and . _ - that begin and end with a letter or digit",
        )
    return site


def check_day(day: str) -> str:
    """The day as YYYY-MM-DD, in UTC. Raises InvalidInput."""
    try:
        if _DAY.fullmatch(day):
            date.fromisoformat(day)
            return day
    except ValueError:
        pass
    raise InvalidInput(f"{day[:40]!r} is no day", path="day", remedy="write 2026-01-31")


def day_of(at_us: int) -> str:
    """The day of an instant, in UTC. Raises InvalidInput outside the years 1 to 9999."""
    try:
        return (_EPOCH + timedelta(days=at_us // DAY_US)).isoformat()
    except OverflowError:
        raise InvalidInput("a row lies outside the years 1 to 9999", path="at_us") from None


def day_start_us(day: str) -> int:
    """A day's first microsecond, counted from the epoch."""
    return (date.fromisoformat(day) - _EPOCH).days * DAY_US


def days_between(start_us: int, end_us: int) -> tuple[str, str]:
    """The first and last day that [start, end) touches."""
    return day_of(start_us), day_of(max(start_us, end_us - 1))


def segments_folder(site: str) -> str:
    """Where what came in of a site lies."""
    return f"segments/site={site}"


def manifest_path(site: str, day: str) -> str:
    """Where the manifest of a day lies."""
    return f"manifests/site={site}/{day}.json"


@lru_cache(maxsize=256)
def part_path(site: str, day: str) -> re.Pattern[str]:
    """What the paths of one day's parts look like."""
    place = re.escape(f"site={site}/day={day}/part-")
    return re.compile(
        rf"(readings|minutes)/{place}[0-9]{{1,9}}-[0-9a-f]{{16}}-[0-9]{{1,6}}\.parquet"
    )


def format_moment(at_us: int) -> str:
    """A moment as it stands in names that people read: 20260131T090000.123456Z."""
    moment = datetime.fromtimestamp(at_us // 1_000_000, UTC)
    return f"{moment:%Y%m%dT%H%M%S}.{at_us % 1_000_000:06d}Z"


def is_trash(name: str) -> bool:
    """Whether a name is one that this store gives to what is dropped together."""
    return _TRASH.fullmatch(name) is not None


def check_trash(trash: str) -> str:
    """The name of a dropping. Raises InvalidInput."""
    if not is_trash(trash):
        raise InvalidInput(
            f"{trash[:60]!r} is no name in the trash",
            path="trash",
            remedy="take one of those that `sekisho meter retain --trash` lists",
        )
    return trash
