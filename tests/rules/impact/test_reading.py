"""Answers read once, strictly, in either language."""

from __future__ import annotations

import json

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.rules.impact import (
    QUESTIONS,
    Answer,
    Answers,
    answers_digest,
    format_answers,
    parse_answers,
    read_answer,
)
from tests.rules.impact.companies import SALT, exporter, host, maker, provider


def file_of(**answers: object) -> bytes:
    return json.dumps({"format": "sekisho-impact-answers/v1", "answers": answers}).encode()


@pytest.mark.parametrize(
    ("question", "written", "answer"),
    [
        ("exports", "はい", True),
        ("exports", "NO", False),
        ("exports", False, False),
        ("exports", "分からない", None),
        ("exports", "I don't know", None),
        ("exports", None, None),
        ("country", "日本", "JP"),
        ("country", "ｊｐ", "JP"),
        ("country", "Germany", "DE"),
        ("markets", "日本、EU, US-CA", ("EU", "JP", "US-CA")),
        ("markets", ["JP", "jp"], ("JP",)),
        ("purpose", "training, commercial", ("commercial", "training")),
        ("use", "Fine-Tune", "fine-tune"),
        ("chip_count", 8, "8"),
        ("chip_count", "１６枚", "16"),
        ("hours", "30日", "720"),
        ("utilisation", "37.5%", "37.5"),
        ("name", "  桜部品㈱ ", "桜部品㈱"),
        ("corporate_number", "７１２３４５６７８９０１２", "7123456789012"),
    ],
)
def test_an_answer_is_read_in_its_question_s_kind(
    question: str, written: object, answer: Answer
) -> None:
    """Both languages, either width, and not knowing."""
    assert read_answer(QUESTIONS[question], written) == answer


@pytest.mark.parametrize(
    ("question", "written"),
    [
        ("exports", "perhaps"),
        ("exports", 1),
        ("country", "Atlantis"),
        ("country", "EU"),
        ("markets", []),
        ("markets", "XX"),
        ("markets", [7]),
        ("purpose", "gaming"),
        ("use", ""),
        ("chip_count", "0"),
        ("chip_count", "1.5"),
        ("chip_count", True),
        ("chip_count", -8),
        ("utilisation", "101"),
        ("hours", "99999年"),
        ("chip_peak", "0.0000001"),
        ("base_flop", "1e39"),
        ("name", "x" * 201),
        ("name", "a\x1b[2Jb"),
        ("name", "a\u202eb"),
        ("corporate_number", "7123456789013"),
        ("export_to", ["JP"] * 41),
    ],
)
def test_what_is_no_answer_is_refused_by_its_path(question: str, written: object) -> None:
    """Never cleaned into something that the person did not write."""
    with pytest.raises(InvalidInput) as refused:
        parse_answers(file_of(**{question: written}), "f.json")
    assert refused.value.path == f"f.json.answers.{question}"


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"{}",
        b"",
        b'{"format":"other","answers":{}}',
        b'{"format":"sekisho-impact-answers/v1","answers":{"a":1}}',
    ],
)
def test_a_file_of_another_form_is_refused_by_name(data: bytes) -> None:
    """A question that does not exist may be a misspelt one."""
    with pytest.raises(InvalidInput, match=r"f\.json"):
        parse_answers(data, "f.json")


@pytest.mark.parametrize("given", [maker(), exporter(), provider(), host()])
def test_answers_go_there_and_back(given: dict[str, Answer]) -> None:
    """Canonical bytes, read again to the same answers."""
    answers = Answers(given=given, salt=SALT)
    assert parse_answers(format_answers(answers), "f") == answers


def test_the_salt_and_every_answer_change_the_digest() -> None:
    """Few answers are easily guessed, so the digest is salted."""
    first = Answers(given=maker(), salt=SALT)
    assert answers_digest(first) != answers_digest(Answers(given=maker(), salt="00" * 16))
    assert answers_digest(first) != answers_digest(Answers(given=maker(exports=None), salt=SALT))


def test_a_salt_of_another_form_is_refused() -> None:
    """32 hexadecimal digits or none."""
    document = {"format": "sekisho-impact-answers/v1", "answers": {}, "salt": "xyz"}
    with pytest.raises(InvalidInput, match="32 hexadecimal"):
        parse_answers(json.dumps(document).encode(), "f")
