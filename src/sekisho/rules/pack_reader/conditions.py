"""Conditions: trees of `all`, `any` and `not` over limbs, each limb typed by the quantity that it names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sekisho.model.countries import is_country
from sekisho.rules.pack import (
    All,
    AmountLimb,
    Any,
    Condition,
    DefinitionLimb,
    FlagLimb,
    Limb,
    Not,
    PlaceLimb,
    StatedQuantity,
    WordLimb,
)
from sekisho.rules.pack_reader.declarations import read_amount
from sekisho.rules.pack_reader.draft import Draft
from sekisho.rules.pack_reader.reach import note_definition
from sekisho.rules.pack_shapes import SHAPES
from sekisho.rules.quantities import QUANTITIES, Quantity
from sekisho.rules.strict_yaml import Branch, Node

__all__ = ["read_condition"]

_SHAPES = {"amount": "amount-limb", "flag": "flag-limb", "places": "places-limb"}
_LIMB_FIELDS = ("op", "value", "parameter", "unit", "set")


def read_condition(draft: Draft, node: Node) -> Condition:
    """A condition; what it asks for is noted in `draft.asked` with its line."""
    if isinstance(node, Branch) and len(node.fields) == 1:
        word, inner = next(iter(node.fields.items()))
        if word in ("all", "any"):
            parts = tuple(read_condition(draft, part) for part in draft.listed(inner))
            return All(parts) if word == "all" else Any(parts)
        if word == "not":
            return Not(read_condition(draft, inner))
    if isinstance(node, Branch) and "definition" in node.fields:
        return _definition_limb(draft, node)
    return _limb(draft, node)


def _definition_limb(draft: Draft, node: Node) -> DefinitionLimb:
    fields = draft.shape(node, "definition-limb")
    asked = fields["definition"]
    name = draft.text(asked)
    if name == draft.current:
        draft.fail(asked, f"{name!r} uses itself", "say what it means by other names")
    if name in draft.order and name not in draft.above:
        draft.fail(asked, f"{name!r} stands below", "a definition uses only those above it")
    draft.one_of(asked, draft.above)
    note_definition(draft, name, asked)
    return DefinitionLimb(definition=name, value=draft.boolean(fields["is"]))


def _limb(draft: Draft, node: Node) -> Limb:
    fields = draft.branch(node, ["quantity", "op"], _LIMB_FIELDS[1:])
    known: Mapping[str, Quantity | StatedQuantity] = {**QUANTITIES, **draft.quantities}
    name = draft.one_of(fields["quantity"], known)
    draft.asked.setdefault(name, fields["quantity"])
    quantity = known[name]
    shape = SHAPES[_SHAPES.get(quantity.kind, "word-limb")]
    for field in fields:
        if field not in (*shape.required, *shape.optional):
            draft.fail(fields[field], f"{name} has no {field}", "leave it out")
    for field in shape.required:
        if field not in fields:
            if field == "unit":
                draft.fail(node, f"{name} needs a unit", f"add `unit: {quantity.unit}`")
            draft.fail(node, f"the field {field!r} is missing", "add it")
    if quantity.kind == "amount":
        return _amount_limb(draft, node, fields, quantity.unit)
    if quantity.kind == "flag":
        draft.word(fields["op"], "op-is")
        return FlagLimb(quantity=name, value=draft.boolean(fields["value"]))
    if quantity.kind == "places":
        return _place_limb(draft, node, fields)
    draft.word(fields["op"], "op-word")
    return WordLimb(quantity=name, words=_words(draft, fields["value"], quantity.words))


def _amount_limb(draft: Draft, node: Node, fields: Mapping[str, Node], unit: str) -> AmountLimb:
    name = draft.text(fields["quantity"])
    _either(draft, node, fields, "value", "parameter")
    draft.one_of(fields["unit"], [unit])
    op = draft.word(fields["op"], "operator")
    if "value" in fields:
        value = read_amount(draft, fields["value"], unit)
        return AmountLimb(quantity=name, op=op, value=value, unit=unit)
    parameter = draft.one_of(fields["parameter"], draft.parameters)
    theirs = draft.parameters[parameter].unit
    if theirs != unit:
        what = f"{parameter} is in {theirs}, {name} in {unit}"
        draft.fail(fields["parameter"], what, "let the units be the same")
    return AmountLimb(quantity=name, op=op, parameter=parameter, unit=unit)


def _place_limb(draft: Draft, node: Node, fields: Mapping[str, Node]) -> PlaceLimb:
    name = draft.text(fields["quantity"])
    _either(draft, node, fields, "value", "set")
    op = draft.word(fields["op"], "op-places")
    if "set" in fields:
        place_set = draft.one_of(fields["set"], draft.sets)
        versions = draft.sets[place_set].versions
        _check_countries(draft, fields["set"], name, {p for v in versions for p in v.members or ()})
        return PlaceLimb(quantity=name, op=op, place_set=place_set)
    places = draft.places(fields["value"])
    _check_countries(draft, fields["value"], name, places)
    return PlaceLimb(quantity=name, op=op, places=places)


def _check_countries(draft: Draft, node: Node, quantity: str, places: Iterable[str]) -> None:
    """Goods and parties are in countries; only law reaches the Union, or a part of a country."""
    wider = sorted(place for place in places if not is_country(place))
    if quantity in QUANTITIES and quantity != "jurisdictions" and wider:
        what = f"{quantity} tells countries, and {wider[0]} is none"
        draft.fail(node, what, "write out the countries, or ask for jurisdictions")


def _words(draft: Draft, node: Node, known: tuple[str, ...]) -> tuple[str, ...]:
    words = draft.words(node)
    for row in draft.row(node) if known else ():
        draft.one_of(row, known)
    return words


def _either(draft: Draft, node: Node, fields: Mapping[str, Node], one: str, other: str) -> None:
    if (one in fields) == (other in fields):
        draft.fail(node, f"needs either a {one} or a {other}", "write one of the two")
