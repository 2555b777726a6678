"""How often a model was served and refused: counts by period, and nothing about anybody. Pure, and its file's form.

Each worker of an inference server counts for itself and writes its counts whole; the access point adds them up when a
period is over, and states them under its own key for every model that it declares: no request, no roll-up missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

import msgspec

from sekisho.access.picture import AccessDecision, AccessPicture, AccessState
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.statements import AccessDecided, OrderReference, Span
from sekisho.model.statements.shapes import Count, Name
from sekisho.model.wire import canonical, from_json, parse_json

__all__ = ["CountRow", "Period", "Tally", "add_counts", "make_roll_ups", "parse_counts", "start_of"]

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


class _CountsFile(msgspec.Struct, frozen=True, kw_only=True):
    rows: Annotated[tuple[CountRow, ...], msgspec.Meta(max_length=100_000)]


class Tally:
    """One worker's counts. Not for threads: an event loop counts, one after the other."""

    def __init__(self, period_s: int) -> None:
        self._period_s = period_s
        self._counts: dict[tuple[Instant, str], list[int]] = {}
        self.is_changed = False

    def count(self, decision: AccessDecision, now: Instant) -> None:
        """One request; names that no access point declares are not counted, since users make them up."""
        if decision.code == "model-not-served":
            return
        key = (start_of(now, self._period_s), decision.model)
        row = self._counts.get(key)
        if row is None:
            row = self._counts[key] = [0, 0]
            self._forget(now)
        row[0 if decision.serve else 1] += 1
        self.is_changed = True

    def rows(self) -> tuple[CountRow, ...]:
        return tuple(
            CountRow(model=model, start=start, served=served, refused=refused)
            for (start, model), (served, refused) in sorted(self._counts.items())
        )

    def to_bytes(self) -> bytes:
        """The file that the access point reads."""
        self.is_changed = False
        return canonical(_CountsFile(rows=self.rows()))

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


def parse_counts(raw: bytes, *, path: str = "") -> tuple[CountRow, ...]:
    """A worker's file. Raises InvalidInput."""
    return from_json(_CountsFile, parse_json(raw, path=path, limit=MAX_COUNTS), path=path).rows


def add_counts(files: Iterable[tuple[CountRow, ...]]) -> dict[tuple[Instant, str], tuple[int, int]]:
    """All workers' counts by period and model."""
    total: dict[tuple[Instant, str], tuple[int, int]] = {}
    for rows in files:
        for row in rows:
            served, refused = total.get((row.start, row.model), (0, 0))
            total[row.start, row.model] = (served + row.served, refused + row.refused)
    return total


def make_roll_ups(
    host: str,
    period: Period,
    length_s: int,
    counts: Mapping[tuple[Instant, str], tuple[int, int]],
    *,
    now: Instant,
) -> tuple[AccessDecided, ...]:
    """A period's statements, one for each declared model, also where nobody asked. Raises InvalidInput too early."""
    end = period.start.plus(length_s)
    if end > now:
        raise InvalidInput(f"the period ends at {end} only", path="period")
    return tuple(
        AccessDecided(
            effective=now,
            host=host,
            model=model,
            period=Span(start=period.start, end=end),
            served=counts.get((period.start, model), (0, 0))[0],
            refused=counts.get((period.start, model), (0, 0))[1],
            orders=period.orders.get(model, ()),
            state=state,
        )
        for model, state in sorted(period.states.items())
    )
