"""The questionnaire of the console (影響診断): one section a page, and the answer as a sheet.

Nothing is kept here: the answers travel in the form itself, as the canonical answers file that the command line reads
and writes, and are read strictly again with every step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec

from sekisho.app.impact import draw_salt, print_paper
from sekisho.catalogue import Language, say
from sekisho.model.chips import known_chips
from sekisho.model.countries import COUNTRY_CODES
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.sheets import Heading, Part, Sheet, Text
from sekisho.model.statements import make_payload
from sekisho.rules import Pack
from sekisho.rules.impact import (
    MAX_ANSWERS,
    QUESTIONS,
    SECTIONS,
    Answer,
    Answers,
    Impact,
    Question,
    answer_text,
    assess,
    declaration,
    format_answers,
    letter,
    next_questions,
    open_questions,
    parse_answers,
    progress,
    read_answer,
    state_impact,
)
from sekisho.signing import PublicKey
from sekisho.web.plane import Plane
from sekisho.web.problems import problem_of
from sekisho.web.rules_asking import parse_when, require_pack
from sekisho.web.rules_forms import Fields

__all__ = [
    "MAX_FORM",
    "Told",
    "draft_statement",
    "impact_page",
    "packs_at_hand",
    "packs_left_out",
    "print_declaration",
    "print_letter",
    "read_told",
]

MAX_FORM: Final = 2 * MAX_ANSWERS
DOWNLOADS: Final = ("letter.pdf", "declaration.pdf", "answers.json")
_FIELD: Final = "q-"
_CHIPS: Final = tuple(chip.name for chip in known_chips())


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a form told: the answers so far, the date of the law, and what the person wants next."""

    answers: Answers
    at: Instant | None = None
    at_text: str = ""
    step: str = "next"


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a sheet under one heading."""

    heading: str = ""
    parts: tuple[Part, ...] = ()


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question on a page, with what stands in its field."""

    question: Question
    values: tuple[str, ...] = ()
    is_unknown: bool = False
    problem: str = ""
    remedy: str = ""


def read_told(fields: Fields) -> Told:
    """The answers that travelled with the form. Raises InvalidInput where they are no answers file."""
    text = fields.text("answers")
    answers = (
        parse_answers(text.encode(), "answers") if text else Answers(given={}, salt=draw_salt())
    )
    at = parse_when(fields.text("at"), "", "").at
    return Told(
        answers=answers, at=at, at_text=fields.text("at"), step=fields.text("step") or "next"
    )


def packs_at_hand(plane: Plane) -> tuple[Pack, ...]:
    """Law, orders, drafts and reforms, each by the version that counts here; a regime's own policy is not asked."""
    found = []
    for name in plane.control.rules.names():
        try:
            found.append(require_pack(plane, name))
        except InvalidInput:
            continue  # published without its bytes: `packs_left_out` names it
    return tuple(pack for pack in found if pack.standing != "policy")


def packs_left_out(plane: Plane) -> tuple[str, ...]:
    """What counts here but cannot be asked: published in this log, and its bytes missing or not to be read."""
    known = plane.control.rules.packs(plane.control.clock.now())
    return tuple(
        f"{row.reference.name} {row.reference.version}"
        for row in known
        if row.counts and row.pack is None
    )


def impact_page(plane: Plane, fields: Fields, language: Language) -> dict[str, Any]:
    """The next section, the one to be changed, or where nothing is left (or nothing more is wanted) the answer."""
    try:
        told = read_told(fields)
    except InvalidInput as error:
        problem = problem_of(error)
        blank = _page(plane, Told(answers=Answers(given={})), _asked_next({}), language)
        return {**blank, "problem": problem, "status": HTTPStatus(problem.status)}
    told, wrong = _take(told, fields)
    if wrong:
        page = _page(plane, told, wrong, language)
        return {**page, "status": HTTPStatus.UNPROCESSABLE_ENTITY}
    given = told.answers.given
    if told.step.startswith("change:"):
        return _page(plane, told, _asked_again(told.step.removeprefix("change:"), given), language)
    if fields.values and (told.step == "finish" or progress(given).done):
        return _page(plane, told, (), language)
    return _page(plane, told, _asked_next(given), language)


def _take(told: Told, fields: Fields) -> tuple[Told, tuple[Asked, ...]]:
    """The answers with those of this page; the page again, with what is wrong, where one cannot be read."""
    given, asked, wrong = dict(told.answers.given), [], False
    for name in fields.all("asked"):
        question = QUESTIONS.get(name)
        if question is None:
            continue
        values = fields.all(f"{_FIELD}{name}")
        unknown = bool(fields.text(f"unknown-{name}"))
        row = Asked(question=question, values=values, is_unknown=unknown)
        try:
            given[name] = _answer(question, values, is_unknown=unknown)
        except InvalidInput as error:
            message = error.message.removeprefix(f"{error.path}: ")
            row = msgspec.structs.replace(row, problem=message, remedy=error.remedy)
            wrong = True
        asked.append(row)
    if wrong:
        return told, tuple(asked)
    answers = msgspec.structs.replace(told.answers, given=_open_only(given))
    return msgspec.structs.replace(told, answers=answers), ()


