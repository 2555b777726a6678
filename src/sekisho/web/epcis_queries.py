"""Named queries and subscriptions under /epcis/queries: what is asked often gets a name, and webhooks tell of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar

import anyio.to_thread
import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.datastructures import State
from litestar.params import PathParameter, QueryParameter

from sekisho.model.errors import InvalidInput
from sekisho.model.wire import JsonValue, from_json, parse_json
from sekisho.ports.subscriptions import Subscription
from sekisho.registry.epcis.moments import parse_moment
from sekisho.web.epcis import LD_JSON, answer_page, next_link
from sekisho.web.epcis_bodies import read_bounded
from sekisho.web.epcis_description import (
    LINKED_DATA,
    PageOperation,
    QueryOperation,
    SubscriptionOperation,
)
from sekisho.web.epcis_headers import check_type
from sekisho.web.epcis_problems import NotSupported
from sekisho.web.epcis_views import (
    LetterView,
    QueryView,
    SubscriptionView,
    view_letter,
    view_query,
    view_subscription,
)
from sekisho.web.plane import Lent, Plane
from sekisho.web.problems import NotFound, declare_problems

__all__ = ["EpcisQueries"]

MAX_BODY: Final = 64 * 1024
MOST: Final = 100
NamePart = Annotated[str, PathParameter(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
IdPart = Annotated[str, PathParameter(pattern="^[0-9a-f]{32}$")]
Asking = Request[Any, Any, State]
T = TypeVar("T")
_ASKING: Final = declare_problems(
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.NOT_ACCEPTABLE,
    HTTPStatus.CONFLICT,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_TAKING: Final = declare_problems(
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.NOT_ACCEPTABLE,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.NOT_IMPLEMENTED,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
# What the standard lets a subscriber ask for, and the one thing that it may be here.
_ONLY: Final[Mapping[str, bool]] = {"stream": True, "reportIfEmpty": False}
_UNSUPPORTED: Final = ("schedule", "signatureToken", "minRecordTime")


class _NamedQueryBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    query: dict[str, Any]


class _SubscriptionBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    dest: str
    stream: bool = True
    reportIfEmpty: bool = False  # noqa: N815  # the standard's own word
    initialRecordTime: str = ""  # noqa: N815  # as above


class EpcisQueries(Controller):
    """Every route of /epcis/queries."""

    path = "/queries"

    @get(responses=_ASKING, sync_to_thread=True)
    def list_queries(
        self,
        plane: Lent,
        per_page: Annotated[int, QueryParameter(name="perPage", ge=1, le=MOST)] = 30,
        token: Annotated[str, QueryParameter(name="nextPageToken", max_length=64)] = "",
    ) -> Response[tuple[QueryView, ...]]:
        """Named queries, by name."""
        found = plane.control.chips.subscriptions.store.load_queries(
            after=token, limit=per_page + 1
        )
        shown = tuple(view_query(query) for query in found[:per_page])
        more = len(found) > per_page
        headers = next_link("/epcis/queries", per_page, shown[-1].name) if more else {}
        return Response(content=shown, headers=headers)

    @post(
        status_code=HTTPStatus.CREATED,
        operation_class=QueryOperation,
        responses=_TAKING,
        request_max_body_size=MAX_BODY,
    )
    async def name_query(self, request: Asking, plane: Lent) -> Response[QueryView]:
        """Give a query a name; asking it by that name asks for the same events for ever."""
        body = from_json(_NamedQueryBody, await _read(request))
        params = _params_of(body.query)
        query = await _in_thread(
            plane, lambda: plane.control.chips.subscriptions.name_query(body.name, params)
        )
        return Response(
            content=view_query(query),
            status_code=HTTPStatus.CREATED,
            headers={"location": f"/epcis/queries/{query.name}"},
        )

    @get("/{name:str}", responses=_ASKING, sync_to_thread=True)
    def find_query(self, name: NamePart, plane: Lent) -> QueryView:
        """What a named query asks for."""
        query = plane.control.chips.subscriptions.store.find_query(name)
        if query is None:
            raise _no_query(name)
        return view_query(query)

    @delete("/{name:str}", responses=_ASKING, sync_to_thread=True)
    def remove_query(self, name: NamePart, plane: Lent) -> None:
        """Forget a named query; refused while somebody is subscribed to it."""
        if not plane.control.chips.subscriptions.store.remove_query(name):
            raise _no_query(name)

    @get(
        "/{name:str}/events",
        media_type=LD_JSON,
        operation_class=PageOperation,
        responses={**LINKED_DATA, **_ASKING},
        sync_to_thread=True,
    )
    def run_query(self, name: NamePart, request: Asking, plane: Lent) -> Response[bytes]:
        """The events that a named query asks for, page by page."""
        asked = [(key, str(value)) for key, value in request.query_params.multi_items()]
        query = plane.control.chips.subscriptions.query_of(name, asked)
        if query is None:
            raise _no_query(name)
        return answer_page(plane, f"/epcis/queries/{name}/events", query, asked, name)

    @get("/{name:str}/subscriptions", responses=_ASKING, sync_to_thread=True)
    def list_subscriptions(self, name: NamePart, plane: Lent) -> tuple[SubscriptionView, ...]:
        """Who is told of a named query's events, and how far each is."""
        store = plane.control.chips.subscriptions.store
        if store.find_query(name) is None:
            raise _no_query(name)
        return tuple(
            view_subscription(found, store.load_letters(found.subscription))
            for found in store.load_subscriptions(name)
        )

    @post(
        "/{name:str}/subscriptions",
        status_code=HTTPStatus.CREATED,
        operation_class=SubscriptionOperation,
        responses=_TAKING,
        request_max_body_size=MAX_BODY,
    )
    async def subscribe(
        self, name: NamePart, request: Asking, plane: Lent
    ) -> Response[SubscriptionView]:
        """Have a named query's events delivered to an address; the answer holds the secret that signs them, once."""
        wanted = _subscription_of(await _read(request))

        def make() -> Subscription:
            subscriptions = plane.control.chips.subscriptions
            if subscriptions.store.find_query(name) is None:
                raise _no_query(name)
            since = parse_moment(wanted.initialRecordTime) if wanted.initialRecordTime else None
            return subscriptions.subscribe(name, wanted.dest, since=since)

        made = await _in_thread(plane, make)
        return Response(
            content=view_subscription(made, secret=made.secret.hex()),
            status_code=HTTPStatus.CREATED,
            headers={"location": f"/epcis/queries/{name}/subscriptions/{made.subscription}"},
        )

    @get("/{name:str}/subscriptions/{subscription:str}", responses=_ASKING, sync_to_thread=True)
    def find_subscription(
        self, name: NamePart, subscription: IdPart, plane: Lent
    ) -> SubscriptionView:
        """One subscription: how far it is, and what it last failed with."""
        found = _subscription(plane, name, subscription)
        return view_subscription(found, plane.control.chips.subscriptions.letters(subscription))

    @delete("/{name:str}/subscriptions/{subscription:str}", responses=_ASKING, sync_to_thread=True)
    def unsubscribe(self, name: NamePart, subscription: IdPart, plane: Lent) -> None:
        """Deliver no more; what was not delivered is forgotten with the secret."""
        _subscription(plane, name, subscription)
        plane.control.chips.subscriptions.store.remove_subscription(subscription)

    @get(
        "/{name:str}/subscriptions/{subscription:str}/undelivered",
        responses=_ASKING,
        sync_to_thread=True,
    )
    def list_undelivered(
        self, name: NamePart, subscription: IdPart, plane: Lent
    ) -> tuple[LetterView, ...]:
        """Deliveries that were given up after many tries, oldest first."""
        _subscription(plane, name, subscription)
        return tuple(map(view_letter, plane.control.chips.subscriptions.letters(subscription)))

    @post(
        "/{name:str}/subscriptions/{subscription:str}/undelivered/{after:int}",
        status_code=HTTPStatus.NO_CONTENT,
        responses=_ASKING,
        sync_to_thread=True,
    )
    def redeliver(
        self,
        name: NamePart,
        subscription: IdPart,
        after: Annotated[int, PathParameter(ge=0, le=2**53)],
        plane: Lent,
    ) -> None:
        """Deliver one of them once more, now; it is off the list when the receiver took it."""
        found = _subscription(plane, name, subscription)
        letters = plane.control.chips.subscriptions.letters(subscription)
        if all(letter.after != after for letter in letters):
            raise NotFound(f"no delivery behind event {after} was given up")
        plane.control.chips.deliverer.redeliver(found, after)


