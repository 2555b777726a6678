"""EPCIS 2.0 over HTTP, under /epcis: events are captured and asked for.

Source: GS1 EPCIS 2.0, REST binding, JSON-LD only. Who vouches for a document says so in `Sekisho-Endorsement`. What
the standard has and this server has not is refused by name, never passed over; errors are problem+json whose `type` is
the standard's exception and whose `code` is ours.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import quote, unquote

import anyio.to_thread
import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import State
from litestar.params import PathParameter, QueryParameter

from sekisho.app import ErrorBehaviour, capture_id
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import MAX_DOCUMENT, decode_base64
from sekisho.ports.register_store import CaptureRow
from sekisho.registry.epcis import Query, hash_id, next_page_token, parse_document, parse_query
from sekisho.web.epcis_bodies import check_announced, read_bounded
from sekisho.web.epcis_description import (
    LINKED_DATA,
    CaptureOperation,
    EventOperation,
    EventsOperation,
)
from sekisho.web.epcis_headers import check_type
from sekisho.web.epcis_problems import NotAcceptable
from sekisho.web.epcis_views import JobView, view_job
from sekisho.web.plane import Lent, Plane
from sekisho.web.problems import NotFound, declare_problems

__all__ = ["LD_JSON", "Epcis", "RestPart", "answer_events", "answer_page", "next_link", "rest_of"]

MAX_HEADER: Final = 16_384
LD_JSON: Final = "application/ld+json"
MOST_JOBS: Final = 100
Asking = Request[Any, Any, State]
_CAPTURING: Final = declare_problems(
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_ACCEPTABLE,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_ASKING: Final = declare_problems(
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.NOT_ACCEPTABLE,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
RestPart = Annotated[str, PathParameter(description="Percent-encoded.")]
CaptureIdPart = Annotated[str, PathParameter(pattern="^[0-9a-f]{64}$")]


class Epcis(Controller):
    """Capture, and queries of events."""

    path = "/"

    @post(
        "/capture",
        status_code=HTTPStatus.ACCEPTED,
        operation_class=CaptureOperation,
        responses=_CAPTURING,
        request_max_body_size=MAX_DOCUMENT,
    )
    async def capture(self, request: Asking, plane: Lent) -> Response[JobView]:
        """Capture a document; durable when it is answered. The same document again is the same job."""
        behaviour = _behaviour(request)
        row, _ = await _take(request, plane, behaviour)
        return Response(
            content=view_job(row, behaviour),
            status_code=HTTPStatus.ACCEPTED,
            headers={
                "location": f"/epcis/capture/{row.capture}",
                "GS1-EPCIS-Capture-File-Size-Limit": str(MAX_DOCUMENT),
            },
        )

    @get("/capture", responses=_ASKING, sync_to_thread=True)
    def list_jobs(
        self,
        plane: Lent,
        per_page: Annotated[int, QueryParameter(name="perPage", ge=1, le=MOST_JOBS)] = 30,
        token: Annotated[
            str, QueryParameter(name="nextPageToken", pattern="^([0-9a-f]{64})?$")
        ] = "",
    ) -> Response[tuple[JobView, ...]]:
        """Capture jobs, the newest first."""
        rows = plane.control.register.store.load_captures(after=token, limit=per_page + 1)
        headers = {}
        if len(rows) > per_page:
            headers = next_link("/epcis/capture", per_page, rows[per_page - 1].capture)
        jobs = tuple(view_job(row, _behaviour_of(row)) for row in rows[:per_page])
        return Response(content=jobs, headers=headers)

    @get("/capture/{capture:str}", responses=_ASKING, sync_to_thread=True)
    def find_job(self, capture: CaptureIdPart, plane: Lent) -> JobView:
        """One capture job: what became of its events, and what could not be read where."""
        row = plane.control.register.find_capture(capture)
        if row is None:
            raise NotFound(f"there is no capture job {capture}")
        return view_job(row, _behaviour_of(row))

    @post(
        "/events",
        status_code=HTTPStatus.CREATED,
        operation_class=EventOperation,
        responses=_CAPTURING,
        request_max_body_size=MAX_DOCUMENT,
    )
    async def capture_event(self, request: Asking, plane: Lent) -> Response[JobView]:
        """Capture one event, or nothing where it has a fault."""
        row, body = await _take(request, plane, "rollback", single=True)
        if row.problems:
            found = msgspec.json.decode(row.problems, type=list[dict[str, str]])
            raise InvalidInput(found[0]["problem"], path=found[0]["path"])
        named = quote(hash_id(parse_document(body).events[0]), safe="")
        return Response(
            content=view_job(row, "rollback"),
            status_code=HTTPStatus.CREATED,
            headers={"location": f"/epcis/events/{named}"},
        )

    @get(
        "/events",
        media_type=LD_JSON,
        operation_class=EventsOperation,
        responses={**LINKED_DATA, **_ASKING},
        sync_to_thread=True,
    )
    def find_events(self, request: Asking, plane: Lent) -> Response[bytes]:
        """Events by the query parameters of EPCIS 2.0, in the order in which they were captured."""
        return answer_events(plane, "/epcis/events", list(request.query_params.multi_items()))

    @get(
        "/events/{event_id:path}",
        media_type=LD_JSON,
        responses={**LINKED_DATA, **_ASKING},
        sync_to_thread=True,
    )
    def find_event(self, request: Asking, event_id: RestPart, plane: Lent) -> Response[bytes]:
        """One event by its hash id (percent-encoded)."""
        del event_id  # decoded once by the framework, and its slashes with it
        named = unquote(rest_of(request, "/epcis/events/"))
        found = plane.control.register.show_event(named)
        if found is None:
            raise NotFound(
                f"there is no event {named[:200]}", remedy="name its hash id, percent-encoded"
            )
        return Response(content=found, media_type=LD_JSON)


def answer_events(
    plane: Plane,
    address: str,
    params: list[tuple[str, Any]],
    fixed: list[tuple[str, str]] | None = None,
) -> Response[bytes]:
    """A page of events; `fixed` are parameters that the address itself settles."""
    asked = [(key, str(value)) for key, value in params]
    query = parse_query([*asked, *(fixed or [])])
    return answer_page(plane, address, query, asked)


def answer_page(
    plane: Plane,
    address: str,
    query: Query,
    asked: list[tuple[str, str]],
    name: str = "SimpleEventQuery",
) -> Response[bytes]:
    """A page of a query's events, with the address of the next one."""
    register = plane.control.register
    page = register.find_events(query.wanted, after=query.after, limit=query.per_page)
    content = register.answer(page.events, query=name)
    return Response(
        content=content, media_type=LD_JSON, headers=_links(address, asked, query, page.following)
    )


