"""What a sender of telemetry says in its headers: who it is, what the body is, how it is packed."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.datastructures import State

from sekisho.model.errors import InvalidInput, NotAuthorised
from sekisho.web.otlp_answers import JSON, PROTOBUF, OtlpType

__all__ = [
    "REMOTE_WRITE_2",
    "NoToken",
    "RemoteWrite",
    "UnsupportedBody",
    "bearer_of",
    "check_encoding",
    "otlp_type_of",
    "parse_remote_write_headers",
]

Asking = Request[Any, Any, State]

REMOTE_WRITE_1: Final = "prometheus.WriteRequest"
REMOTE_WRITE_2: Final = "io.prometheus.write.v2.Request"
MAX_TOKEN: Final = 8192
_PARAMETER: Final = re.compile(
    r';\s*proto\s*=\s*"?([A-Za-z0-9_.]{1,200})"?\s*(?:;|$)', re.IGNORECASE
)


class NoToken(NotAuthorised):
    """A request without a bearer token."""

    code = "no-token"


class UnsupportedBody(InvalidInput):
    """A kind of body, or a packing, that is not read here."""

    code = "unsupported-media-type"


class RemoteWrite(msgspec.Struct, frozen=True, kw_only=True):
    """Which message a remote-write body holds, and how it is packed."""

    version: int
    encoding: str

    @property
    def content_type(self) -> str:
        """The header in the one form that is handed on."""
        message = REMOTE_WRITE_2 if self.version == 2 else REMOTE_WRITE_1
        return f"{PROTOBUF};proto={message}"


def bearer_of(request: Asking) -> str:
    """The token of the Authorization header. Raises NoToken."""
    word, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if word.casefold() != "bearer" or not token or len(token) > MAX_TOKEN or not token.isascii():
        raise NoToken("there is no bearer token", remedy="sekisho meter token --site SITE")
    return token


def parse_remote_write_headers(request: Asking) -> RemoteWrite:
    """The message and packing that the headers name. Raises UnsupportedBody.

    Source: Prometheus Remote-Write 2.0, Content-Type and Content-Encoding. Without `proto` it is 1.0's message; a
    sender of 1.0 that names no encoding packs in snappy all the same, since 1.0 knows nothing else.
    """
    kind, _, _ = request.headers.get("content-type", "").partition(";")
    if kind.strip().casefold() != PROTOBUF:
        raise UnsupportedBody(f"remote-write is {PROTOBUF}", path="Content-Type")
    named = _PARAMETER.search(request.headers.get("content-type", ""))
    message = named[1] if named else REMOTE_WRITE_1
    if message not in (REMOTE_WRITE_1, REMOTE_WRITE_2):
        raise UnsupportedBody(
            f"the message is {REMOTE_WRITE_1} or {REMOTE_WRITE_2}", path="Content-Type"
        )
    encoding = check_encoding(request, ("snappy", "zstd", "gzip"), default="snappy")
    return RemoteWrite(version=2 if message == REMOTE_WRITE_2 else 1, encoding=encoding)


def otlp_type_of(request: Asking) -> OtlpType:
    """Protobuf or JSON. Raises UnsupportedBody."""
    kind, _, _ = request.headers.get("content-type", "").partition(";")
    kind = kind.strip().casefold()
    if kind == PROTOBUF:
        return PROTOBUF
    if kind == JSON:
        return JSON
    raise UnsupportedBody(f"OTLP is {PROTOBUF} or {JSON}", path="Content-Type")


def check_encoding(request: Asking, known: tuple[str, ...], *, default: str) -> str:
    """How the body is packed, one packing at most. Raises UnsupportedBody."""
    named = request.headers.get("content-encoding", "").strip().casefold() or default
    if named not in known:
        raise UnsupportedBody(
            f"bodies are packed in one of {', '.join(known)}", path="Content-Encoding"
        )
    return named
