"""One EPCIS 2.0 event as the house holds it, whatever spelling it came in.

Source: GS1 EPCIS 2.0 and CBV 2.0. Vocabulary words are bare (`shipping`), words of other vocabularies whole URIs;
names of extension fields are resolved to `{namespace}local`, at every depth; identifiers of things, parties and places
have one spelling (a GS1 key is its Digital Link), while `raw` keeps what was written. In `sensors` the types,
exceptions and components are whole addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant

__all__ = ["Action", "ErrorDeclaration", "Event", "EventType", "Quantity", "Typed"]

EventType: TypeAlias = Literal[
    "ObjectEvent",
    "AggregationEvent",
    "AssociationEvent",
    "TransactionEvent",
    "TransformationEvent",
]
Action: TypeAlias = Literal["ADD", "OBSERVE", "DELETE"]


class Typed(msgspec.Struct, frozen=True):
    """An identifier with its type word: a business transaction, a source, a destination."""

    type: str
    id: str


class Quantity(msgspec.Struct, frozen=True, kw_only=True):
    """So much of a class of things; without a unit it counts items. `quantity` is the number as written."""

    epc_class: str
    quantity: str | None = None
    unit: str = ""


class ErrorDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """Says of the event that it repeats: this was recorded in error, because of `reason`; these events correct it."""

    at: Instant
    reason: str = ""
    corrective: tuple[str, ...] = ()
    extensions: Mapping[str, Any] = {}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What, where, when, why and how. `raw` is the event's JSON object, without its @context and ignored fields.

    `context` holds the prefixes that names in `raw` need beyond GS1's; `recorded` is the sender's recordTime; the
    last two hold extension fields of the read point and of the business location.
    """

    type: EventType
    at: Instant
    zone: str
    action: Action | None = None
    epcs: tuple[str, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    parent: str = ""
    children: tuple[str, ...] = ()
    child_quantities: tuple[Quantity, ...] = ()
    inputs: tuple[str, ...] = ()
    input_quantities: tuple[Quantity, ...] = ()
    outputs: tuple[str, ...] = ()
    output_quantities: tuple[Quantity, ...] = ()
    transformation: str = ""
    biz_step: str = ""
    disposition: str = ""
    persistent_set: tuple[str, ...] = ()
    persistent_unset: tuple[str, ...] = ()
    read_point: str = ""
    biz_location: str = ""
    transactions: tuple[Typed, ...] = ()
    sources: tuple[Typed, ...] = ()
    destinations: tuple[Typed, ...] = ()
    ilmd: Mapping[str, Any] = {}
    extensions: Mapping[str, Any] = {}
    sensors: tuple[Any, ...] = ()
    error: ErrorDeclaration | None = None
    event_id: str = ""
    recorded: Instant | None = None
    certificates: tuple[str, ...] = ()
    read_point_fields: Mapping[str, Any] = {}
    biz_location_fields: Mapping[str, Any] = {}
    raw: Mapping[str, Any]
    context: Mapping[str, str] = {}
