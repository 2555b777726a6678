"""EPCIS documents of our own, small and sound, for tests to spoil."""

from __future__ import annotations

import copy
import json
from typing import Any

from sekisho.registry.epcis import Document, Event, parse_document

GS1 = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
OWN = "https://ns.sekisho.example/epcis/"
CHIP = "https://chips.example.org/id/gpu/GPU-0001"
OTHER_CHIP = "https://chips.example.org/id/gpu/GPU-0002"
SERVER = "https://chips.example.org/id/server/SRV-1"
SITE = "https://chips.example.org/id/site/FAB-1"
PARTY = "urn:sekisho:party:maker"

_TIMES = {"eventTime": "2026-05-01T10:00:00.000+09:00", "eventTimeZoneOffset": "+09:00"}


def _changed(value: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    found = copy.deepcopy(value) | changes
    return {name: item for name, item in found.items() if item is not None}


def made(**changes: Any) -> dict[str, Any]:
    """A chip comes to be. A change of None takes a field out."""
    return _changed(
        {
            "type": "ObjectEvent",
            **_TIMES,
            "epcList": [CHIP],
            "action": "ADD",
            "bizStep": "commissioning",
            "disposition": "active",
            "readPoint": {"id": SITE},
            "bizLocation": {"id": SITE},
            "ilmd": {"skh:model": "H200", "skh:serial": "0001"},
        },
        changes,
    )


def fixed(**changes: Any) -> dict[str, Any]:
    """Two chips are fixed in a server."""
    return _changed(
        {
            "type": "AssociationEvent",
            **_TIMES,
            "parentID": SERVER,
            "childEPCs": [CHIP, OTHER_CHIP],
            "action": "ADD",
            "bizStep": "installing",
        },
        changes,
    )


def shipped(**changes: Any) -> dict[str, Any]:
    """A server leaves for somebody."""
    return _changed(
        {
            "type": "TransactionEvent",
            **_TIMES,
            "bizTransactionList": [
                {"type": "desadv", "bizTransaction": "urn:sekisho:movement:26JPAAAAAAAAAAAAAAA1"},
                {"type": "po", "bizTransaction": "https://shop.example.org/po/77"},
            ],
            "epcList": [SERVER],
            "action": "ADD",
            "bizStep": "shipping",
            "disposition": "in_transit",
            "sourceList": [{"type": "possessing_party", "source": PARTY}],
            "destinationList": [
                {"type": "possessing_party", "destination": "urn:sekisho:party:cloud"},
                {"type": "location", "destination": "urn:sekisho:place:osaka"},
            ],
        },
        changes,
    )


def reworked(**changes: Any) -> dict[str, Any]:
    """One board becomes another."""
    return _changed(
        {
            "type": "TransformationEvent",
            **_TIMES,
            "inputEPCList": [CHIP],
            "outputEPCList": [OTHER_CHIP],
            "inputQuantityList": [
                {
                    "epcClass": "urn:epc:class:lgtin:4012345.012345.LOT",
                    "quantity": 2.50,
                    "uom": "KGM",
                }
            ],
            "bizStep": "repairing",
        },
        changes,
    )


def packed(**changes: Any) -> dict[str, Any]:
    """Chips are put on a pallet."""
    return fixed(type="AggregationEvent", bizStep="packing", **changes)


def measured(**report: Any) -> dict[str, Any]:
    """Where a chip is, measured."""
    return made(
        action="OBSERVE",
        bizStep="sensor_reporting",
        ilmd=None,
        sensorElementList=[
            {
                "sensorMetadata": {"time": "2026-05-01T09:59:00.0004+09:00", "skh:landmark": "TYO"},
                "sensorReport": [
                    {"type": "skh:maxDistanceKm", "value": 412.50, "uom": "KMT", **report},
                    {"type": "Temperature", "value": 26, "uom": "CEL"},
                ],
                "skh:run": {"skh:number": 7},
            }
        ],
    )


EVERY_TYPE = (made(), fixed(), packed(), shipped(), reworked(), measured())


def document(*events: Any, **changes: Any) -> dict[str, Any]:
    """A document of events; without any, of one of each type."""
    return _changed(
        {
            "@context": [GS1, {"skh": OWN}],
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": "2026-05-02T00:00:00Z",
            "epcisBody": {"eventList": copy.deepcopy(list(events or EVERY_TYPE))},
        },
        changes,
    )


def read(value: Any) -> Document:
    """What reading this JSON gives."""
    return parse_document(json.dumps(value).encode())


def event_from(value: dict[str, Any], *context: Any) -> Event:
    """The one sound event of this JSON object, read with our prefix."""
    found = read({"@context": [GS1, {"skh": OWN}, *context], **value})
    assert found.problems == ()
    return found.events[0]


def problems_of(value: dict[str, Any], *context: Any) -> dict[str, str]:
    """What is wrong with this event, by place."""
    found = read({"@context": [GS1, {"skh": OWN}, *context], **value})
    assert found.events == ()
    return {one.path: one.problem for one in found.problems}
