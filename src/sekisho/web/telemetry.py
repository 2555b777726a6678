"""Telemetry over HTTP: remote-write at /api/v1/write, OTLP at /v1/metrics, files pushed to /api/v1/telemetry.

What is answered with success is durable. Senders go by the status: 4xx means that the same body will never be taken and
they drop it, 5xx that they keep it and come again. So a full disk and a full house are 503 with Retry-After, never 429,
which Prometheus drops unless it is told otherwise; and a body that comes too slowly is 503 too. Of a body with some bad
samples the good ones stay, and remote-write answers 400 with what was refused, as its specification asks.

Bodies are bounded before they are unpacked (here) and while they are (by the parsers), held in a room of so many bytes,
and read in threads of their own: a flood of samples slows senders down and leaves orders and leases alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal, TypeAlias

import anyio.to_thread
import msgspec
from litestar import Controller, Request, Response, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.params import QueryParameter

from sekisho.app.inventories import Pusher, UnknownToken
from sekisho.app.running_telemetry import Delivery
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.model.telemetry import Intake
from sekisho.signing.assertion import AssertionExpired, ForgedAssertion
from sekisho.web.epcis_bodies import check_announced, read_bounded
from sekisho.web.otlp_answers import write_failure, write_success
from sekisho.web.plane import Lent, Plane
from sekisho.web.problems import (
    PROBLEM_TYPE,
    Problem,
    declare_problems,
    encode_problem,
    problem_of,
    respond_with_problem,
)
from sekisho.web.telemetry_description import PushOperation
from sekisho.web.telemetry_senders import (
    NoToken,
    UnsupportedBody,
    bearer_of,
    check_encoding,
    otlp_type_of,
    parse_remote_write_headers,
)

__all__ = ["TelemetryApi", "TelemetryIntake", "say_refused"]

MAX_WRITE: Final = 16 << 20
"""A remote-write or OTLP body as it comes; Prometheus sends some hundred kilobytes."""
MAX_PUSH: Final = 64 << 20
RETRY_AFTER_S: Final = 5
SAID: Final = 8
"""Reasons that one message names."""
_UNAUTHORISED: Final = (NoToken, UnknownToken, ForgedAssertion, AssertionExpired)
_TOO_SLOW: Final = frozenset({408, 429})
Asking = Request[Any, Any, State]
PushFormat: TypeAlias = Literal["prometheus", "csv", "parquet"]


def status_of(error: Exception, *, bad_input: HTTPStatus) -> HTTPStatus | None:
    """What senders of telemetry are answered; None where the table of problems decides."""
    if isinstance(error, _UNAUTHORISED):
        return HTTPStatus.UNAUTHORIZED
    if isinstance(error, UnsupportedBody):
        return HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    if isinstance(error, InvalidInput):
        return HTTPStatus.UNAUTHORIZED if error.path == "token" else bad_input
    if isinstance(error, Unavailable):
        return HTTPStatus.SERVICE_UNAVAILABLE
    if isinstance(error, HTTPException) and error.status_code in _TOO_SLOW:
        return HTTPStatus.SERVICE_UNAVAILABLE
    return None


def _problem_for(error: Exception, *, bad_input: HTTPStatus) -> Problem:
    problem = problem_of(error)
    status = status_of(error, bad_input=bad_input)
    if status is None:
        return problem
    return msgspec.structs.replace(problem, status=int(status), title=status.phrase)


def _headers_for(problem: Problem, error: Exception) -> dict[str, str]:
    headers = {"cache-control": "no-store"}
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = str(getattr(error, "retry_after_s", RETRY_AFTER_S))
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    return headers


def _respond(request: Asking, error: Exception) -> Response[bytes]:
    """A problem with the status that a sender of remote-write goes by."""
    return _answer_problem(request, error, HTTPStatus.BAD_REQUEST)


def _respond_push(request: Asking, error: Exception) -> Response[bytes]:
    return _answer_problem(request, error, HTTPStatus.UNPROCESSABLE_ENTITY)


def _answer_problem(request: Asking, error: Exception, bad_input: HTTPStatus) -> Response[bytes]:
    if status_of(error, bad_input=bad_input) is None:
        return respond_with_problem(request, error)
    problem = _problem_for(error, bad_input=bad_input)
    return Response(
        content=encode_problem(problem),
        status_code=problem.status,
        media_type=PROBLEM_TYPE,
        headers=_headers_for(problem, error),
    )


def _respond_otlp(request: Asking, error: Exception) -> Response[bytes]:
    """The same statuses with the body that OTLP asks for, in the request's own encoding where that is known."""
    if status_of(error, bad_input=HTTPStatus.BAD_REQUEST) is None:
        respond_with_problem(request, error)  # what nobody foresaw goes to the server's log
    problem = _problem_for(error, bad_input=HTTPStatus.BAD_REQUEST)
    try:
        kind = otlp_type_of(request)
    except UnsupportedBody:
        return _answer_problem(request, error, HTTPStatus.BAD_REQUEST)
    words = f"{problem.detail}; {problem.remedy}" if problem.remedy else problem.detail
    return Response(
        content=write_failure(kind, problem.status, words),
        status_code=problem.status,
        media_type=kind,
        headers=_headers_for(problem, error),
    )


