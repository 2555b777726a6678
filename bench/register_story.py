"""Lives of chips as a register's captures would store them, by the million and from a seed.

Each chip has ten events of its own: made, tested, shipped, received, put in a server, set to work, counted. The
documents are those of a sample life, read and hashed by the room that captures use; a chip's own words take the place
of the sample's. tests/bench/test_register_story.py captures some lives for real and compares every row.
"""

from __future__ import annotations

import hashlib
import json
import random
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from sekisho.model.custody import Identity, LifeState, Movement, Standing
from sekisho.model.instants import Instant, format_instant
from sekisho.ports.register_store import (
    BatchRow,
    CaptureRow,
    Change,
    EventRow,
    LineRow,
    TouchRow,
)
from sekisho.registry.custody.reference import check_character
from sekisho.registry.epcis import event_document, parse_document
from sekisho.registry.epcis.event import Event
from sekisho.registry.epcis.hashing import _APART, _apart

__all__ = ["LOT", "SHIPMENT", "STAGES", "Life", "Story", "World", "life_of"]

DAY = 86_400
START = Instant.parse("2026-01-01T00:00:00Z")
MAKERS = ("maker-a", "maker-b", "maker-c")
CLOUDS = tuple(f"cloud-{n:02d}" for n in range(40))
HALLS = tuple(f"hall-{n:03d}" for n in range(200))
MODELS = ("H100 SXM", "H200 SXM", "B200", "A100 80GB", "H20")
COUNTRIES = ("JP", "US", "DE", "SG", "FR")
FABS = ("fab-a", "fab-b", "fab-c")
FAB_COUNTRY = "TW"
DUE_S = 14 * DAY
LOT = 500
"""Chips that go through a stage together."""

_EPCS = "https://chips.example/id/gpu/GPU-"
_T = "2026-03-04T05:06:07.089Z"
_EPC, _SERVER = "https://chips.example/id/gpu/QQEPC", "https://chips.example/id/server/QQSRV"
_CONTEXT = [
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {"skh": "https://ns.sekisho.example/epcis/"},
]


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """Who one chip is and where it goes."""

    number: int
    epc: str
    serial: str
    device_key: str
    model: str
    maker: str
    fab: str
    cloud: str
    hall: str
    country: str
    server: str
    reference: str


def life_of(number: int) -> Life:
    """Chip `number`: every tenth stands in one hall, the others in a hundred and ninety-nine; eight in a server."""
    dice = random.Random(number)  # noqa: S311  # which hall; guards nothing
    at = 0 if number % 10 == 0 else dice.randrange(1, len(HALLS))
    which = number % 3
    body = f"26TW{number:015d}"
    return Life(
        number=number,
        epc=f"{_EPCS}{number:08d}",
        serial=f"GPU-{number:08d}",
        device_key=hashlib.sha256(b"key %d" % number).hexdigest(),
        model=MODELS[dice.randrange(len(MODELS))],
        maker=MAKERS[which],
        fab=FABS[which],
        cloud=CLOUDS[at % len(CLOUDS)],
        hall=HALLS[at],
        country=COUNTRIES[at % len(COUNTRIES)],
        server=f"https://chips.example/id/server/{HALLS[at]}-{number // (1_600 if at else 80):05d}",
        reference=body + check_character(body),
    )


