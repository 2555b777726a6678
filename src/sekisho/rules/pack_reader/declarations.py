"""What a pack declares before its rules: sources, quantities of its own, sets of places, parameters."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import msgspec

from sekisho.rules.pack import (
    DatedSet,
    DatedValue,
    Parameter,
    PlaceSet,
    RuleSource,
    StatedQuantity,
)
from sekisho.rules.pack_reader.draft import Draft
from sekisho.rules.pack_shapes import UNIT, WHOLE_UNITS
from sekisho.rules.quantities import QUANTITIES, UNITS
from sekisho.rules.strict_yaml import Node

__all__ = ["read_amount", "read_parameters", "read_quantities", "read_sets", "read_sources"]


def read_sources(draft: Draft, node: Node) -> None:
    """Where values were read, by names that every dated entry cites."""
    for name, entry in draft.named(node, "sources").items():
        _refuse_again(draft, entry, name, draft.sources)
        fields = draft.shape(entry, "source")
        draft.sources[name] = RuleSource(
            title=draft.text(fields["title"]),
            where=draft.text(fields["where"]),
            mark=draft.word(fields["mark"], "mark"),
        )


def read_quantities(draft: Draft, node: Node) -> None:
    """Facts that the pack asks for by names of its own."""
    for name, entry in draft.named(node, "quantities").items():
        _refuse_again(draft, entry, name, draft.quantities)
        if name in QUANTITIES:
            draft.fail(entry, f"{name} is known without being declared", "choose another name")
        draft.quantities[name] = _quantity(draft, name, entry)


def _quantity(draft: Draft, name: str, node: Node) -> StatedQuantity:
    fields = draft.shape(node, "quantity")
    kind = draft.word(fields["kind"], "quantity-kind")
    if (kind == "amount") != ("unit" in fields):
        remedy = "add `unit:`" if kind == "amount" else "leave `unit` out"
        draft.fail(node, "an amount has a unit, and nothing else has", remedy)
    if "words" in fields and kind != "word":
        draft.fail(fields["words"], f"a quantity of kind {kind} has no words", "leave them out")
    return StatedQuantity(
        name=name,
        kind=kind,
        unit=draft.line(fields, "unit", UNIT),
        means=draft.text(fields["means"]),
        means_ja=draft.line(fields, "means-ja"),
        words=draft.words(fields["words"]) if "words" in fields else (),
    )


def read_sets(draft: Draft, node: Node) -> None:
    """Sets of places by name, each with its history; an overlay may go on with a history of its base."""
    for name, entry in draft.named(node, "sets").items():
        known = draft.sets.get(name)
        fields = draft.shape(entry, "more-set" if known else "set")
        versions = draft.history(
            fields["versions"], lambda row: _members(draft, row), known.versions if known else ()
        )
        draft.sets[name] = (
            msgspec.structs.replace(known, versions=versions)
            if known
            else PlaceSet(
                name=name,
                means=draft.text(fields["means"]),
                means_ja=draft.line(fields, "means-ja"),
                versions=versions,
            )
        )


def _members(draft: Draft, node: Node) -> DatedSet:
    fields = draft.shape(node, "set-version")
    members = None
    if not draft.is_null(fields["members"]):
        members = frozenset(draft.places(fields["members"]))
    return DatedSet(members=members, **draft.dated(node, fields))


def read_parameters(draft: Draft, node: Node) -> None:
    """Thresholds by name, each with its unit and history; an overlay may go on with a history of its base."""
    units = {**UNITS, **{q.unit: q.name for q in draft.quantities.values() if q.unit}}
    for name, entry in draft.named(node, "parameters").items():
        known = draft.parameters.get(name)
        fields = draft.shape(entry, "more-parameter" if known else "parameter")
        unit = draft.one_of(fields["unit"], units) if "unit" in fields else ""
        if known is not None and unit not in ("", known.unit):
            draft.fail(fields["unit"], f"{name} is in {known.unit}", "a unit does not change")
        unit = unit or (known.unit if known else "")
        values = draft.history(
            fields["values"],
            lambda row, unit=unit: _value(draft, row, unit),  # type: ignore[misc]  # mypy types no default of a lambda
            known.values if known else (),
        )
        draft.parameters[name] = (
            msgspec.structs.replace(known, values=values)
            if known
            else Parameter(
                name=name,
                unit=unit,
                means=draft.text(fields["means"]),
                means_ja=draft.line(fields, "means-ja"),
                values=values,
            )
        )


def _value(draft: Draft, node: Node, unit: str) -> DatedValue:
    fields = draft.shape(node, "value")
    value = None if draft.is_null(fields["value"]) else read_amount(draft, fields["value"], unit)
    return DatedValue(value=value, **draft.dated(node, fields))


def read_amount(draft: Draft, node: Node, unit: str) -> int | Fraction:
    """An exact amount: whole where the unit counts something, at most 1 where it is a share."""
    if unit in WHOLE_UNITS:
        return draft.amount(node)
    value = draft.decimal(node)
    if unit == "share" and value > 1:
        draft.fail(node, "a share is at most 1", "write 0.5 for 50 %")
    return value


def _refuse_again(draft: Draft, node: Node, name: str, known: Mapping[str, object]) -> None:
    if name in known:
        draft.fail(node, f"{name!r} is the base's", "an overlay only adds: choose another name")
