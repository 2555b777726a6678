"""How a licence's budget burns down: its accounts over time, marks, and when it will be used up. Pure.

*Spent* is what never comes back, consumed + forfeited: a lease that lives may still return most of its allowance, so
marks and forecast read what is spent, and the accounts show what is leased beside it. After an amount that nobody can
open the series ends: what is left is unknown from there on, and nothing is forecast.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.licensing.states import LeaseState, LicenceState, LicenceVersion
from sekisho.model.amounts import parse_flop
from sekisho.model.instants import Instant

__all__ = [
    "MARKS_PERCENT",
    "Basis",
    "BurnDown",
    "BurnPoint",
    "Forecast",
    "Mark",
    "burn_down",
]

MARKS_PERCENT: Final = (80, 95, 100)
PARTS: Final = 8
"""The observed time is cut into so many equal parts: the slowest and the fastest of them bound the forecast."""
MIN_LEASES: Final = 2

Basis: TypeAlias = Literal["observed", "too-few-leases", "undisclosed", "exhausted", "ended"]


class BurnPoint(msgspec.Struct, frozen=True, kw_only=True):
    """The accounts from an instant on, in FLOP; budget + overdrawn is the sum of the other four."""

    at: Instant
    budget_flop: int
    available_flop: int
    leased_flop: int
    consumed_flop: int
    forfeited_flop: int

    @property
    def spent_flop(self) -> int:
        return self.consumed_flop + self.forfeited_flop


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """So many percent of the budget are spent, since that instant; None: not so."""

    percent: int
    crossed: Instant | None


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """When the budget will be spent, as an interval, and on what it rests.

    `earliest` goes on at the fastest, `latest` at the slowest rate among `parts` equal parts of the time observed;
    None is not before the licence ends. Without a basis "observed" neither is known.
    """

    basis: Basis
    earliest: Instant | None = None
    latest: Instant | None = None
    parts: int = 0
    part_s: float = 0.0
    low_flop_per_s: int = 0
    high_flop_per_s: int = 0


class BurnDown(msgspec.Struct, frozen=True, kw_only=True):
    """A budget's way so far. `share` is None for the whole licence; `undisclosed` counts amounts nobody opens."""

    number: str
    share: str | None
    budget_flop: int
    points: tuple[BurnPoint, ...]
    marks: tuple[Mark, ...]
    forecast: Forecast
    undisclosed: int = 0

    @property
    def spent_percent(self) -> int | None:
        """The spent part of the budget, rounded down; None where it is unknown or there is no budget."""
        if self.undisclosed or not self.points or not self.budget_flop:
            return None
        return self.points[-1].spent_flop * 100 // self.budget_flop


class _Event(msgspec.Struct, frozen=True):
    """What one entry does to the accounts: by how much each of them changes."""

    at: Instant
    budget: int = 0
    leased: int = 0
    consumed: int = 0
    forfeited: int = 0


def burn_down(state: LicenceState, now: Instant) -> tuple[BurnDown, ...]:
    """The whole budget's burn-down first, then each share's where it is split."""
    shares = sorted({s.share for v in state.versions for s in v.shares})
    return tuple(_of_share(state, share, now) for share in (None, *shares))


def _of_share(state: LicenceState, share: str | None, now: Instant) -> BurnDown:
    leases = [x for x in state.leases if share is None or x.granted.share == share]
    known = _until_unknown(leases)
    points = _points([*_budgets(state.versions, share), *_uses(known)])
    budget = points[-1].budget_flop if points else 0
    hidden = len(leases) - len(known) or sum(1 for x in leases if _is_hidden(x))
    return BurnDown(
        number=state.licence.number,
        share=share,
        budget_flop=budget,
        points=points,
        marks=tuple(_mark(percent, points) for percent in MARKS_PERCENT),
        forecast=_forecast(state, known, points, now)
        if not hidden
        else Forecast(basis="undisclosed"),
        undisclosed=hidden,
    )


def _is_hidden(lease: LeaseState) -> bool:
    return lease.allowance_flop is None or (lease.ended is not None and lease.consumed_flop is None)


def _until_unknown(leases: Sequence[LeaseState]) -> list[LeaseState]:
    """The leases before the first one whose amounts nobody opens."""
    place = next((n for n, lease in enumerate(leases) if _is_hidden(lease)), len(leases))
    return list(leases[:place])


