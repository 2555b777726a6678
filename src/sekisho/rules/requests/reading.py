"""From JSON to requests: one document, a list, or JSON lines; each row a request or the error that stands there."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.wire import JsonValue, parse_json
from sekisho.rules.requests.access import AccessRequest
from sekisho.rules.requests.cloud_use import CloudUseRequest
from sekisho.rules.requests.cluster import ClusterRequest
from sekisho.rules.requests.refusals import refusal
from sekisho.rules.requests.training_run import RunRequest
from sekisho.rules.requests.transfer import TransferRequest

__all__ = ["KINDS", "Request", "parse_request", "parse_requests", "request_schema"]

Request: TypeAlias = RunRequest | ClusterRequest | TransferRequest | CloudUseRequest | AccessRequest
MAX_REQUESTS = 100_000
KINDS: dict[str, type[Any]] = {
    "training-run": RunRequest,
    "cluster": ClusterRequest,
    "transfer": TransferRequest,
    "cloud-use": CloudUseRequest,
    "access": AccessRequest,
}


def parse_request(data: bytes | str, *, path: str = "") -> Request:
    """Read one request from JSON. Raises InvalidInput with the field's path."""
    return _to_request(parse_json(data, path=path), path)


def parse_requests(
    data: bytes, *, file: str, most: int = MAX_REQUESTS
) -> list[tuple[int, Request | InvalidInput]]:
    """Read one JSON document or JSON lines: each request with its line, or the error that stands there.

    A document is one request or a list of them, then numbered from 1. Raises InvalidInput where nothing is
    there, where there are more than `most`, or where neither the whole nor any line is JSON. More than fits into
    memory reads `iter_requests`.
    """
    lines = [(n, line) for n, line in enumerate(data.split(b"\n"), 1) if line.strip()]
    if not lines:
        raise InvalidInput("holds no request", path=file, remedy="write one JSON object a line")
    try:
        document = parse_json(data, path=file)
    except InvalidInput:
        if len(lines) == 1 or not any(_is_json_object(line) for _, line in lines):
            raise
        _refuse_more(len(lines), most, file)
        return [(n, request_or_error(line, f"{file}:{n}")) for n, line in lines]
    return _from_document(document, file, most)


def request_schema() -> dict[str, Any]:
    """The JSON Schema of a request: one of the five kinds."""
    shapes, parts = msgspec.json.schema_components(KINDS.values(), ref_template="#/$defs/{name}")
    return {"anyOf": list(shapes), "$defs": parts}


def request_or_error(line: bytes, path: str) -> Request | InvalidInput:
    """The request of one line, or the error that stands there."""
    try:
        return parse_request(line, path=path)
    except InvalidInput as error:
        return error


def _is_json_object(line: bytes) -> bool:
    try:
        return isinstance(parse_json(line), dict)
    except InvalidInput:
        return False


def _refuse_more(found: int, most: int, file: str) -> None:
    """Before a row is looked at: each one that is refused costs more than its few bytes."""
    if found > most:
        raise InvalidInput(
            f"more than {most} requests",
            path=file,
            remedy="split it, or compare any number of lines with sekisho rules diff",
        )


def _from_document(
    value: JsonValue, file: str, most: int
) -> list[tuple[int, Request | InvalidInput]]:
    items = value if isinstance(value, list) else [value]
    _refuse_more(len(items), most, file)
    if not items:
        raise InvalidInput("holds no request", path=file, remedy="write one JSON object a line")
    found: list[tuple[int, Request | InvalidInput]] = []
    for number, item in enumerate(items, 1):
        path = f"{file}[{number - 1}]" if isinstance(value, list) else file
        try:
            found.append((number, _to_request(item, path)))
        except InvalidInput as error:
            found.append((number, error))
    return found


def _to_request(value: JsonValue, path: str) -> Request:
    """The request of the kind that it names; a training run where it names none."""
    kind = value.get("kind", "training-run") if isinstance(value, dict) else "training-run"
    shape = KINDS.get(kind) if isinstance(kind, str) else None
    if shape is None:
        raise InvalidInput(
            f"{str(kind)[:40]!r} is no kind of request",
            path=f"{path}.kind" if path else "kind",
            remedy=f"write one of {', '.join(KINDS)}",
        )
    try:
        found: Request = msgspec.convert(value, shape, strict=True)
        return found
    except msgspec.ValidationError as error:
        raise refusal(error, shape, path) from None
