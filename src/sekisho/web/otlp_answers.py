"""The answers of OTLP/HTTP, in the encoding of the request: what was rejected, or what went wrong.

Source: OpenTelemetry protocol specification 1.x, OTLP/HTTP response. Success is ExportMetricsServiceResponse with
`partial_success` (1: rejected_data_points, int64; 2: error_message) where there is something to say; a failure is
google.rpc.Status (1: code, 2: message). Both are small enough to be written by hand.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final, Literal, TypeAlias

import msgspec

__all__ = ["JSON", "PROTOBUF", "OtlpType", "write_failure", "write_success"]

OtlpType: TypeAlias = Literal["application/x-protobuf", "application/json"]
PROTOBUF: Final[OtlpType] = "application/x-protobuf"
JSON: Final[OtlpType] = "application/json"

# google.rpc.Code of what the table of problems answers; the client goes by the HTTP status.
_CODES: Final = {
    HTTPStatus.BAD_REQUEST: 3,
    HTTPStatus.UNAUTHORIZED: 16,
    HTTPStatus.FORBIDDEN: 7,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: 8,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: 3,
    HTTPStatus.TOO_MANY_REQUESTS: 8,
    HTTPStatus.SERVICE_UNAVAILABLE: 14,
}
_INTERNAL: Final = 13
_VARINT: Final = 0
_BYTES: Final = 2


def write_success(kind: OtlpType, *, rejected: int, message: str) -> bytes:
    """An ExportMetricsServiceResponse; without a word where everything was taken."""
    if kind == JSON:
        # Proto3's JSON has 64-bit numbers as text.
        partial = {"rejectedDataPoints": str(rejected), "errorMessage": message}
        return msgspec.json.encode({"partialSuccess": partial} if rejected or message else {})
    if not rejected and not message:
        return b""
    number = _field(1, _VARINT) + _varint(rejected) if rejected else b""
    return _text(1, number + _text(2, message.encode()))


def write_failure(kind: OtlpType, status: int, message: str) -> bytes:
    """A google.rpc.Status."""
    code = _CODES.get(HTTPStatus(status), _INTERNAL)
    if kind == JSON:
        return msgspec.json.encode({"code": code, "message": message})
    return _field(1, _VARINT) + _varint(code) + _text(2, message.encode())


def _text(number: int, content: bytes) -> bytes:
    return _field(number, _BYTES) + _varint(len(content)) + content


def _field(number: int, wire_type: int) -> bytes:
    return _varint(number << 3 | wire_type)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
