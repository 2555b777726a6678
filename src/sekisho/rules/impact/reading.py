"""Answers as people and forms write them, read once: by question, in either language, full width or half.

An answers file is JSON: {"format": "sekisho-impact-answers/v1", "answers": {question: answer}, "salt": hex}. An answer
of null is "I do not know"; a question that is left out has not been answered. Both stay unknown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final, Literal

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.wire import canonical, from_json, parse_json, sha256_hex
from sekisho.rules.impact.corporate_number import parse_corporate_number
from sekisho.rules.impact.numerals import format_exact, plain_form, read_amount
from sekisho.rules.impact.places import find_country
from sekisho.rules.impact.question import Answer, Answers, Question
from sekisho.rules.impact.questions import QUESTIONS

__all__ = [
    "ANSWERS_FORMAT",
    "MAX_ANSWERS",
    "UNKNOWN",
    "answers_digest",
    "format_answers",
    "parse_answers",
    "read_answer",
]

ANSWERS_FORMAT: Final = "sekisho-impact-answers/v1"
MAX_ANSWERS: Final = 256 * 1024
_YES: Final = frozenset({"yes", "y", "true", "はい", "有", "あり", "有り", "ある", "する"})
_NO: Final = frozenset({"no", "n", "false", "いいえ", "無", "なし", "無し", "ない", "しない"})
UNKNOWN: Final = frozenset(
    {"?", "unknown", "idon'tknow", "don'tknow", "idonotknow", "分からない", "わからない", "不明"}
)
_PLACE: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_WHOLE: Final = frozenset({"chips", "items", "runs", "shipments", "customers", "FLOP"})
# Above these a figure is a slip of the hand, and nothing of it could be computed within 38 digits.
_MOST: Final[Mapping[str, int]] = {
    "%": 100,
    "chips": 10**9,
    "items": 10**9,
    "hours": 10**7,
    "TFLOP/s": 10**9,
    "runs": 10**6,
    "shipments": 10**6,
    "customers": 10**6,
}
_AT_LEAST_ONE: Final = frozenset({"chip_count", "chips_each", "export_count", "chip_peak"})


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: Literal["sekisho-impact-answers/v1"]
    answers: dict[str, Any]
    salt: str = ""


def parse_answers(data: bytes, path: str) -> Answers:
    """Read an answers file. Raises InvalidInput naming the file and the question."""
    file = from_json(_File, parse_json(data, path=path, limit=MAX_ANSWERS), path=path)
    if not re.fullmatch(r"([0-9a-f]{32})?", file.salt):
        raise InvalidInput("is not 32 hexadecimal digits", path=f"{path}.salt")
    given: dict[str, Answer] = {}
    for name, value in file.answers.items():
        where = f"{path}.answers.{name[:64]}"
        question = QUESTIONS.get(name)
        if question is None:
            raise InvalidInput(
                "is no question of ours",
                path=where,
                remedy="sekisho rules impact --questions lists them",
            )
        given[name] = read_answer(question, value, path=where)
    return Answers(given=given, salt=file.salt)


def format_answers(answers: Answers) -> bytes:
    """The answers file's canonical bytes; what the digest of a statement is over."""
    return canonical(
        {"format": ANSWERS_FORMAT, "answers": dict(answers.given), "salt": answers.salt}
    )


def answers_digest(answers: Answers) -> str:
    """SHA-256 of the canonical answers with their salt."""
    return sha256_hex(format_answers(answers))


def read_answer(question: Question, value: object, *, path: str = "") -> Answer:
    """One answer in the question's own kind; None for "I do not know". Raises InvalidInput with `path`."""
    where = path or question.id
    if value is None or (isinstance(value, str) and plain_form(value) in UNKNOWN):
        return None
    if question.kind in ("choices", "countries"):
        return _read_list(question, value, where)
    if question.kind == "yes-no" and isinstance(value, bool):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and question.kind == "amount":
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise _wrong(question, where)
    return _read_text(question, value, where)


