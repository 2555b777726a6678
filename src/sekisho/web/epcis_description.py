"""What the OpenAPI document says of the bodies that /epcis takes: the framework cannot know what is read by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Reference,
    RequestBody,
    Schema,
)

from sekisho.model.wire import MAX_DOCUMENT

__all__ = ["CaptureOperation", "EventOperation", "QueryOperation", "SubscriptionOperation"]


def _body(schema: Schema, description: str) -> RequestBody:
    content = {
        kind: OpenAPIMediaType(schema=schema)
        for kind in ("application/ld+json", "application/json")
    }
    return RequestBody(content=content, description=description, required=True)


def _text(**more: Any) -> Schema:
    return Schema(type=OpenAPIType.STRING, **more)


_EVENT = Schema(
    type=OpenAPIType.OBJECT,
    description="An EPCIS 2.0 event in JSON-LD.",
    required=["type", "eventTime", "eventTimeZoneOffset"],
    properties={
        "type": _text(),
        "eventTime": _text(),
        "eventTimeZoneOffset": _text(),
    },
)
_DOCUMENT = Schema(
    type=OpenAPIType.OBJECT,
    description="An EPCISDocument, in JSON-LD.",
    required=["type", "schemaVersion", "epcisBody"],
    properties={
        "type": _text(enum=["EPCISDocument"]),
        "schemaVersion": _text(),
        "creationDate": _text(),
        "epcisBody": Schema(
            type=OpenAPIType.OBJECT,
            properties={"eventList": Schema(type=OpenAPIType.ARRAY, items=_EVENT)},
        ),
    },
)
_QUERY = Schema(
    type=OpenAPIType.OBJECT,
    required=["name", "query"],
    additional_properties=False,
    properties={
        "name": _text(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"),
        "query": Schema(
            type=OpenAPIType.OBJECT,
            description="Parameters as in the address of /epcis/events; several values as a list.",
        ),
    },
)
_SUBSCRIPTION = Schema(
    type=OpenAPIType.OBJECT,
    required=["dest"],
    additional_properties=False,
    properties={
        "dest": _text(max_length=2000, description="https, or http on this machine."),
        "stream": Schema(type=OpenAPIType.BOOLEAN, description="True, as it always is here."),
        "reportIfEmpty": Schema(
            type=OpenAPIType.BOOLEAN, description="False, as it always is here."
        ),
        "initialRecordTime": _text(description="Deliver what was captured from then on, too."),
    },
)


@dataclass
class _Bodied(Operation):
    """An operation with a body of its own."""

    request_body: RequestBody | Reference | None = field(default=None)

    def __post_init__(self) -> None:
        self.request_body = self._describe()

    def _describe(self) -> RequestBody:
        raise NotImplementedError


@dataclass
class CaptureOperation(_Bodied):
    """A route that takes a document."""

    def _describe(self) -> RequestBody:
        return _body(_DOCUMENT, f"At most {MAX_DOCUMENT} bytes.")


@dataclass
class EventOperation(_Bodied):
    """A route that takes one event."""

    def _describe(self) -> RequestBody:
        return _body(_EVENT, f"At most {MAX_DOCUMENT} bytes.")


@dataclass
class QueryOperation(_Bodied):
    """A route that takes a named query."""

    def _describe(self) -> RequestBody:
        return _body(_QUERY, "A name, and the query that it stands for.")


@dataclass
class SubscriptionOperation(_Bodied):
    """A route that takes a subscription."""

    def _describe(self) -> RequestBody:
        return _body(_SUBSCRIPTION, "Where to deliver to.")
