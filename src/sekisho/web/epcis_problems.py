"""Errors under /epcis: the status and exception that EPCIS 2.0 has for each kind, beside our own stable code."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException

from sekisho.ledger.line import Overloaded
from sekisho.model.errors import (
    InvalidInput,
    NotAuthorised,
    StateConflict,
    Unavailable,
    VerificationError,
)
from sekisho.web.problems import (
    PROBLEM_TYPE,
    NotFound,
    encode_problem,
    problem_of,
    respond_with_problem,
)

__all__ = [
    "VERSION_HEADERS",
    "NotAcceptable",
    "NotSupported",
    "WrongType",
    "respond_with_exception",
]

VERSION_HEADERS: Final = {
    "GS1-EPCIS-Version": "2.0.0",
    "GS1-CBV-Version": "2.0.0",
    "GS1-Extensions": "skh=https://ns.sekisho.example/epcis/",
}


class NotAcceptable(InvalidInput):
    """A header asks for something that this server does not speak."""

    code = "not-acceptable"


class WrongType(InvalidInput):
    """The body is of a type that this server does not read: JSON-LD only."""

    code = "unsupported-media-type"


class NotSupported(InvalidInput):
    """An optional part of the standard that this server leaves out."""

    code = "not-supported"


# Kind of error -> status and exception of the standard; the nearest kind above an error decides.
_EXCEPTIONS: Final[dict[type[Exception], tuple[HTTPStatus, str]]] = {
    NotAcceptable: (HTTPStatus.NOT_ACCEPTABLE, "NotAcceptableException"),
    WrongType: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaTypeException"),
    NotSupported: (HTTPStatus.NOT_IMPLEMENTED, "NotImplementedException"),
    NotFound: (HTTPStatus.NOT_FOUND, "NoSuchResourceException"),
    InvalidInput: (HTTPStatus.BAD_REQUEST, "ValidationException"),
    ValidationException: (HTTPStatus.BAD_REQUEST, "QueryParameterException"),
    NotAuthorised: (HTTPStatus.FORBIDDEN, "SecurityException"),
    VerificationError: (HTTPStatus.FORBIDDEN, "SecurityException"),
    StateConflict: (HTTPStatus.CONFLICT, "ResourceAlreadyExistsException"),
    Overloaded: (HTTPStatus.TOO_MANY_REQUESTS, "ImplementationException"),
    Unavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "ImplementationException"),
}
_BY_STATUS: Final = {
    HTTPStatus.NOT_FOUND: "NoSuchResourceException",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "CaptureLimitExceededException",
    HTTPStatus.REQUEST_URI_TOO_LONG: "URITooLongException",
}


def respond_with_exception(request: Request[Any, Any, State], error: Exception) -> Response[bytes]:
    """The answer to an error, as problem+json."""
    answer = respond_with_problem(request, error)
    problem = problem_of(error)
    status, kind = _exception_of(error, HTTPStatus(problem.status))
    problem = msgspec.structs.replace(
        problem, type=f"epcisException:{kind}", title=status.phrase, status=int(status)
    )
    return Response(
        content=encode_problem(problem),
        status_code=int(status),
        media_type=PROBLEM_TYPE,
        headers={**answer.headers, **VERSION_HEADERS},
    )


def _exception_of(error: Exception, status: HTTPStatus) -> tuple[HTTPStatus, str]:
    for kind in type(error).__mro__:
        if kind in _EXCEPTIONS:
            return _EXCEPTIONS[kind]
    if isinstance(error, HTTPException):
        return status, _BY_STATUS.get(status, "ImplementationException")
    return status, "ImplementationException"
