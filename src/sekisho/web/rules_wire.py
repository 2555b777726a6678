"""The JSON of the API's rules, beside what the rules themselves answer; and how the OpenAPI document describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Reference, RequestBody, Schema

from sekisho.rules import request_schema
from sekisho.rules.impact.reading import ANSWERS_FORMAT
from sekisho.web.description import ReadOperation

__all__ = [
    "AnswersView",
    "AssessOperation",
    "ClassifyOperation",
    "DecideOperation",
    "DiffAsked",
    "DiffOperation",
    "PackRow",
    "SideAsked",
]


class PackRow(msgspec.Struct, frozen=True, kw_only=True):
    """A pack that is at hand or in the log. `place`: shipped, kept, or missing, where its bytes are not here."""

    name: str
    version: str
    sha256: str
    place: str
    published: bool
    counts: bool
    title: str = ""
    title_ja: str = ""
    standing: str = ""
    jurisdiction: str = ""
    rules: int = 0
    over: tuple[str, ...] = ()
    problem: str = ""


class AnswersView(msgspec.Struct, frozen=True, kw_only=True):
    """One answer for each request in its order.

    With one pack a decision, with several their answers side by side, as `sekisho rules decide --json` prints them; a
    request that cannot be read has `line` and `error` instead.
    """

    answers: tuple[dict[str, Any], ...]


class SideAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One side of a comparison."""

    pack: str
    at: str = ""
    reading: str = ""


class DiffAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two sides, and either the requests or the size of a made-up population."""

    a: SideAsked
    b: SideAsked
    as_of: str = ""
    population: tuple[Any, ...] = ()
    sample: int = 0


def _body(schema: Schema, description: str) -> RequestBody:
    content = {"application/json": OpenAPIMediaType(schema=schema)}
    return RequestBody(content=content, description=description, required=True)


def _object(properties: Mapping[str, Schema], required: tuple[str, ...]) -> Schema:
    return Schema(
        type=OpenAPIType.OBJECT,
        required=list(required),
        additional_properties=False,
        properties=dict(properties),
    )


def _text(most: int = 64) -> Schema:
    return Schema(type=OpenAPIType.STRING, max_length=most)


_NAMES: Final = {
    "type": "type",
    "pattern": "pattern",
    "minimum": "minimum",
    "maximum": "maximum",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_items",
    "maxItems": "max_items",
    "maxProperties": "max_properties",
    "enum": "enum",
    "const": "const",
    "description": "description",
    "required": "required",
}


def described(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Schema:
    """A JSON Schema of ours in the framework's own classes, its references put in."""
    if "$ref" in schema:
        return described(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    found: dict[str, Any] = {ours: schema[name] for name, ours in _NAMES.items() if name in schema}
    if "type" in found:
        found["type"] = OpenAPIType(found["type"])
    for name, ours in (("anyOf", "any_of"), ("oneOf", "one_of")):
        if name in schema:
            found[ours] = [described(part, definitions) for part in schema[name]]
    if isinstance(schema.get("items"), dict):
        found["items"] = described(schema["items"], definitions)
    if "properties" in schema:
        found["properties"] = {
            name: described(part, definitions) for name, part in schema["properties"].items()
        }
    more = schema.get("additionalProperties")
    if more is not None:
        found["additional_properties"] = (
            described(more, definitions) if isinstance(more, dict) else more
        )
    return Schema(**found)


def _request() -> Schema:
    whole = request_schema()
    return described(whole, whole.get("$defs", {}))


_SPEC: Final = Schema(
    type=OpenAPIType.OBJECT,
    description="An item as in a transfer (`chip`, `spec`, `form`), or a data sheet in the chip table's columns.",
    additional_properties=True,
)
_SIDE: Final = _object(
    {
        "pack": _text(),
        "at": _text(),
        "reading": Schema(type=OpenAPIType.STRING, enum=["", "enforced", "codified", "announced"]),
    },
    ("pack",),
)
_ANSWERS: Final = _object(
    {
        "format": Schema(type=OpenAPIType.STRING, enum=[ANSWERS_FORMAT]),
        "answers": Schema(
            type=OpenAPIType.OBJECT,
            description="By question, as `sekisho rules impact --questions` lists them; null is: I do not know.",
        ),
        "salt": Schema(type=OpenAPIType.STRING, pattern="^([0-9a-f]{32})?$"),
    },
    ("format", "answers"),
)


@dataclass
class _Bodied(ReadOperation):
    """A route that reads its body by hand."""

    request_body: RequestBody | Reference | None = field(default=None)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.request_body = self._describe()

    def _describe(self) -> RequestBody:
        raise NotImplementedError


@dataclass
class DecideOperation(_Bodied):
    """A route that takes requests."""

    def _describe(self) -> RequestBody:
        one = _request()
        several = Schema(type=OpenAPIType.ARRAY, items=one, min_items=1)
        return _body(Schema(any_of=[one, several]), "One request, or a list of them.")


@dataclass
class ClassifyOperation(_Bodied):
    """A route that takes an item or a data sheet."""

    def _describe(self) -> RequestBody:
        return _body(_SPEC, "An item, or a data sheet.")


@dataclass
class DiffOperation(_Bodied):
    """A route that takes two sides and a population."""

    def _describe(self) -> RequestBody:
        population = Schema(type=OpenAPIType.ARRAY, items=_request(), max_items=20_000)
        sample = Schema(type=OpenAPIType.INTEGER, minimum=0, maximum=20_000)
        parts = {"a": _SIDE, "b": _SIDE, "as_of": _text(), "population": population}
        asked = _object({**parts, "sample": sample}, ("a", "b"))
        return _body(asked, "Two sides, and the requests or the size of a made-up population.")


@dataclass
class AssessOperation(_Bodied):
    """A route that takes the answers to the questionnaire."""

    def _describe(self) -> RequestBody:
        return _body(_ANSWERS, "An answers file.")
