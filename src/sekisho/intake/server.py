"""The counter over HTTP: `POST /add`, one envelope a request or one a line; a bare ASGI application for its speed.

Answers: 200 with the place, 403, 409 or 422 for one envelope that is not let in; 429 with Retry-After where too much
waits; for lines 200 with one answer a line, in order, and nobody's line keeps another's out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final, TypeAlias

import msgspec

from sekisho.intake.gate import Gate
from sekisho.intake.judging import Judges
from sekisho.ledger.appender import Appender
from sekisho.ledger.line import Overloaded
from sekisho.ledger.places import Conflicted, Outcome
from sekisho.ledger.sequencer import Sequencer
from sekisho.ledger.tiles import MAX_ENTRY_BYTES
from sekisho.model.errors import (
    InvalidInput,
    NotAuthorised,
    SekishoError,
    StateConflict,
    Unavailable,
)
from sekisho.ports.log_store import Submission

__all__ = ["IntakeApp"]

MAX_LINES: Final = 1000
MAX_BODY: Final = 8 * 1024 * 1024
LINES_TYPE: Final = b"application/jsonl"
Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]
# The nearest kind above an error decides.
_STATUS: Final = {
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotAuthorised: HTTPStatus.FORBIDDEN,
    StateConflict: HTTPStatus.CONFLICT,
    Overloaded: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    SekishoError: HTTPStatus.INTERNAL_SERVER_ERROR,
}


class _Place(msgspec.Struct, frozen=True):
    index: int
    leaf: str
    fresh: bool


class _Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line's `line` counts from 1; `code` is the error's own."""

    code: str
    error: str
    line: int = 0


class _Rejected(Exception):
    """An HTTP answer on its way out of this module's own functions."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class IntakeApp:
    """Lets in what `gate` lets in, and hands every other path to `public`, which serves the log's files."""

    def __init__(self, *, gate: Gate, sequencer: Sequencer, public: App) -> None:
        self._appender = Appender(sequencer)
        self._public = public
        self._judges = Judges(gate)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/add":
            await self._public(scope, receive, send)
            return
        try:
            if scope["method"] != "POST":
                raise _Rejected(HTTPStatus.METHOD_NOT_ALLOWED, "method", "POST only")
            is_lines = LINES_TYPE in dict(scope["headers"]).get(b"content-type", b"")
            body = await _read_body(receive, MAX_BODY if is_lines else MAX_ENTRY_BYTES)
            answer = await (self._add_lines(body) if is_lines else self._add_one(body))
        except SekishoError as error:
            await _respond(send, _status_of(error), _encode(_refusal_of(error)), error)
        except _Rejected as rejected:
            await _respond(
                send, rejected.status, _encode(_Refusal(rejected.code, rejected.message))
            )
        else:
            await _respond(send, HTTPStatus.OK, answer)

    async def _add_one(self, body: bytes) -> bytes:
        # Files end with a newline, entries never do; behind a line it is cut off as well.
        submission = await self._judges.judge(body.removesuffix(b"\n"))
        answer = _answer_of((await self._appender.append([submission]))[0])
        if isinstance(answer, _Refusal):
            raise _Rejected(HTTPStatus.CONFLICT, answer.code, answer.error)
        return _encode(answer)

    async def _add_lines(self, body: bytes) -> bytes:
        """One answer a line. Lines that are let in go into the log together, or none of them where that fails."""
        lines = body.split(b"\n")
        if not lines[-1]:
            lines.pop()
        if not 0 < len(lines) <= MAX_LINES:
            raise InvalidInput(f"{len(lines)} lines; a request has 1 to {MAX_LINES}", path="body")
        judged = await self._judges.judge_all(lines)
        let_in = [row for row in judged if isinstance(row, Submission)]
        outcomes = iter(await self._appender.append(let_in) if let_in else ())
        answers = [
            _answer_of(next(outcomes), line)
            if isinstance(row, Submission)
            else _refusal_of(row, line)
            for line, row in enumerate(judged, 1)
        ]
        return b"".join(map(_encode, answers))


def _answer_of(outcome: Outcome, line: int = 0) -> _Place | _Refusal:
    if isinstance(outcome, Conflicted):
        return _Refusal(
            "uniqueness-conflict", f"{outcome.unique!r} is held by entry {outcome.index}", line
        )
    return _Place(outcome.index, outcome.leaf_hash.hex(), outcome.fresh)


def _refusal_of(error: SekishoError, line: int = 0) -> _Refusal:
    return _Refusal(error.code, str(error), line)


def _status_of(error: SekishoError) -> HTTPStatus:
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)


def _encode(answer: _Place | _Refusal) -> bytes:
    return msgspec.json.encode(answer) + b"\n"


async def _read_body(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    left = limit
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Rejected(HTTPStatus.BAD_REQUEST, "broken-off", "the body was broken off")
        part: bytes = message.get("body", b"")
        left -= len(part)
        if left < 0:
            raise _Rejected(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-long", f"longer than {limit} bytes"
            )
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


async def _respond(
    send: Send, status: HTTPStatus, body: bytes, error: SekishoError | None = None
) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode("ascii")),
        (b"cache-control", b"no-store"),
    ]
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", b"POST"))
    if isinstance(error, Overloaded):
        headers.append((b"retry-after", str(error.retry_after_s).encode("ascii")))
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})
