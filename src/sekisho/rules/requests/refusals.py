"""What a decoder's refusal says to the person who wrote the request: which field, what is wrong, what to write."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any, Final

import msgspec

from sekisho.model.countries import COUNTRY_CODES, check_country
from sekisho.model.errors import InvalidInput

__all__ = ["refusal"]

_DECIMAL: Final = 'write it as a string of digits, such as "12.5", without sign or exponent'
# How the patterns of the fields begin inside msgspec's message: what it is not, and what to write.
_FORMS: Final = (
    ("'^(0|[1-9][0-9]{0,37})(\\\\.", "is no decimal amount", _DECIMAL),
    (
        "'^(0|[1-9][0-9]{0,37})",
        "is not whole FLOP in digits, as a string",
        'write "1000", not 1e3 and no sign',
    ),
    ("'^(0(\\\\.", "is no share", 'write it as a string between "0" and "1", such as "0.5"'),
    ("'^[0-9]{4}-", "is no day", "write it as 2026-02-28"),
    ("'^[A-Z]{2}(-", "is no jurisdiction", "write it as JP, US-CA or EU"),
    ("'^[0-9][A-E]", "is no entry of a control list", "write it as 5A992"),
    ("'^[a-z0-9][a-z0-9.-]", "is no name of a fact", "write it as the pack that asks for it does"),
    (
        "[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}",
        "is no name",
        "write at most 128 letters, digits and . _ : / @ + -",
    ),
)
_ENUM: Final = re.compile(r"Invalid enum value '(.*)'", re.DOTALL)
_DIGITS: Final = ("^(0", "(0")  # how the patterns of amounts and shares begin
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_ABSENT: Final = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
# What msgspec expected, and what to write; the first that fits.
_EXPECTED: Final = (
    (re.compile(r"Expected `int[^`]*` >= (\d+)"), r"write a whole number of at least \1"),
    (re.compile(r"Expected `int[^`]*` <= (\d+)"), r"write a whole number of at most \1"),
    (re.compile(r"Expected `int"), "write a whole number without quotes, such as 8"),
    (
        re.compile(r"Expected `bool \| str"),
        'write true or false, words in quotes, or a number as a string of digits, such as "12.5"',
    ),
    (
        re.compile(r"Expected `bool"),
        "write true or false, without quotes; leave out what is not known",
    ),
    (re.compile(r"Expected `array"), 'write a list, such as ["training"]'),
    (re.compile(r"Expected `object"), 'write an object, such as {"country": "JP"}'),
    (re.compile(r"Expected `str"), "write a text in quotes"),
)
_NEEDS_TEXT: Final = re.compile(r"Expected `str.*`, got `(int|float)`")


def refusal(error: msgspec.ValidationError, shape: type[Any], path: str) -> InvalidInput:
    """The error for a person, with the path of the field below `path`."""
    message, _, where = str(error).partition(" - at `$")
    where = where.rstrip("`")
    cause = error.__cause__
    if isinstance(cause, InvalidInput):
        own = cause.message.removeprefix(f"{cause.path}: ")
        return InvalidInput(own, path=_join(path, where, cause.path), remedy=cause.remedy)
    unlisted = _ENUM.fullmatch(message)
    if unlisted is not None:
        return _not_in_list(unlisted[1], _allowed(shape, where), _join(path, where))
    for form, words, remedy in _FORMS:
        if form in message:
            return InvalidInput(words, path=_join(path, where), remedy=remedy)
    unknown = _UNKNOWN.fullmatch(message)
    if unknown is not None:
        return _unknown_field(unknown[1], shape, where, path)
    return InvalidInput(
        message[:300], path=_join(path, where), remedy=_remedy(message, shape, where)
    )


def _remedy(message: str, shape: type[Any], where: str) -> str:
    """What to write instead, by what msgspec says it expected."""
    if _NEEDS_TEXT.fullmatch(message):
        return _text_remedy(shape, where)
    absent = _ABSENT.fullmatch(message)
    if absent is not None:
        return f"add the field {absent[1]}"
    for pattern, remedy in _EXPECTED:
        match = pattern.match(message)
        if match is not None:
            return match.expand(remedy)
    return ""


def _text_remedy(shape: type[Any], where: str) -> str:
    """What to write where a number stands for a text: one of the known words, digits in quotes, or any text."""
    found = _at(shape, where)
    if found is not None and (words := _words(found)):
        return f"write one of {', '.join(words)}"
    texts = [one for one in _within(found) if isinstance(one, msgspec.inspect.StrType)]
    if not texts or any((one.pattern or "").startswith(_DIGITS) for one in texts):
        return _DECIMAL
    return "write a text in quotes"


def _unknown_field(name: str, shape: type[Any], where: str, path: str) -> InvalidInput:
    """A field that no request has: the nearest of those that stand at that place, else all of them."""
    known = _fields(shape, where)
    near = get_close_matches(name, known, n=1, cutoff=0.7)
    known_words = f"write one of {', '.join(known)}" if known else ""
    return InvalidInput(
        f"unknown field {name[:60]!r}",
        path=_join(path, where),
        remedy=f"did you mean {near[0]}?" if near else known_words,
    )


def _not_in_list(value: str, allowed: tuple[str, ...], path: str) -> InvalidInput:
    if allowed == COUNTRY_CODES:
        try:
            check_country(value, path=path)
        except InvalidInput as error:
            return error
    words = ", ".join(allowed)
    return InvalidInput(
        f"{value[:40]!r} is none of the known words",
        path=path,
        remedy=f"write one of {words}" if words else "",
    )


def _fields(shape: type[Any], where: str) -> tuple[str, ...]:
    """The names of the fields of the structure at that path."""
    found = _at(shape, where)
    return () if found is None else tuple(field.encode_name for field in _struct(found).fields)


def _allowed(shape: type[Any], where: str) -> tuple[str, ...]:
    """The words that the field at that path may hold."""
    found = _at(shape, where)
    return () if found is None else _words(found)


def _at(shape: type[Any], where: str) -> Any:
    """The type of the field at that path, or None where there is none."""
    found: Any = msgspec.inspect.type_info(shape)
    for name in re.findall(r"\.([A-Za-z_0-9]+)", where):
        fields = {field.encode_name: field.type for field in _struct(found).fields}
        if name not in fields:
            return None
        found = fields[name]
    return found


def _struct(kind: Any) -> Any:
    """The structure inside optional types and lists."""
    for inner in _within(kind):
        if isinstance(inner, msgspec.inspect.StructType):
            return inner
    raise TypeError("a path goes through structures alone")


def _words(kind: Any) -> tuple[str, ...]:
    for inner in _within(kind):
        if isinstance(inner, msgspec.inspect.LiteralType):
            return tuple(str(value) for value in inner.values)
    return ()


def _within(kind: Any) -> list[Any]:
    """The type with what it is made of."""
    if isinstance(kind, msgspec.inspect.UnionType):
        return [found for part in kind.types for found in _within(part)]
    if isinstance(kind, msgspec.inspect.VarTupleType):
        return _within(kind.item_type)
    return [kind]


def _join(*parts: str) -> str:
    """Paths end to end with single points between them."""
    path = ""
    for part in parts:
        if not part:
            continue
        joint = "" if not path or part.startswith(("[", ".")) else "."
        path = f"{path}{joint}{part}" if path else part.lstrip(".")
    return path
