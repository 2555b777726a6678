"""What is asked of the rules: one planned training run, its lineage and its cluster.

A field that is left out is a missing fact: it is never read as zero or no. Amounts are decimal strings.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.statements.shapes import FlopText, Jurisdiction, Name
from sekisho.model.wire import JsonValue, from_json, parse_json

__all__ = [
    "ChipsAsked",
    "Cluster",
    "DeclaredDevice",
    "Origin",
    "RunRequest",
    "parse_request",
    "parse_requests",
    "request_schema",
]

Origin: TypeAlias = Literal["scratch", "known", "unknown"]
_Decimal: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?$")]
MAX_REQUESTS = 100_000


class Asked(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A part of a request; a field that we do not know is refused, since it may be a misspelt fact."""


class DeclaredDevice(Asked, frozen=True, kw_only=True):
    """A device that is in no chip table, as its operator declares it: dense peak, its bit length, memory."""

    peak_flop_per_s: FlopText
    bits: Annotated[int, msgspec.Meta(ge=1, le=64)]
    memory_gb: _Decimal | None = None


class ChipsAsked(Asked, frozen=True, kw_only=True):
    """So many chips of a type, by the name that people write; `declared` counts only for unknown chips."""

    chip: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    count: Annotated[int, msgspec.Meta(ge=1, le=10**9)]
    declared: DeclaredDevice | None = None


class Cluster(Asked, frozen=True, kw_only=True):
    """The chips that the run would use, and whether they form one cluster (treaty draft Art. II.16)."""

    chips: Annotated[tuple[ChipsAsked, ...], msgspec.Meta(min_length=1, max_length=1000)]
    networked: bool | None = None


class RunRequest(Asked, frozen=True, kw_only=True):
    """May this run start? FLOP by the treaty draft's rule: the larger of FP16-equivalent and actual operations.

    `lineage_flop` is what the weights that the run starts from have cost so far, over all licences and
    licensees; `lineage_post_training_flop` the part of it that was post-training. `origin` "unknown" (a start
    from weights that no receipt names) counts as the rule's worst case (protocol section 6).
    """

    kind: Literal["training-run"] = "training-run"
    id: Name
    party: Name | None = None
    jurisdictions: tuple[Jurisdiction, ...] | None = None
    planned_flop: FlopText | None = None
    origin: Origin | None = None
    lineage_flop: FlopText | None = None
    lineage_post_training_flop: FlopText | None = None
    post_training: bool | None = None
    cluster: Cluster | None = None

    def __post_init__(self) -> None:
        if self.origin != "scratch":
            return
        if self.post_training:
            raise InvalidInput(
                "a run from scratch trains no finished model",
                path="post_training",
                remedy="correct `origin` or `post_training`",
            )
        for name in ("lineage_flop", "lineage_post_training_flop"):
            if getattr(self, name) not in (None, "0"):
                raise InvalidInput(
                    "a run from scratch has no lineage", path=name, remedy="leave it out or write 0"
                )


def parse_request(data: bytes | str, *, path: str = "") -> RunRequest:
    """Read one request from JSON. Raises InvalidInput with the field's path."""
    return _to_request(parse_json(data, path=path), path)


def parse_requests(data: bytes, *, file: str) -> list[tuple[int, RunRequest | InvalidInput]]:
    """Read one JSON document or JSON lines: each request with its line, or the error that stands there.

    A document is one request or a list of them, then numbered from 1. Raises InvalidInput where nothing is
    there, or where neither the whole nor any line is JSON.
    """
    lines = [(n, line) for n, line in enumerate(data.split(b"\n"), 1) if line.strip()]
    if not lines:
        raise InvalidInput("holds no request", path=file, remedy="write one JSON object a line")
    if len(lines) > MAX_REQUESTS:
        raise InvalidInput(f"more than {MAX_REQUESTS} lines", path=file, remedy="split the file")
    try:
        return _from_document(parse_json(data, path=file), file)
    except InvalidInput:
        if len(lines) == 1 or not any(_is_json_object(line) for _, line in lines):
            raise
    return [(n, _request_or_error(line, f"{file}:{n}")) for n, line in lines]


def request_schema() -> dict[str, Any]:
    """The JSON Schema of a request."""
    return msgspec.json.schema(RunRequest)


def _is_json_object(line: bytes) -> bool:
    try:
        return isinstance(parse_json(line), dict)
    except InvalidInput:
        return False


def _from_document(value: JsonValue, file: str) -> list[tuple[int, RunRequest | InvalidInput]]:
    items = value if isinstance(value, list) else [value]
    if not items:
        raise InvalidInput("holds no request", path=file, remedy="write one JSON object a line")
    found: list[tuple[int, RunRequest | InvalidInput]] = []
    for number, item in enumerate(items, 1):
        path = f"{file}[{number - 1}]" if isinstance(value, list) else file
        try:
            found.append((number, _to_request(item, path)))
        except InvalidInput as error:
            found.append((number, error))
    return found


def _request_or_error(line: bytes, path: str) -> RunRequest | InvalidInput:
    try:
        return parse_request(line, path=path)
    except InvalidInput as error:
        return error


def _to_request(value: JsonValue, path: str) -> RunRequest:
    try:
        return from_json(RunRequest, value, path=path)
    except InvalidInput as error:
        if error.path.startswith(path):
            raise
        where = f"{path}.{error.path}" if path else error.path
        raise InvalidInput(
            error.message.removeprefix(f"{error.path}: "), path=where, remedy=error.remedy
        ) from None
