"""A reader of the part of CEL that our policy is written in, for tests: typing errors and logic, not CEL's own rules.

It knows literals, fields, indexes, calls of the few functions used, `exists`, `has`, `in`, comparison, `&&`, `||`, `!`,
`+` and `?:`. As in CEL a missing field is an error, and `||` and `&&` forgive an error on one side where the other side
decides. It checks no types before it runs and counts no cost: that is what only an API server can do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from sekisho.model.instants import Instant

__all__ = ["CelError", "evaluate"]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<number>[0-9]+)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>&&|\|\||==|!=|<=|>=|[-!<>()\[\]{}.,?:+]))"
)


class CelError(Exception):
    """The expression does not parse, or has no value for these inputs."""


class _Missing(CelError):
    pass


_Node = Callable[[dict[str, Any]], Any]


def evaluate(text: str, inputs: dict[str, Any]) -> Any:
    """The value of an expression. Raises CelError."""
    return _parsed(text)(inputs)


@cache
def _parsed(text: str) -> _Node:
    reader = _Reader(text)
    node = reader.ternary()
    if reader.peek() is not None:
        raise CelError(f"something is left over: {reader.peek()}")
    return node


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text.rstrip()):
            match = _TOKEN.match(text, at)
            if match is None:
                raise CelError(f"not CEL at {text[at : at + 20]!r}")
            self._tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            at = match.end()
        self._at = 0

    def peek(self) -> str | None:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else None

    def _take(self, *wanted: str) -> str | None:
        if self.peek() in wanted and self._tokens[self._at][0] != "text":
            self._at += 1
            return self._tokens[self._at - 1][1]
        return None

    def _expect(self, sign: str) -> None:
        if self._take(sign) is None:
            raise CelError(f"{sign} expected, not {self.peek()}")

    def ternary(self) -> _Node:
        condition = self._or()
        if not self._take("?"):
            return condition
        yes = self.ternary()
        self._expect(":")
        no = self.ternary()
        return lambda at: yes(at) if _truth(condition(at)) else no(at)

    def _or(self) -> _Node:
        sides = [self._and()]
        while self._take("||"):
            sides.append(self._and())
        return sides[0] if len(sides) == 1 else lambda at: _either(sides, at, decides=True)

    def _and(self) -> _Node:
        sides = [self._relation()]
        while self._take("&&"):
            sides.append(self._relation())
        return sides[0] if len(sides) == 1 else lambda at: _either(sides, at, decides=False)

    def _relation(self) -> _Node:
        left = self._sum()
        sign = self._take("==", "!=", "<", ">", "<=", ">=", "in")
        if sign is None:
            return left
        right = self._sum()
        return lambda at: _RELATIONS[sign](left(at), right(at))

    def _sum(self) -> _Node:
        parts = [self._unary()]
        while self._take("+"):
            parts.append(self._unary())
        return parts[0] if len(parts) == 1 else lambda at: _joined([part(at) for part in parts])

    def _unary(self) -> _Node:
        if self._take("!"):
            inner = self._unary()
            return lambda at: not _truth(inner(at))
        return self._member(self._primary())

    def _member(self, node: _Node) -> _Node:
        while True:
            if self._take("."):
                node = self._dotted(node)
            elif self._take("["):
                key = self.ternary()
                self._expect("]")
                node = _indexed(node, key)
            else:
                return node

    def _dotted(self, node: _Node) -> _Node:
        name = self._name()
        if not self._take("("):
            return _field(node, name)
        if name == "exists":
            variable = self._name()
            self._expect(",")
            body = self.ternary()
            self._expect(")")
            return lambda at: _exists(node(at), variable, body, at)
        arguments = self._arguments(")")
        return lambda at: _METHODS[name](node(at), *[one(at) for one in arguments])

    def _primary(self) -> _Node:
        kind, text = self._tokens[self._at] if self.peek() is not None else ("end", "")
        self._at += 1
        if kind == "text":
            value = re.sub(r"\\(.)", r"\1", text[1:-1])
            return lambda _: value
        if kind == "number":
            return lambda _: int(text)
        if text == "(":
            node = self.ternary()
            self._expect(")")
            return node
        if text == "[":
            items = self._arguments("]")
            return lambda at: [one(at) for one in items]
        if text == "{":
            return self._map()
        if kind != "name":
            raise CelError(f"unexpected {text!r}")
        return self._named(text)

    def _named(self, name: str) -> _Node:
        if name in ("true", "false"):
            return lambda _: name == "true"
        if not self._take("("):
            return lambda at: _looked_up(at, name)
        if name == "has":
            node = self.ternary()
            self._expect(")")
            return lambda at: _has(node, at)
        arguments = self._arguments(")")
        return lambda at: _FUNCTIONS[name](*[one(at) for one in arguments])

    def _map(self) -> _Node:
        rows: list[tuple[_Node, _Node]] = []
        while not self._take("}"):
            key = self.ternary()
            self._expect(":")
            rows.append((key, self.ternary()))
            if not self._take(",") and self.peek() != "}":
                raise CelError("a map goes on with , or ends with }")
        return lambda at: {key(at): value(at) for key, value in rows}

    def _arguments(self, end: str) -> list[_Node]:
        found: list[_Node] = []
        while not self._take(end):
            found.append(self.ternary())
            if not self._take(",") and self.peek() != end:
                raise CelError(f", or {end} expected, not {self.peek()}")
        return found

    def _name(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1][1]


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise CelError(f"{value!r} is no truth")
    return value


def _either(sides: list[_Node], at: dict[str, Any], *, decides: bool) -> bool:
    failed: CelError | None = None
    for side in sides:
        try:
            if _truth(side(at)) is decides:
                return decides
        except CelError as error:
            failed = error
    if failed is not None:
        raise failed
    return not decides


def _exists(rows: Any, variable: str, body: _Node, at: dict[str, Any]) -> bool:
    return any(_truth(body(at | {variable: row})) for row in rows)


def _has(node: _Node, at: dict[str, Any]) -> bool:
    try:
        return node(at) is not None
    except _Missing:
        return False


def _field(node: _Node, name: str) -> _Node:
    return lambda at: _looked_up(node(at), name)


def _indexed(node: _Node, key: _Node) -> _Node:
    return lambda at: _looked_up(node(at), key(at))


def _looked_up(row: Any, name: Any) -> Any:
    if not isinstance(row, dict) or name not in row:
        raise _Missing(f"no such key: {name}")
    return row[name]


def _joined(parts: list[Any]) -> str:
    if not all(isinstance(part, str) for part in parts):
        raise CelError("only texts are added here")
    return "".join(parts)


_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    ">": lambda a, b: bool(a > b),
    "<=": lambda a, b: bool(a <= b),
    ">=": lambda a, b: bool(a >= b),
    "in": lambda a, b: a in b,
}
_METHODS: dict[str, Callable[..., Any]] = {
    "startsWith": lambda text, begin: text.startswith(begin),
    "endsWith": lambda text, end: text.endswith(end),
    "contains": lambda text, part: part in text,
    "size": len,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "string": str,
    "timestamp": lambda text: text if isinstance(text, Instant) else Instant.parse(text),
}
