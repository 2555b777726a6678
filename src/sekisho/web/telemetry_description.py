"""What the OpenAPI document says of a body of telemetry: bytes, read by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from litestar.openapi.spec import (
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIType,
    Reference,
    RequestBody,
    Schema,
)

from sekisho.web.description import ReadOperation

__all__ = ["PushOperation"]

_KINDS: Final = ("text/plain", "text/csv", "application/vnd.apache.parquet")


def _body() -> RequestBody:
    schema = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
    return RequestBody(
        content={kind: OpenAPIMediaType(schema=schema) for kind in _KINDS},
        description="The file as it is; `format` says what it is, whatever its Content-Type.",
        required=True,
    )


@dataclass
class PushOperation(ReadOperation):
    """A route that takes a file of telemetry as its body."""

    request_body: RequestBody | Reference | None = field(default_factory=_body)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.request_body = _body()
