"""What one taking adds to the ledgers of balance areas.

A line's code follows from the event and from the standings before and after it, nothing else: so the lines of a
component's path can be made again at any time, and a backdated or voided event adds exactly the difference between the
path as it was believed and as it is believed now. For every (at, as_of) the signed lines of an area with a time up to
`at`, known by `as_of`, add up to the count of components that `position_at` puts there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

from sekisho.model.custody import Standing
from sekisho.model.errors import StateConflict
from sekisho.model.instants import Instant
from sekisho.ports.register_store import LineRow
from sekisho.registry.balance.areas import Areas
from sekisho.registry.custody.book import Captured, Taking
from sekisho.registry.epcis.event import Event, Typed

__all__ = ["Path", "Paths", "lines_of", "path_lines", "paths_asked"]

Path: TypeAlias = Sequence[tuple[Captured, Standing | None]]
"""A component's events in the order of the fold (event time, then effect), each with the standing after it."""
Paths: TypeAlias = Mapping[str, tuple[Path, Path]]
"""By EPC: the path as it was before a taking, and as it is after it."""

_NONE: Final[Paths] = MappingProxyType({})
_REPLACING: Final = frozenset({"replacing", "repairing"})
_OUT: Final = {"lost": "LA", "stolen": "TH", "destroyed": "DS", "exported": "SF"}
_IN: Final = {"lost": "GA", "stolen": "GA", "destroyed": "GA", "exported": "RF"}


def paths_asked(
    captured: Captured, taking: Taking, before: Callable[[str], Standing | None]
) -> tuple[str, ...]:
    """The EPCs whose whole paths `lines_of` must be given: those that the event did not simply come last for."""
    if taking.outcome != "taken":
        return ()
    at = captured.event.at
    late = taking.voids is not None or bool(taking.gone)
    epcs = [*taking.standings, *taking.gone, *(touch.epc for touch in taking.touches)]
    if late:
        return tuple(dict.fromkeys(epcs))
    asked = []
    for epc in dict.fromkeys(epcs):
        stood = before(epc)
        if stood is not None and stood.at > at:
            asked.append(epc)
    return tuple(asked)


def lines_of(
    captured: Captured,
    taking: Taking,
    before: Callable[[str], Standing | None],
    areas: Areas,
    paths: Paths = _NONE,
) -> tuple[LineRow, ...]:
    """The ledger lines that a taking adds, in the order of its standings.

    `before` answers with standings as they were before the taking; `paths` holds what `paths_asked` asked for. Raises
    StateConflict where a path that is needed was not given.
    """
    if taking.outcome != "taken":
        return ()
    found: list[LineRow] = []
    late = taking.voids is not None or bool(taking.gone)
    at = captured.event.at
    for epc, stands in taking.standings.items():
        if epc in paths:
            continue
        stood = before(epc)
        if late or (stood is not None and stood.at > at):
            raise StateConflict(f"the lines of event {taking.number} need the path of {epc}")
        found.extend(_step(captured, epc, stood, stands, areas))
    for epc, (was, now) in paths.items():
        found.extend(_differences(captured, epc, was, now, areas))
    return tuple(found)


def path_lines(epc: str, path: Path, areas: Areas) -> list[LineRow]:
    """All lines of one component's path, oldest first."""
    found: list[LineRow] = []
    stood: Standing | None = None
    for captured, stands in path:
        found.extend(_step(captured, epc, stood, stands, areas))
        stood = stands
    return found


def _differences(captured: Captured, epc: str, was: Path, now: Path, areas: Areas) -> list[LineRow]:
    """What must be taken back and what added so that the old path's lines become the new one's."""
    old = Counter(_bare(line) for line in path_lines(epc, was, areas))
    new = Counter(_bare(line) for line in path_lines(epc, now, areas))
    return [
        LineRow(
            number=captured.number,
            area=area,
            code=code,
            epc=epc,
            at=at,
            other=other,
            reverses=reverses,
        )
        for lines, reverses in ((old - new, True), (new - old, False))
        for area, code, at, other in lines.elements()
    ]


def _bare(line: LineRow) -> tuple[str, str, Instant, str]:
    return line.area, line.code, line.at, line.other


def _step(
    captured: Captured,
    epc: str,
    stood: Standing | None,
    stands: Standing | None,
    areas: Areas,
) -> tuple[LineRow, ...]:
    left, entered = areas.at(stood), areas.at(stands)
    if left == entered:
        return ()
    event = captured.event
    found = []
    if left and stood is not None:
        code, other = _code_out(event, stood, stands, entered, areas)
        found.append((left, code, other))
    if entered and stands is not None:
        code, other = _code_in(event, stood, stands, left, areas)
        found.append((entered, code, other))
    return tuple(
        LineRow(number=captured.number, area=area, code=code, epc=epc, at=event.at, other=other)
        for area, code, other in found
    )


def _code_out(
    event: Event, stood: Standing, stands: Standing | None, entered: str, areas: Areas
) -> tuple[str, str]:
    """The code under which a component leaves an area, and the area at the other end."""
    is_replaced = event.biz_step in _REPLACING and (stands is None or stands.state == "destroyed")
    if stands is not None and stands.state in _OUT and not is_replaced:
        return _OUT[stands.state], ""
    if is_replaced:
        return "RM-", entered
    if not entered:
        country, other = _end(event.destinations, areas)
        return ("SF" if _differ(areas.country(stood), country) else "SD"), other
    if stands is not None and _differ(areas.country(stood), areas.country(stands)):
        return "SF", entered
    kept = stands is not None and stands.custodian == stood.custodian
    if kept and entered in areas.stores:
        return "TW", entered
    return ("RB-" if kept and areas.at(stood) not in areas.stores else "SD"), entered


def _code_in(
    event: Event, stood: Standing | None, stands: Standing, left: str, areas: Areas
) -> tuple[str, str]:
    """The code under which a component enters an area, and the area at the other end."""
    if stood is None:
        return ("RM+" if event.biz_step in _REPLACING else "CM"), ""
    if stood.state in _IN:
        return _IN[stood.state], ""
    country, other = _origin(event, stood, areas) if not left else (areas.country(stood), left)
    if _differ(country, areas.country(stands)):
        return "RF", other
    kept = bool(left) and stands.custodian == stood.custodian
    if kept and left in areas.stores:
        return "FW", other
    return ("RB+" if kept and areas.at(stands) not in areas.stores else "RD"), other


def _differ(one: str, other: str) -> bool:
    """Whether a border lies between two countries; not where one of them is unknown."""
    return bool(one and other) and one != other


def _origin(event: Event, stood: Standing, areas: Areas) -> tuple[str, str]:
    """Country and area from which something in transit comes.

    What the receipt names; else the shipper, who is custodian until then, where it keeps places in one country; else
    where it was seen last. On its way a hub may be that, so a shipper's own country goes before it.
    """
    country, other = _end(event.sources, areas)
    known = country or areas.country_of.get(stood.custodian, "")
    if known:
        return known, other
    return areas.country(stood), areas.area_at.get(stood.site, "")


def _end(ends: Sequence[Typed], areas: Areas) -> tuple[str, str]:
    """Country and area that a source or destination list names; "" for what it does not."""
    country = ""
    for end in ends:
        if end.type == "location":
            place = areas.terms.name_of("place", end.id)
            if place is not None and place in areas.country_at:
                return areas.country_at[place], areas.area_at[place]
        elif end.type in ("possessing_party", "owning_party"):
            party = areas.terms.name_of("party", end.id)
            country = country or areas.country_of.get(party or "", "")
    return country, ""