class TelemetryIntake(Controller):
    """The routes of other projects' protocols; ours is under /api/v1/telemetry."""

    path = "/"
    include_in_schema = False

    @post(
        "/api/v1/write",
        status_code=HTTPStatus.OK,  # 204, which the framework refuses to route with a body for errors
        request_max_body_size=MAX_WRITE,
        exception_handlers={Exception: _respond},
    )
    async def take_remote_write(self, request: Asking, plane: Lent) -> Response[bytes]:
        """Samples of a Prometheus or of what speaks like one; 1.0 and 2.0 of remote-write."""
        pusher = await _identify(request, plane)
        said = parse_remote_write_headers(request)
        delivery = Delivery(
            kind="remote-write",
            site=pusher.site,
            content_type=said.content_type,
            encoding=said.encoding,
        )
        intake = await _take(request, plane, delivery, MAX_WRITE)
        headers = _written(intake)
        if intake.fault_count:
            return _refuse_rest(intake, headers)
        return Response(content=b"", status_code=HTTPStatus.NO_CONTENT, headers=headers)

    @post(
        ["/v1/metrics", "/api/v1/health/metrics"],
        status_code=HTTPStatus.OK,
        request_max_body_size=MAX_WRITE,
        exception_handlers={Exception: _respond_otlp},
    )
    async def take_otlp(self, request: Asking, plane: Lent) -> Response[bytes]:
        """Metrics in OTLP; the fleet agent's own address for them is the second path."""
        pusher = await _identify(request, plane)
        kind = otlp_type_of(request)
        delivery = Delivery(
            kind="otlp",
            site=pusher.site,
            content_type=kind,
            encoding=check_encoding(request, ("identity", "gzip", "zstd"), default="identity"),
        )
        intake = await _take(request, plane, delivery, MAX_WRITE)
        message = say_refused(intake) if intake.refused_count else ""
        return Response(
            content=write_success(kind, rejected=intake.fault_count, message=message),
            media_type=kind,
            headers=_renewal(pusher),
        )

    @post(
        "/api/v1/health/logs",
        status_code=HTTPStatus.OK,
        request_max_body_size=MAX_WRITE,
        exception_handlers={Exception: _respond_otlp},
    )
    async def pass_over_logs(self, request: Asking, plane: Lent) -> Response[bytes]:
        """The fleet agent's logs: nothing here reads them, and the answer says so.

        Without an answer the agent would count every export as failed and try again.
        """
        pusher = await _identify(request, plane)
        kind = otlp_type_of(request)
        check_announced(request, MAX_WRITE)
        with plane.telemetry_room.hold() as held:
            await read_bounded(request, MAX_WRITE, held)
        return Response(
            content=write_success(kind, rejected=0, message="logs are not kept here"),
            media_type=kind,
            headers=_renewal(pusher),
        )


