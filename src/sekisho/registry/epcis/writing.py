"""Writing events: one by itself as the register keeps it, many as a document or as the answer to a query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.wire import canonical
from sekisho.registry.epcis.composing import compose, context_of
from sekisho.registry.epcis.event import Event
from sekisho.registry.epcis.hashing import hash_id

__all__ = ["event_document", "write_document", "write_event", "write_query_document"]

_ENCODER: Final = msgspec.json.Encoder()


def write_event(event: Event) -> dict[str, Any]:
    """The event as a JSON object of its own, with the @context that its names need."""
    made, terms = compose(event)
    return {"@context": context_of(terms), **made}


def event_document(event: Event) -> bytes:
    """The canonical bytes of `write_event`: what the register keeps, and `event_of` reads again."""
    return canonical(write_event(event))


def write_document(events: Sequence[Event], *, created: str) -> bytes:
    """An EPCISDocument of these events; `created` is its creationDate."""
    made, terms = _together(events)
    return _write("EPCISDocument", created, terms, {"eventList": made})


def write_query_document(
    events: Sequence[Event],
    *,
    created: str,
    query: str = "SimpleEventQuery",
    subscription: str = "",
    recorded: Sequence[Instant] = (),
) -> bytes:
    """An EPCISQueryDocument whose results are these events.

    `recorded` gives the register's recordTime of each, in place of what its sender wrote; an event without an id then
    gets its hash id.
    """
    made, terms = _together(events)
    for one, event, at in zip(made, events, recorded, strict=False):
        one["recordTime"] = str(at)
        one["eventID"] = event.event_id or hash_id(event)
    results: dict[str, Any] = {"queryName": query}
    if subscription:
        results["subscriptionID"] = subscription
    results["resultsBody"] = {"eventList": made}
    return _write("EPCISQueryDocument", created, terms, {"queryResults": results})


def _together(events: Sequence[Event]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The events' objects. Their prefixes stand above them only where all need the same.

    A prefix that one event declares must not come over another: `part:7` may be a compact name here and a whole one
    there.
    """
    composed = [compose(event) for event in events]
    first = composed[0][1] if composed else {}
    if all(terms == first for _, terms in composed):
        return [made for made, _ in composed], first
    return [{"@context": context_of(terms), **made} for made, terms in composed], {}


def _write(kind: str, created: str, terms: dict[str, str], body: dict[str, Any]) -> bytes:
    return _ENCODER.encode(
        {
            "@context": context_of(terms),
            "type": kind,
            "schemaVersion": "2.0",
            "creationDate": created,
            "epcisBody": body,
        }
    )
