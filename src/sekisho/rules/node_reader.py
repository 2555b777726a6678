"""Typed values out of nodes of strict YAML; every refusal names file, line, what is wrong and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from fractions import Fraction
from typing import NoReturn

from sekisho.model.amounts import MAX_FLOP, parse_quantity
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, parse_date_or_instant
from sekisho.rules.strict_yaml import Branch, Leaf, Node, Row, refuse

__all__ = ["NAME", "Reader"]

_RATIO = re.compile(r"(0|[1-9][0-9]{0,8})/[1-9][0-9]{0,8}")
NAME = r"[a-z0-9][a-z0-9.-]{0,63}"
MANY = 40  # names; a refusal lists no more than these
_DECIMAL = re.compile(r"([0-9]{1,38})(?:\.([0-9]{1,38}))?(?:[eE]\+?([0-9]{1,2}))?")


class Reader:
    """Reads typed values out of nodes; every refusal names file, line, what is wrong and what to do."""

    def __init__(self, file: str) -> None:
        self.file = file

    def fail(self, node: Node | int, what: str, remedy: str) -> NoReturn:
        refuse(self.file, node if isinstance(node, int) else node.line, what, remedy)

    def branch(
        self, node: Node, required: Iterable[str], optional: Iterable[str] = ()
    ) -> Mapping[str, Node]:
        """The fields of a mapping that has all of `required` and nothing outside `optional`."""
        required, allowed = list(required), [*required, *optional]
        if not isinstance(node, Branch):
            self.fail(node, "is not a mapping", f"write fields: {', '.join(allowed)}")
        for name in node.fields:
            if name not in allowed:
                self.fail(node.lines[name], f"unknown field {name!r}", f"use {', '.join(allowed)}")
        for name in required:
            if name not in node.fields:
                self.fail(node, f"the field {name!r} is missing", "add it")
        return node.fields

    def entries(self, node: Node) -> Mapping[str, Node]:
        """A mapping whose keys are names of the writer's own."""
        if not isinstance(node, Branch) or not node.fields:
            self.fail(node, "is not a mapping of names", "write `name: ...` lines")
        return node.fields

    def row(self, node: Node) -> tuple[Node, ...]:
        if not isinstance(node, Row) or not node.items:
            self.fail(node, "is not a list with entries", "write `- ...` lines")
        return node.items

    def text(self, node: Node, pattern: str = r"(?s).{1,4000}") -> str:
        if not isinstance(node, Leaf) or not re.fullmatch(pattern, node.text):
            shown = repr(node.text[:40]) if isinstance(node, Leaf) else "a list or mapping"
            remedy = "write text" if pattern.startswith("(?s)") else f"it must match {pattern}"
            self.fail(node, f"{shown} does not fit here", remedy)
        return node.text

    def name(self, node: Node) -> str:
        """A name in small letters, digits, dots and dashes."""
        return self.text(node, NAME)

    def one_of(self, node: Node, words: Iterable[str]) -> str:
        """One of the words; where there are many, the refusal names those that are spelt alike."""
        known = words if isinstance(words, Mapping | set | frozenset) else list(words)
        if isinstance(node, Leaf) and node.text in known:
            return node.text
        shown = repr(node.text[:40]) if isinstance(node, Leaf) else "a list or mapping"
        return self.fail(node, f"{shown} is not known here", _choice(node, list(known)))

    def boolean(self, node: Node) -> bool:
        """Plain `true` or `false`; `yes`, `on` and quoted words are refused."""
        if not isinstance(node, Leaf) or node.quoted or node.text not in ("true", "false"):
            self.fail(node, "is neither true nor false", "write true or false, without quotes")
        return node.text == "true"

    def is_null(self, node: Node) -> bool:
        return isinstance(node, Leaf) and not node.quoted and node.text == "null"

    def date(self, node: Node) -> Instant:
        """The first moment of a day in UTC, or an instant."""
        if not isinstance(node, Leaf):
            self.fail(node, "is not a date", "write 2026-01-31")
        try:
            return parse_date_or_instant(node.text)
        except InvalidInput as error:
            self.fail(node, f"not a date: {error.message}", "write an existing day, 2026-01-31")

    def decimal(self, node: Node) -> int | Fraction:
        """An amount of at most 38 digits, exactly: `5.92`, `1e24`, `1/3`; a whole one as an integer."""
        if isinstance(node, Leaf) and _RATIO.fullmatch(node.text):
            return _plain(Fraction(node.text))
        match = _DECIMAL.fullmatch(node.text) if isinstance(node, Leaf) else None
        if match is None:
            self.fail(node, "is not a non-negative amount", "write it like 5.92, 1e24 or 1/3")
        whole, part, exponent = match.group(1), match.group(2) or "", int(match.group(3) or 0)
        value = Fraction(int(whole + part) * 10**exponent, 10 ** len(part))
        if value > MAX_FLOP:
            self.fail(node, "has more than 38 digits", "write a smaller amount")
        return _plain(value)

    def fraction(self, node: Node) -> Fraction:
        return Fraction(self.decimal(node))

    def count(self, node: Node, most: int) -> int:
        """A whole number from 0 to `most`."""
        value = self.amount(node)
        if value > most:
            self.fail(node, f"{value} is too large", f"write at most {most}")
        return value

    def amount(self, node: Node) -> int:
        """A whole amount, exactly: `16`, `"1e24"`."""
        if not isinstance(node, Leaf):
            self.fail(node, "is not an amount", "write 1e24")
        try:
            return parse_quantity(node.text)
        except InvalidInput as error:
            self.fail(node, error.message, "write a whole number, like 1e24")


def _plain(value: Fraction) -> int | Fraction:
    return value.numerator if value.denominator == 1 else value


def _choice(node: Node, words: list[str]) -> str:
    if not words:
        return "nothing is declared that could stand here; declare it"
    if len(words) <= MANY:
        return f"write one of {', '.join(words)}"
    close = get_close_matches(node.text if isinstance(node, Leaf) else "", words, 5, 0.4)
    return f"write one of the {len(words)} known names, like {', '.join(close or words[:5])}"