def _budgets(versions: Iterable[LicenceVersion], share: str | None) -> list[_Event]:
    events, before = [], 0
    for version in versions:
        parts = {part.share: parse_flop(part.budget_flop) for part in version.shares}
        budget = version.budget_flop if share is None else parts.get(share, 0)
        events.append(_Event(version.since, budget=budget - before))
        before = budget
    return events


def _uses(leases: Iterable[LeaseState]) -> list[_Event]:
    events = []
    for lease in leases:
        allowance, consumed = lease.allowance_flop or 0, lease.consumed_flop or 0
        events.append(_Event(lease.granted.effective, leased=allowance))
        if lease.ended is not None and lease.ended_at is not None:
            lost = 0 if lease.is_returned else max(0, allowance - consumed)
            events.append(
                _Event(lease.ended_at, leased=-allowance, consumed=consumed, forfeited=lost)
            )
    return events


def _points(events: list[_Event]) -> tuple[BurnPoint, ...]:
    """The accounts after each instant at which something changed."""
    points: dict[Instant, BurnPoint] = {}
    budget = leased = consumed = forfeited = 0
    for event in sorted(events, key=lambda event: event.at):
        budget += event.budget
        leased += event.leased
        consumed += event.consumed
        forfeited += event.forfeited
        points[event.at] = BurnPoint(
            at=event.at,
            budget_flop=budget,
            available_flop=max(0, budget - leased - consumed - forfeited),
            leased_flop=leased,
            consumed_flop=consumed,
            forfeited_flop=forfeited,
        )
    return tuple(points.values())


def _mark(percent: int, points: Iterable[BurnPoint]) -> Mark:
    """Since when the mark stands; an amendment that adds to the budget can take it away again."""
    crossed: Instant | None = None
    for point in points:
        is_over = point.spent_flop > 0 and point.spent_flop * 100 >= percent * point.budget_flop
        crossed = (crossed or point.at) if is_over else None
    return Mark(percent=percent, crossed=crossed)


def _forecast(
    state: LicenceState, leases: list[LeaseState], points: Sequence[BurnPoint], now: Instant
) -> Forecast:
    if not points or points[-1].spent_flop >= points[-1].budget_flop:
        return Forecast(basis="exhausted" if points and points[-1].budget_flop else "ended")
    if state.revoked is not None or state.closed is not None or now >= state.licence.period.end:
        return Forecast(basis="ended")
    ended = [lease for lease in leases if lease.ended_at is not None and lease.consumed_flop]
    if len(ended) < MIN_LEASES:
        return Forecast(basis="too-few-leases")
    # Only up to where all is booked: what lives now has consumed something that no receipt has told yet.
    start = min(lease.granted.effective for lease in ended)
    end = max(lease.ended_at for lease in ended if lease.ended_at is not None)
    part_s = end.since(start) / PARTS
    if part_s <= 0:
        return Forecast(basis="too-few-leases")
    edges = [start.plus(part_s * n) for n in range(PARTS + 1)]
    rates = [
        sum(_consumed_between(lease, a, b) for lease in ended) / part_s for a, b in pairwise(edges)
    ]
    left = points[-1].budget_flop - points[-1].spent_flop
    return Forecast(
        basis="observed",
        earliest=_spent_at(end, left, max(rates), state, now),
        latest=_spent_at(end, left, min(rates), state, now),
        parts=PARTS,
        part_s=part_s,
        low_flop_per_s=int(min(rates)),
        high_flop_per_s=int(max(rates)),
    )


def _consumed_between(lease: LeaseState, start: Instant, end: Instant) -> float:
    """What a lease consumed in a stretch of time, taken as even over its life."""
    begin, over = lease.granted.effective, lease.ended_at or lease.granted.effective
    life = over.since(begin)
    share = min(over, end).since(max(begin, start))
    consumed = lease.consumed_flop or 0
    if life <= 0:
        return float(consumed) if start <= begin < end else 0.0
    return consumed * max(0.0, share) / life


def _spent_at(
    since: Instant, left: int, rate: float, state: LicenceState, now: Instant
) -> Instant | None:
    """When so much is spent at a rate; not before now, and None where the licence ends first."""
    if rate <= 0 or left / rate > state.licence.period.end.since(since):
        return None
    return max(now, since.plus(left / rate))
