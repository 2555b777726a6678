"""Access to models as the console shows it: suspensions in force, models by host, what their roll-ups counted. Pure.

A roll-up is the word of the host that serves. Where no worker told of a period its counts are not measured and never
zero; where one fell silent they are at least what is shown, short by up to two seconds of that worker's requests.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements import AccessDecided, AccessTerms
from sekisho.orders import KnownOrder
from sekisho.orders.access import access_terms, names_model
from sekisho.signing import Recorded
from sekisho.web.snapshot import Snapshot

__all__ = ["LOST_S", "DayCounts", "ModelAtHost", "Suspension", "list_models", "list_suspensions"]

LOST_S: Final = 2
"""What a worker that is killed had not written yet, in seconds of its counts."""
WINDOW_S: Final = 86_400
LATE_S: Final = 300
"""How long after a period's end its roll-up may be on its way: half a minute for the workers, then the post."""


class Suspension(msgspec.Struct, frozen=True, kw_only=True):
    """One suspension in force: whose access it ends, to which models, since when; no `terms` while it is sealed."""

    known: KnownOrder
    since: Instant
    terms: AccessTerms | None


class DayCounts(msgspec.Struct, frozen=True, kw_only=True):
    """One model at one host in the last 24 hours: `told` periods were measured, in `silent` of them not wholly.

    `unmeasured` periods have a roll-up of no worker, or none at all between the first and the last; 0 told: not
    measured.
    """

    served: int = 0
    refused: int = 0
    told: int = 0
    silent: int = 0
    unmeasured: int = 0


class ModelAtHost(msgspec.Struct, frozen=True, kw_only=True):
    """One model where it is served: the newest roll-up, the suspensions over it now, and its day."""

    newest: AccessDecided
    leaf: str
    site: str
    over: tuple[KnownOrder, ...]
    day: DayCounts
    is_late: bool

    @property
    def is_measured(self) -> bool:
        return self.newest.workers != 0


def list_suspensions(look: Snapshot) -> tuple[Suspension, ...]:
    """Every suspension of access in force, the newest first."""
    found = [known for known in look.in_force if known.order.kind == "suspend-access"]
    return tuple(
        Suspension(
            known=known,
            since=max(known.order.effective, known.order.not_before),
            terms=access_terms(known.order) if known.is_shown else None,
        )
        for known in reversed(found)
    )


def list_models(
    look: Snapshot, entries: Iterable[Recorded], most: int
) -> tuple[tuple[ModelAtHost, ...], int]:
    """Each model at each host that stated a roll-up among `entries` (in log order), by model and host.

    At most so many of them, and how many more there are.
    """
    by_place: dict[tuple[str, str], list[tuple[AccessDecided, str]]] = {}
    for entry in entries:
        fact = entry.verified.predicate
        if isinstance(fact, AccessDecided):
            by_place.setdefault((fact.model, fact.host), []).append((fact, entry.leaf))
    suspending = [known for known in look.in_force if known.is_shown and not known.order.drill]
    places = sorted(by_place)
    drawn = tuple(_draw(look, by_place[place], suspending) for place in places[:most])
    return drawn, max(0, len(places) - most)


def _draw(
    look: Snapshot, told: list[tuple[AccessDecided, str]], suspending: list[KnownOrder]
) -> ModelAtHost:
    newest, leaf = max(told, key=lambda one: one[0].period.end)
    enrolled = look.regime.hosts.get(newest.host)
    over = tuple(
        known
        for known in suspending
        if names_model(known.order, newest.model)
        and (enrolled is None or look.covers(known, enrolled))
    )
    length = newest.period.end.since(newest.period.start)
    return ModelAtHost(
        newest=newest,
        leaf=leaf,
        site="" if enrolled is None else enrolled.site,
        over=over,
        day=_add_up(look.at, [fact for fact, _ in told]),
        is_late=look.at > newest.period.end.plus(length + LATE_S),
    )


def _add_up(at: Instant, facts: list[AccessDecided]) -> DayCounts:
    day = sorted(
        (f for f in facts if f.period.end > at.plus(-WINDOW_S)), key=lambda f: f.period.start
    )
    measured = [fact for fact in day if fact.workers != 0]
    return DayCounts(
        served=sum(fact.served for fact in measured),
        refused=sum(fact.refused for fact in measured),
        told=len(measured),
        silent=sum(1 for fact in measured if fact.silent),
        unmeasured=len(day) - len(measured) + _missing(day),
    )


def _missing(day: list[AccessDecided]) -> int:
    """Periods of which nobody stated anything, between those of which somebody did."""
    missing = 0
    for before, after in pairwise(day):
        gap = after.period.start.since(before.period.end)
        missing += max(0, round(gap / before.period.end.since(before.period.start)))
    return missing
