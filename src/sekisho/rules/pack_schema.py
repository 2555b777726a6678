"""The JSON Schema of a pack, made from the tables by which packs are read: for editors, and for whoever writes one.

What a schema cannot say (names that are declared elsewhere, dates that exist, histories in order) only the reader
checks. A plain number may stand where text is asked for, as YAML lets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sekisho.rules.node_reader import NAME
from sekisho.rules.pack_shapes import MOST, PATTERNS, SHAPES, WORDS, Shape
from sekisho.rules.quantities import QUANTITIES

__all__ = ["pack_schema"]

_LIMBS: Final = ("amount-limb", "flag-limb", "places-limb", "word-limb", "definition-limb")
_OTHERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "date": {
        "type": "string",
        "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+Z)?$",
        "description": "a day that exists, or an instant in UTC",
    },
    "amount": {
        "type": ["number", "string"],
        "minimum": 0,
        "pattern": r"^([0-9]+(\.[0-9]+)?([eE]\+?[0-9]{1,2})?|[0-9]{1,9}/[1-9][0-9]{0,8})$",
        "description": "exact: 4800, 5.92, 1e24 or 1/3",
    },
    "flag": {"type": "boolean"},
    "days": {"type": "integer", "minimum": 0, "maximum": 36_500},
}


def pack_schema() -> dict[str, Any]:
    """The schema in the dialect of 2020-12: a pack of its own, or an overlay."""
    leaves = {**_patterns(), **{name: {"enum": list(words)} for name, words in WORDS.items()}}
    shapes = {name: _object(name, shape) for name, shape in SHAPES.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A rule pack of Sekisho",
        "if": {"type": "object", "required": ["over"]},
        "then": {"$ref": "#/$defs/overlay"},
        "else": {"$ref": "#/$defs/pack"},
        "$defs": {
            **leaves,
            **_OTHERS,
            "hours": _OTHERS["amount"],
            "quantity-name": {"anyOf": [{"enum": list(QUANTITIES)}, _ref("name")]},
            "condition": _condition(),
            **shapes,
        },
    }


def _patterns() -> dict[str, Any]:
    """Text by its pattern. A leading (?s) is Python's way to let a dot match a line's end."""
    found: dict[str, Any] = {}
    for name, pattern in PATTERNS.items():
        plain = pattern.removeprefix("(?s)")
        wide = plain if plain == pattern else plain.replace(".", r"[\s\S]", 1)
        types = ["string", "number"] if name in ("text", "name", "word") else "string"
        found[name] = {"type": types, "pattern": f"^({wide})$"}
    return found


def _object(name: str, shape: Shape) -> dict[str, Any]:
    fields = {**shape.required, **shape.optional}
    made: dict[str, Any] = {
        "type": "object",
        "properties": {
            field: _type(kind, MOST.get(field, MOST["list"])) for field, kind in fields.items()
        },
        "required": list(shape.required),
        "additionalProperties": False,
    }
    known = _known_quantities(name.removesuffix("-limb")) if name.endswith("-limb") else {}
    return {**made, **_EXTRA.get(name, {}), **known}


def _type(kind: str, most: int) -> dict[str, Any]:
    if kind.endswith("|null"):
        return {"anyOf": [_type(kind.removesuffix("|null"), most), {"type": "null"}]}
    if kind.startswith("["):
        inner = _type(kind[1:-1], most)
        return {"type": "array", "items": inner, "minItems": 1, "maxItems": most}
    if kind.startswith("{"):
        return {
            "type": "object",
            "propertyNames": {"pattern": f"^({NAME})$"},
            "additionalProperties": _type(kind[1:-1], most),
            "minProperties": 1,
            "maxProperties": most,
        }
    return {"anyOf": [_ref(one) for one in kind.split("/")]} if "/" in kind else _ref(kind)


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def _condition() -> dict[str, Any]:
    """A tree of `all`, `any` and `not`, or one of the limbs."""
    several = _type("[condition]", MOST["list"])
    inner = {"all": several, "any": several, "not": _ref("condition")}
    nodes = [
        {
            "type": "object",
            "properties": {word: parts},
            "required": [word],
            "additionalProperties": False,
        }
        for word, parts in inner.items()
    ]
    return {"anyOf": [*nodes, *(_ref(limb) for limb in _LIMBS)]}


def _known_quantities(kind: str) -> dict[str, Any]:
    """What the quantities that are known without a pack say of a limb: its kind, its unit, its words."""
    if kind == "definition":
        return {}
    others = [name for name, quantity in QUANTITIES.items() if quantity.kind != kind]
    rules: list[dict[str, Any]] = [{"properties": {"quantity": {"not": {"enum": others}}}}]
    units = {quantity.unit for quantity in QUANTITIES.values() if quantity.unit}
    for unit in sorted(units) if kind == "amount" else ():
        names = [name for name, quantity in QUANTITIES.items() if quantity.unit == unit]
        rules.append(_whenever(names, {"unit": {"const": unit}}))
    for name, quantity in QUANTITIES.items() if kind == "word" else ():
        if quantity.words:
            words = {"items": {"enum": list(quantity.words)}}
            rules.append(_whenever([name], {"value": words}))
    return {"allOf": rules}


def _whenever(names: list[str], then: dict[str, Any]) -> dict[str, Any]:
    asked = {"properties": {"quantity": {"enum": names}}}
    return {"if": asked, "then": {"properties": then}}


def _one_of_two(one: str, other: str) -> dict[str, Any]:
    return {"oneOf": [{"required": [one]}, {"required": [other]}]}


_EXTRA: Final[Mapping[str, Mapping[str, Any]]] = {
    "amount-limb": _one_of_two("value", "parameter"),
    "places-limb": _one_of_two("value", "set"),
    "deadline": {
        "oneOf": [
            {"required": ["each-year-on"], "maxProperties": 1},
            {"allOf": [_one_of_two("days", "hours"), _one_of_two("before", "after")]},
        ]
    },
}
