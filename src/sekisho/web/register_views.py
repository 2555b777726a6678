"""What the pages of chips draw: bars, and words with their shapes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

import msgspec

from sekisho.registry.holdings import Holdings, Range, Share
from sekisho.registry.specs import rounded

__all__ = [
    "STATE_SHAPES",
    "TOP_BARS",
    "VERDICT_SHAPES",
    "ShareBar",
    "limb_width",
    "say_range",
    "share_bars",
]

WIDTH: Final = 1000
TOP_BARS: Final = 25
# A state or a verdict -> (the shape of _parts.html, the class that colours it). Never colour alone.
STATE_SHAPES: Final[Mapping[str, str]] = {
    "registered": "idle",
    "in-transit": "received",
    "active": "running",
    "suspended": "in-force",
    "exported": "issued",
    "returned": "checkpointed",
    "lost": "non-responsive",
    "stolen": "non-responsive",
    "destroyed": "claimed",
    "unregistered": "unverifiable",
}
VERDICT_SHAPES: Final[Mapping[str, str]] = {
    "holds": "verified",
    "fails": "contradicted",
    "unverifiable": "unverifiable",
    "covered": "in-force",
    "not covered": "idle",
}


class ShareBar(msgspec.Struct, frozen=True, kw_only=True):
    """One bar of holdings, in thousandths of the largest: what is certain, and up to where it may reach."""

    share: Share
    low: int
    high: int
    value: str


def share_bars(holdings: Holdings) -> tuple[ShareBar, ...]:
    """The largest shares as bars; the table beside them has all."""
    shares = holdings.shares[:TOP_BARS]
    largest = max((share.h100e.high for share in shares), default=Fraction(0))
    return tuple(
        ShareBar(
            share=share,
            low=_scale(share.h100e.low, largest),
            high=_scale(share.h100e.high, largest),
            value=say_range(share.h100e),
        )
        for share in shares
    )


def say_range(figure: Range) -> str:
    """A figure, or its two ends."""
    if figure.is_sharp:
        return rounded(figure.high)
    return f"{rounded(figure.low)} – {rounded(figure.high)}"


def limb_width(figure: Fraction, limit: Fraction) -> int:
    """How far a limb's bar reaches, where the limit stands at half the width."""
    return min(WIDTH, int(figure / limit * WIDTH / 2))


def _scale(value: Fraction, largest: Fraction) -> int:
    return int(value / largest * WIDTH) if largest else 0
