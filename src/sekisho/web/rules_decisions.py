"""One request judged under several packs on several days, for a page: each answer whole, and why they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from sekisho.rules.requests import ItemAsked, RequestKind, RunRequest, TransferRequest
from sekisho.rules.side_by_side import words_apart
from sekisho.web.plane import Plane
from sekisho.web.problems import problem_of
from sekisho.web.rules_asking import MOST_DATES, When, find_packs, parse_when
from sekisho.web.rules_facts import (
    FactFields,
    Gaps,
    asked_quantities,
    fact_fields,
    find_gaps,
    read_facts,
    weigh_facts,
)
from sekisho.web.rules_forms import (
    ACTIVITIES,
    AUTHORISATIONS,
    END_USES,
    FORMS,
    ORIGINS,
    TABS,
    Fields,
    read_request,
)
from sekisho.web.rules_frame import day_text

__all__ = ["Answered", "Changed", "Day", "answer_form", "blank_form", "judge_days"]

MOST_TRACED: Final = 24
MOST_FIRST: Final = 6
_KINDS: Final[Mapping[str, RequestKind]] = {
    "transfer": "transfer",
    "training-run": "training-run",
}
_EMPTY: Final[Mapping[RequestKind, Request]] = {
    "transfer": TransferRequest(kind="transfer", id="asked-here", item=ItemAsked()),
    "training-run": RunRequest(id="asked-here"),
}


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
    """The whole answer, traced only where it fits on a page; `now` where it is of now since nobody named a day."""

    request: Request
    packs: tuple[Pack, ...]
    days: tuple[Day, ...]
    changes: tuple[Changed, ...]
    now: Instant | None = None

    def day(self, at: Instant) -> str:
        """A day as it was asked for; where nobody asked for one and now counts, the date alone."""
        return str(at)[:10] if at == self.now else day_text(at)

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
    tab = tab if tab in TABS else TABS[0]
    return {
        "tab": tab,
        "tabs": TABS,
        "fields": fields,
        "names": plane.control.rules.names(),
        "chips": [chip.name for chip in known_chips()],
        "countries": COUNTRY_CODES,
        "activities": ACTIVITIES,
        "end_uses": END_USES,
        "item_forms": FORMS,
        "origins": ORIGINS,
        "authorisations": AUTHORISATIONS,
        "gaps": Gaps(),
        "facts": _facts_before(plane, tab, fields),
        "reposted": fields.pairs(),
        "answer": None,
        "problem": None,
        "status": HTTPStatus.OK,
    }


def answer_form(plane: Plane, fields: Fields, language: Language) -> dict[str, Any]:
    """The form as it was sent, with its answer, or with what was wrong and where."""
    form = blank_form(plane, fields.text("form"), fields)
    try:
        when = parse_when("", fields.text("as_of"), fields.text("reading"))
        request, packs = _asked(plane, form["tab"], fields)
        now = plane.control.clock.now()
        days = _days(fields.text("dates"), when.day(request, now))
        answer = judge_days(request, packs, days, when, language)
        answer = msgspec.structs.replace(answer, now=now if days == [now] else None)
    except InvalidInput as error:
        problem = problem_of(error)
        return {**form, "problem": problem, "status": HTTPStatus(problem.status)}
    gaps, facts = _facts_after(form["tab"], answer, when, fields)
    return {**form, "answer": answer, "gaps": gaps, "facts": facts}


def _asked(plane: Plane, tab: str, fields: Fields) -> tuple[Request, tuple[Pack, ...]]:
    """The request and the packs that it is asked of; a form's facts are those that these packs declare."""
    kind = _KINDS.get(tab)
    if kind is None:
        request = read_request(tab, fields, {})
        return request, find_packs(plane, fields.all("pack"), request.kind)
    packs = find_packs(plane, fields.all("pack"), kind)
    return read_request(tab, fields, read_facts(fields, asked_quantities(packs))), packs


def _facts_before(plane: Plane, tab: str, fields: Fields) -> FactFields:
    """The facts of the chosen packs before there is an answer: first what would decide most of an empty request."""
    kind = _KINDS.get(tab)
    if kind is None:
        return FactFields()
    try:
        packs = find_packs(plane, fields.all("pack"), kind)
    except InvalidInput:
        return FactFields()
    quantities = asked_quantities(packs)
    law = (plane.control.clock.now(), None, When().reading)
    first = weigh_facts(_EMPTY[kind], packs, law, quantities) if quantities else ()
    return fact_fields(quantities, first[:MOST_FIRST], fields)


def _facts_after(tab: str, answer: Answered, when: When, fields: Fields) -> tuple[Gaps, FactFields]:
    """What an unsure answer lacks, and the facts with those first; of them first what decides most."""
    if tab not in _KINDS:
        return Gaps(), FactFields()
    gaps = find_gaps(tab, (one for day in answer.days for one in day.side.regimes))
    quantities = asked_quantities(answer.packs)
    lacking = [name for name in quantities if name in gaps.facts]
    law = (answer.days[-1].at, when.as_of, when.reading)
    best = weigh_facts(answer.request, answer.packs, law, lacking) if lacking else ()
    return gaps, fact_fields(quantities, list(dict.fromkeys((*best, *lacking))), fields)


def _days(text: str, default: Instant) -> list[Instant]:
    """The days that were typed, each once and in order."""
    words = text.replace(",", " ").split()
    if len(words) > MOST_DATES:
        raise InvalidInput(f"more than {MOST_DATES} days", path="dates", remedy="name fewer")
    found = {parse_date_or_instant(word, path="dates") for word in words}
    return sorted(found) or [default]