def _read_text(question: Question, text: str, where: str) -> Answer:
    if question.kind == "yes-no":
        word = plain_form(text)
        if word not in _YES | _NO:
            raise _wrong(question, where)
        return word in _YES
    if question.kind == "amount":
        return _read_amount(question, text, where)
    if question.kind == "country":
        return _read_place(text, where, parts=False)
    if question.kind == "choice":
        return _read_option(question, text, where)
    return _read_free(question, text, where)


def _read_list(question: Question, value: object, where: str) -> tuple[str, ...]:
    """Several words, as a list or with commas between; each once, in the order of the options or of the alphabet."""
    parts = re.split(r"[,、，;；\n]", value) if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise _wrong(question, where)
    words = [part for part in parts if part.strip()]
    if not 1 <= len(words) <= question.most:
        raise InvalidInput(f"names {len(words)} of 1 to {question.most}", path=where)
    if question.kind == "choices":
        chosen = {_read_option(question, word, where) for word in words}
        return tuple(option for option in question.options if option in chosen)
    with_parts = question.id == "markets"
    return tuple(sorted({_read_place(word, where, parts=with_parts) for word in words}))


def _read_option(question: Question, text: str, where: str) -> str:
    word = unicodedata.normalize("NFKC", text).strip().casefold()
    if word not in question.options:
        raise _wrong(question, where)
    return word


def _read_place(text: str, where: str, *, parts: bool) -> str:
    """A country by code or name; where `parts` are asked also US-CA and EU. Raises InvalidInput."""
    plain = unicodedata.normalize("NFKC", text).strip()
    code = plain.upper()
    if parts and (code == "EU" or (_PLACE.fullmatch(code) and find_country(code[:2]) is not None)):
        return code
    found = find_country(plain)
    if found is None:
        raise InvalidInput(
            f"{text[:40]!r} is no country",
            path=where,
            remedy="write its two letters (JP) or its name",
        )
    return found


def _read_amount(question: Question, text: str, where: str) -> str:
    value = read_amount(text, question.unit, path=where)
    if question.unit in _WHOLE and value.denominator != 1:
        raise InvalidInput("is not a whole number", path=where)
    if value > _MOST.get(question.unit, 10**38 - 1):
        raise InvalidInput(f"is more than can be, in {question.unit}", path=where)
    if question.id in _AT_LEAST_ONE and value <= 0:
        raise InvalidInput("is less than one", path=where, remedy="answer no above instead")
    return _exact_text(value, where)


def _exact_text(value: Fraction, where: str) -> str:
    text = format_exact(value)
    if Fraction(text) != value:
        raise InvalidInput("has more than six decimals", path=where)
    return text


def _read_free(question: Question, text: str, where: str) -> str:
    """Free text on one line: characters that show nothing or move a cursor are refused, not cleaned away."""
    plain = unicodedata.normalize("NFC", text).strip()
    if len(plain) > question.most:
        raise InvalidInput(f"is longer than {question.most} characters", path=where)
    if not all(character.isprintable() or character == "　" for character in plain):
        raise InvalidInput("holds characters that do not print", path=where)
    if question.id == "corporate_number":
        return parse_corporate_number(plain, path=where)
    return plain


def _wrong(question: Question, where: str) -> InvalidInput:
    options = ", ".join(question.options)
    asked, remedy = {
        "yes-no": ("yes or no", "yes or no"),
        "choice": (f"one of {options}", "one of them"),
        "choices": (f"some of {options}", "a list of them"),
        "amount": (f"an amount in {question.unit}", 'it in quotation marks, such as "12.5"'),
        "country": ("a country", "its two letters (JP) or its name"),
        "countries": ("a list of countries", 'a list, such as ["JP", "EU"]'),
        "text": ("a line of text", "one in quotation marks"),
    }[question.kind]
    return InvalidInput(
        f"is not {asked}", path=where, remedy=f"write {remedy}, or null for: I do not know"
    )
