"""The questionnaire opens only what matters."""

from __future__ import annotations

import pytest

from sekisho.catalogue import MESSAGES
from sekisho.rules.impact import (
    QUESTIONS,
    SECTIONS,
    Answer,
    next_questions,
    open_questions,
    progress,
    question_document,
)
from tests.rules.impact.companies import exporter, host, maker, provider


def ids(answers: dict[str, Answer]) -> set[str]:
    return {question.id for question in open_questions(answers)}


def test_it_begins_with_the_company() -> None:
    """A section at a time."""
    assert {question.section for question in next_questions({})} == {"company"}
    assert progress({}).section == "company"
    assert progress({}).answered == 0


def test_who_uses_services_only_is_asked_about_no_chip() -> None:
    """Nor for anything else that an answer of no has closed."""
    quiet = maker(use="services")
    assert not ids(quiet) & {"chip", "hours", "base_flop", "export_to", "cloud_in", "users_in"}
    assert len(ids(quiet)) <= 16


@pytest.mark.parametrize(
    ("answers", "opened"),
    [
        (maker(), {"chip", "hours", "base_flop", "cloud", "runs_a_year"}),
        (maker(use="train"), {"chip", "hours", "markets"}),
        (exporter(), {"export_to", "chips_each", "end_user_headquarters", "shipments_a_year"}),
        (provider(), {"cloud_in", "customers_headquarters", "customers"}),
        (host(), {"users_in", "user_class"}),
    ],
)
def test_what_a_company_does_opens_its_questions(
    answers: dict[str, Answer], opened: set[str]
) -> None:
    """Each activity its own."""
    assert opened <= ids(answers)


def test_i_do_not_know_opens_nothing_and_counts_as_answered() -> None:
    """What would have opened stays unknown."""
    unsure = maker(exports=None)
    assert "export_to" not in ids(unsure)
    assert "exports" not in {question.id for question in next_questions(unsure)}


def test_a_chip_that_no_table_has_is_asked_for_its_peak() -> None:
    """And for where it was designed; one of the table is not."""
    assert {"chip_peak", "chip_designed_in"} <= ids(maker(chip="Example X1"))
    assert not {"chip_peak", "chip_designed_in"} & ids(maker())


def test_progress_ends_where_everything_is_answered() -> None:
    """Optional questions are asked too."""
    answers: dict[str, Answer] = {}
    steps = 0
    while asked := next_questions(answers):
        for question in asked:
            answers[question.id] = None
        steps += 1
    assert progress(answers).done
    assert progress(answers).answered == progress(answers).open
    assert steps <= len(SECTIONS)


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=list(QUESTIONS))
def test_every_question_has_its_words_and_comes_after_what_opens_it(question: object) -> None:
    """In both languages: the question, why it is asked, every option, the unit."""
    one = QUESTIONS[question.id]  # type: ignore[attr-defined]  # a question, as parametrized
    order = list(QUESTIONS)
    keys = [one.ask_key, one.why_key, *(one.option_key(value) for value in one.options)]
    keys += [f"impact.unit.{one.unit}"] if one.unit else []
    keys.append(f"impact.section.{one.section}")
    assert set(keys) <= set(MESSAGES)
    assert all(order.index(part.question) < order.index(one.id) for part in one.when)
    assert question_document(one, "ja")["ask"] == MESSAGES[one.ask_key][1]


def test_no_words_are_left_of_a_question_that_went() -> None:
    """The catalogue asks nothing that the questionnaire does not."""
    asked = {key.split(".")[2] for key in MESSAGES if key.startswith("impact.ask.")}
    assert asked == set(QUESTIONS)
