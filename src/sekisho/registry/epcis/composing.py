"""An event as a JSON object: the one it was read from, or one made of its fields where the house made the event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sekisho.model.instants import Instant
from sekisho.registry.epcis.context import CONTEXT_ADDRESS
from sekisho.registry.epcis.event import ErrorDeclaration, Event, Quantity, Typed
from sekisho.registry.epcis.sensors import NUMBERS

__all__ = ["compose", "context_of"]


def context_of(terms: Mapping[str, str]) -> list[Any]:
    """An @context of GS1's address and, where there are any, further prefixes."""
    return [CONTEXT_ADDRESS, dict(terms)] if terms else [CONTEXT_ADDRESS]


def compose(event: Event) -> tuple[dict[str, Any], dict[str, str]]:
    """The event's JSON object without its @context, and the prefixes that its names need."""
    if event.raw:
        return dict(event.raw), dict(event.context)
    terms = _Terms(event.context)
    made: dict[str, Any] = {
        "type": event.type,
        "eventTime": str(event.at),
        "eventTimeZoneOffset": event.zone,
    }
    made |= _things(event)
    made |= _words(event)
    if event.error is not None:
        made["errorDeclaration"] = _declaration(event.error, terms)
    for name, place, fields in (
        ("readPoint", event.read_point, event.read_point_fields),
        ("bizLocation", event.biz_location, event.biz_location_fields),
    ):
        if place:
            made[name] = {"id": place} | terms.named(fields)
    if event.sensors:
        made["sensorElementList"] = [_element(item, terms) for item in event.sensors]
    if event.ilmd:
        made["ilmd"] = terms.named(event.ilmd)
    made |= terms.named(event.extensions)
    return made, terms.made


class _Terms:
    """Prefixes for namespaces: those that the event brings, then `ns1`, `ns2`, ..."""

    def __init__(self, brought: Mapping[str, str]) -> None:
        self.made = dict(brought)
        self._of = {space: term for term, space in brought.items()}

    def named(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {self._short(name): self._value(value) for name, value in fields.items()}

    def _value(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return self.named(value)
        return [self._value(item) for item in value] if isinstance(value, list) else value

    def _short(self, name: str) -> str:
        space, _, local = name.rpartition("}")
        if not space:
            return name
        space = space[1:]
        if space not in self._of:
            number = len(self.made) + 1
            while f"ns{number}" in self.made:
                number += 1
            self._of[space] = f"ns{number}"
            self.made[f"ns{number}"] = space
        return f"{self._of[space]}:{local}"


def _things(event: Event) -> dict[str, Any]:
    found: dict[str, Any] = {
        "epcList": event.epcs,
        "parentID": event.parent,
        "childEPCs": event.children,
        "inputEPCList": event.inputs,
        "outputEPCList": event.outputs,
        "quantityList": _quantities(event.quantities),
        "childQuantityList": _quantities(event.child_quantities),
        "inputQuantityList": _quantities(event.input_quantities),
        "outputQuantityList": _quantities(event.output_quantities),
        "transformationID": event.transformation,
    }
    return {
        name: list(item) if isinstance(item, tuple) else item
        for name, item in found.items()
        if item
    }


def _words(event: Event) -> dict[str, Any]:
    lasting = {"set": list(event.persistent_set), "unset": list(event.persistent_unset)}
    found = {
        "eventID": event.event_id,
        "recordTime": "" if event.recorded is None else str(event.recorded),
        "certificationInfo": list(event.certificates),
        "action": event.action,
        "bizStep": event.biz_step,
        "disposition": event.disposition,
        "persistentDisposition": {name: words for name, words in lasting.items() if words},
        "bizTransactionList": _typed(event.transactions, "bizTransaction"),
        "sourceList": _typed(event.sources, "source"),
        "destinationList": _typed(event.destinations, "destination"),
    }
    return {name: item for name, item in found.items() if item}


def _quantities(items: Sequence[Quantity]) -> list[dict[str, Any]]:
    found = []
    for item in items:
        made: dict[str, Any] = {"epcClass": item.epc_class}
        if item.quantity is not None:
            made["quantity"] = _number(item.quantity)
        if item.unit:
            made["uom"] = item.unit
        found.append(made)
    return found


def _typed(items: Sequence[Typed], name: str) -> list[dict[str, str]]:
    return [{"type": item.type, name: item.id} if item.type else {name: item.id} for item in items]


def _declaration(error: ErrorDeclaration, terms: _Terms) -> dict[str, Any]:
    made: dict[str, Any] = {"declarationTime": str(error.at)}
    if error.reason:
        made["reason"] = error.reason
    if error.corrective:
        made["correctiveEventIDs"] = list(error.corrective)
    return made | terms.named(error.extensions)


def _element(element: Mapping[str, Any], terms: _Terms) -> dict[str, Any]:
    made = {
        "sensorMetadata": _part(element.get("sensorMetadata", {}), terms),
        "sensorReport": [_part(report, terms) for report in element["sensorReport"]],
    }
    others = {name: value for name, value in element.items() if name not in made}
    return {name: item for name, item in made.items() if item} | terms.named(others)


def _part(part: Mapping[str, Any], terms: _Terms) -> dict[str, Any]:
    own: dict[str, Any] = {}
    others = {}
    for name, value in part.items():
        if name.startswith("{"):
            others[name] = value
        elif name in NUMBERS:
            own[name] = _number(value)
        else:
            own[name] = str(value) if isinstance(value, Instant) else value
    return own | terms.named(others)


def _number(text: str) -> float:
    """A canonical number as JSON writes it."""
    return float(text) if "." in text else int(text)
