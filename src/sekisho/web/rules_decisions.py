"""One request judged under several packs on several days, for a page: each answer whole, and why they differ."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from itertools import pairwise
from typing import Any, Final

import msgspec

from sekisho.catalogue import Language
from sekisho.model.chips import known_chips
from sekisho.model.countries import COUNTRY_CODES
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, parse_date_or_instant
from sekisho.rules import (
    Decision,
    Difference,
    Pack,
    Request,
    SideBySide,
    decide_side_by_side,
    explain_difference,
)
from sekisho.rules.side_by_side import words_apart
from sekisho.web.plane import Plane
from sekisho.web.problems import problem_of
from sekisho.web.rules_asking import MOST_DATES, When, find_packs, parse_when
from sekisho.web.rules_forms import (
    ACTIVITIES,
    END_USES,
    FORMS,
    ORIGINS,
    TABS,
    Fields,
    read_request,
)

__all__ = ["Answered", "Changed", "Day", "answer_form", "blank_form", "judge_days"]

MOST_TRACED: Final = 24


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """What every pack says on one day; `conflicts` in the person's language."""

    at: Instant
    side: SideBySide
    conflicts: tuple[str, ...]


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """What changed in one pack from one day to the next, those reasons first that bear on the answer."""

    pack: str
    earlier: Decision
    later: Decision
    differences: tuple[Difference, ...]


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer; `traced` only where it fits on a page."""

    request: Request
    packs: tuple[Pack, ...]
    days: tuple[Day, ...]
    changes: tuple[Changed, ...]

    @property
    def is_traced(self) -> bool:
        return len(self.days) * len(self.packs) <= MOST_TRACED


def judge_days(
    request: Request,
    packs: Sequence[Pack],
    days: Sequence[Instant],
    when: When,
    language: Language,
) -> Answered:
    """Raises InvalidInput for a request that no pack of these can read."""
    sides = [
        Day(
            at=day,
            side=(
                side := decide_side_by_side(request, packs, day, when.as_of, reading=when.reading)
            ),
            conflicts=words_apart(side.regimes, language),
        )
        for day in days
    ]
    changes = [
        Changed(
            pack=earlier.policy.name,
            earlier=earlier,
            later=later,
            differences=explain_difference(earlier, later),
        )
        for one, other in pairwise(sides)
        for earlier, later in zip(one.side.regimes, other.side.regimes, strict=True)
    ]
    return Answered(request=request, packs=tuple(packs), days=tuple(sides), changes=tuple(changes))


def blank_form(plane: Plane, tab: str, fields: Fields) -> dict[str, Any]:
    """The form as it is before anybody asked, or filled as it was sent."""
    return {
        "tab": tab if tab in TABS else TABS[0],
        "tabs": TABS,
        "fields": fields,
        "names": plane.control.rules.names(),
        "chips": [chip.name for chip in known_chips()],
        "countries": COUNTRY_CODES,
        "activities": ACTIVITIES,
        "end_uses": END_USES,
        "item_forms": FORMS,
        "origins": ORIGINS,
        "reposted": fields.pairs(),
        "answer": None,
        "problem": None,
        "status": HTTPStatus.OK,
    }


def answer_form(plane: Plane, fields: Fields, language: Language) -> dict[str, Any]:
    """The form as it was sent, with its answer, or with what was wrong and where."""
    form = blank_form(plane, fields.text("form"), fields)
    try:
        request = read_request(form["tab"], fields)
        when = parse_when("", fields.text("as_of"), fields.text("reading"))
        packs = find_packs(plane, fields.all("pack"), request.kind)
        days = _days(fields.text("dates"), when.day(request, plane.control.clock.now()))
        answer = judge_days(request, packs, days, when, language)
    except InvalidInput as error:
        problem = problem_of(error)
        return {**form, "problem": problem, "status": HTTPStatus(problem.status)}
    return {**form, "answer": answer}


def _days(text: str, default: Instant) -> list[Instant]:
    """The days that were typed, each once and in order."""
    words = text.replace(",", " ").split()
    if len(words) > MOST_DATES:
        raise InvalidInput(f"more than {MOST_DATES} days", path="dates", remedy="name fewer")
    found = {parse_date_or_instant(word, path="dates") for word in words}
    return sorted(found) or [default]
