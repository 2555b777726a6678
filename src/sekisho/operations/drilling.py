"""Drills of orders: what each site's canary did, how long each stage took, and which site was never exercised. Pure.

A drill acts only on a site's declared canary. A site whose hosts declare none cannot be exercised, and a site at which
no canary halted was not: both are said by name, and neither is ever shown as good.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.statements import HostEnrolled
from sekisho.operations.site_progress import HostProgress, StageReached, progress_by_site
from sekisho.operations.state import State, facts_under
from sekisho.orders import KnownOrder

__all__ = [
    "DrillReport",
    "DrillStage",
    "SiteDrill",
    "SiteExercised",
    "drill_report",
    "exercised_sites",
]

DrillStage: TypeAlias = Literal["received", "checkpointed", "halted", "corroborated", "verified"]
DRILL_STAGES: Final[tuple[DrillStage, ...]] = get_args(DrillStage)
_DAY_S: Final = 86_400


class SiteDrill(msgspec.Struct, frozen=True, kw_only=True):
    """One site in scope of a drill: hosts with a canary and without, and of the first kind how many came how far.

    `seconds` is the longest that any host took from the drill's begin to each stage; a stage is left out where a host
    with a canary has not reached it, since the slowest is then not known.
    """

    site: str
    canaries: int
    without_canary: tuple[str, ...]
    reached: dict[DrillStage, int]
    seconds: dict[DrillStage, float]

    @property
    def is_exercised(self) -> bool:
        """Whether at least one canary was stopped here: nothing less exercises the last mile."""
        return self.reached.get("halted", 0) > 0


class DrillReport(msgspec.Struct, frozen=True, kw_only=True):
    """A drill over all sites in its scope; `not_exercised` are those at which no canary was stopped."""

    known: KnownOrder
    begun: Instant
    sites: tuple[SiteDrill, ...]
    not_exercised: tuple[str, ...]


class SiteExercised(msgspec.Struct, frozen=True, kw_only=True):
    """A site and the last drill that stopped a canary there; None where none ever did."""

    site: str
    hosts: int
    canaries: int
    last: KnownOrder | None
    at: Instant | None

    def days_since(self, now: Instant) -> int | None:
        """Whole days since, rounded down; None where it was never exercised."""
        return None if self.at is None else max(0, int(now.since(self.at) // _DAY_S))


def drill_report(state: State, known: KnownOrder, at: Instant) -> DrillReport:
    """What a drill did at each site of its scope. Raises InvalidInput where the order is no drill."""
    order = known.order
    if not order.drill:
        raise InvalidInput(
            f"order {order.register} {order.number} is no drill",
            path="REGISTER/NUMBER",
            remedy="sekisho order status tells of real orders; draft a drill with --drill",
        )
    progress = {row.host: row for site in progress_by_site(state, known, at) for row in site.hosts}
    wide = msgspec.structs.replace(order, drill=False, exemptions=())
    in_scope = facts_under(state, msgspec.structs.replace(known, order=wide))
    names = progress.keys() | {host.host for host in in_scope}
    sites: dict[str, list[HostEnrolled]] = {}
    for name, host in sorted(state.regime.hosts.items()):
        if name in names:
            sites.setdefault(host.site, []).append(host)
    rows = tuple(_site(site, hosts, progress, order.not_before) for site, hosts in sites.items())
    rows = tuple(sorted(rows, key=lambda row: row.site))
    return DrillReport(
        known=known,
        begun=order.not_before,
        sites=rows,
        not_exercised=tuple(row.site for row in rows if not row.is_exercised),
    )


def exercised_sites(state: State) -> tuple[SiteExercised, ...]:
    """Every site with enrolled hosts, and when a drill last stopped a canary there."""
    last: dict[str, tuple[Instant, KnownOrder]] = {}
    for book in state.orders.orders.values():
        for known in book.values():
            if known.order.drill:
                _note_halts(state, known, last)
    sites: dict[str, list[HostEnrolled]] = {}
    for host in state.regime.hosts.values():
        sites.setdefault(host.site, []).append(host)
    return tuple(
        SiteExercised(
            site=site,
            hosts=len(hosts),
            canaries=sum(host.canary is not None for host in hosts),
            last=last[site][1] if site in last else None,
            at=last[site][0] if site in last else None,
        )
        for site, hosts in sorted(sites.items())
    )


def _note_halts(
    state: State, known: KnownOrder, last: dict[str, tuple[Instant, KnownOrder]]
) -> None:
    for life in state.lives.under(known.reference):
        host = state.regime.hosts.get(life.host)
        halts = [stage.at for stage in life.stages if stage.stage == "halted"]
        if host is None or host.canary is None or not halts:
            continue
        if host.site not in last or last[host.site][0] < halts[-1]:
            last[host.site] = (halts[-1], known)


def _site(
    site: str, hosts: list[HostEnrolled], progress: dict[str, HostProgress], begun: Instant
) -> SiteDrill:
    canaries = [host.host for host in hosts if host.canary is not None]
    rows = [progress[name].reached for name in canaries if name in progress]
    reached: dict[DrillStage, int] = {}
    seconds: dict[DrillStage, float] = {}
    for stage in DRILL_STAGES:
        took = _took(rows, stage, begun)
        if took:
            reached[stage] = len(took)
            if len(took) == len(canaries):
                seconds[stage] = max(took)
    return SiteDrill(
        site=site,
        canaries=len(canaries),
        without_canary=tuple(host.host for host in hosts if host.canary is None),
        reached=reached,
        seconds=seconds,
    )


def _took(
    rows: list[dict[StageReached, Instant]], stage: DrillStage, begun: Instant
) -> list[float]:
    return [max(0.0, row[stage].since(begun)) for row in rows if stage in row]
