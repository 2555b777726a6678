"""Staying below by splitting: what each owner's requests of a calendar year amount to when they are added up.

Only amounts that can be added: operations of runs, chips and TPP of shipments, the chips of clusters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from sekisho.rules.pack import Threshold
from sekisho.rules.requests import RequestKind
from sekisho.rules.what_if.counting import MOST_NAMES
from sekisho.rules.what_if.thresholds import UpperThreshold

__all__ = ["ADDED_UP", "OwnerOver", "OwnerSums", "Split", "split_at"]

# The quantity of a threshold -> the amount of each request that adds up to it.
ADDED_UP: Final[Mapping[str, str]] = {
    "run_flop": "run_flop",
    "training_flop": "run_flop",
    "owner_window_flop": "run_flop",
    "cluster_tpp": "cluster_tpp",
    "cluster_fp16": "cluster_fp16",
    "cluster_peak": "cluster_peak",
    "cluster_memory": "cluster_memory",
    "shipment_chips": "shipment_chips",
    "shipment_tpp": "shipment_tpp",
    "parent_year_tpp": "shipment_tpp",
    "end_user_tpp": "shipment_tpp",
}
MOST_SHOWN: Final = 10


class OwnerOver(msgspec.Struct, frozen=True, kw_only=True):
    """An owner whose requests of one year are over a threshold together and none is alone; amounts as decimals."""

    owner: str
    year: str
    requests: int
    largest: str
    total: str


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """How many owners with two requests or more cross a threshold only when a year's requests are added up.

    `owners` counts pairs of owner and year with an amount; `over_alone` those with a single request over the
    threshold; `open_owners` those that are not over, of whom an amount is not known. `unnamed` are requests whose
    owner nobody told: they are added up for nobody.
    """

    threshold: UpperThreshold
    kind: RequestKind
    owners: int
    over_alone: int
    over_together: int
    open_owners: int
    unnamed: int
    largest: tuple[OwnerOver, ...]


class _Sum:
    """One owner's amounts of one year."""

    __slots__ = ("largest", "requests", "total", "unknown")

    def __init__(self) -> None:
        self.requests = self.unknown = 0
        self.largest: Threshold = 0
        self.total: Threshold = 0


class OwnerSums:
    """Sums of one quantity of one kind of request by owner and year; dropped whole where there are too many."""

    def __init__(self) -> None:
        self.sums: dict[tuple[str, str], _Sum] = {}
        self.unnamed = 0
        self.is_overfull = False

    def take(self, owner: str, year: str, amount: Threshold | None) -> None:
        """One request; None is an amount that is not known exactly."""
        if not owner:
            self.unnamed += 1
            return
        if self.is_overfull:
            return
        found = self.sums.get((owner, year))
        if found is None:
            found = self.sums[owner, year] = _Sum()
            self._check()
        found.requests += 1
        if amount is None:
            found.unknown += 1
            return
        found.total += amount
        found.largest = max(found.largest, amount)

    def add(self, other: OwnerSums) -> None:
        """Another part of the same population."""
        self.unnamed += other.unnamed
        self.is_overfull = self.is_overfull or other.is_overfull
        for key, theirs in other.sums.items():
            mine = self.sums.get(key)
            if mine is None:
                self.sums[key] = theirs
                continue
            mine.requests += theirs.requests
            mine.unknown += theirs.unknown
            mine.total += theirs.total
            mine.largest = max(mine.largest, theirs.largest)
        self._check()

    def _check(self) -> None:
        if self.is_overfull or len(self.sums) > MOST_NAMES:
            self.is_overfull = True
            self.sums = {}


def split_at(threshold: UpperThreshold, kind: RequestKind, sums: OwnerSums) -> Split | None:
    """Who would cross that threshold together; None where there were too many owners to add up."""
    if sums.is_overfull:
        return None
    over_alone = over_together = open_owners = 0
    together: list[tuple[tuple[str, str], _Sum]] = []
    for key, found in sums.sums.items():
        if found.requests > found.unknown and threshold.is_over(found.largest):
            over_alone += 1
        elif threshold.is_over(found.total):
            over_together += 1
            together.append((key, found))
        elif found.unknown:
            open_owners += 1
    return Split(
        threshold=threshold,
        kind=kind,
        owners=len(sums.sums),
        over_alone=over_alone,
        over_together=over_together,
        open_owners=open_owners,
        unnamed=sums.unnamed,
        largest=_largest(together),
    )


def _largest(found: Iterable[tuple[tuple[str, str], _Sum]]) -> tuple[OwnerOver, ...]:
    ordered = sorted(found, key=lambda pair: (-pair[1].total, pair[0]))
    return tuple(
        OwnerOver(
            owner=key[0],
            year=key[1],
            requests=one.requests,
            largest=amount_text(one.largest),
            total=amount_text(one.total),
        )
        for key, one in ordered[:MOST_SHOWN]
    )


def amount_text(amount: Threshold) -> str:
    """A whole number as it is, a fraction to six places."""
    exact = amount if isinstance(amount, int) else round(amount, 6)
    if exact.denominator == 1:
        return str(exact.numerator)
    whole, part = divmod(exact.numerator * 10**6 // exact.denominator, 10**6)
    return f"{whole}.{part:06d}".rstrip("0")
