"""What events can be asked by, under /epcis: chips, places, steps, dispositions, types; and the events of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from itertools import islice
from typing import Annotated, Any, Final
from urllib.parse import unquote

import anyio.to_thread
import msgspec
from litestar import Controller, Request, Response, get
from litestar.datastructures import State
from litestar.params import QueryParameter

from sekisho.registry.epcis import EventType
from sekisho.registry.epcis.words import words_of
from sekisho.web.epcis import LD_JSON, RestPart, answer_events, next_link, rest_of
from sekisho.web.epcis_description import LINKED_DATA, EventsOperation
from sekisho.web.epcis_views import Collection
from sekisho.web.plane import Lent, Plane
from sekisho.web.problems import NotFound, declare_problems

__all__ = ["EpcisResources"]

_ASKING: Final = declare_problems(
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.NOT_ACCEPTABLE,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
# Resource -> the query parameter that its value settles.
_RESOURCES: Final[Mapping[str, str]] = {
    "eventTypes": "eventType",
    "epcs": "MATCH_anyEPC",
    "bizSteps": "EQ_bizStep",
    "bizLocations": "EQ_bizLocation",
    "readPoints": "EQ_readPoint",
    "dispositions": "EQ_disposition",
}
_TYPES: Final[tuple[EventType, ...]] = (
    "ObjectEvent",
    "AggregationEvent",
    "AssociationEvent",
    "TransactionEvent",
    "TransformationEvent",
)
_EVENTS: Final = "/events"
MOST: Final = 1_000
Asking = Request[Any, Any, State]


class EpcisResources(Controller):
    """Every top-level resource beside events."""

    path = "/"

    # Coroutines: the framework wraps a handler of several paths once for each where it is to run in a thread.

    @get(
        [f"/{name}" for name in _RESOURCES],
        media_type=LD_JSON,
        responses={**LINKED_DATA, **_ASKING},
    )
    async def list_resources(
        self,
        request: Asking,
        plane: Lent,
        per_page: Annotated[int, QueryParameter(name="perPage", ge=1, le=MOST)] = 100,
        token: Annotated[str, QueryParameter(name="nextPageToken", max_length=2_000)] = "",
    ) -> Response[bytes]:
        """The words, places or chips that events may be asked by, in the order of their letters."""
        name = rest_of(request, "/epcis/")
        found = await anyio.to_thread.run_sync(_LISTS[name], plane, token, per_page + 1)
        members = tuple(found[:per_page])
        more = len(found) > per_page
        headers = next_link(f"/epcis/{name}", per_page, members[-1]) if more else {}
        content = msgspec.json.encode(Collection(member=members))
        return Response(content=content, media_type=LD_JSON, headers=headers)

    @get(
        [f"/{name}/{{rest:path}}" for name in _RESOURCES],
        media_type=LD_JSON,
        operation_class=EventsOperation,
        responses={**LINKED_DATA, **_ASKING},
    )
    async def find_events_of(self, request: Asking, rest: RestPart, plane: Lent) -> Response[bytes]:
        """The events of one of them (percent-encoded), by the query parameters of EPCIS 2.0."""
        del rest  # decoded once by the framework, and its slashes with it
        name, _, value = rest_of(request, "/epcis/").partition("/")
        if not value.endswith(_EVENTS):
            if not value:
                raise NotFound("names nothing")
            content = msgspec.json.encode(Collection(member=("events",)))
            return Response(content=content, media_type=LD_JSON)
        fixed = [(_RESOURCES[name], unquote(value.removesuffix(_EVENTS)))]
        params = list(request.query_params.multi_items())
        return await anyio.to_thread.run_sync(
            answer_events, plane, f"/epcis/{name}/{value}", params, fixed
        )


def _epcs(plane: Plane, after: str, limit: int) -> Sequence[str]:
    """Those that are registered."""
    standings = plane.control.register.store.iterate_standings(after=after)
    return [standing.epc for standing in islice(standings, limit)]


def _places(plane: Plane, after: str, limit: int) -> Sequence[str]:
    """The places that the register was told of, as their identifiers."""
    terms = plane.control.register.terms
    prefixes = [known.prefix for known in terms.namespaces if known.names == "place"]
    named = sorted(prefix + place.place for prefix in prefixes for place in terms.places)
    return [place for place in named if place > after][:limit]


def _listed(words: Sequence[str]) -> Callable[[Plane, str, int], Sequence[str]]:
    listed = sorted(words)

    def find(_: Plane, after: str, limit: int) -> Sequence[str]:
        return [word for word in listed if word > after][:limit]

    return find


_LISTS: Final[Mapping[str, Callable[[Plane, str, int], Sequence[str]]]] = {
    "eventTypes": _listed(_TYPES),
    "epcs": _epcs,
    "bizSteps": _listed(words_of("bizStep")),
    "bizLocations": _places,
    "readPoints": _places,
    "dispositions": _listed(words_of("disposition")),
}
