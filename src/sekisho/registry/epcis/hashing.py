"""The event hash id of CBV 2.0: what an event says, in one canonical string, and its SHA-256.

1. Fields in the standard's order, `name=value`, nothing between them. 2. Times in UTC with milliseconds, words as their
web addresses, GS1 identifiers as canonical Digital Links, numbers without zeros behind. 3. What a list holds is sorted;
extension fields stand behind their parent's own, by `{namespace}name`, sorted. 4. eventID, recordTime, the error
declaration, comments and ignored fields are no part of it.

The string alone does not tell fields apart (an EPC may read like two), so the idempotency key also covers the same
string with its parts set apart: nobody can make an event that passes for the repetition of another's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sekisho.model.instants import Instant
from sekisho.model.wire import canonical
from sekisho.registry.epcis.event import ErrorDeclaration, Event, Quantity, Typed
from sekisho.registry.epcis.extensions import COMMENT
from sekisho.registry.epcis.identifiers import canonical_identifier
from sekisho.registry.epcis.moments import canonical_moment
from sekisho.registry.epcis.numbers import number_text
from sekisho.registry.epcis.sensors import METADATA_ORDER, REPORT_ORDER
from sekisho.registry.epcis.words import Kind, canonical_term, word_address

__all__ = ["event_key", "hash_and_key", "hash_id", "prehash"]

_APART: Final = "\x1e"  # control characters stand in no value that was read


def prehash(event: Event) -> str:
    """The canonical string that the hash id is the SHA-256 of."""
    return _apart(event).replace(_APART, "")


def hash_id(event: Event) -> str:
    """The event hash id: `ni:///sha-256;{hex}?ver=CBV2.0`."""
    return _hash_id(_apart(event))


def event_key(event: Event) -> bytes:
    """The idempotency key, 32 bytes: of the hash id, the parts set apart, and the error declaration if there is one."""
    return hash_and_key(event)[1]


def hash_and_key(event: Event) -> tuple[str, bytes]:
    """The hash id and the idempotency key, both from one walk through the event."""
    apart = _apart(event)
    found = _hash_id(apart)
    whole = hashlib.sha256(found.encode("ascii"))
    whole.update(hashlib.sha256(apart.encode()).digest())
    if event.error is not None:
        whole.update(hashlib.sha256(_declared(event.error)).digest())
    return found, whole.digest()


def _hash_id(apart: str) -> str:
    digest = hashlib.sha256(apart.replace(_APART, "").encode()).hexdigest()
    return f"ni:///sha-256;{digest}?ver=CBV2.0"


def _declared(error: ErrorDeclaration) -> bytes:
    """A declaration in one form, whatever its spelling: times to the microsecond, lists sorted."""
    return canonical(
        {
            "at": str(error.at),
            "reason": error.reason,
            "corrective": sorted(set(error.corrective)),
            "extensions": _sorted(_fields(error.extensions)),
        }
    )


def _apart(event: Event) -> str:
    """All parts in order, set apart by a character that stands in none."""
    parts = [
        f"eventType={event.type}",
        f"eventTime={canonical_moment(event.at)}",
        f"eventTimeZoneOffset={event.zone}",
    ]
    if event.certificates:
        parts += _uris("certificationInfo", event.certificates)
    _add_things(parts, event)
    if event.action is not None:
        parts.append(f"action={event.action}")
    if event.transformation:
        parts.append(f"transformationID={canonical_identifier(event.transformation)}")
    _add_words(parts, event)
    _add_place(parts, "readPoint", event.read_point, event.read_point_fields)
    _add_place(parts, "bizLocation", event.biz_location, event.biz_location_fields)
    _add_relations(parts, event)
    if event.sensors:
        parts.append("sensorElementList")
        parts += _sorted([_element(element) for element in event.sensors])
    if event.ilmd:
        parts.append("ilmd")
        parts += _sorted(_fields(event.ilmd))
    if event.extensions:
        parts += _sorted(_fields(event.extensions))
    return _APART.join(parts)


def _add_things(parts: list[str], event: Event) -> None:
    if event.epcs:
        _add_list(parts, "epcList", _uris("epc", event.epcs))
    if event.parent:
        parts.append(f"parentID={canonical_identifier(event.parent)}")
    if event.inputs:
        _add_list(parts, "inputEPCList", _uris("epc", event.inputs))
    if event.children:
        _add_list(parts, "childEPCs", _uris("epc", event.children))
    for name, quantities in (
        ("quantityList", event.quantities),
        ("childQuantityList", event.child_quantities),
        ("inputQuantityList", event.input_quantities),
    ):
        if quantities:
            _add_list(parts, name, _sorted([_quantity(item) for item in quantities]))
    if event.outputs:
        _add_list(parts, "outputEPCList", _uris("epc", event.outputs))
    if event.output_quantities:
        items = _sorted([_quantity(item) for item in event.output_quantities])
        _add_list(parts, "outputQuantityList", items)


def _add_words(parts: list[str], event: Event) -> None:
    if event.biz_step:
        parts.append(f"bizStep={word_address('bizStep', event.biz_step)}")
    if event.disposition:
        parts.append(f"disposition={word_address('disposition', event.disposition)}")
    if event.persistent_set or event.persistent_unset:
        parts.append("persistentDisposition")
        for name, words in (("set", event.persistent_set), ("unset", event.persistent_unset)):
            parts += sorted(f"{name}={word_address('disposition', word)}" for word in words)


def _add_place(parts: list[str], name: str, place: str, fields: Mapping[str, Any]) -> None:
    if place:
        parts += (name, f"id={canonical_identifier(place)}")
        if fields:
            parts += _sorted(_fields(fields))


def _add_relations(parts: list[str], event: Event) -> None:
    kind: Kind = "source or destination type"
    if event.transactions:
        items = _typed("bizTransaction", "bizTransaction type", event.transactions)
        _add_list(parts, "bizTransactionList", items)
    # The vectors put destinations first, where the table of the standard's text has sources first.
    if event.destinations:
        _add_list(parts, "destinationList", _typed("destination", kind, event.destinations))
    if event.sources:
        _add_list(parts, "sourceList", _typed("source", kind, event.sources))


def _add_list(parts: list[str], name: str, items: list[str]) -> None:
    parts.append(name)
    parts += items


def _uris(name: str, values: Sequence[str]) -> list[str]:
    """Sorted; what comes before the identifier is the same in all of them."""
    return [f"{name}={value}" for value in sorted(map(canonical_identifier, values))]


def _typed(name: str, kind: Kind, items: Sequence[Typed]) -> list[str]:
    found = []
    for item in items:
        said = f"{name}={canonical_identifier(item.id)}"
        found.append(f"type={word_address(kind, item.type)}{_APART}{said}" if item.type else said)
    return _sorted(found)


def _quantity(item: Quantity) -> str:
    parts = ["quantityElement", f"epcClass={canonical_identifier(item.epc_class)}"]
    if item.quantity is not None:
        parts.append(f"quantity={item.quantity}")
    if item.unit:
        parts.append(f"uom={item.unit}")
    return _APART.join(parts)


def _element(element: Mapping[str, Any]) -> str:
    parts = ["sensorElement"]
    metadata = element.get("sensorMetadata")
    if metadata:
        parts.append("sensorMetadata")
        parts += _ordered(metadata, METADATA_ORDER)
    reports = [
        _APART.join(["sensorReport", *_ordered(report, REPORT_ORDER)])
        for report in element["sensorReport"]
    ]
    parts += _sorted(reports)
    others = {name: value for name, value in element.items() if name.startswith("{")}
    return _APART.join(parts + _sorted(_fields(others)))


def _ordered(part: Mapping[str, Any], order: Sequence[str]) -> list[str]:
    """The standard's fields in their order, then the extension fields."""
    found = [f"{name}={_text(part[name])}" for name in order if name in part]
    others = {name: value for name, value in part.items() if name.startswith("{")}
    return found + _sorted(_fields(others)) if others else found


def _fields(fields: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for name, value in fields.items():
        if name != COMMENT:
            _add_field(found, name, value)
    return found


def _add_field(found: list[str], name: str, value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _add_field(found, name, item)
    elif isinstance(value, Mapping):
        found.append(_APART.join([name, *_sorted(_fields(value))]))
    else:
        text = _text(value)
        found.append(f"{name}={text}" if text else name)


def _text(value: Any) -> str:
    if isinstance(value, str):
        text = value.strip()
        return canonical_identifier(canonical_term(text)) if ":" in text else text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Instant):
        return canonical_moment(value)
    return number_text(value)


def _sorted(items: list[str]) -> list[str]:
    """By the text that is hashed: what sets the parts apart does not count, except between the same texts."""
    if len(items) > 1:
        items.sort(key=lambda item: (item.replace(_APART, ""), item))
    return items
