"""The geometry of an order's pictures: what it would do at each site, and how far each site has come. Pure.

Positions are whole thousandths of the drawing, as attributes of an SVG. A bar is as long as its site has devices, all
to one scale; a timeline runs from the order's begin to now, or to the last verdict's lapse where that is ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.app.control_room import STAGES, SiteInReach, SiteProgress, StageReached
from sekisho.model.instants import Instant

__all__ = [
    "CAP_STAGES",
    "LANE",
    "WIDTH",
    "Lane",
    "ReachBar",
    "ReachPart",
    "Timeline",
    "draw_reach",
    "draw_timeline",
]

WIDTH: Final = 1000
LANE: Final = 36
CAP_STAGES: Final[tuple[StageReached, ...]] = ("received", "capped")
"""What a host goes through under a cap."""
Part: TypeAlias = Literal["at-risk", "kept", "idle", "exempt", "unknown"]
_PARTS: Final[tuple[Part, ...]] = ("at-risk", "kept", "idle", "exempt", "unknown")


class ReachPart(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch of a bar: so many devices that an order does this to."""

    part: Part
    devices: int
    x: int
    width: int


class ReachBar(msgspec.Struct, frozen=True, kw_only=True):
    """One site's bar."""

    site: SiteInReach
    parts: tuple[ReachPart, ...]
    length: int


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of a timeline: a mark for each host that reached it, and the stretch from the first to the last."""

    stage: StageReached
    y: int
    ticks: tuple[int, ...]
    first: Instant | None
    last: Instant | None
    count: int

    @property
    def x(self) -> int:
        return self.ticks[0] if self.ticks else 0

    @property
    def width(self) -> int:
        return self.ticks[-1] - self.ticks[0] if self.ticks else 0


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """One site's timeline; `due` is by when its hosts must have halted, where that lies within the picture."""

    lanes: tuple[Lane, ...]
    now: int
    due: int | None
    start: Instant
    end: Instant
    height: int


def draw_reach(sites: Sequence[SiteInReach]) -> tuple[ReachBar, ...]:
    """A bar for each site, all to the scale of the largest."""
    top = max((site.devices for site in sites), default=0)
    return tuple(_bar(site, top) for site in sites)


def _bar(site: SiteInReach, top: int) -> ReachBar:
    found, done = [], 0
    counts = (site.at_risk, site.kept, site.idle, site.exempt, site.unknown)
    for part, devices in zip(_PARTS, counts, strict=True):
        x, end = _along(done, top), _along(done + devices, top)
        if devices:
            found.append(ReachPart(part=part, devices=devices, x=x, width=max(1, end - x)))
        done += devices
    return ReachBar(site=site, parts=tuple(found), length=_along(site.devices, top))


def _along(devices: int, top: int) -> int:
    return devices * WIDTH // top if top else 0


def draw_timeline(
    site: SiteProgress,
    begun: Instant,
    due: Instant,
    at: Instant,
    *,
    stages: Sequence[StageReached] = STAGES,
) -> Timeline:
    """The timeline of a site under an order that began at `begun`, with a lane for each of `stages`."""
    times = [when for row in site.hosts for when in row.reached.values()]
    start, end = min([begun, *times]), max([at, *times])
    span = max(1e-6, end.since(start))

    def across(when: Instant) -> int:
        return min(WIDTH, max(0, round(when.since(start) / span * WIDTH)))

    lanes = []
    for n, stage in enumerate(stages):
        reached = sorted(row.reached[stage] for row in site.hosts if stage in row.reached)
        lanes.append(
            Lane(
                stage=stage,
                y=n * LANE,
                ticks=tuple(sorted({across(when) for when in reached})),
                first=reached[0] if reached else None,
                last=reached[-1] if reached else None,
                count=len(reached),
            )
        )
    return Timeline(
        lanes=tuple(lanes),
        now=across(at),
        due=across(due) if start <= due <= end else None,
        start=start,
        end=end,
        height=len(stages) * LANE,
    )
