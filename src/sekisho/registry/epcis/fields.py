"""The fields of EPCIS events: how each is read, and the name under which `Event` holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sekisho.registry.epcis.event import Action, ErrorDeclaration, Quantity, Typed
from sekisho.registry.epcis.extensions import read_extensions, read_ilmd
from sekisho.registry.epcis.moments import is_zone
from sekisho.registry.epcis.reading import FieldReader, Reading
from sekisho.registry.epcis.sensors import read_sensors, read_unit
from sekisho.registry.epcis.words import Kind

__all__ = ["FIELDS", "Place"]

_ACTIONS: Final[Mapping[Any, Action]] = {"ADD": "ADD", "OBSERVE": "OBSERVE", "DELETE": "DELETE"}
_QUANTITY_FIELDS: Final = frozenset({"epcClass", "quantity", "uom"})
_DECLARATION_FIELDS: Final = frozenset({"declarationTime", "reason", "correctiveEventIDs"})
Place = tuple[str, Mapping[str, Any]]
"""A read point or business location: its identifier and its extension fields."""


def _zone(reading: Reading, value: Any, path: str) -> str:
    if not is_zone(value):
        reading.fault(path, "is no time zone offset; write +09:00, at most 14 hours")
        return ""
    return str(value)


def _action(reading: Reading, value: Any, path: str) -> Action | None:
    found = _ACTIONS.get(value) if isinstance(value, str) else None
    if found is None:
        reading.fault(path, "is no action; write ADD, OBSERVE or DELETE")
    return found


def _step(reading: Reading, value: Any, path: str) -> str:
    return reading.word("bizStep", value, path)


def _disposition(reading: Reading, value: Any, path: str) -> str:
    return reading.word("disposition", value, path)


def _lasting(reading: Reading, value: Any, path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A persistent disposition: words that are set, words that are unset."""
    if not isinstance(value, dict) or not value or not value.keys() <= {"set", "unset"}:
        reading.fault(path, 'is no persistent disposition; write { "set": [...], "unset": [...] }')
        return (), ()
    start = reading.words("disposition", value.get("set", []), f"{path}.set")
    end = reading.words("disposition", value.get("unset", []), f"{path}.unset")
    if not set(start).isdisjoint(end):
        reading.fault(path, "sets and unsets the same word; do one")
    return start, end


def _place(reading: Reading, value: Any, path: str) -> Place:
    if not isinstance(value, dict) or "id" not in value:
        reading.fault(path, 'is no place; write { "id": "..." }')
        return "", {}
    others = [name for name in value if name != "id"] if len(value) > 1 else ()
    return (
        reading.identifier(value["id"], f"{path}.id"),
        read_extensions(reading, value, others, path) if others else {},
    )


def _quantities(reading: Reading, value: Any, path: str) -> tuple[Quantity, ...]:
    return tuple(
        _quantity(reading, item, f"{path}[{at}]")
        for at, item in enumerate(reading.members(value, path))
    )


def _quantity(reading: Reading, value: Mapping[str, Any], path: str) -> Quantity:
    for name in value.keys() - _QUANTITY_FIELDS:
        reading.fault(
            f"{path}.{name}", "is no field of a quantity; leave epcClass, quantity and uom"
        )
    amount = value.get("quantity")
    text = None if amount is None else reading.number(amount, f"{path}.quantity")
    if text is not None and text.startswith("-"):
        reading.fault(f"{path}.quantity", "is below zero; write how much there is")
    return Quantity(
        epc_class=reading.uri(value.get("epcClass"), f"{path}.epcClass"),
        quantity=text,
        unit=read_unit(reading, value["uom"], f"{path}.uom") if "uom" in value else "",
    )


def _typed(item: str, kind: Kind, *, must: bool) -> FieldReader:
    """Reads a list of identifiers with their type words: transactions, sources, destinations."""

    def read(reading: Reading, value: Any, path: str) -> tuple[Typed, ...]:
        return tuple(
            one(reading, member, f"{path}[{at}]")
            for at, member in enumerate(reading.members(value, path))
        )

    def one(reading: Reading, member: Mapping[str, Any], path: str) -> Typed:
        for name in member.keys() - {"type", item}:
            reading.fault(f"{path}.{name}", f"is no field here; leave type and {item}")
        word = ""
        if must or "type" in member:
            word = reading.word(kind, member.get("type"), f"{path}.type")
        return Typed(type=word, id=reading.identifier(member.get(item), f"{path}.{item}"))

    return read


def _certificates(reading: Reading, value: Any, path: str) -> tuple[str, ...]:
    return reading.uris(value if isinstance(value, list) else [value], path)


def _declaration(reading: Reading, value: Any, path: str) -> ErrorDeclaration | None:
    if not isinstance(value, dict):
        reading.fault(path, "is no object; write { ... }")
        return None
    at = reading.moment(value.get("declarationTime"), f"{path}.declarationTime")
    reason = reading.word("reason", value["reason"], f"{path}.reason") if "reason" in value else ""
    corrective = reading.uris(value.get("correctiveEventIDs", []), f"{path}.correctiveEventIDs")
    others = [name for name in value if name not in _DECLARATION_FIELDS]
    extensions = read_extensions(reading, value, others, path)
    if at is None:
        return None
    return ErrorDeclaration(at=at, reason=reason, corrective=corrective, extensions=extensions)


# Name in a document -> (name in `Event`, reader). A reader notes problems and gives something of the right type.
FIELDS: Final[Mapping[str, tuple[str, FieldReader]]] = {
    "eventTime": ("at", Reading.moment),
    "eventTimeZoneOffset": ("zone", _zone),
    "recordTime": ("recorded", Reading.moment),
    "eventID": ("event_id", Reading.uri),
    "certificationInfo": ("certificates", _certificates),
    "errorDeclaration": ("error", _declaration),
    "action": ("action", _action),
    "epcList": ("epcs", Reading.identifiers),
    "parentID": ("parent", Reading.identifier),
    "childEPCs": ("children", Reading.identifiers),
    "inputEPCList": ("inputs", Reading.identifiers),
    "outputEPCList": ("outputs", Reading.identifiers),
    "quantityList": ("quantities", _quantities),
    "childQuantityList": ("child_quantities", _quantities),
    "inputQuantityList": ("input_quantities", _quantities),
    "outputQuantityList": ("output_quantities", _quantities),
    "transformationID": ("transformation", Reading.uri),
    "bizStep": ("biz_step", _step),
    "disposition": ("disposition", _disposition),
    "persistentDisposition": ("lasting", _lasting),
    "readPoint": ("read_point", _place),
    "bizLocation": ("biz_location", _place),
    "bizTransactionList": (
        "transactions",
        _typed("bizTransaction", "bizTransaction type", must=False),
    ),
    "sourceList": ("sources", _typed("source", "source or destination type", must=True)),
    "destinationList": (
        "destinations",
        _typed("destination", "source or destination type", must=True),
    ),
    "sensorElementList": ("sensors", read_sensors),
    "ilmd": ("ilmd", read_ilmd),
}
