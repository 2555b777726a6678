"""The log as it was read: each entry with what was known before it, and what stands after the last. Values only.

Each step keeps the states *before* its entry, which are immutable values, so that a check can ask what was known
when.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping
from typing import TypeVar

import msgspec

from sekisho.ledger import Cosigned
from sekisho.licensing import (
    ApplicationBook,
    LicenceLedger,
    OutageBook,
)
from sekisho.licensing.rosters import Rosters
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    OrderIssued,
    OrderReference,
    OrderSealed,
    Predicate,
)
from sekisho.orders import KnownOrder, OrderBook
from sekisho.orders.lifecycle import OrderLives
from sekisho.signing import (
    PackShelf,
    Recorded,
    Regime,
)

__all__ = ["History", "Mark", "Refusal", "Step"]

P = TypeVar("P", bound=Predicate)


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What a room would not take, under the name of the check that reports it."""

    check: str
    why: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One entry with everything that was known before it; `recorded` is None where nobody vouches for it."""

    index: int
    leaf: str
    recorded: Recorded | None
    fault: str
    regime: Regime
    orders: OrderBook
    ledger: LicenceLedger
    lives: OrderLives
    shelf: PackShelf = PackShelf()
    applications: ApplicationBook = ApplicationBook()
    outages: OutageBook = OutageBook()
    refusals: tuple[Refusal, ...] = ()


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A witnessed checkpoint quoted by the log itself (`index` is the quoting entry), or the final one."""

    index: int
    size: int
    time: Instant


class History(msgspec.Struct, frozen=True, kw_only=True):
    """All steps, the states after the last, the root at each size, and the witnessed marks."""

    steps: tuple[Step, ...]
    regime: Regime
    orders: OrderBook
    ledger: LicenceLedger
    lives: OrderLives
    roots: tuple[bytes, ...]
    marks: tuple[Mark, ...]
    final: Mark | None
    cosigned: Cosigned | None
    mark_faults: tuple[str, ...]
    speakers: Mapping[str, Regime]
    applications: ApplicationBook = ApplicationBook()
    rosters: Rosters = Rosters()

    def facts(self, kind: type[P]) -> Iterator[tuple[Step, P]]:
        """Every sound entry of one kind, in log order."""
        for step in self.steps:
            if step.recorded is not None and isinstance(step.recorded.verified.predicate, kind):
                yield step, step.recorded.verified.predicate

    def issued(self) -> Iterator[tuple[Step, OrderIssued]]:
        """Every sound order in log order; of a sealed one what is inside, where that is known."""
        for step in self.steps:
            fact = step.recorded.verified.predicate if step.recorded is not None else None
            if isinstance(fact, OrderIssued):
                yield step, fact
            elif isinstance(fact, OrderSealed) and step.recorded is not None:
                known = self.order_of(step.recorded)
                if known is not None and known.is_shown:
                    yield step, known.order

    def order_of(self, recorded: Recorded) -> KnownOrder | None:
        """The order that an entry holds, as it is known at the end; None where it holds none, or none was taken."""
        fact = recorded.verified.predicate
        if not isinstance(fact, OrderIssued | OrderSealed):
            return None
        return self.orders.find(
            OrderReference(
                register=fact.register, number=fact.number, digest=recorded.verified.digest
            )
        )

    def recorded_from(self, index: int) -> Instant | None:
        """The entry was recorded no earlier than this: the newest mark at or before it."""
        place = bisect.bisect_right(self.marks, index, key=lambda mark: mark.index)
        return self.marks[place - 1].time if place else None

    def recorded_by(self, index: int) -> Instant | None:
        """The entry was recorded no later than this: the first witnessed tree that holds it."""
        # A mark older than the one before it is a fault and not among the marks, so their sizes ascend.
        place = bisect.bisect_right(self.marks, index, key=lambda mark: mark.size)
        if place < len(self.marks):
            return self.marks[place].time
        return self.final.time if self.final is not None and self.final.size > index else None

    def regime_of_host(self, host: str) -> Regime:
        """The newest regime in which this host may speak."""
        return self.speakers.get(host, self.regime)
