"""The licence load: how many applications each side asks for, the officers and the hours that they take.

A population is taken as a year's requests. Hours are assumptions of the pack (mark O unless it says otherwise), of
the duties that come with each shipment, run, model or site; what is owed once for a customer, or by the month or the
year, is not in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final

import msgspec

from sekisho.model.instants import Instant
from sekisho.rules.answer import DecisionWord
from sekisho.rules.pack import Duty, Mark, Pack
from sekisho.rules.what_if.sides import Side

__all__ = [
    "OFFICER_PARAMETER",
    "PER_REQUEST",
    "Load",
    "LoadSide",
    "Officers",
    "by_answer",
    "load_of",
]

OFFICER_PARAMETER: Final = "licences-per-officer-year"
"""The parameter of a pack that says how many applications one officer settles in a year."""
PER_REQUEST: Final = frozenset({"shipment", "run", "model", "site"})
"""What comes with each request. A customer's or a year's duties come once for many, so they are left out."""


class Officers(msgspec.Struct, frozen=True, kw_only=True):
    """Officers needed if each settles so many applications a year, as the pack states it."""

    needed: str
    licences_per_officer_year: str
    source: str
    mark: Mark


class LoadSide(msgspec.Struct, frozen=True, kw_only=True):
    """One side's load. `open` may be applications too: those whose answer is unsure.

    `hours` are those of the duties that come with each request, over all requests that are not unsure; None where no
    rule that bears states any. `hours_marks` are the marks of what was assumed. `unstated` counts requests with a
    duty whose hours the pack does not state.
    """

    applications: int
    open: int
    reports: int
    denials: int
    hours: str | None
    hours_marks: tuple[Mark, ...]
    unstated: int
    officers: Officers | None


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides, and how many applications B has more (negative: fewer)."""

    a: LoadSide
    b: LoadSide
    more_applications: int


def load_of(
    sides: tuple[Side, Side],
    answered: tuple[Mapping[tuple[DecisionWord, tuple[str, ...]], int], ...],
) -> Load:
    """From how often each answer with its rules was given under A and under B."""
    a, b = (_side(side, counts) for side, counts in zip(sides, answered, strict=True))
    return Load(a=a, b=b, more_applications=b.applications - a.applications)


def _side(side: Side, answered: Mapping[tuple[DecisionWord, tuple[str, ...]], int]) -> LoadSide:
    words: dict[DecisionWord, int] = {}
    for (word, _), count in answered.items():
        words[word] = words.get(word, 0) + count
    hours, marks, unstated = _hours(side.pack, answered)
    applications = words.get("licence", 0)
    return LoadSide(
        applications=applications,
        open=words.get("unsure", 0),
        reports=words.get("report", 0),
        denials=words.get("deny", 0),
        hours=None if hours is None else _decimal(hours),
        hours_marks=tuple(sorted(marks)),
        unstated=unstated,
        officers=_officers(side, applications),
    )


class _Effort(msgspec.Struct, frozen=True):
    """What one request asks of its filer: hours, their marks, whether a duty lacks them."""

    hours: Fraction
    marks: frozenset[Mark]
    lacks: bool


def _hours(
    pack: Pack, answered: Mapping[tuple[DecisionWord, tuple[str, ...]], int]
) -> tuple[Fraction | None, set[Mark], int]:
    """The hours of all requests, the marks they carry, and how many requests have a duty without hours."""
    total, marks, unstated = Fraction(0), set[Mark](), 0
    for (word, names), count in answered.items():
        effort = _effort(_owed(pack, word, names))
        total += effort.hours * count
        marks |= effort.marks
        unstated += count if effort.lacks else 0
    return (total if marks else None), marks, unstated


def _owed(pack: Pack, word: DecisionWord, names: tuple[str, ...]) -> list[Duty]:
    """The duties of one answer: of its rules, or the notices of the easiest exception that lifted the licence."""
    counting = {"report": ("report",), "licence": ("report", "licence")}.get(word, ())
    rules = [rule for rule in pack.rules if rule.id in names and rule.outcome in counting]
    owed = [duty for rule in rules for duty in rule.duties]
    lifting = [one.notices for one in pack.exceptions if one.id in names]
    if word == "report" and lifting:
        owed += min(lifting, key=lambda notices: _effort(notices).hours)
    return owed


def _effort(duties: Iterable[Duty]) -> _Effort:
    """A duty of one name is done once for a request, however many rules ask for it."""
    each: dict[str, Duty] = {}
    for duty in duties:
        if duty.per in PER_REQUEST:
            known = each.get(duty.id)
            each[duty.id] = duty if known is None or _more(duty, known) else known
    stated = [duty.hours for duty in each.values() if duty.hours is not None]
    marks = frozenset(duty.hours_mark for duty in each.values() if duty.hours is not None)
    return _Effort(sum(stated, Fraction(0)), marks, len(stated) < len(each))


def _more(duty: Duty, known: Duty) -> bool:
    return (duty.hours or 0) > (known.hours or 0)


def _officers(side: Side, applications: int) -> Officers | None:
    parameter = side.pack.parameters.get(OFFICER_PARAMETER)
    at: Instant = side.at if side.at is not None else side.now
    dated = parameter.at(at, side.as_of) if parameter is not None else None
    if dated is None or not dated.value:
        return None
    each = Fraction(dated.value)
    return Officers(
        needed=_decimal(applications / each),
        licences_per_officer_year=_decimal(each),
        source=f"{dated.source}, {dated.cite}",
        mark=dated.mark,
    )


def _decimal(value: Fraction) -> str:
    """One decimal place, rounded up so that no load looks smaller than it is; whole where it is whole."""
    tenths = -(-value.numerator * 10 // value.denominator)
    return str(tenths // 10) if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10}"


def by_answer(
    pairs: Iterable[tuple[DecisionWord, tuple[str, ...], int]],
) -> dict[tuple[DecisionWord, tuple[str, ...]], int]:
    """How often each answer with its rules was given on one side."""
    found: dict[tuple[DecisionWord, tuple[str, ...]], int] = {}
    for word, rules, count in pairs:
        found[word, rules] = found.get((word, rules), 0) + count
    return found