def _answer(question: Question, values: tuple[str, ...], *, is_unknown: bool) -> Answer:
    """What is left empty is not known: never no, never nought."""
    if is_unknown or not values:
        return None
    value = list(values) if question.kind == "choices" else values[0]
    return read_answer(question, value)


def _open_only(given: Mapping[str, Answer]) -> dict[str, Answer]:
    """Answers to questions that a changed answer closed again fall away."""
    opened = {question.id for question in open_questions(given)}
    return {name: answer for name, answer in given.items() if name in opened}


def _asked_next(given: Mapping[str, Answer]) -> tuple[Asked, ...]:
    return tuple(_asked(question, given) for question in next_questions(given))


def _asked_again(section: str, given: Mapping[str, Answer]) -> tuple[Asked, ...]:
    return tuple(
        _asked(question, given) for question in open_questions(given) if question.section == section
    )


def _asked(question: Question, given: Mapping[str, Answer]) -> Asked:
    answer = given.get(question.id)
    if isinstance(answer, bool):
        return Asked(question=question, values=("yes" if answer else "no",))
    if isinstance(answer, tuple):
        joined = answer if question.kind == "choices" else (", ".join(answer),)
        return Asked(question=question, values=joined)
    values = (answer,) if answer is not None else ()
    return Asked(question=question, values=values, is_unknown=question.id in given and not values)


def _page(plane: Plane, told: Told, asked: Sequence[Asked], language: Language) -> dict[str, Any]:
    given = told.answers.given
    impact = sheet = None
    if not asked:
        impact = _impact(plane, told)
        sheet = _warned(plane, letter(impact, given, language), language)
    return {
        "told": told,
        "carried": format_answers(told.answers).decode(),
        "asked": asked,
        "section": asked[0].question.section if asked else "",
        "sections": SECTIONS,
        "progress": progress(given),
        "answered": _answered(given, language),
        "impact": impact,
        "sheet": sheet,
        "groups": groups_of,
        "downloads": DOWNLOADS,
        "reposted": [
            ("answers", format_answers(told.answers).decode()),
            ("at", told.at_text),
            ("step", told.step),
        ],
        "countries": COUNTRY_CODES,
        "chips": _CHIPS,
        "i": lambda key, **named: say(f"impact.{key}", language, **named),
        "problem": None,
        "status": HTTPStatus.OK,
    }


def _answered(given: Mapping[str, Answer], language: Language) -> list[tuple[str, list[Any]]]:
    """By section what was answered so far, in words, for the summary beside the form."""
    found: dict[str, list[Any]] = {}
    for question in open_questions(given):
        if question.id in given:
            told = answer_text(question, given[question.id], language)
            found.setdefault(question.section, []).append((question, told))
    return list(found.items())


def print_letter(plane: Plane, told: Told, language: Language) -> bytes:
    """The whole answer on paper. Raises Unavailable where printing is not installed."""
    sheet = letter(_impact(plane, told), told.answers.given, language)
    return print_paper(_warned(plane, sheet, language))


def _warned(plane: Plane, sheet: Sheet, language: Language) -> Sheet:
    """The sheet, above all else with the packs that should have been asked and were not."""
    left_out = packs_left_out(plane)
    if not left_out:
        return sheet
    words = say("law.impact.left-out", language, packs=", ".join(left_out))
    return msgspec.structs.replace(sheet, parts=(Text(words, "bad"), *sheet.parts))


def print_declaration(plane: Plane, told: Told, language: Language) -> bytes:
    """The one-page self-declaration. Raises Unavailable where printing is not installed."""
    return print_paper(declaration(_impact(plane, told), told.answers.given, language))


def draft_statement(plane: Plane, told: Told, public: str) -> bytes:
    """The payload that the company signs with its own key. Raises InvalidInput where `public` is no key."""
    if not public:
        raise InvalidInput(
            "is missing", path="public", remedy="paste the public key that will sign, in base64"
        )
    key = PublicKey.from_text(public, path="public")
    packs = packs_at_hand(plane)
    return make_payload(state_impact(_impact(plane, told), told.answers, packs, key))


def _impact(plane: Plane, told: Told) -> Impact:
    at = told.at or plane.control.clock.now()
    return assess(told.answers.given, packs_at_hand(plane), at)


def groups_of(sheet: Sheet) -> tuple[Group, ...]:
    """The sheet's parts under their headings; what stands before the first has none."""
    groups = [Group()]
    for part in sheet.parts:
        if isinstance(part, Heading):
            groups.append(Group(heading=part.text))
        else:
            groups[-1] = msgspec.structs.replace(groups[-1], parts=(*groups[-1].parts, part))
    return tuple(groups)
