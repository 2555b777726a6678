"""How often a model was served and refused: counts by period, and nothing about anybody. Pure, and its file's form.

Each worker of an inference server counts for itself and writes its counts whole, every two seconds, also where nobody
asked: so silence is not taken for zero. The access point adds them up when a period is over, and states them under its
own key for every model that it declares, with how many workers told of the period, and how many of these fell silent
within it without having ended: what such a one counted last is lost, up to two seconds of it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Annotated

import msgspec

from sekisho.access.picture import AccessDecision, AccessPicture, AccessState
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.statements import AccessDecided, OrderReference, Span
from sekisho.model.statements.shapes import Count, Name
from sekisho.model.wire import from_json, parse_json

__all__ = [
    "CountRow",
    "Period",
    "PeriodCounts",
    "Tally",
    "WorkerCounts",
    "counts_of",
    "make_roll_ups",
    "parse_counts",
    "start_of",
]

MAX_COUNTS = 1 << 20
PERIODS_KEPT = 48
_RANK: Mapping[AccessState, int] = {"open": 0, "restricted": 1, "closed": 2}
MAX_ORDERS = 64


class CountRow(msgspec.Struct, frozen=True, kw_only=True):
    """Requests of one model in one period, by one worker."""

    model: Name
    start: Instant
    served: Count = 0
    refused: Count = 0


class WorkerCounts(msgspec.Struct, frozen=True, kw_only=True):
    """A worker's file: since when it counts, when it wrote this, whether it ended properly with it."""

    since: Instant
    written: Instant
    ended: bool = False
    rows: Annotated[tuple[CountRow, ...], msgspec.Meta(max_length=100_000)] = ()


class PeriodCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What the workers told of one period: how many did, how many of them fell silent in it, and counts by model."""

    workers: int = 0
    silent: int = 0
    models: Mapping[str, tuple[int, int]] = {}


class Tally:
    """One worker's counts. An event loop counts and another thread writes them down."""

    def __init__(self, period_s: int) -> None:
        self._period_s = period_s
        self._counts: dict[tuple[Instant, str], list[int]] = {}
        self._lock = threading.Lock()

    def count(self, decision: AccessDecision, now: Instant) -> None:
        """One request; names that no access point declares are not counted, since users make them up."""
        if decision.code == "model-not-served":
            return
        key = (start_of(now, self._period_s), decision.model)
        with self._lock:
            row = self._counts.get(key)
            if row is None:
                row = self._counts[key] = [0, 0]
                self._forget(now)
            row[0 if decision.serve else 1] += 1

    def rows(self) -> tuple[CountRow, ...]:
        with self._lock:
            found = sorted((key, tuple(row)) for key, row in self._counts.items())
        return tuple(
            CountRow(model=model, start=start, served=served, refused=refused)
            for (start, model), (served, refused) in found
        )

    def clear(self) -> None:
        """Forget everything: a forked worker counts for itself alone, and its parent's lock may be held for ever."""
        self._lock, self._counts = threading.Lock(), {}

    def _forget(self, now: Instant) -> None:
        oldest = now.plus(-PERIODS_KEPT * self._period_s)
        self._counts = {key: row for key, row in self._counts.items() if key[0] >= oldest}


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """What an access point knew in one period: for each model the strictest state, and every order that it saw."""

    start: Instant
    states: dict[str, AccessState] = {}
    orders: dict[str, tuple[OrderReference, ...]] = {}

    def after(self, picture: AccessPicture) -> Period:
        """With what one more picture says; a model is never milder than it once was within the period."""
        states, orders = dict(self.states), dict(self.orders)
        for each in picture.models:
            before = states.get(each.model, "open")
            states[each.model] = max(before, each.state, key=_RANK.__getitem__)
            known = dict.fromkeys(orders.get(each.model, ()))
            known.update(dict.fromkeys(one.order for one in each.orders))
            orders[each.model] = tuple(known)[:MAX_ORDERS]
        return Period(start=self.start, states=states, orders=orders)


def start_of(at: Instant, period_s: int) -> Instant:
    """The beginning of the period that an instant lies in; periods are counted from 1970."""
    whole = period_s * 1_000_000
    return Instant(at.us - at.us % whole)


def parse_counts(raw: bytes, *, path: str = "") -> WorkerCounts:
    """A worker's file. Raises InvalidInput."""
    return from_json(WorkerCounts, parse_json(raw, path=path, limit=MAX_COUNTS), path=path)


def counts_of(files: Iterable[WorkerCounts], start: Instant, length_s: int) -> PeriodCounts:
    """All that the workers told of one period, added up; one that wrote at no time within it told nothing of it."""
    end = start.plus(length_s)
    workers = silent = 0
    models: dict[str, tuple[int, int]] = {}
    for file in files:
        if file.since >= end or file.written < start:
            continue
        workers += 1
        silent += not file.ended and file.written < end
        for row in file.rows:
            if row.start == start:
                served, refused = models.get(row.model, (0, 0))
                models[row.model] = (served + row.served, refused + row.refused)
    return PeriodCounts(workers=workers, silent=silent, models=models)


def make_roll_ups(
    host: str,
    period: Period,
    length_s: int,
    counts: PeriodCounts,
    *,
    now: Instant,
) -> tuple[AccessDecided, ...]:
    """A period's statements, one for each declared model, also where nobody asked. Raises InvalidInput too early.

    Where no worker told of the period its counts are 0 of 0 workers, which means not measured.
    """
    end = period.start.plus(length_s)
    if end > now:
        raise InvalidInput(f"the period ends at {end} only", path="period")
    return tuple(
        AccessDecided(
            effective=now,
            host=host,
            model=model,
            period=Span(start=period.start, end=end),
            served=counts.models.get(model, (0, 0))[0],
            refused=counts.models.get(model, (0, 0))[1],
            workers=counts.workers,
            silent=counts.silent,
            orders=period.orders.get(model, ()),
            state=state,
        )
        for model, state in sorted(period.states.items())
    )
