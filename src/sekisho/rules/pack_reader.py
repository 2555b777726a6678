"""From the text of a rule pack to a `Pack`, or an error with file, line and remedy."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any as Anything
from typing import cast, get_args

from sekisho.rules.pack import (
    All,
    AmountLimb,
    Any,
    Condition,
    DatedValue,
    FlagLimb,
    Mark,
    Not,
    Operator,
    Outcome,
    Pack,
    Parameter,
    PlaceLimb,
    Rule,
    RuleSource,
    Status,
    StatusWord,
)
from sekisho.rules.quantities import QUANTITIES
from sekisho.rules.strict_yaml import Branch, Leaf, Node, Reader, parse_yaml

__all__ = ["parse_pack"]

_CITED = ("source", "cite", "mark")
_DATED = ("to", "recorded", "note")
_NAME = r"[a-z0-9][a-z0-9.-]{0,63}"
_PLACE = r"[A-Z]{2}(-[A-Z0-9]{1,3})?"
_UNITS = sorted({quantity.unit for quantity in QUANTITIES.values() if quantity.unit})


def parse_pack(data: bytes | str, file: str) -> Pack:
    """Read a rule pack. Its identity is its name, its version and the SHA-256 of the file's bytes.

    Raises InvalidInput (`file:line: what; remedy`) for anything that is not understood in full: an unknown
    field, a unit that is not the quantity's, an impossible date, a value without a source.
    """
    raw = data.encode("utf-8") if isinstance(data, str) else data
    return _PackReader(file).pack(parse_yaml(raw, file), hashlib.sha256(raw).hexdigest())


class _PackReader(Reader):
    def __init__(self, file: str) -> None:
        super().__init__(file)
        self.sources: dict[str, RuleSource] = {}
        self.parameters: dict[str, Parameter] = {}

    def pack(self, node: Node, sha256: str) -> Pack:
        """Sources first, then parameters that cite them, then rules that read those."""
        top = self.branch(
            node, ["pack", "version", "title", "note", "sources", "parameters", "rules"]
        )
        for name, entry in self.entries(top["sources"]).items():
            self.sources[self._own_name(name, entry)] = self._source(entry)
        for name, entry in self.entries(top["parameters"]).items():
            self.parameters[self._own_name(name, entry)] = self._parameter(name, entry)
        return Pack(
            name=self.text(top["pack"], _NAME),
            version=self.text(top["version"], _NAME),
            sha256=sha256,
            title=self.text(top["title"]),
            note=self.text(top["note"]),
            sources=self.sources,
            parameters=self.parameters,
            rules=self._rules(top["rules"]),
        )

    def _own_name(self, name: str, node: Node) -> str:
        return self.text(Leaf(name, False, node.line), _NAME)

    def _mark(self, node: Node) -> Mark:
        return cast("Mark", self.one_of(node, get_args(Mark)))

    def _source(self, node: Node) -> RuleSource:
        fields = self.branch(node, ["title", "where", "mark"])
        return RuleSource(
            title=self.text(fields["title"]),
            where=self.text(fields["where"]),
            mark=self._mark(fields["mark"]),
        )

    def _parameter(self, name: str, node: Node) -> Parameter:
        fields = self.branch(node, ["unit", "means", "values"])
        values = tuple(self._value(entry) for entry in self.row(fields["values"]))
        self._check_order(fields["values"], values)
        return Parameter(
            name=name,
            unit=self.one_of(fields["unit"], _UNITS),
            means=self.text(fields["means"]),
            values=values,
        )

    def _value(self, node: Node) -> DatedValue:
        fields = self.branch(node, ["from", "value", *_CITED], _DATED)
        value = None if self.is_null(fields["value"]) else self.amount(fields["value"])
        return DatedValue(value=value, **self._dated(node, fields))

    def _dated(self, node: Node, fields: Mapping[str, Node]) -> dict[str, Anything]:
        """What every dated entry carries: its period, when it became known, its source and mark."""
        start = self.date(fields["from"])
        ends = "to" in fields and not self.is_null(fields["to"])
        end = self.date(fields["to"]) if ends else None
        if end is not None and end <= start:
            self.fail(fields["to"], "ends before it begins", "`to` is the first day after the end")
        mark = self._mark(fields["mark"])
        note = self.text(fields["note"]) if "note" in fields else ""
        if mark == "R" and "to be verified" not in note:
            self.fail(node, "a recalled value (R) enters only as such", "note it `to be verified`")
        return {
            "start": start,
            "end": end,
            "recorded": self.date(fields["recorded"]) if "recorded" in fields else start,
            "source": self.one_of(fields["source"], self.sources),
            "cite": self.text(fields["cite"]),
            "mark": mark,
            "note": note,
        }

    def _check_order(self, node: Node, entries: tuple[DatedValue | Status, ...]) -> None:
        """Periods follow one another, so that a reader of the file sees which one counts."""
        rows = self.row(node)
        for row, earlier, later in zip(rows[1:], entries, entries[1:], strict=False):
            begins_twice = later.start == earlier.start and later.recorded <= earlier.recorded
            if later.start < earlier.start or begins_twice:
                self.fail(row, "does not begin after the entry above", "order entries by `from`")
            if earlier.end is not None and later.start < earlier.end:
                self.fail(row, "overlaps the entry above", "let it begin where that one ends")

    def _rules(self, node: Node) -> tuple[Rule, ...]:
        rules: dict[str, Rule] = {}
        for entry in self.row(node):
            rule = self._rule(entry)
            if rule.id in rules:
                self.fail(entry, f"the rule {rule.id!r} stands twice", "give it an id of its own")
            rules[rule.id] = rule
        return tuple(rules.values())

    def _rule(self, node: Node) -> Rule:
        names = ["id", "cite", "binding", "status", "when", "outcome", "duty"]
        fields = self.branch(node, names)
        statuses = tuple(self._status(entry) for entry in self.row(fields["status"]))
        self._check_order(fields["status"], statuses)
        return Rule(
            id=self.text(fields["id"], _NAME),
            cite=self.text(fields["cite"]),
            binding=self.text(fields["binding"]),
            statuses=statuses,
            when=self._condition(fields["when"]),
            outcome=cast("Outcome", self.one_of(fields["outcome"], get_args(Outcome))),
            duty=self.text(fields["duty"]),
        )

    def _status(self, node: Node) -> Status:
        fields = self.branch(node, ["from", "status", "acts", *_CITED], _DATED)
        return Status(
            word=cast("StatusWord", self.one_of(fields["status"], get_args(StatusWord))),
            acts=self.boolean(fields["acts"]),
            **self._dated(node, fields),
        )

    def _condition(self, node: Node) -> Condition:
        if isinstance(node, Branch) and len(node.fields) == 1:
            word, inner = next(iter(node.fields.items()))
            if word == "all":
                return All(tuple(self._condition(part) for part in self.row(inner)))
            if word == "any":
                return Any(tuple(self._condition(part) for part in self.row(inner)))
            if word == "not":
                return Not(self._condition(inner))
        return self._limb(node)

    def _limb(self, node: Node) -> Condition:
        fields = self.branch(node, ["quantity", "op"], ["value", "parameter", "unit"])
        quantity = self.one_of(fields["quantity"], QUANTITIES)
        kind = QUANTITIES[quantity].kind
        if kind == "amount":
            return self._amount_limb(node, fields, quantity)
        for name in ("parameter", "unit"):
            if name in fields:
                self.fail(fields[name], f"{quantity} has no {name}", "leave it out")
        if "value" not in fields:
            self.fail(node, "the field 'value' is missing", "add it")
        self.one_of(fields["op"], ["is"] if kind == "flag" else ["any-of"])
        if kind == "flag":
            return FlagLimb(quantity=quantity, value=self.boolean(fields["value"]))
        places = tuple(self.text(place, _PLACE) for place in self.row(fields["value"]))
        return PlaceLimb(quantity=quantity, places=places)

    def _amount_limb(self, node: Node, fields: Mapping[str, Node], quantity: str) -> AmountLimb:
        unit = QUANTITIES[quantity].unit
        if "unit" not in fields:
            self.fail(node, f"{quantity} needs a unit", f"add `unit: {unit}`")
        if ("value" in fields) == ("parameter" in fields):
            self.fail(node, "needs either a value or a parameter", "write one of the two")
        self.one_of(fields["unit"], [unit])
        parameter = (
            self.one_of(fields["parameter"], self.parameters) if "parameter" in fields else ""
        )
        if parameter and self.parameters[parameter].unit != unit:
            theirs = self.parameters[parameter].unit
            self.fail(
                fields["parameter"],
                f"{parameter} is in {theirs}, {quantity} in {unit}",
                "let the units be the same",
            )
        return AmountLimb(
            quantity=quantity,
            op=cast("Operator", self.one_of(fields["op"], get_args(Operator))),
            parameter=parameter,
            value=0 if parameter else self.amount(fields["value"]),
            unit=unit,
        )