def _links(
    address: str, asked: list[tuple[str, str]], query: Query, following: int | None
) -> dict[str, str]:
    """The headers that name the next page; none at the end."""
    if following is None:
        return {}
    kept = [(key, value) for key, value in asked if key != "nextPageToken"]
    kept.append(("nextPageToken", next_page_token(query, following)))
    return _next(
        address + "?" + "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in kept)
    )


def next_link(address: str, per_page: int, token: str) -> dict[str, str]:
    """The headers that name the next page of a list."""
    return _next(f"{address}?perPage={per_page}&nextPageToken={quote(token, safe='')}")


def rest_of(request: Asking, prefix: str) -> str:
    """What stands behind a prefix in the request's address, still encoded as it was sent."""
    raw = request.scope.get("raw_path", b"").partition(b"?")[0].decode("latin-1")
    return raw.removeprefix(prefix) if raw.startswith(prefix) else ""


async def _take(
    request: Asking, plane: Plane, behaviour: ErrorBehaviour, *, single: bool = False
) -> tuple[CaptureRow, bytes]:
    """Read the body and its endorsement, and capture it."""
    check_type(request)
    endorsement = _endorsement(request)
    register = plane.control.register
    check_announced(request, MAX_DOCUMENT)
    with plane.room.hold() as held:
        body = await read_bounded(request, MAX_DOCUMENT, held)
        answer = await anyio.to_thread.run_sync(
            lambda: register.hand_in(body, endorsement, behaviour=behaviour, single=single),
            limiter=plane.capture_threads,
        )
        return await asyncio.wrap_future(answer), body


def _endorsement(request: Asking) -> bytes | None:
    found = request.headers.getall("sekisho-endorsement", [])
    if not found:
        return None
    if len(found) > 1 or len(found[0]) > MAX_HEADER:
        raise InvalidInput(
            f"is given more than once, or longer than {MAX_HEADER} characters",
            path="Sekisho-Endorsement",
            remedy="join the signatures into one envelope",
        )
    return decode_base64(found[0], path="Sekisho-Endorsement")


def _behaviour(request: Asking) -> ErrorBehaviour:
    """All or nothing unless the sender says otherwise, as the standard has it."""
    word = request.headers.get("gs1-capture-error-behaviour", "rollback")
    if word == "rollback":
        return "rollback"
    if word == "proceed":
        return "proceed"
    raise NotAcceptable(
        f"{word[:40]!r} is neither rollback nor proceed", path="GS1-Capture-Error-Behaviour"
    )


def _behaviour_of(row: CaptureRow) -> str:
    """What a job's sender asked for: its id says so."""
    endorsement = row.endorsement or None
    is_rollback = capture_id(row.sha256, endorsement, "rollback") == row.capture
    return "rollback" if is_rollback else "proceed"


def _next(address: str) -> dict[str, str]:
    return {"link": f'<{address}>; rel="next"', "GS1-Next-Page-Token-Expires": "never"}
