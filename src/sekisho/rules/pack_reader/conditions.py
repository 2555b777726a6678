"""Conditions: trees of `all`, `any` and `not` over limbs, each limb typed by the quantity that it names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sekisho.model.countries import is_country
from sekisho.rules.pack import (
    All,
    AmountLimb,
    Any,
    Condition,
    Definition,
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
from sekisho.rules.pack_shapes import MOST, SHAPES
from sekisho.rules.quantities import QUANTITIES, Quantity
from sekisho.rules.requests.shapes import RequestKind
from sekisho.rules.strict_yaml import Branch, Node

__all__ = [
    "check_kinds",
    "check_size",
    "check_told",
    "conditions_of",
    "limbs_of",
    "quantities_behind",
    "read_condition",
    "recheck_base",
    "sizes_of",
]

_SHAPES = {"amount": "amount-limb", "flag": "flag-limb", "places": "places-limb"}
_DEFINITION = "definition "  # before a definition's name in `draft.asked`
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
    draft.asked.setdefault(f"{_DEFINITION}{name}", asked)
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


# --- what a condition asks for --------------------------------------------------------------------


def limbs_of(condition: Condition) -> Iterable[Limb]:
    """Every limb of a condition, in order."""
    for part in conditions_of(condition):
        if not isinstance(part, All | Any | Not):
            yield part


def conditions_of(condition: Condition) -> Iterable[Condition]:
    """A condition and all parts of it, in order."""
    yield condition
    if isinstance(condition, All | Any):
        for part in condition.parts:
            yield from conditions_of(part)
    elif isinstance(condition, Not):
        yield from conditions_of(condition.part)


def quantities_behind(definitions: Mapping[str, Definition]) -> Mapping[str, frozenset[str]]:
    """The quantities that each definition asks for in any of its versions, through others too; each looked at once."""
    found: dict[str, frozenset[str]] = {}
    for name, definition in definitions.items():
        asked: set[str] = set()
        for version in definition.versions:
            for limb in limbs_of(version.when) if version.when is not None else ():
                if isinstance(limb, DefinitionLimb):
                    asked |= found[limb.definition]
                else:
                    asked.add(limb.quantity)
        found[name] = frozenset(asked)
    return found


def sizes_of(definitions: Mapping[str, Definition]) -> Mapping[str, int]:
    """How many limbs each definition comes to, in its longest version, with those that it uses written out."""
    sizes: dict[str, int] = {}
    for name, definition in definitions.items():
        conditions = [version.when for version in definition.versions if version.when is not None]
        sizes[name] = max((_size(condition, sizes) for condition in conditions), default=1)
    return sizes


def _size(condition: Condition, sizes: Mapping[str, int]) -> int:
    return sum(
        sizes[limb.definition] if isinstance(limb, DefinitionLimb) else 1
        for limb in limbs_of(condition)
    )


def check_size(draft: Draft, node: Node, condition: Condition) -> None:
    """Refuses a condition, or a pack, that would take whoever decides by it endlessly long."""
    size = _size(condition, draft.sizes)
    draft.limbs += size
    if size > MOST["limbs"]:
        what = f"comes to {size} limbs, with its definitions written out"
        draft.fail(node, what, f"ask for at most {MOST['limbs']}")
    if draft.limbs > MOST["all-limbs"]:
        what = f"the pack comes to more than {MOST['all-limbs']} limbs"
        draft.fail(node, what, "split the pack, or ask for less")


def check_kinds(draft: Draft, asked: Mapping[str, Node], kinds: tuple[RequestKind, ...]) -> None:
    """Refuses a condition about requests that cannot tell what it asks; what a pack declares, all can tell."""
    behind = quantities_behind(draft.definitions)
    for name, node in asked.items():
        definition = name.removeprefix(_DEFINITION)
        through = f" (in definition {definition})" if definition != name else ""
        for quantity in sorted(behind[definition]) if through else [name]:
            told = QUANTITIES[quantity].kinds if quantity in QUANTITIES else kinds
            silent = [kind for kind in kinds if kind not in told]
            if silent:
                what = f"a {silent[0]} request tells no {quantity}{through}"
                remedy = f"let the rule be `for: [{', '.join(told)}]`, or ask for something else"
                draft.fail(node, what, remedy)


def check_told(draft: Draft, asked: Mapping[str, Node], kinds: set[RequestKind]) -> None:
    """Refuses a condition that no request of these kinds can tell."""
    behind = quantities_behind(draft.definitions)
    for name, node in asked.items():
        definition = name.removeprefix(_DEFINITION)
        for quantity in sorted(behind[definition]) if definition != name else [name]:
            if quantity in QUANTITIES and not kinds & set(QUANTITIES[quantity].kinds):
                what = f"no {' or '.join(sorted(kinds))} request tells {quantity}"
                draft.fail(node, what, "ask for what requests of the lifted rules tell")


def recheck_base(draft: Draft, node: Node) -> None:
    """The base's rules read definitions that an overlay goes on with: requests still tell it, and it still ends."""
    for rule in draft.base.rules if draft.base is not None else ():
        conditions = [rule.when, *(review.when for review in rule.reviews if review.when)]
        names = [_asked_by(limb) for condition in conditions for limb in limbs_of(condition)]
        check_kinds(draft, dict.fromkeys(names, node), rule.kinds)
        for condition in conditions:
            check_size(draft, node, condition)


def _asked_by(limb: Limb) -> str:
    """What a limb asks for, as `draft.asked` names it."""
    if isinstance(limb, DefinitionLimb):
        return f"{_DEFINITION}{limb.definition}"
    return limb.quantity
