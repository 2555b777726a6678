"""The EPCIS documents of the chips' drill, as a firm's own system would write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sekisho.model.instants import Instant
from sekisho.model.wire import canonical
from sekisho.registry.epcis import hash_id, parse_document
from sekisho.registry.terms import OWN_NAMESPACE

__all__ = [
    "Json",
    "activated",
    "built_in",
    "challenged",
    "commissioned",
    "declared_wrong",
    "document_of",
    "hash_id_of",
    "received",
    "shipped",
    "suspended",
]

Json = dict[str, Any]
_CONTEXT = [
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {"skh": OWN_NAMESPACE},
]


def document_of(events: Sequence[Json], created: Instant) -> bytes:
    """An EPCISDocument of these events."""
    return canonical(
        {
            "@context": _CONTEXT,
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": str(created),
            "epcisBody": {"eventList": list(events)},
        }
    )


def hash_id_of(event: Json, created: Instant) -> str:
    """The CBV hash id by which others speak of the event."""
    return hash_id(parse_document(document_of([event], created)).events[0])


def commissioned(at: Instant, epc: str, place: str, **ilmd: str) -> Json:
    """It comes to be; `ilmd` in our namespace: model, component, deviceKeySha256."""
    fields = {f"skh:{name}": value for name, value in ilmd.items()}
    event = _told(at, [epc], place, "commissioning", "active", action="ADD")
    return {**event, "ilmd": fields}


def built_in(at: Instant, server: str, chips: Sequence[str], place: str) -> Json:
    """The chips are fixed in a server; from then on they go where it goes."""
    return {
        "type": "AssociationEvent",
        **_when(at),
        "parentID": server,
        "childEPCs": list(chips),
        "action": "ADD",
        "bizStep": "installing",
        "readPoint": {"id": _place(place)},
    }


def shipped(at: Instant, epcs: Sequence[str], place: str, ends: tuple[str, str], to: str) -> Json:
    """From one party to another (`ends`), from `place` towards `to`."""
    by, consignee = ends
    return {
        **_told(at, epcs, place, "shipping", "in_transit"),
        "sourceList": [{"type": "possessing_party", "source": _party(by)}],
        "destinationList": [
            {"type": "possessing_party", "destination": _party(consignee)},
            {"type": "location", "destination": _place(to)},
        ],
    }


def received(at: Instant, epcs: Sequence[str], place: str) -> Json:
    """They arrived: custody passes, if the shipment's consignee endorses this."""
    return _told(at, epcs, place, "receiving", "in_progress")


def activated(at: Instant, epcs: Sequence[str], place: str) -> Json:
    """Installed and switched on."""
    return _told(at, epcs, place, "installing", "active")


def suspended(at: Instant, epcs: Sequence[str], place: str) -> Json:
    """Out of use for a while, where it is."""
    return _told(at, epcs, place, "holding", "inactive")


def challenged(at: Instant, epc: str, place: str, *, outcome: str, key: str = "") -> Json:
    """What an inspector saw of one label: the outcome in words, and the digest of the key that answered."""
    seen = {**_told(at, [epc], place, "inspecting", "unknown"), "skh:challenge": outcome}
    return {**seen, "skh:deviceKeySha256": key} if key else seen


def declared_wrong(event: Json, at: Instant, *corrective: str) -> Json:
    """The same event again, with the declaration that it is an error, and what corrects it."""
    declaration: Json = {"declarationTime": str(at), "reason": "incorrect_data"}
    if corrective:
        declaration["correctiveEventIDs"] = list(corrective)
    return {**event, "errorDeclaration": declaration}


def _told(
    at: Instant,
    epcs: Sequence[str],
    place: str,
    step: str,
    disposition: str,
    *,
    action: str = "OBSERVE",
) -> Json:
    return {
        "type": "ObjectEvent",
        **_when(at),
        "epcList": list(epcs),
        "action": action,
        "bizStep": step,
        "disposition": disposition,
        "readPoint": {"id": _place(place)},
        "bizLocation": {"id": _place(place)},
    }


def _when(at: Instant) -> Json:
    return {"eventTime": str(at), "eventTimeZoneOffset": "+00:00"}


def _party(name: str) -> str:
    return f"urn:sekisho:party:{name}"


def _place(name: str) -> str:
    return f"urn:sekisho:place:{name}"
