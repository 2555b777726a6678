"""Who holds how much computing power: counts of components turned into H100 equivalents by the chip table. Pure.

A model that the table does not know is counted apart, as not measured, and never as zero. A chip may be registered
twice, as a package and as the board that carries it, so a figure has two ends: at least the larger of both kinds, at
most their sum.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.chips import TREATY_H100, Chip, ChipTable, H100Constants, known_chips
from sekisho.model.custody import Component, LifeState

__all__ = [
    "COUNTED",
    "HELD_BY",
    "MISSING",
    "RETIRED",
    "HeldBy",
    "Holdings",
    "Range",
    "Share",
    "Tally",
    "Unmeasured",
    "by_model",
    "measure_holdings",
]

HeldBy: TypeAlias = Literal["site", "custodian", "owner", "country"]
HELD_BY: Final[tuple[HeldBy, ...]] = ("site", "custodian", "owner", "country")
COUNTED: Final[tuple[Component, ...]] = ("package", "board")
RETIRED: Final[tuple[LifeState, ...]] = ("destroyed",)
MISSING: Final[tuple[LifeState, ...]] = ("lost", "stolen")


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """So many components of one kind, model and state under one key: a site, a party, a country; "" for none stated."""

    key: str
    component: Component
    model: str
    state: LifeState
    count: int


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """A figure between two ends; they differ only where packages and boards stand under one key."""

    low: Fraction
    high: Fraction

    @property
    def is_sharp(self) -> bool:
        return self.low == self.high


class Unmeasured(msgspec.Struct, frozen=True, kw_only=True):
    """Components whose model the chip table does not know: so many, and nothing more is said of them."""

    component: Component
    model: str
    count: int


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What lies under one key. `components` counts all that are not retired, the unmeasured and the missing included.

    `missing` are lost or stolen: their last custodian stays accountable, so they stay in every figure.
    """

    key: str
    components: int
    measured: int
    missing: int
    retired: int
    h100e: Range
    unmeasured: tuple[Unmeasured, ...] = ()

    @property
    def verdict(self) -> Literal["holds", "not measured"]:
        """Whether the figure covers everything under the key."""
        return "not measured" if self.unmeasured else "holds"


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """Shares by one dimension, the largest first, and all of them together."""

    by: HeldBy
    constants: H100Constants
    shares: tuple[Share, ...]
    total: Share


def measure_holdings(
    tallies: Iterable[Tally],
    by: HeldBy,
    *,
    constants: H100Constants = TREATY_H100,
    table: ChipTable | None = None,
) -> Holdings:
    """Add up the tallies of one dimension. H100 equivalents are by TPP, since they add up; exact fractions."""
    found: dict[str, list[Tally]] = defaultdict(list)
    for tally in tallies:
        found[tally.key].append(tally)
    chips = table or known_chips()
    shares = [_share(key, kept, constants, chips) for key, kept in found.items()]
    shares.sort(key=lambda share: (-share.h100e.high, -share.components, share.key))
    everything = [tally for kept in found.values() for tally in kept]
    # The whole is not the sum of the low ends: a board under one key may carry a package under another.
    total = _share("", everything, constants, chips)
    return Holdings(by=by, constants=constants, shares=tuple(shares), total=total)


def by_model(
    tallies: Sequence[Tally], table: ChipTable
) -> tuple[dict[Component, list[tuple[Chip, int]]], tuple[Unmeasured, ...]]:
    """Chips and counts by kind of component, and what the table does not know."""
    known: dict[Component, list[tuple[Chip, int]]] = {component: [] for component in COUNTED}
    unknown: dict[tuple[Component, str], int] = defaultdict(int)
    for tally in tallies:
        chip = table.find(tally.model)
        if chip is None:
            unknown[tally.component, tally.model] += tally.count
        else:
            known.setdefault(tally.component, []).append((chip, tally.count))
    return known, tuple(
        Unmeasured(component=component, model=model, count=count)
        for (component, model), count in sorted(unknown.items())
    )


def _share(key: str, tallies: Sequence[Tally], constants: H100Constants, table: ChipTable) -> Share:
    held = [tally for tally in tallies if tally.state not in RETIRED]
    known, unknown = by_model(held, table)
    components = _count(held)
    return Share(
        key=key,
        components=components,
        measured=components - sum(item.count for item in unknown),
        missing=_count([tally for tally in held if tally.state in MISSING]),
        retired=_count(tallies) - components,
        h100e=_range({kind: _h100e(chips, constants) for kind, chips in known.items()}),
        unmeasured=unknown,
    )


def _h100e(chips: Iterable[tuple[Chip, int]], constants: H100Constants) -> Fraction:
    return sum((chip.h100e(constants) * count for chip, count in chips), Fraction(0))


def _range(kinds: Mapping[Component, Fraction]) -> Range:
    return Range(low=max(kinds.values()), high=sum(kinds.values(), Fraction(0)))


def _count(tallies: Iterable[Tally]) -> int:
    return sum(tally.count for tally in tallies)
