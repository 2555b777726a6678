"""A small world of chips for the tests of balances: each event says outright how its chip stands after it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from hypothesis import strategies as st

from sekisho.model.custody import Identity, LifeState, Standing
from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import Span
from sekisho.ports.register_store import LineRow
from sekisho.registry.balance import Areas, Closing, Inventory, Item, lines_of, paths_asked
from sekisho.registry.balance.lines import Path
from sekisho.registry.custody.book import Captured, Taking, Touch
from sekisho.registry.epcis.event import Event, Typed
from sekisho.registry.terms import Place, RegisterTerms

__all__ = [
    "AREAS",
    "BERLIN",
    "CLOUD",
    "FAB",
    "TERMS",
    "TOKYO",
    "Told",
    "World",
    "at",
    "closing",
    "count_of",
    "counted",
    "row",
    "tellings",
]

TERMS = RegisterTerms(
    places=(
        Place(place="fab", country="TW", keeper="maker", area="fab"),
        Place(place="hall-1", country="JP", keeper="cloud", area="osaka", point="row-1"),
        Place(place="hall-2", country="JP", keeper="cloud", area="osaka", point="row-2"),
        Place(place="tokyo", country="JP", keeper="cloud"),
        Place(place="cold", country="JP", keeper="cloud", area="cold", storage=True),
        Place(place="berlin", country="DE", keeper="lab"),
    )
)
AREAS = Areas.of(TERMS)
_START = 1_750_000_000


def at(hours: int) -> Instant:
    """So many hours after the world began."""
    return Instant.from_seconds(_START + hours * 3600)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What one event says: of which chip, when, and how it stands afterwards. `voids` takes back an earlier event."""

    epc: str = "chip-1"
    hours: int
    state: LifeState = "registered"
    site: str = "hall-1"
    custodian: str = "cloud"
    biz_step: str = ""
    destinations: tuple[Typed, ...] = ()
    sources: tuple[Typed, ...] = ()
    voids: int | None = None


class World:
    """Takes events in the order told; keeps every line that `lines_of` gave, as a store would."""

    def __init__(self, areas: Areas = AREAS) -> None:
        self.areas = areas
        self.lines: list[LineRow] = []
        self.path: dict[str, list[tuple[Captured, Standing]]] = {}
        self._number = 0

    def tell(self, told: Told) -> tuple[LineRow, ...]:
        self._number += 1
        captured = Captured(
            number=self._number,
            event=Event(
                type="ObjectEvent",
                at=at(told.hours),
                zone="+00:00",
                action="OBSERVE",
                epcs=(told.epc,),
                biz_step=told.biz_step,
                destinations=told.destinations,
                sources=told.sources,
                raw={},
            ),
            hash_id=f"hash-{self._number}",
            key=self._number.to_bytes(32, "big"),
            received=at(told.hours),
        )
        was = self.folded(told.epc)
        before = was[-1][1] if was else None
        self._take(captured, told)
        now = self.folded(told.epc)
        stands = now[-1][1] if now else None
        taking = Taking(
            number=self._number,
            outcome="taken",
            touches=(Touch(epc=told.epc, role="epc"),),
            standings={} if stands is None else {told.epc: stands},
            gone=(told.epc,) if stands is None else (),
            voids=told.voids,
        )
        asked = paths_asked(captured, taking, lambda _: before)
        paths = dict.fromkeys(asked, (was, now))
        made = lines_of(captured, taking, lambda _: before, self.areas, paths)
        self.lines.extend(made)
        return made

    def folded(self, epc: str) -> Path:
        """The chip's path by event time; events at one time in the order told."""
        return tuple(sorted(self.path.get(epc, ()), key=lambda step: step[0].event.at))

    def _take(self, captured: Captured, told: Told) -> None:
        steps = self.path.setdefault(told.epc, [])
        if told.voids is not None:
            steps[:] = [step for step in steps if step[0].number != told.voids]
            return
        standing = Standing(
            epc=told.epc,
            identity=Identity(component="package", maker="maker", serial=told.epc, model="H100"),
            state=told.state,
            custodian=told.custodian,
            holder=told.custodian,
            owner=told.custodian,
            site=told.site,
            country="",
            made=at(0),
            at=captured.event.at,
            number=captured.number,
        )
        steps.append((captured, standing))


BERLIN = Typed("location", "urn:sekisho:place:berlin")
TOKYO = Typed("location", "urn:sekisho:place:tokyo")
FAB = Typed("location", "urn:sekisho:place:fab")
CLOUD = Typed("possessing_party", "urn:sekisho:party:cloud")

STATES: list[LifeState] = [
    "registered", "in-transit", "active", "suspended", "exported", "returned", "lost", "stolen", "destroyed",
]  # fmt: skip
tellings = st.builds(
    Told,
    epc=st.sampled_from(["chip-1", "chip-2", "chip-3"]),
    hours=st.integers(0, 12),
    state=st.sampled_from(STATES),
    site=st.sampled_from(["fab", "hall-1", "hall-2", "tokyo", "cold", "berlin", "shed", ""]),
    custodian=st.sampled_from(["cloud", "maker", "lab"]),
    biz_step=st.sampled_from(["", "receiving", "repairing"]),
    destinations=st.sampled_from([(), (BERLIN,), (TOKYO,), (CLOUD,)]),
    sources=st.sampled_from([(), (FAB,)]),
    voids=st.one_of(st.none(), st.none(), st.integers(1, 12)),
)


def count_of(path: Path, area: str, when: Instant, areas: Areas = AREAS) -> int:
    """1 where a chip's path puts it in an area at an instant: the fold of the events up to then, told another way."""
    standing = next((s for c, s in reversed(path) if c.event.at <= when), None)
    return int(standing is not None and areas.at(standing) == area)


def row(code: str, epc: str = "chip-1", hours: int = 1, **more: object) -> LineRow:
    """A ledger line."""
    fields = {"number": hours, "area": "osaka", "other": "", "reverses": False, **more}
    return LineRow(code=code, epc=epc, at=at(hours), **fields)  # type: ignore[arg-type]  # a test names them


def closing(start: int, end: int) -> Closing:
    """What is asked when Osaka is closed over these hours."""
    return Closing(
        party="cloud",
        area="osaka",
        country="JP",
        period=Span(start=at(start), end=at(end)),
        made=at(end + 1),
    )


def counted(epcs: Sequence[str], hours: int) -> Inventory:
    """A count of Osaka."""
    return Inventory(
        party="cloud", area="osaka", taken=at(hours), items=tuple(Item(epc=epc) for epc in epcs)
    )
