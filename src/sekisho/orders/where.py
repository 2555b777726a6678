"""Predicates as people write them: `chip is 'H100 SXM5' and devices at-least 8`. Pure; an error names its column.

One text is one group, whose conditions are joined by `and`; several texts are alternatives. A condition is quantity,
comparison and value; `is` and `is-not` take several values with commas between them. Values with blanks are quoted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import get_args

import msgspec

from sekisho.model.amounts import parse_quantity
from sekisho.model.errors import InvalidInput
from sekisho.model.statements import HostLimb, HostPredicate, HostQuantity, LimbGroup
from sekisho.model.wire import from_json, to_plain
from sekisho.orders.predicates import COUNTED, check_predicate

__all__ = ["parse_where"]

MAX_TEXT = 4_000
MAX_GROUPS = MAX_LIMBS = 16
MAX_VALUES = 64
_QUANTITIES: tuple[str, ...] = get_args(HostQuantity)
_OPS = ("is", "is-not", "below", "at-least")
_TOKEN = re.compile(r"\s*(?:'([^']*)'|\"([^\"]*)\"|(,)|([^\s,'\"]+))")


class _Token(msgspec.Struct, frozen=True):
    text: str
    column: int
    is_quoted: bool = False


def parse_where(texts: Sequence[str], *, path: str = "--where") -> HostPredicate:
    """The predicate that these texts say, each of them a group. Raises InvalidInput naming text and column."""
    if not 1 <= len(texts) <= MAX_GROUPS:
        raise InvalidInput(
            f"1 to {MAX_GROUPS} groups, {len(texts)} are given", path=path, remedy="name fewer"
        )
    groups = tuple(
        _Reader(text, f"{path} {number}" if len(texts) > 1 else path).group()
        for number, text in enumerate(texts, 1)
    )
    predicate = HostPredicate(any_of=groups)
    # Through the wire's own patterns: what cannot be sent is refused here, not by whoever receives it.
    predicate = from_json(HostPredicate, to_plain(predicate), path=path)
    check_predicate(predicate, path=path)
    return predicate


class _Reader:
    """One text, read from left to right."""

    def __init__(self, text: str, path: str) -> None:
        self._path = path
        self._end = len(text) + 1
        self._tokens = self._split(text)
        self._next = 0

    def group(self) -> LimbGroup:
        limbs = [self._limb()]
        while (token := self._take()) is not None:
            if token.text != "and" or token.is_quoted:
                raise self._error(
                    token, "is not `and`", "join conditions with and; values with blanks are quoted"
                )
            limbs.append(self._limb())
            if len(limbs) > MAX_LIMBS:
                raise self._error(token, f"leads to more than {MAX_LIMBS} conditions", "name fewer")
        return LimbGroup(all_of=tuple(limbs))

    def _limb(self) -> HostLimb:
        quantity = self._one_of(_QUANTITIES, "a quantity")
        op = self._one_of(_OPS, "a comparison")
        values = [self._value(quantity)]
        while self._is_comma():
            values.append(self._value(quantity))
            if len(values) > MAX_VALUES:
                raise InvalidInput(
                    f"more than {MAX_VALUES} values", path=self._path, remedy="name fewer"
                )
        plain = {"quantity": quantity, "op": op, "values": list(values)}
        return from_json(HostLimb, plain, path=self._path)  # type: ignore[arg-type]  # JSON of strings

    def _value(self, quantity: str) -> str:
        token = self._take()
        if token is None or (token.text == "," and not token.is_quoted):
            raise self._error(token, "stands where a value must", "write chip is 'H100 SXM5'")
        if quantity not in COUNTED:
            return token.text
        return str(parse_quantity(token.text, path=self._at(token)))

    def _one_of(self, words: tuple[str, ...], what: str) -> str:
        token = self._take()
        if token is None or token.is_quoted or token.text not in words:
            raise self._error(token, f"is not {what}", f"use {', '.join(words)}")
        return token.text

    def _is_comma(self) -> bool:
        here = self._tokens[self._next] if self._next < len(self._tokens) else None
        if here is None or here.text != "," or here.is_quoted:
            return False
        self._next += 1
        return True

    def _take(self) -> _Token | None:
        if self._next >= len(self._tokens):
            return None
        self._next += 1
        return self._tokens[self._next - 1]

    def _split(self, text: str) -> list[_Token]:
        if len(text) > MAX_TEXT:
            raise InvalidInput(
                f"longer than {MAX_TEXT} characters", path=self._path, remedy="name fewer"
            )
        tokens, at, end = [], 0, len(text.rstrip())
        while at < end:
            match = _TOKEN.match(text, at)
            if match is None:
                place = f"{self._path}, column {at + 1}"
                raise InvalidInput(
                    "a quotation mark that is not closed",
                    path=place,
                    remedy="close it, or leave it out",
                )
            quoted = match[1] if match[1] is not None else match[2]
            tokens.append(
                _Token(
                    quoted if quoted is not None else match[3] or match[4],
                    match.start(match.lastindex or 0) + 1,
                    quoted is not None,
                )
            )
            at = match.end()
        return tokens

    def _at(self, token: _Token | None) -> str:
        return f"{self._path}, column {self._end if token is None else token.column}"

    def _error(self, token: _Token | None, why: str, remedy: str) -> InvalidInput:
        told = "the end" if token is None else repr(token.text[:40])
        return InvalidInput(f"{told} {why}", path=self._at(token), remedy=remedy)
