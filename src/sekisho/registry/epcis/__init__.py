"""EPCIS 2.0 documents: read strictly, checked beyond their schema, hashed by CBV 2.0, written back."""

from __future__ import annotations

from sekisho.registry.epcis.document import Document, Problem
from sekisho.registry.epcis.event import (
    Action,
    ErrorDeclaration,
    Event,
    EventType,
    Quantity,
    Typed,
)
from sekisho.registry.epcis.hashing import event_key, hash_and_key, hash_id, prehash
from sekisho.registry.epcis.identifiers import canonical_identifier, is_uri
from sekisho.registry.epcis.parsing import event_of, parse_document
from sekisho.registry.epcis.querying import (
    Query,
    next_page_token,
    parse_named_query,
    parse_query,
)
from sekisho.registry.epcis.words import find_word
from sekisho.registry.epcis.writing import (
    event_document,
    write_document,
    write_event,
    write_query_document,
)

__all__ = [
    "Action",
    "Document",
    "ErrorDeclaration",
    "Event",
    "EventType",
    "Problem",
    "Quantity",
    "Query",
    "Typed",
    "canonical_identifier",
    "event_document",
    "event_key",
    "event_of",
    "find_word",
    "hash_and_key",
    "hash_id",
    "is_uri",
    "next_page_token",
    "parse_document",
    "parse_named_query",
    "parse_query",
    "prehash",
    "write_document",
    "write_event",
    "write_query_document",
]
