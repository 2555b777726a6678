"""YAML that a lawyer can write and nobody can read in two ways, every value with its line.

Refused: duplicate keys, anchors and aliases, tags, tabs, several documents, directives, deep nesting, a
byte-order mark, characters that an editor hides. No value is guessed: `no`, `1e24` and `2026-01-01` are text
until a field asks for a type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NoReturn, TypeAlias

import msgspec
import yaml

from sekisho.model.errors import InvalidInput

__all__ = ["Branch", "Leaf", "Node", "Row", "parse_yaml", "refuse"]

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 24
MAX_NODES = 50_000


# Control and format characters, which an editor hides or lets text run backwards, and private ones. A carriage return
# may end a line; a tab is refused with words of its own.
_HIDDEN = re.compile(
    "[\\x00-\\x09\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\xad\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e"
    "\\u2060-\\u206f\\ud800-\\uf8ff\\ufeff\\ufff9-\\ufffb\\U000e0000-\\U0010ffff]"
)


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
        node = _compose(text, file)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        refuse(file, line, error.problem or "is not YAML", "write plain YAML")
    except yaml.YAMLError as error:
        refuse(file, 1, f"is not YAML: {error}".splitlines()[0], "save it as plain UTF-8 text")
    if node is None:
        refuse(file, 1, "holds nothing", "write the document")
    return node


def _text(data: bytes | str, file: str) -> str:
    if len(data) > MAX_BYTES:
        refuse(file, 1, f"is longer than {MAX_BYTES} bytes", "split it")
    text = _decoded(data, file) if isinstance(data, bytes) else data
    if text.startswith("\ufeff"):
        refuse(file, 1, "starts with a byte-order mark", "save it as plain UTF-8")
    for number, line in enumerate(text.split("\n"), 1):
        if "\t" in line:
            refuse(file, number, "a tab", "indent and separate with spaces")
        _refuse_hidden(line, number, file)
    return text


def _refuse_hidden(text: str, line: int, file: str) -> None:
    found = _HIDDEN.search(text)
    if found is not None:
        what = f"a character that nobody sees (U+{ord(found[0]):04X})"
        refuse(file, line, what, "leave it out")


def _decoded(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        refuse(file, line, "is not UTF-8", "save it as UTF-8")


class _Open:
    """A list or mapping whose end has not been read yet."""

    def __init__(self, line: int, is_mapping: bool) -> None:
        self.line, self.is_mapping = line, is_mapping
        self.items: list[Node] = []
        self.fields: dict[str, Node] = {}
        self.lines: dict[str, int] = {}
        self.key: str | None = None

    @property
    def wants_key(self) -> bool:
        return self.is_mapping and self.key is None

    def take(self, node: Node, file: str) -> None:
        if self.wants_key:
            self._take_key(node, file)
        elif self.key is not None:
            self.fields[self.key], self.key = node, None
        else:
            self.items.append(node)

    def _take_key(self, node: Node, file: str) -> None:
        if not isinstance(node, Leaf):
            refuse(file, node.line, "a key that is not a word", "write a field name")
        if node.text in self.fields:
            what = f"the key {node.text[:64]!r} stands twice"
            refuse(file, node.line, what, f"see line {self.lines[node.text]}")
        self.key, self.lines[node.text] = node.text, node.line

    def close(self) -> Node:
        if self.is_mapping:
            return Branch(self.fields, self.lines, self.line)
        return Row(tuple(self.items), self.line)


def _compose(text: str, file: str) -> Node | None:
    """The tree, built from the events, which still know of anchors and tags; bounded in depth and size."""
    root: Node | None = None
    stack: list[_Open] = []
    counted = _Counted()
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark is not None else 1
        counted.check(event, line, file)
        if isinstance(event, yaml.CollectionStartEvent):
            if len(stack) == MAX_DEPTH:
                refuse(file, line, f"nested deeper than {MAX_DEPTH}", "flatten it")
            if stack and stack[-1].wants_key:
                refuse(file, line, "a key that is not a word", "write a field name")
            stack.append(_Open(line, isinstance(event, yaml.MappingStartEvent)))
            continue
        done = _finished(event, stack, line, file)
        if done is not None and stack:
            stack[-1].take(done, file)
        elif done is not None:
            root = done
    return root


class _Counted:
    """What has been read so far of a document that may have been written to exhaust its reader."""

    documents = nodes = 0

    def check(self, event: yaml.Event, line: int, file: str) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1 or event.version or event.tags:
                refuse(file, line, "a second document or a directive", "keep one plain document")
        if isinstance(event, yaml.NodeEvent):
            self.nodes += 1
            _refuse_ambiguous(event, line, file)
            if self.nodes > MAX_NODES:
                refuse(file, line, f"more than {MAX_NODES} values", "split it")


def _finished(event: yaml.Event, stack: list[_Open], line: int, file: str) -> Node | None:
    """The node that this event ends, if it ends one."""
    if isinstance(event, yaml.ScalarEvent):
        _refuse_hidden(event.value, line, file)  # an escape in quotes makes one, too
        return Leaf(event.value, event.style is not None, line)
    return stack.pop().close() if isinstance(event, yaml.CollectionEndEvent) else None


def _refuse_ambiguous(event: yaml.NodeEvent, line: int, file: str) -> None:
    if event.anchor is not None:
        refuse(file, line, "an anchor or alias", "write the value out where it is meant")
    if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
        what = f"a tag ({event.tag[:64]})"
        refuse(file, line, what, "leave it out: fields say what type they have")


def refuse(file: str, line: int, what: str, remedy: str) -> NoReturn:
    """Raises InvalidInput: what is wrong in that line, and what to do."""
    raise InvalidInput(what, path=f"{file}:{line}", remedy=remedy)
