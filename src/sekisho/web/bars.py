"""The geometry of a burn-down bar: where a licence's four accounts begin and end, in thousandths. Pure.

Widths are attributes of an SVG, not styles, since the pages' policy lets no style stand in the page.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.licensing import Book

__all__ = ["MARKS", "WIDTH", "Bar", "Level", "Segment", "burn_down"]

WIDTH: Final = 1000
MARKS: Final = (80, 95, 100)
Level: TypeAlias = Literal["below-80", "above-80", "above-95", "spent"]


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One account's stretch of the bar."""

    account: Literal["consumed", "forfeited", "leased", "available"]
    flop: int
    x: int
    width: int


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A bar from nothing to the budget. `per_mille` is what is no longer available, rounded down."""

    segments: tuple[Segment, ...]
    per_mille: int
    level: Level

    @property
    def percent(self) -> str:
        return f"{self.per_mille // 10}.{self.per_mille % 10}"


def burn_down(book: Book) -> Bar:
    """The bar of a licence's books; edges are exact fractions rounded down, so that segments never overlap."""
    budget = book.budget
    segments, start = [], 0
    accounts: tuple[tuple[Literal["consumed", "forfeited", "leased", "available"], int], ...] = (
        ("consumed", book.consumed),
        ("forfeited", book.forfeited),
        ("leased", book.leased),
        ("available", book.available),
    )
    for account, flop in accounts:
        x, end = _scale(start, budget), _scale(start + flop, budget)
        segments.append(Segment(account=account, flop=flop, x=x, width=end - x))
        start += flop
    used = budget - book.available
    return Bar(segments=tuple(segments), per_mille=_scale(used, budget), level=_level(used, budget))


def _scale(flop: int, budget: int) -> int:
    return flop * WIDTH // budget if budget else 0


def _level(used: int, budget: int) -> Level:
    if used >= budget:
        return "spent"
    if used * 100 >= budget * 95:
        return "above-95"
    return "above-80" if used * 100 >= budget * 80 else "below-80"
