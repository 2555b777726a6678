"""What the OpenAPI document says of the bodies that /epcis takes: the framework cannot know what is read by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Parameter,
    Reference,
    RequestBody,
    Schema,
)

from sekisho.model.wire import MAX_DOCUMENT

__all__ = [
    "LINKED_DATA",
    "CaptureOperation",
    "EventOperation",
    "EventsOperation",
    "PageOperation",
    "QueryOperation",
    "SubscriptionOperation",
]


LINKED_DATA: Final[dict[int, ResponseSpec]] = {
    HTTPStatus.OK: ResponseSpec(
        data_container=dict[str, Any],
        generate_examples=False,
        description="JSON-LD.",
        media_type="application/ld+json",
    )
}
"""The answer of routes that write JSON-LD by themselves."""


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


def _asked(name: str, description: str, schema: Schema | None = None) -> Parameter:
    return Parameter(name=name, param_in="query", description=description, schema=schema or _text())


_PAGE = (
    _asked(
        "perPage",
        "Events a page, 30 if left out.",
        Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=1000),
    ),
    _asked("nextPageToken", "From the Link of the page before."),
)
_EVENTS = (
    *(
        _asked(name, "One value, or several with commas between.")
        for name in (
            "eventType",
            "EQ_action",
            "EQ_bizStep",
            "EQ_disposition",
            "EQ_readPoint",
            "EQ_bizLocation",
            "MATCH_epc",
            "MATCH_parentID",
            "MATCH_inputEPC",
            "MATCH_outputEPC",
            "MATCH_anyEPC",
        )
    ),
    *(
        _asked(name, "A date-time with its zone.")
        for name in ("GE_eventTime", "LT_eventTime", "GE_recordTime", "LT_recordTime")
    ),
)


@dataclass
class PageOperation(Operation):
    """A route that answers events page by page."""

    def __post_init__(self) -> None:
        self.parameters = [*(self.parameters or ()), *_PAGE]


@dataclass
class EventsOperation(Operation):
    """A route that takes the query parameters of EPCIS 2.0."""

    def __post_init__(self) -> None:
        self.parameters = [*(self.parameters or ()), *_EVENTS, *_PAGE]


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
