"""Which limbs a law asks about one kind of request, grouped by the fields of the request that tell their quantities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from sekisho.model.chips import ChipTable
from sekisho.rules.engine.fields import Fields, fields_of, key_of, reader_of
from sekisho.rules.engine.law import Law
from sekisho.rules.engine.locating import Asked
from sekisho.rules.engine.parts import Part
from sekisho.rules.limbs import FactLimb
from sekisho.rules.pack import All, Any, Condition, DefinitionLimb, Not, Pack
from sekisho.rules.quantities import QUANTITIES
from sekisho.rules.requests import Request
from sekisho.rules.requests.shapes import RequestKind
from sekisho.rules.stated import stated_facts

__all__ = ["Grouped", "gather", "group", "part_of"]

# Limbs by quantity by the fields that tell it.
Grouped: TypeAlias = dict[Fields, dict[str, list[FactLimb]]]
_STATED: Final[Fields] = ("facts",)  # told under the name that the pack gives
_UNTOLD: Final[Fields] = ()  # told by no field of such a request


def gather(conditions: Iterable[Condition], law: Law) -> tuple[list[FactLimb], set[str]]:
    """Every limb on a fact once, in the order of its first mention, and the names of the definitions asked about.

    Definitions are opened where they exist on the date.
    """
    limbs: dict[FactLimb, None] = {}
    names: set[str] = set()
    waiting = list(conditions)[::-1]
    while waiting:
        condition = waiting.pop()
        if isinstance(condition, All | Any):
            waiting += condition.parts[::-1]
        elif isinstance(condition, Not):
            waiting.append(condition.part)
        elif not isinstance(condition, DefinitionLimb):
            limbs[condition] = None
        elif condition.definition not in names:
            names.add(condition.definition)
            dated = law.definitions[condition.definition]
            waiting += [dated.when] if dated is not None and dated.when is not None else []
    return list(limbs), names


def group(limbs: Iterable[FactLimb], kind: RequestKind, pack: Pack) -> Grouped:
    """The limbs by what tells them; stated facts always have a group, since their values are checked."""
    grouped: Grouped = {_STATED: {}} if pack.quantities else {}
    for limb in limbs:
        fields = _fields(limb.quantity, kind, pack)
        grouped.setdefault(fields, {}).setdefault(limb.quantity, []).append(limb)
    return grouped


def _fields(quantity: str, kind: RequestKind, pack: Pack) -> Fields:
    known = QUANTITIES.get(quantity)
    if known is not None and kind in known.kinds:
        return fields_of(kind, quantity)
    return _STATED if quantity in pack.quantities else _UNTOLD


def part_of(
    fields: Fields, asked: Mapping[str, list[Asked]], width: int, pack: Pack, chips: ChipTable
) -> Part:
    """The part of a request that these fields are."""
    if fields == _UNTOLD:
        return Part(lambda _: (), lambda _: {}, asked, width)
    if fields == _STATED:
        return Part(_stated_key, lambda request: stated_facts(request, pack), asked, width)
    read = reader_of(fields)
    return Part(key_of(fields), lambda request: read(request, chips), asked, width)


def _stated_key(request: Request) -> tuple[object, ...]:
    return tuple(request.facts.items()) if request.facts else ()
