"""What every page of rules is given: the words of its room, shapes for answers and statuses, how values are written."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Request, Response
from litestar.datastructures import State

from sekisho.catalogue import Language, say
from sekisho.model.countries import country_name
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.statements import PackReference
from sekisho.rules.answer_words import missing_in_words
from sekisho.rules.warning_words import warnings_in_words
from sekisho.web.pages import language_for, render_page
from sekisho.web.plane import Plane
from sekisho.web.problems import Problem
from sekisho.web.rules_views import (
    MARKS,
    is_stale,
    say_amount,
    say_deadline,
    say_duty,
    status_form,
)

__all__ = ["DECISION_SHAPES", "Asking", "Page", "day_text", "render_rules"]

Asking = Request[Any, Any, State]
Page = Response[str]
DECISION_SHAPES: Final[Mapping[str, str]] = {
    "permit": "verified",
    "report": "received",
    "licence": "claimed",
    "deny": "contradicted",
    "unsure": "unverifiable",
}
TRUTH_SHAPES: Final[Mapping[str, str]] = {
    "true": "corroborated",
    "false": "idle",
    "unknown": "unverifiable",
    "not in force": "lifted",
    "not asked": "lifted",
}


def render_rules(
    plane: Plane,
    request: Asking,
    template: str,
    part: str,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    **values: Any,
) -> Page:
    """A page of rules in the language that was asked for."""
    language: Language = language_for(plane, request)

    def words(key: str, **named: object) -> str:
        return say(f"law.{key}", language, **named)

    return render_page(
        plane,
        request,
        template,
        status=status,
        look=plane.look(),
        part=part,
        r=words,
        marks=MARKS,
        day=day_text,
        plain=_plain,
        is_stale=is_stale,
        status_form=status_form,
        amount=partial(say_amount, language=language),
        say_deadline=partial(say_deadline, language=language),
        say_duty=partial(say_duty, language=language),
        titled=lambda thing: _chosen(thing, "title", language),
        meaning=lambda thing: _chosen(thing, "means", language),
        lacks=lambda missing: missing_in_words(missing, language),
        doubts=lambda warnings: warnings_in_words(warnings, language),
        duty_of=lambda thing: _chosen(thing, "duty", language),
        country=lambda code: _country(code, language),
        decision_shapes=DECISION_SHAPES,
        truth_shapes=TRUTH_SHAPES,
        pack_address=_pack_address,
        wrong=_wrong,
        **values,
    )


def day_text(at: Instant | None) -> str:
    """A day of law: the date alone where the instant is its first moment."""
    return str(at).removesuffix("T00:00:00Z") if at is not None else ""


def _chosen(thing: Any, name: str, language: Language) -> str:
    """The text of a pack in the person's language, else as the pack has it."""
    japanese = getattr(thing, f"{name}_ja", "") if language == "ja" else ""
    return str(japanese or getattr(thing, name))


def _country(code: str, language: Language) -> str:
    try:
        return country_name(code, language)
    except InvalidInput:
        return code


def _plain(value: Fraction) -> str:
    return f"{float(value):g}"


def _wrong(problem: Problem) -> str:
    """What is wrong, without the place: the page writes that before it."""
    return problem.detail.removeprefix(f"{problem.path}: ") if problem.path else problem.detail


def _pack_address(reference: PackReference) -> str:
    return f"/rules/{reference.name}?" + urlencode({"version": reference.version})
