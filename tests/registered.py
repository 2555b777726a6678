"""Rows of a register as captures would store them, small: for tests of what keeps them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from sekisho.model.custody import Identity, LifeState, Movement, Standing
from sekisho.model.instants import Instant
from sekisho.ports.register_store import (
    AlertRow,
    BatchRow,
    CaptureRow,
    Change,
    EventRow,
    LineRow,
    RegisterStore,
    TouchRow,
)

__all__ = [
    "DAY",
    "alert",
    "batch",
    "captured",
    "captures_in",
    "chip",
    "dump",
    "event",
    "key_of",
    "line",
    "movement",
    "registering",
    "standing",
]

DAY = 86_400
START = Instant.parse("2026-01-01T00:00:00Z")


def chip(number: int) -> str:
    return f"https://chips.example/id/gpu/GPU-{number:07d}"


def key_of(word: str) -> bytes:
    return hashlib.sha256(word.encode()).digest()


def hash_of(word: str) -> str:
    return f"ni:///sha-256;{key_of('hash ' + word).hex()}?ver=CBV2.0"


def event(number: int, *, word: str = "", effect: int | None = 0, **fields: Any) -> EventRow:
    """Event `number`; with effect 0 it takes effect as the `number`th, with None it waits or was refused."""
    word = word or f"event {number}"
    given: dict[str, Any] = {
        "number": number,
        "key": key_of(word),
        "hash_id": hash_of(word),
        "at": START.plus(number),
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "biz_step": "shipping",
        "disposition": "in_transit",
        "read_point": "urn:sekisho:place:fab",
        "biz_location": "urn:sekisho:place:fab",
        "capture": "c1",
        "batch": 1,
        "place": number - 1,
        "received": START.plus(DAY + number),
        "parties": ("maker",),
        "outcome": "waiting" if effect is None else "taken",
        "effect": number if effect == 0 else effect,
        "salt": key_of(f"salt {number}")[:16],
        "document": b'{"type":"ObjectEvent","number":%d}' % number,
    }
    return EventRow(**given | fields)


def captured(name: str = "c1", **fields: Any) -> CaptureRow:
    given: dict[str, Any] = {
        "capture": name,
        "received": START.plus(DAY),
        "sha256": key_of(name).hex(),
        "size": 600,
        "endorsement": b'{"payload":"","signatures":[]}',
        "parties": ("maker",),
        "running": False,
        "finished": START.plus(DAY + 1),
        "events": 1,
        "taken": 1,
        "problems": b"[]",
    }
    return CaptureRow(**given | fields)


def batch(number: int = 1, *, events: int = 1, **fields: Any) -> BatchRow:
    given: dict[str, Any] = {
        "batch": number,
        "made": START.plus(DAY + number),
        "events": events,
        "root": key_of(f"root {number}"),
    }
    return BatchRow(**given | fields)


def standing(
    epc: str, *, number: int = 1, state: LifeState = "registered", serial: str = "", **fields: Any
) -> Standing:
    identity = Identity(
        component=fields.pop("component", "package"),
        maker=fields.pop("maker", "maker"),
        serial=serial or epc.rpartition("/")[2],
        model=fields.pop("model", "H200"),
        device_key=fields.pop("device_key", ""),
    )
    given: dict[str, Any] = {
        "custodian": "maker",
        "holder": "maker",
        "owner": "maker",
        "site": "fab",
        "country": "TW",
        "made": START,
        "at": START.plus(number),
        "number": number,
    }
    return Standing(epc=epc, identity=identity, state=state, **given | fields)


def movement(reference: str = "26TWABC", *, epcs: Sequence[str] = (), **fields: Any) -> Movement:
    given: dict[str, Any] = {
        "state": "under-way",
        "shipper": "maker",
        "consignee": "cloud",
        "destination": "hall",
        "shipped": START,
        "due": START.plus(14 * DAY),
        "shipment": 1,
    }
    return Movement(reference=reference, epcs=tuple(epcs), **given | fields)


def alert(number: int, code: str = "unsigned", epc: str = chip(1), **fields: Any) -> AlertRow:
    given: dict[str, Any] = {"detail": "nobody signed it", "refused": True, "raised": START}
    return AlertRow(number=number, code=code, epc=epc, **given | fields)


def line(
    number: int, area: str = "fab", code: str = "RD", epc: str = chip(1), **fields: Any
) -> LineRow:
    given: dict[str, Any] = {"area": area, "code": code, "epc": epc, "at": START.plus(number)}
    return LineRow(number=number, **given | fields)


def registering(
    first: int, chips: Mapping[int, Standing] | Sequence[int], *, number: int = 1, **fields: Any
) -> Change:
    """A change that registers chips, one event for each: capture and batch `number`, events from `first` on."""
    given = chips if isinstance(chips, Mapping) else {n: standing(chip(n)) for n in chips}
    name = f"c{number}"
    events, touches, standings = [], [], {}
    for place, at in enumerate(given.values()):
        row = event(
            first + place, capture=name, batch=number, place=place, biz_step="commissioning"
        )
        events.append(row)
        touches.append(TouchRow(number=row.number, epc=at.epc, role="epc", at=row.at))
        standings[at.epc] = at
    made: dict[str, Any] = {
        "captures": [captured(name, events=len(events), taken=len(events))],
        "events": events,
        "touches": touches,
        "standings": standings,
        "batch": batch(number, events=len(events)),
    }
    return Change(**made | fields)


def captures_in(store: RegisterStore) -> list[str]:
    return [row.capture for row in store.load_captures(after="", limit=100)]


def dump(store: RegisterStore) -> list[tuple[str, bytes]]:
    return list(store.load_derived())