async def _read(request: Asking) -> JsonValue:
    check_type(request)
    return parse_json(await read_bounded(request, MAX_BODY), limit=MAX_BODY)


async def _in_thread(plane: Plane, act: Callable[[], T]) -> T:
    return await anyio.to_thread.run_sync(act, limiter=plane.capture_threads)


def _params_of(query: Mapping[str, Any]) -> list[tuple[str, str]]:
    """An object of parameters as name and value; a list is one name with several values."""
    found = []
    for name, given in query.items():
        for item in given if isinstance(given, list) else [given]:
            if isinstance(item, bool) or not isinstance(item, str | int):
                raise InvalidInput("is neither text nor a whole number", path=f"query.{name}")
            found.append((name, str(item)))
    return found


def _subscription_of(value: JsonValue) -> _SubscriptionBody:
    if isinstance(value, dict):
        for name in _UNSUPPORTED:
            if name in value:
                raise NotSupported(
                    "is not supported here; events are delivered as they come", path=name
                )
    wanted = from_json(_SubscriptionBody, value)
    for name, only in _ONLY.items():
        if getattr(wanted, name) is not only:
            raise NotSupported(f"can only be {str(only).lower()} here", path=name)
    if wanted.initialRecordTime and parse_moment(wanted.initialRecordTime) is None:
        raise InvalidInput("is no date-time with a zone", path="initialRecordTime")
    return wanted


def _subscription(plane: Plane, name: str, subscription: str) -> Subscription:
    found = plane.control.chips.subscriptions.store.find_subscription(subscription)
    if found is None or found.query != name:
        raise NotFound(f"there is no subscription {subscription} to {name}")
    return found


def _no_query(name: str) -> NotFound:
    return NotFound(f"there is no query named {name}")
