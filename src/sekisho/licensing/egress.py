"""What a host sends outside its set, held against its licence's limit: a declaration that is checked. Pure.

Rates are of the link layer, over one window between two readings of the kernel's counters. A host is beyond the limit
where it sent more than limit x seconds x 1.05 + 64 KiB: counters include each frame's header (at most 5 % of full-size
frames) and a shaper lets one burst through (both O). An interface that nobody named is outside. A counter that fell, or
an interface that vanished within the window, makes the window *unverifiable*: never zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Final, Literal

import msgspec

from sekisho.ports.link_counters import LinkCount

__all__ = ["ALLOWED_BURST", "EgressVerdict", "LinkSides", "judge_egress"]

ALLOWED_BURST: Final = 65_536
ALLOWED_PERCENT: Final = 105
Word = Literal["holds", "fails", "unverifiable"]
Side = Literal["outside", "inside", "unnamed"]


class LinkSides(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which interfaces lead out of the set and which stay in it, by name; `*` stands for any letters.

    `lo` is inside. What neither list names is outside, and said to be.
    """

    outside: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()

    def side_of(self, interface: str) -> Side:
        if interface == "lo" or any(fnmatchcase(interface, name) for name in self.inside):
            return "inside"
        named = any(fnmatchcase(interface, name) for name in self.outside)
        return "outside" if named else "unnamed"


class EgressVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes a second sent outside in one window (None: not measured), against the limit; `unnamed` sent too."""

    verdict: Word
    why: str
    bytes_per_s: Fraction | None = None
    unnamed: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


def judge_egress(
    limit: int,
    sides: LinkSides,
    before: tuple[LinkCount, ...],
    after: tuple[LinkCount, ...],
    seconds: Fraction,
) -> EgressVerdict:
    """The window between two readings `seconds` apart (more than none, else *unverifiable*)."""
    if seconds <= 0:
        return EgressVerdict(verdict="unverifiable", why="no time passed between the readings")
    was, now = _outside(sides, before), _outside(sides, after)
    absent = [name for name in sides.outside if "*" not in name and name not in now]
    gone = sorted({*(was.keys() - now.keys()), *absent})
    back = sorted(name for name in was.keys() & now.keys() if now[name] < was[name])
    # One that came up within the window has sent all that it counts since.
    sent = {name: now[name] - was.get(name, 0) for name in now if name not in back}
    unnamed = tuple(sorted(n for n, b in sent.items() if b and sides.side_of(n) == "unnamed"))
    rate = Fraction(sum(sent.values())) / seconds
    sources = tuple(sorted({count.source for count in after if count.interface in sent}))
    most = Fraction(limit * ALLOWED_PERCENT, 100) * seconds + ALLOWED_BURST
    total = sum(sent.values())
    said = f"{total} bytes in {float(seconds):.1f} s, {float(rate):.0f} a second of {limit} allowed"
    word: Word
    if total > most:  # what is missing would only add to it
        word, why, measured = "fails", said, True
    elif gone or back or not now:
        word, why, measured = "unverifiable", _unread(gone, back), False
    else:
        word, why, measured = "holds", said, True
    return EgressVerdict(
        verdict=word,
        why=why,
        bytes_per_s=rate if measured else None,
        unnamed=unnamed,
        sources=sources,
    )


def _outside(sides: LinkSides, counts: Iterable[LinkCount]) -> dict[str, int]:
    return {c.interface: c.sent_bytes for c in counts if sides.side_of(c.interface) != "inside"}


def _unread(gone: list[str], back: list[str]) -> str:
    parts = [f"no counter of {', '.join(gone)}"] if gone else []
    parts += [f"the counter of {', '.join(back)} began again"] if back else []
    return "; ".join(parts) or "no interface leads outside"