class TelemetryApi(Controller):
    """Files pushed as they are."""

    path = "/api/v1/telemetry"

    @post(
        status_code=HTTPStatus.OK,
        operation_class=PushOperation,
        responses=declare_problems(
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.FORBIDDEN,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            HTTPStatus.SERVICE_UNAVAILABLE,
        ),
        request_max_body_size=MAX_PUSH,
        exception_handlers={Exception: _respond_push},
    )
    async def push(
        self,
        request: Asking,
        plane: Lent,
        format: Annotated[PushFormat, QueryParameter()],  # noqa: A002 - the parameter's own name
    ) -> Intake:
        """Keep an exporter's page, a CSV table or a Parquet file; what was refused is named with its reason.

        A push token names the site (`Authorization: Bearer`). The body may be packed: gzip or zstd.
        """
        pusher = await _identify(request, plane)
        delivery = Delivery(
            kind=format,
            site=pusher.site,
            content_type=request.headers.get("content-type", "")[:200],
            encoding=check_encoding(request, ("identity", "gzip", "zstd"), default="identity"),
        )
        return await _take(request, plane, delivery, MAX_PUSH)


async def _identify(request: Asking, plane: Plane) -> Pusher:
    """Who sends; before a byte of the body is read."""
    token = bearer_of(request)
    known = plane.control.inventories.pushers.recall(token)
    if known is not None:
        return known
    return await anyio.to_thread.run_sync(
        plane.control.inventories.pushers.identify, token, limiter=plane.telemetry_doors
    )


async def _take(request: Asking, plane: Plane, delivery: Delivery, most: int) -> Intake:
    check_announced(request, most)
    with plane.telemetry_room.hold() as held:
        body = await read_bounded(request, most, held)
        return await anyio.to_thread.run_sync(
            plane.control.telemetry.take, body, delivery, limiter=plane.telemetry_threads
        )


def say_refused(intake: Intake) -> str:
    """How many samples were refused, for which reasons, with the first of each."""
    came = intake.taken + intake.passed_over + intake.duplicates + intake.refused_count
    named = [f"{r.count} {r.reason} (first: {r.first[:120]})" for r in intake.refused[:SAID]]
    return (
        f"{intake.refused_count} of {came} samples were refused and the rest is kept: "
        f"{'; '.join(named)}"
    )


def _written(intake: Intake) -> dict[str, str]:
    """What became of the samples: accepted are also those without use here, those known already, and blanks.

    A blank is an exporter's word for "not measured". It is kept as just that, and a sender that were told of an error
    with each of them would fill its log with what nobody can mend.
    """
    blanks = intake.refused_count - intake.fault_count
    accepted = intake.taken + intake.passed_over + intake.duplicates + blanks
    return {
        "x-prometheus-remote-write-samples-written": str(accepted),
        "x-prometheus-remote-write-histograms-written": "0",
        "x-prometheus-remote-write-exemplars-written": "0",
    }


def _refuse_rest(intake: Intake, headers: Mapping[str, str]) -> Response[bytes]:
    status = HTTPStatus.BAD_REQUEST
    remedies = [refusal.remedy for refusal in intake.refused if refusal.remedy]
    problem = Problem(
        type="urn:sekisho:problem:samples-refused",
        title=status.phrase,
        status=int(status),
        code="samples-refused",
        detail=say_refused(intake),
        remedy="; ".join(dict.fromkeys(remedies)),
    )
    return Response(
        content=encode_problem(problem),
        status_code=status,
        media_type=PROBLEM_TYPE,
        headers={**headers, "cache-control": "no-store"},
    )


def _renewal(pusher: Pusher) -> dict[str, str]:
    """The header under which the fleet agent looks for its next assertion."""
    return {"jwt_assertion": pusher.renewed} if pusher.renewed else {}
