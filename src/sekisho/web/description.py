"""What the OpenAPI document says of our routes where the framework's own guess is wrong.

The framework announces 400 with a body of its own for every route that has parameters; ours answers 422 with a
problem. And it cannot know that a raw body is a DSSE envelope.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Reference,
    RequestBody,
    Schema,
)

__all__ = ["MAX_BODY", "EnvelopeOperation", "KeyOperation", "ReadOperation", "SealedOperation"]

MAX_BODY: Final = 64 * 1024


def _text(pattern: str | None = None, *, most: int | None = None) -> Schema:
    return Schema(type=OpenAPIType.STRING, pattern=pattern, max_length=most)


_BASE64: Final = r"^[A-Za-z0-9+/]+={0,2}$"
_ENVELOPE: Final = Schema(
    type=OpenAPIType.OBJECT,
    description="A DSSE envelope in RFC 8785 form; its exact bytes are what is kept.",
    required=["payload", "payloadType", "signatures"],
    additional_properties=False,
    properties={
        "payload": _text(_BASE64),
        "payloadType": _text(),
        "signatures": Schema(
            type=OpenAPIType.ARRAY,
            min_items=1,
            max_items=64,
            items=Schema(
                type=OpenAPIType.OBJECT,
                required=["keyid", "sig"],
                additional_properties=False,
                properties={"keyid": _text(most=128), "sig": _text(_BASE64, most=8192)},
            ),
        ),
    },
)


def _envelope_body() -> RequestBody:
    return RequestBody(
        content={"application/json": OpenAPIMediaType(schema=_ENVELOPE)},
        description=f"One DSSE envelope, at most {MAX_BODY} bytes.",
        required=True,
    )


def _key_body() -> RequestBody:
    digest = _text(r"^[0-9a-f]{64}$")
    schema = Schema(
        type=OpenAPIType.OBJECT,
        description="A key of locked weights, sealed to its keeper.",
        required=["ciphertext", "key", "keeper", "sealed"],
        additional_properties=False,
        properties={
            "ciphertext": digest,
            "key": digest,
            "keeper": digest,
            "sealed": _text(_BASE64, most=1_000),
        },
    )
    return RequestBody(
        content={"application/json": OpenAPIMediaType(schema=schema)},
        description="One sealed key, as `sekisho access lock` writes it.",
        required=True,
    )


def _sealed_body() -> RequestBody:
    schema = Schema(
        type=OpenAPIType.OBJECT,
        description="A sealed order, and what it conceals.",
        required=["disclosures", "envelope"],
        additional_properties=False,
        properties={
            "disclosures": Schema(
                type=OpenAPIType.ARRAY, min_items=2, max_items=2, items=_text(most=20_000)
            ),
            "envelope": _text(_BASE64, most=MAX_BODY),
        },
    )
    return RequestBody(
        content={"application/json": OpenAPIMediaType(schema=schema)},
        description="One envelope in base64 with two disclosures.",
        required=True,
    )


@dataclass
class ReadOperation(Operation):
    """A route of ours: without the framework's own 400."""

    def __post_init__(self) -> None:
        if self.responses is not None:
            self.responses.pop("400", None)


@dataclass
class EnvelopeOperation(ReadOperation):
    """A route that takes one envelope as its body."""

    request_body: RequestBody | Reference | None = field(default_factory=_envelope_body)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.request_body = _envelope_body()


@dataclass
class SealedOperation(ReadOperation):
    """A route that takes a sealed order with its disclosures as its body."""

    request_body: RequestBody | Reference | None = field(default_factory=_sealed_body)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.request_body = _sealed_body()


@dataclass
class KeyOperation(ReadOperation):
    """A route that takes one sealed key as its body."""

    request_body: RequestBody | Reference | None = field(default_factory=_key_body)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.request_body = _key_body()
