"""What each type of event must and may say, beyond what a field says by itself (EPCIS 2.0 section 7.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sekisho.registry.epcis.event import EventType
from sekisho.registry.epcis.identifiers import canonical_identifier
from sekisho.registry.epcis.reading import Reading

__all__ = ["ALLOWED", "check_event"]

_COMMON: Final = frozenset(
    """type eventTime eventTimeZoneOffset recordTime eventID certificationInfo errorDeclaration bizStep disposition
    persistentDisposition readPoint bizLocation bizTransactionList sourceList destinationList sensorElementList
    @context""".split()
)
ALLOWED: Final[Mapping[EventType, frozenset[str]]] = {
    "ObjectEvent": _COMMON | {"action", "epcList", "quantityList", "ilmd"},
    "AggregationEvent": _COMMON | {"action", "parentID", "childEPCs", "childQuantityList"},
    "AssociationEvent": _COMMON | {"action", "parentID", "childEPCs", "childQuantityList"},
    "TransactionEvent": _COMMON | {"action", "parentID", "epcList", "quantityList"},
    "TransformationEvent": _COMMON
    | {
        "inputEPCList",
        "inputQuantityList",
        "outputEPCList",
        "outputQuantityList",
        "transformationID",
        "ilmd",
    },
}
Values = Mapping[str, Any]


def check_event(reading: Reading, kind: EventType, values: Values) -> None:
    """Note what an event of this type lacks or may not say. `values` are its fields under `Event`'s names."""
    if "at" not in values:
        reading.lack("eventTime", "is missing; say when it happened, with the zone")
    if "zone" not in values:
        reading.lack("eventTimeZoneOffset", "is missing; write the offset in force there: +09:00")
    if "action" not in values and kind != "TransformationEvent":
        reading.lack("action", "is missing; write ADD, OBSERVE or DELETE")
    _CHECKS[kind](reading, values)


def _object(reading: Reading, values: Values) -> None:
    if not _any(values, "epcs", "quantities", "sensors"):
        reading.lack("epcList", "is missing or empty; name what the event is about")
    if values.get("ilmd") and values.get("action") in ("OBSERVE", "DELETE"):
        reading.fault("ilmd", "stands only where things come to be; drop it, or the action is ADD")


def _aggregation(reading: Reading, values: Values) -> None:
    has_children = _any(values, "children", "child_quantities")
    action = values.get("action")
    if not values.get("parent") and (action != "OBSERVE" or not has_children):
        reading.lack("parentID", "is missing; name the container")
    _children(reading, values, has_children=has_children)


def _association(reading: Reading, values: Values) -> None:
    if not values.get("parent"):
        reading.lack("parentID", "is missing; name what the children are fixed to")
    _children(reading, values, has_children=_any(values, "children", "child_quantities"))


def _children(reading: Reading, values: Values, *, has_children: bool) -> None:
    if values.get("action") == "ADD" and not has_children:
        reading.lack("childEPCs", "is missing or empty; name what is added")
    _apart(reading, values.get("parent"), values.get("children", ()), "childEPCs")


def _transaction(reading: Reading, values: Values) -> None:
    if not values.get("transactions"):
        reading.lack("bizTransactionList", "is missing or empty; name the transaction")
    if values.get("action") == "ADD" and not _any(values, "parent", "epcs", "quantities"):
        reading.lack("epcList", "is missing or empty; name what the transaction is about")
    _apart(reading, values.get("parent"), values.get("epcs", ()), "epcList")


def _transformation(reading: Reading, values: Values) -> None:
    if values.get("transformation"):
        wanted: list[tuple[str, ...]] = [
            ("inputs", "input_quantities", "outputs", "output_quantities")
        ]
    else:
        wanted = [("inputs", "input_quantities"), ("outputs", "output_quantities")]
    for names in wanted:
        if not _any(values, *names):
            field = "inputEPCList" if names[0] == "inputs" else "outputEPCList"
            reading.lack(
                field, "is missing or empty; name it, or share a transformationID with its event"
            )


def _apart(reading: Reading, parent: str | None, children: tuple[str, ...], field: str) -> None:
    """A container does not lie in itself, however it is spelled."""
    if not parent or not children:
        return
    known = canonical_identifier(parent)
    is_gs1 = known.startswith("https://id.gs1.org/")
    for at, child in enumerate(children):
        if child == parent or (is_gs1 and canonical_identifier(child) == known):
            reading.fault(f"{field}[{at}]", "is the parent itself; nothing lies in itself")
            return


def _any(values: Values, *names: str) -> bool:
    return any(values.get(name) for name in names)


_CHECKS: Final[Mapping[EventType, Callable[[Reading, Values], None]]] = {
    "ObjectEvent": _object,
    "AggregationEvent": _aggregation,
    "AssociationEvent": _association,
    "TransactionEvent": _transaction,
    "TransformationEvent": _transformation,
}