class World(msgspec.Struct, frozen=True, kw_only=True):
    """How many chips there are, and whether each has events of its own or shares them with its lot."""

    chips: int
    lots: bool = False

    def life(self, number: int) -> Life:
        """A chip's life; in lots it is one for all of them, without a device key, which no two share."""
        if not self.lots:
            return life_of(number)
        return _in_lot(life_of(number // LOT), number)

    def events_of(self, lot: int) -> list[list[Life]]:
        """The lives of a lot's chips, together where one event is about them."""
        numbers = range(lot, min(lot + LOT, self.chips))
        if not self.lots:
            return [[life_of(number)] for number in numbers]
        first = life_of(lot // LOT)
        return [[_in_lot(first, number) for number in numbers]]


def _in_lot(first: Life, number: int) -> Life:
    return msgspec.structs.replace(
        first,
        number=number,
        epc=f"{_EPCS}{number:08d}",
        serial=f"GPU-{number:08d}",
        device_key="",
    )


def _ends(kind: str, party: str) -> list[dict[str, str]]:
    return [{"type": "possessing_party", kind: f"urn:sekisho:party:{party}"}]


def _sample(step: str, disposition: str, place: str, **more: Any) -> dict[str, Any]:
    return {
        "@context": _CONTEXT,
        "type": "ObjectEvent",
        "eventTime": _T,
        "eventTimeZoneOffset": "+00:00",
        "epcList": [_EPC],
        "action": "OBSERVE",
        "bizStep": step,
        "disposition": disposition,
        "readPoint": {"id": f"urn:sekisho:place:{place}"},
        "bizLocation": {"id": f"urn:sekisho:place:{place}"},
        **more,
    }


_ILMD = {"skh:model": "QQMODEL", "skh:deviceKeySha256": "QQKEY"}
_MOVES: dict[str, Any] = {
    "bizTransactionList": [{"type": "desadv", "bizTransaction": "urn:sekisho:movement:QQREF"}],
    "sourceList": _ends("source", "QQMAKER"),
    "destinationList": [
        *_ends("destination", "QQCLOUD"),
        {"type": "location", "destination": "urn:sekisho:place:QQHALL"},
    ],
}
_INSTALL: dict[str, Any] = {
    "type": "AssociationEvent",
    "action": "ADD",
    "parentID": _SERVER,
    "childEPCs": [_EPC],
}
_SAMPLES: tuple[dict[str, Any], ...] = (
    _sample("commissioning", "active", "QQFAB", action="ADD", ilmd=_ILMD),
    _sample("inspecting", "conformant", "QQFAB"),
    _sample("shipping", "in_transit", "QQFAB", **_MOVES),
    _sample("receiving", "in_progress", "QQHALL", **_MOVES),
    _sample("installing", "active", "QQHALL", **_INSTALL),
    _sample("installing", "active", "QQHALL"),
    _sample("cycle_counting", "active", "QQHALL"),
    _sample("stock_taking", "active", "QQHALL"),
    _sample("sensor_reporting", "active", "QQHALL"),
    _sample("cycle_counting", "active", "QQHALL"),
)
_SHIPPING, _RECEIVING, _INSTALLING, _ACTIVATING = 2, 3, 4, 5
SHIPMENT = (0, _SHIPPING, _RECEIVING)
"""The stages that a lot goes through."""

_HEAD = (
    b'{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],"type":"EPCISDocument",'
    b'"schemaVersion":"2.0","creationDate":"2026-07-01T00:00:00.000Z","epcisBody":{"eventList":['
)
del _SAMPLES[_INSTALLING]["epcList"]
_MADE_IN_LOTS = _sample(
    "commissioning", "active", "QQFAB", action="ADD", ilmd={"skh:model": "QQMODEL"}
)
STAGES = len(_SAMPLES)
_WORDS = {
    _EPC: "%(epc)s",
    _SERVER: "%(server)s",
    _T: "%(time)s",
    "QQMODEL": "%(model)s",
    "QQKEY": "%(key)s",
    "QQREF": "%(reference)s",
    "QQMAKER": "%(maker)s",
    "QQCLOUD": "%(cloud)s",
    "QQFAB": "%(fab)s",
    "QQHALL": "%(hall)s",
}


class _Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One event of every life: its document and what its hash is taken of, with gaps for a chip's own words."""

    document: str
    apart: str
    event: Event

    @classmethod
    def of(cls, sample: dict[str, Any]) -> _Stage:
        (event,) = parse_document(json.dumps(sample).encode()).events
        return cls(
            document=_gapped(event_document(event).decode()),
            apart=_gapped(_apart(event)),
            event=event,
        )


def _gapped(text: str) -> str:
    text = text.replace("%", "%%")
    for word, gap in _WORDS.items():
        text = text.replace(word, gap)
    return text


class Story:
    """Changes that captures of lives give, in groups, behind an event and a batch; salts follow from the numbers."""

    def __init__(self, *, number: int = 0, batch: int = 0) -> None:
        self._stages = [_Stage.of(sample) for sample in _SAMPLES]
        self._made_in_lots = _Stage.of(_MADE_IN_LOTS)
        self._number, self._batch = number, batch
        # By stage and chip the numbers of the events that later ones tell of: its making and its shipment.
        self._told = {0: array("q"), _SHIPPING: array("q")}

    def changes(self, world: World, stages: Sequence[int], *, group: int) -> Iterator[Change]:
        """All chips go through one stage, lot by lot in an order drawn by the stage, then through the next."""
        for stage in stages:
            lots = list(range(0, world.chips, LOT))
            random.Random(stage).shuffle(lots)  # noqa: S311  # an order; guards nothing
            for start in range(0, len(lots), max(1, group // LOT)):
                coming = [
                    world.events_of(lot) for lot in lots[start : start + max(1, group // LOT)]
                ]
                yield self.change([lives for lot in coming for lives in lot], stage)

    def change(
        self, together: Sequence[Sequence[Life]], stage: int, a_document: int = 100
    ) -> Change:
        """One event for each of these groups of lives."""
        self._batch += 1
        events: list[EventRow] = []
        touches: list[TouchRow] = []
        lines: list[LineRow] = []
        standings: dict[str, Standing] = {}
        movements: dict[str, Movement] = {}
        contained: dict[str, str] = {}
        received = _at(self._number + len(together), stage).plus(60)
        for place, lives in enumerate(together):
            self._number += 1
            name = f"{self._batch:020d}{place // a_document:012d}"
            row = self._event(lives, stage, name, place, received)
            events.append(row)
            for life in lives:
                self._remember(life, stage)
                touches += _touches(row, life, stage)
                standing = _standing(row, life, stage, self._when(life, 0))
                if standing is not None:
                    standings[life.epc] = standing
                if stage == _INSTALLING:
                    contained[life.epc] = life.server
                lines += _lines(row, life, stage)
            if stage in (_SHIPPING, _RECEIVING):
                shipped = self._when(lives[0], _SHIPPING)
                movements[lives[0].reference] = _movement(lives, stage, *shipped)
        documents = _documents(events)
        return Change(
            captures=_captures(events, documents, received),
            documents=documents,
            events=events,
            touches=touches,
            standings=standings,
            contained=contained,
            movements=movements,
            lines=lines,
            batch=BatchRow(
                batch=self._batch,
                made=received,
                events=len(events),
                root=hashlib.sha256(b"root %d" % self._batch).digest(),
            ),
        )

    def _remember(self, life: Life, stage: int) -> None:
        numbers = self._told.get(stage)
        if numbers is not None:
            numbers.extend([0] * (life.number + 1 - len(numbers)))
            numbers[life.number] = self._number

    def _when(self, life: Life, stage: int) -> tuple[int, Instant]:
        """Number and time of an earlier event of a chip; those of none where this story did not tell it."""
        numbers = self._told[stage]
        number = numbers[life.number] if life.number < len(numbers) else 0
        return number, _at(number, stage)

    def _event(
        self, lives: Sequence[Life], stage: int, capture: str, place: int, received: Instant
    ) -> EventRow:
        life, number = lives[0], self._number
        template = self._stages[stage] if life.device_key or stage else self._made_in_lots
        at = _at(number, stage)
        words = {
            "epc": '","'.join(one.epc for one in lives),
            "server": life.server,
            "time": _written(at),
            "model": life.model,
            "key": life.device_key,
            "reference": life.reference,
            "maker": life.maker,
            "cloud": life.cloud,
            "fab": life.fab,
            "hall": life.hall,
        }
        apart = {**words, "epc": f"{_APART}epc=".join(one.epc for one in lives)}
        hash_id, key = _hashed(template.apart % apart)
        event = template.event
        site = f"urn:sekisho:place:{life.fab if stage < 3 else life.hall}"
        return EventRow(
            number=number,
            key=key,
            hash_id=hash_id,
            at=at,
            type=event.type,
            action=event.action or "",
            biz_step=event.biz_step,
            disposition=event.disposition,
            read_point=site,
            biz_location=site,
            capture=capture,
            batch=self._batch,
            place=place,
            received=received,
            parties=(life.maker if stage < 3 else life.cloud,),
            outcome="taken",
            effect=number,
            salt=hashlib.sha256(b"salt %d" % number).digest()[:16],
            document=(template.document % words).encode(),
        )


def _documents(events: Sequence[EventRow]) -> dict[str, bytes]:
    """The documents that they came in, by capture: each was endorsed, so it is kept whole."""
    found: dict[str, list[bytes]] = {}
    for row in events:
        found.setdefault(row.capture, []).append(row.document)
    return {name: _HEAD + b",".join(rows) + b"]}}" for name, rows in found.items()}


def _captures(
    events: Sequence[EventRow], documents: Mapping[str, bytes], received: Instant
) -> list[CaptureRow]:
    """One for each document; who endorsed it is told, its envelope is as long as one signature makes it."""
    counts = Counter(row.capture for row in events)
    parties = {row.capture: row.parties for row in events}
    return [
        CaptureRow(
            capture=name,
            received=received,
            sha256=hashlib.sha256(name.encode()).hexdigest(),
            size=len(document),
            endorsement=_endorsement(name),
            parties=parties[name],
            running=False,
            finished=received,
            events=counts[name],
            taken=counts[name],
        )
        for name, document in documents.items()
    ]


def _hashed(apart: str) -> tuple[str, bytes]:
    """Hash id and key of an event that declares no error, from its canonical string with the parts set apart."""
    digest = hashlib.sha256(apart.replace(_APART, "").encode()).hexdigest()
    hash_id = f"ni:///sha-256;{digest}?ver=CBV2.0"
    whole = hashlib.sha256(hash_id.encode())
    whole.update(hashlib.sha256(apart.encode()).digest())
    return hash_id, whole.digest()


def _endorsement(name: str) -> bytes:
    draw = random.Random(name)  # noqa: S311  # as many bytes as a signature has
    payload, signature = draw.randbytes(112).hex(), draw.randbytes(44).hex()
    key = draw.randbytes(32).hex()
    return (
        f'{{"payload":"{payload}","payloadType":"application/vnd.sekisho.capture+json",'
        f'"signatures":[{{"keyid":"{key}","sig":"{signature}"}}]}}'
    ).encode()


def _at(number: int, stage: int) -> Instant:
    """Events come in the order of their times: four a second, a day between two stages."""
    return Instant(START.us + number * 250_000 + stage * DAY * 1_000_000)


def _written(at: Instant) -> str:
    text = format_instant(at)
    return text if "." in text else f"{text[:-1]}.000Z"


def _touches(row: EventRow, life: Life, stage: int) -> list[TouchRow]:
    if stage != _INSTALLING:
        return [TouchRow(number=row.number, epc=life.epc, role="epc", at=row.at)]
    return [
        TouchRow(number=row.number, epc=life.server, role="parent", at=row.at),
        TouchRow(number=row.number, epc=life.epc, role="child", at=row.at),
    ]


def _standing(row: EventRow, life: Life, stage: int, made: tuple[int, Instant]) -> Standing | None:
    """How the chip stands after the event; None where it stands as before."""
    states: dict[int, LifeState] = {
        0: "registered",
        _SHIPPING: "in-transit",
        _RECEIVING: "registered",
        _INSTALLING: "registered",
        _ACTIVATING: "active",
    }
    if stage not in states:
        return None
    is_there = stage > _SHIPPING
    keeper = life.cloud if is_there else life.maker
    return Standing(
        epc=life.epc,
        identity=Identity(
            component="package",
            maker=life.maker,
            serial=life.serial,
            model=life.model,
            device_key=life.device_key,
        ),
        state=states[stage],
        custodian=keeper,
        holder=keeper,
        owner=keeper,
        site=life.hall if is_there else life.fab,
        country=life.country if is_there else FAB_COUNTRY,
        parent=life.server if stage >= _INSTALLING else "",
        movement=life.reference if stage == _SHIPPING else "",
        made=made[1],
        at=row.at,
        number=row.number,
    )


def _movement(lives: Sequence[Life], stage: int, shipment: int, shipped: Instant) -> Movement:
    life, epcs = lives[0], tuple(one.epc for one in lives)
    is_there = stage == _RECEIVING
    return Movement(
        reference=life.reference,
        state="received" if is_there else "under-way",
        shipper=life.maker,
        consignee=life.cloud,
        destination=life.hall,
        shipped=shipped,
        due=shipped.plus(DUE_S),
        shipment=shipment,
        epcs=epcs,
        received=epcs if is_there else (),
    )


def _lines(row: EventRow, life: Life, stage: int) -> list[LineRow]:
    told = {
        0: (life.fab, "CM", ""),
        _SHIPPING: (life.fab, "SF", life.hall),
        _RECEIVING: (life.hall, "RF", ""),
    }
    if stage not in told:
        return []
    area, code, other = told[stage]
    return [LineRow(number=row.number, area=area, code=code, epc=life.epc, at=row.at, other=other)]
