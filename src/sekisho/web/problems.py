"""The error border of the web: every kind of error is one row here, and leaves as problem+json (RFC 9457) or a page.

A client scripts against `code`, which is the error's own and stable; `detail` is for the person who reads it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec

from sekisho.ledger.line import Overloaded
from sekisho.model.errors import (
    BadSignature,
    Corrupt,
    InvalidInput,
    NotAuthorised,
    SekishoError,
    StateConflict,
    Unavailable,
    UnknownCriticalField,
    VerificationError,
)
from sekisho.orders import OrderFault
from sekisho.ports.tile_store import NotStored
from sekisho.signing import CharterFault, ForgedRegime, UnknownSpeaker

__all__ = [
    "PROBLEM_TYPE",
    "STATUS",
    "TAKING",
    "NotFound",
    "Problem",
    "declare_problems",
    "encode_problem",
    "headers_of",
    "problem_of",
    "respond_with_problem",
]

PROBLEM_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 1
_UNFORESEEN: Final = "an error in Sekisho itself; the server's log has the details"
_log = logging.getLogger("sekisho.web")


class NotFound(InvalidInput):
    """What was asked for is not here, or not yet."""

    code = "not-found"


# Kind of error -> status. The nearest kind above an error decides; what has no row is 500.
STATUS: Final[Mapping[type[Exception], HTTPStatus]] = {
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnknownCriticalField: HTTPStatus.UNPROCESSABLE_ENTITY,
    CharterFault: HTTPStatus.UNPROCESSABLE_ENTITY,
    OrderFault: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotAuthorised: HTTPStatus.FORBIDDEN,
    BadSignature: HTTPStatus.FORBIDDEN,
    UnknownSpeaker: HTTPStatus.FORBIDDEN,
    ForgedRegime: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    NotStored: HTTPStatus.NOT_FOUND,
    VerificationError: HTTPStatus.CONFLICT,
    StateConflict: HTTPStatus.CONFLICT,
    Overloaded: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    Corrupt: HTTPStatus.INTERNAL_SERVER_ERROR,
    SekishoError: HTTPStatus.INTERNAL_SERVER_ERROR,
}


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong: `type`, `title` and `status` as RFC 9457 has them, a stable `code`, where, and what to do."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    path: str = ""
    remedy: str = ""


def problem_of(error: Exception) -> Problem:
    """What to tell about an error: one of ours, one of the framework's, or one that nobody foresaw."""
    if isinstance(error, SekishoError):
        return _problem(
            next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS),
            error.code,
            error.message,
            path=error.path if isinstance(error, InvalidInput) else "",
            remedy=error.remedy,
        )
    if isinstance(error, ValidationException):
        path, detail = _faulty_parameter(error)
        return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, InvalidInput.code, detail, path=path)
    if isinstance(error, HTTPException) and error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        status = HTTPStatus(error.status_code)
        return _problem(
            status, status.phrase.lower().replace(" ", "-"), status.description or status.phrase
        )
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", _UNFORESEEN)


def respond_with_problem(_: Request[object, object, State], error: Exception) -> Response[bytes]:
    """The answer to an error, without a word about our insides; those go to the server's log."""
    problem = problem_of(error)
    # Who hangs up in the middle of a body is no error of ours: a trace of each would fill the disk for nothing.
    if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR and not _has_hung_up(error):
        _log.error("unforeseen error while answering a request", exc_info=error)
    headers = headers_of(problem, error)
    if isinstance(error, HTTPException) and error.headers:
        headers.update(error.headers)
    return Response(
        content=encode_problem(problem),
        status_code=problem.status,
        media_type=PROBLEM_TYPE,
        headers=headers,
    )


def headers_of(problem: Problem, error: Exception) -> dict[str, str]:
    """What goes with a problem: not to be kept, and when to come again where that helps."""
    headers = {"cache-control": "no-store"}
    if problem.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        headers["retry-after"] = str(getattr(error, "retry_after_s", RETRY_AFTER_S))
    return headers


def _has_hung_up(error: Exception) -> bool:
    return isinstance(error, HTTPException) and "client disconnected" in error.detail


def encode_problem(problem: Problem) -> bytes:
    """The JSON of a problem."""
    return msgspec.json.encode(problem)


def declare_problems(*statuses: HTTPStatus) -> dict[int, ResponseSpec]:
    """The error answers of a route, as the OpenAPI document is to tell them; 500 is always among them."""
    return {
        int(status): ResponseSpec(
            data_container=Problem,
            generate_examples=False,
            description=status.phrase,
            media_type=PROBLEM_TYPE,
        )
        for status in (*statuses, HTTPStatus.INTERNAL_SERVER_ERROR)
    }


TAKING: Final = declare_problems(
    HTTPStatus.FORBIDDEN,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
"""What a route answers that takes something in, where it does not."""


def _problem(
    status: HTTPStatus, code: str, detail: str, *, path: str = "", remedy: str = ""
) -> Problem:
    return Problem(
        type=f"urn:sekisho:problem:{code}",
        title=status.phrase,
        status=int(status),
        code=code,
        detail=detail,
        path=path,
        remedy=remedy,
    )


def _faulty_parameter(error: ValidationException) -> tuple[str, str]:
    """Which parameter of the request was wrong, and why."""
    first = error.extra[0] if isinstance(error.extra, list) and error.extra else {}
    key = str(first.get("key", "")) if isinstance(first, dict) else ""
    message = str(first.get("message", "")) if isinstance(first, dict) else ""
    return key, message or "the request does not have the form that the description asks for"
