"""Answers to queries: captured events as an EPCIS query document, and how each stands in the register beside it.

An event is shown as it was captured, with the two fields that EPCIS leaves to whoever captured it: when that was
(`recordTime`) and its name (`eventID`: its own, else its hash id). Neither counts in the hash, so a reader's hash of
what is shown is the register's. How it stands is told beside the events, not in them: `skh:register`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from sekisho.model.instants import Instant
from sekisho.ports.register_store import EventRow, RegisterStore
from sekisho.registry.epcis import event_of, write_event, write_query_document
from sekisho.registry.terms import OWN_NAMESPACE

__all__ = ["REGISTER_FIELD", "answer_query", "find_event", "show_event"]

REGISTER_FIELD: Final = "skh:register"
_HASH_ID: Final = "ni:///sha-256;"


def answer_query(
    rows: Sequence[EventRow],
    *,
    created: Instant,
    query: str = "SimpleEventQuery",
    subscription: str = "",
) -> bytes:
    """An EPCISQueryDocument of these events, in their order."""
    written = write_query_document(
        [event_of(row.document) for row in rows],
        created=str(created),
        query=query,
        subscription=subscription,
        recorded=[row.received for row in rows],
    )
    document: dict[str, Any] = msgspec.json.decode(written)
    document["@context"] = _with_ours(document["@context"])
    document[REGISTER_FIELD] = [_standing(row) for row in rows]
    return msgspec.json.encode(document)


def show_event(row: EventRow) -> bytes:
    """One event by itself, with its @context."""
    event = event_of(row.document)
    shown = {
        **write_event(event),
        "recordTime": str(row.received),
        "eventID": event.event_id or row.hash_id,
    }
    return msgspec.json.encode(shown)


def find_event(store: RegisterStore, event_id: str) -> EventRow | None:
    """An event by its hash id, or by its number in the register; one in effect before one that is not."""
    if event_id.startswith(_HASH_ID):
        rows = store.find_hashes((event_id,)).get(event_id, ())
        in_effect = (row for row in rows if row.outcome == "taken" and row.voided_by is None)
        return next(in_effect, rows[0] if rows else None)
    return None


def _with_ours(context: list[Any]) -> list[Any]:
    """A context that knows our prefix, unless it means something by it already."""
    known = context[-1] if isinstance(context[-1], dict) else {}
    return context if "skh" in known else [*context, {"skh": OWN_NAMESPACE}]


def _standing(row: EventRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "hashID": row.hash_id,
        "capture": row.capture,
        "outcome": row.outcome,
        "signed": bool(row.parties or row.powers),
        "parties": list(row.parties),
        "powers": list(row.powers),
        "voidedBy": row.voided_by,
        "known": None if row.known is None else str(row.known),
    }
