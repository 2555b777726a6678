"""How far each site has come under an order: hosts and devices by degree, when each stage was reached, what lapses.

Pure: the lives of an order at its hosts, folded by site. A host is counted once, by what may be said of it at the
instant asked: a verdict that has lapsed counts as claimed again. Percentages are of the site's covered devices.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements import HostEnrolled
from sekisho.operations.state import State, facts_under
from sekisho.operations.straggling import due_of
from sekisho.orders import KnownOrder
from sekisho.orders.lifecycle import HostUnderOrder

__all__ = [
    "STAGES",
    "HostProgress",
    "Place",
    "SiteProgress",
    "StageReached",
    "progress_by_site",
]

Place: TypeAlias = Literal[
    "verified",
    "corroborated",
    "claimed",
    "contradicted",
    "capped",
    "resumed",
    "checkpointed",
    "received",
    "issued",
    "non-responsive",
    "unasked",
]
"""`issued`: nothing was heard, and there is still time to halt; `non-responsive`: there is none left; `unasked`: of a
suspension of access no receipt is asked, since who serves states what it served and refused."""
_PLACES: Final[tuple[Place, ...]] = (
    "verified",
    "corroborated",
    "claimed",
    "contradicted",
    "non-responsive",
    "issued",
    "received",
    "checkpointed",
    "capped",
    "resumed",
    "unasked",
)
StageReached: TypeAlias = Literal[
    "received", "checkpointed", "halted", "corroborated", "verified", "lapses", "capped"
]
STAGES: Final[tuple[StageReached, ...]] = (
    "received",
    "checkpointed",
    "halted",
    "corroborated",
    "verified",
    "lapses",
)
"""The stages of a halt, in their order; under a cap a host is `received`, then `capped`."""


class HostProgress(msgspec.Struct, frozen=True, kw_only=True):
    """One host: its place, each stage that it reached with the instant, and until when its verdict may be said."""

    host: str
    site: str
    devices: int
    place: Place
    reached: dict[StageReached, Instant]
    holds_until: Instant | None = None


class SiteProgress(msgspec.Struct, frozen=True, kw_only=True):
    """One site: its covered hosts and devices, how many stand where, and when the first verdict lapses."""

    site: str
    hosts: tuple[HostProgress, ...]
    devices: int
    counts: dict[Place, tuple[int, int]]
    holds_until: Instant | None

    def devices_at(self, *places: Place) -> int:
        return sum(self.counts.get(place, (0, 0))[1] for place in places)

    def percent_at(self, *places: Place) -> int | None:
        """The share of devices in whole percent, rounded down so that 100 means all; None without devices."""
        return self.devices_at(*places) * 100 // self.devices if self.devices else None


def progress_by_site(state: State, known: KnownOrder, at: Instant) -> tuple[SiteProgress, ...]:
    """Every site that an order covers, or that was heard of under it, by name."""
    heard = {life.host for life in state.lives.under(known.reference)}
    covered = () if known.order.kind == "resume" else facts_under(state, known)
    names = {host.host: host for host in covered}
    names |= {name: state.regime.hosts[name] for name in heard if name in state.regime.hosts}
    sites: dict[str, list[HostProgress]] = {}
    due = due_of(state, known)
    for name in sorted(names):
        life = state.lives.of(known.reference, name)
        row = _host(names[name], life, at, due)
        if known.order.effect == "suspend-access":
            row = msgspec.structs.replace(row, place="unasked")
        sites.setdefault(row.site, []).append(row)
    return tuple(_site(site, sites[site]) for site in sorted(sites))


def _host(host: HostEnrolled, life: HostUnderOrder, at: Instant, due: Instant) -> HostProgress:
    verdict = life.verdict_on_halt
    return HostProgress(
        host=host.host,
        site=host.site,
        devices=len(host.devices),
        place=_place(life, at, due),
        reached=_reached(life),
        holds_until=verdict.lapses if verdict is not None and at < verdict.lapses else None,
    )


def _place(life: HostUnderOrder, at: Instant, due: Instant) -> Place:
    last = life.stages[-1].stage if life.stages else None
    if last == "resumed":
        return "resumed"
    if life.halted is not None:
        degree = life.degree(at)
        return degree if degree is not None else "claimed"
    if last == "capped":
        return "capped"
    if last == "received":
        return "received"
    if last == "checkpointed":
        return "checkpointed"
    return "issued" if at < due else "non-responsive"


def _reached(life: HostUnderOrder) -> dict[StageReached, Instant]:
    """When the newest halt passed each stage: an earlier one's stages are no part of it."""
    resumed = [n for n, passed in enumerate(life.stages[:-1]) if passed.stage == "resumed"]
    found: dict[StageReached, Instant] = {}
    for passed in life.stages[resumed[-1] + 1 :] if resumed else life.stages:
        if passed.stage in ("received", "checkpointed", "halted", "capped"):
            found[passed.stage] = passed.at
    verdict, seen = life.verdict_on_halt, life.observation
    if verdict is None:
        return found
    if verdict.degree in ("corroborated", "verified") and seen is not None:
        found["corroborated"] = seen.readings[-1].at
    if verdict.degree == "verified":
        found["verified"] = verdict.effective
    if verdict.degree in ("corroborated", "verified"):
        found["lapses"] = verdict.lapses
    return found


def _site(site: str, hosts: Iterable[HostProgress]) -> SiteProgress:
    rows = tuple(hosts)
    counts: dict[Place, tuple[int, int]] = {}
    for row in rows:
        count, devices = counts.get(row.place, (0, 0))
        counts[row.place] = (count + 1, devices + row.devices)
    lapses = [
        row.holds_until
        for row in rows
        if row.holds_until is not None and row.place in ("corroborated", "verified")
    ]
    return SiteProgress(
        site=site,
        hosts=rows,
        devices=sum(row.devices for row in rows),
        counts={place: counts[place] for place in _PLACES if place in counts},
        holds_until=min(lapses, default=None),
    )
