"""YAML that a lawyer can write and nobody can read in two ways, every value with its line.

Refused: duplicate keys, anchors and aliases, tags, tabs, several documents, directives, deep nesting, a
byte-order mark. No value is guessed: `no`, `1e24` and `2026-01-01` are text until a field asks for a type.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NoReturn, TypeAlias

import msgspec
import yaml

from sekisho.model.amounts import parse_quantity
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, parse_date_or_instant

__all__ = ["Branch", "Leaf", "Node", "Reader", "Row", "parse_yaml"]

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 24


class Leaf(msgspec.Struct, frozen=True):
    """A scalar as it was written, and whether in quotes."""

    text: str
    quoted: bool
    line: int


class Row(msgspec.Struct, frozen=True):
    """A list."""

    items: tuple[Node, ...]
    line: int


class Branch(msgspec.Struct, frozen=True):
    """A mapping; `lines` names the line of each key."""

    fields: Mapping[str, Node]
    lines: Mapping[str, int]
    line: int


Node: TypeAlias = Leaf | Row | Branch


def parse_yaml(data: bytes | str, file: str) -> Node:
    """Read one strict YAML document. Raises InvalidInput, whose path is `file:line`."""
    text = _text(data, file)
    try:
        _refuse_ambiguous(text, file)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        _fail(file, line, error.problem or "is not YAML", "write plain YAML")
    except yaml.YAMLError as error:
        _fail(file, 1, f"is not YAML: {error}".splitlines()[0], "save it as plain UTF-8 text")
    if node is None:
        _fail(file, 1, "holds nothing", "write the document")
    return _node(node, file)


def _text(data: bytes | str, file: str) -> str:
    if len(data) > MAX_BYTES:
        _fail(file, 1, f"is longer than {MAX_BYTES} bytes", "split it")
    text = _decoded(data, file) if isinstance(data, bytes) else data
    if text.startswith("\ufeff"):
        _fail(file, 1, "starts with a byte-order mark", "save it as plain UTF-8")
    for number, line in enumerate(text.split("\n"), 1):
        if "\t" in line:
            _fail(file, number, "a tab", "indent and separate with spaces")
    return text


def _decoded(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        _fail(file, line, "is not UTF-8", "save it as UTF-8")


def _refuse_ambiguous(text: str, file: str) -> None:
    """Look at the events, which still know of anchors and tags, before a tree is built of them."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark is not None else 1
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            _fail(file, line, "an anchor or alias", "write the value out where it is meant")
        if (
            isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)
            and event.tag is not None
        ):
            _fail(
                file, line, f"a tag ({event.tag})", "leave it out: fields say what type they have"
            )
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1 or event.version or event.tags:
                _fail(file, line, "a second document or a directive", "keep one plain document")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            _fail(file, line, f"nested deeper than {MAX_DEPTH}", "flatten it")


def _node(node: yaml.Node, file: str) -> Node:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        return Leaf(node.value, node.style is not None, line)
    if isinstance(node, yaml.SequenceNode):
        return Row(tuple(_node(item, file) for item in node.value), line)
    fields: dict[str, Node] = {}
    lines: dict[str, int] = {}
    for key, value in node.value:
        key_line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            _fail(file, key_line, "a key that is not a word", "write a field name")
        if key.value in fields:
            first = lines[key.value]
            _fail(file, key_line, f"the key {key.value!r} stands twice", f"see line {first}")
        fields[key.value], lines[key.value] = _node(value, file), key_line
    return Branch(fields, lines, line)


def _fail(file: str, line: int, what: str, remedy: str) -> NoReturn:
    raise InvalidInput(what, path=f"{file}:{line}", remedy=remedy)


class Reader:
    """Reads typed values out of nodes; every refusal names file, line, what is wrong and what to do."""

    def __init__(self, file: str) -> None:
        self.file = file

    def fail(self, node: Node | int, what: str, remedy: str) -> NoReturn:
        _fail(self.file, node if isinstance(node, int) else node.line, what, remedy)

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

    def one_of(self, node: Node, words: Iterable[str]) -> str:
        words = list(words)
        if not isinstance(node, Leaf) or node.text not in words:
            shown = repr(node.text[:40]) if isinstance(node, Leaf) else "a list or mapping"
            self.fail(node, f"{shown} is not known here", f"write one of {', '.join(words)}")
        return node.text

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

    def amount(self, node: Node) -> int:
        """A whole amount, exactly: `16`, `"1e24"`."""
        if not isinstance(node, Leaf):
            self.fail(node, "is not an amount", "write 1e24")
        try:
            return parse_quantity(node.text)
        except InvalidInput as error:
            self.fail(node, error.message, "write a whole number, like 1e24")
