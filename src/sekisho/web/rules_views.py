"""A rule pack on a date as a page shows it: what counts, where it was read, how sure that is, what is stale. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any as Any_
from typing import Final

import msgspec

from sekisho.catalogue import Language, say
from sekisho.model.instants import Instant
from sekisho.model.wire import to_plain
from sekisho.rules import Pack, Parameter, Rule
from sekisho.rules.acting import is_acting
from sekisho.rules.answer_words import event_in_words
from sekisho.rules.pack import (
    All,
    AmountLimb,
    Any,
    Condition,
    Dated,
    DatedCondition,
    DatedSet,
    DatedValue,
    Deadline,
    Definition,
    DefinitionLimb,
    Duty,
    FlagLimb,
    LicenceException,
    Not,
    PlaceLimb,
    PlaceSet,
    Reading,
    Status,
    WordLimb,
)
from sekisho.web.rules_timeline import Axis, Band, Steps, axis_of, bands_of, form_of, steps_of

__all__ = [
    "MARKS",
    "DefinitionRow",
    "ExceptionRow",
    "Line",
    "PackView",
    "ParameterRow",
    "RuleRow",
    "SetRow",
    "is_stale",
    "pack_document",
    "say_amount",
    "say_deadline",
    "say_duty",
    "status_form",
    "view_pack",
]

MARKS: Final = ("P", "S", "R", "D", "O")
_SHAPES: Final = {
    "acts": "verified",
    "stands": "claimed",
    "comes": "issued",
    "rests": "silent",
    "gone": "idle",
}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a condition: how deep it stands, and what it says."""

    depth: int
    text: str


class RuleRow(msgspec.Struct, frozen=True, kw_only=True):
    """A rule: the status that counts, whether it acts under the reading, its condition, its years."""

    rule: Rule
    status: Status | None
    acts: bool
    lines: tuple[Line, ...]
    bands: tuple[Band, ...]


class ParameterRow(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter: the value that counts, and its years."""

    parameter: Parameter
    now: DatedValue | None
    steps: Steps


class SetRow(msgspec.Struct, frozen=True, kw_only=True):
    """A set of countries: who belongs to it on the date."""

    places: PlaceSet
    now: DatedSet | None
    members: tuple[str, ...]


class DefinitionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A definition: what it asks on the date."""

    definition: Definition
    now: DatedCondition | None
    lines: tuple[Line, ...]


class ExceptionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A licence exception: its status, and each eligibility condition with what it asks."""

    exception: LicenceException
    status: Status | None
    acts: bool
    eligibility: tuple[tuple[str, tuple[Line, ...]], ...]


class PackView(msgspec.Struct, frozen=True, kw_only=True):
    """All of a pack on one date."""

    pack: Pack
    at: Instant
    as_of: Instant | None
    reading: Reading
    axis: Axis
    rules: tuple[RuleRow, ...]
    parameters: tuple[ParameterRow, ...]
    sets: tuple[SetRow, ...]
    definitions: tuple[DefinitionRow, ...]
    exceptions: tuple[ExceptionRow, ...]


def view_pack(
    pack: Pack,
    when: tuple[Instant, Instant | None, Reading],
    now: Instant,
    language: Language,
) -> PackView:
    """What a pack says at an instant, as known at another, under a reading."""
    at, as_of, reading = when
    axis = axis_of(pack, at, now)
    return PackView(
        pack=pack,
        at=at,
        as_of=as_of,
        reading=reading,
        axis=axis,
        rules=tuple(_rule_row(rule, axis, when, language) for rule in pack.rules),
        parameters=tuple(
            ParameterRow(
                parameter=one, now=one.at(at, as_of), steps=steps_of(one.values, axis, as_of)
            )
            for one in pack.parameters.values()
        ),
        sets=tuple(_set_row(one, at, as_of) for one in pack.sets.values()),
        definitions=tuple(
            _definition_row(one, at, as_of, language) for one in pack.definitions.values()
        ),
        exceptions=tuple(_exception_row(one, when, language) for one in pack.exceptions),
    )


def is_stale(entry: Dated, now: Instant) -> bool:
    """Whether somebody should have looked at it again by now."""
    return entry.review_by is not None and entry.review_by <= now


def status_form(status: Status | None) -> str:
    """The shape and colour of a status badge."""
    if status is None:
        return "unverifiable"
    return _SHAPES[form_of(status)]


def say_amount(value: int | Fraction | None, unit: str, language: Language) -> str:
    """A value exactly, with its unit: powers of ten where they are shorter, decimals where they end."""
    if value is None:
        return say("law.value.ended", language)
    if value.denominator == 1:
        return f"{_whole(value.numerator)} {unit}".rstrip()
    scaled = Fraction(value) * 10**6
    if scaled.denominator != 1:
        return f"{value.numerator}/{value.denominator} {unit}".rstrip()
    whole, part = divmod(scaled.numerator, 10**6)
    return f"{whole:,}.{part:06d}".rstrip("0") + (f" {unit}" if unit else "")


def _whole(value: int) -> str:
    zeros = len(str(value)) - len(str(value).rstrip("0"))
    if abs(value) < 10**9 or zeros < len(str(value)) // 2:
        return f"{value:,}"
    mantissa = value // 10**zeros
    # 12 x 10^25 reads worse than 1.2 x 10^26.
    digits = str(mantissa)
    exponent = zeros + len(digits) - 1
    if digits == "1":
        return f"10^{exponent}"
    return f"{digits[0]}{'.' if len(digits) > 1 else ''}{digits[1:]} × 10^{exponent}"


def say_deadline(deadline: Deadline | None, language: Language) -> str:
    """Until when a duty is to be done; empty where nothing is said."""
    if deadline is None:
        return ""
    if deadline.each_year_on:
        return say("law.deadline.each-year", language, days=", ".join(deadline.each_year_on))
    unit, count = (
        ("days", deadline.days) if deadline.days is not None else ("hours", deadline.hours)
    )
    key = f"law.deadline.{unit if count else 'at-once'}.{deadline.direction}"
    return say(key, language, count=count, event=event_in_words(deadline.event, language))


def say_duty(duty: Duty, language: Language) -> str:
    """What is to be done, in the person's language where the pack has it."""
    return duty.what_ja if language == "ja" and duty.what_ja else duty.what


def _rule_row(
    rule: Rule, axis: Axis, when: tuple[Instant, Instant | None, Reading], language: Language
) -> RuleRow:
    at, as_of, reading = when
    status = rule.status_at(at, as_of)
    return RuleRow(
        rule=rule,
        status=status,
        acts=is_acting(status, reading),
        lines=tuple(_lines(rule.when, language)),
        bands=bands_of(rule.statuses, axis, as_of),
    )


def _set_row(places: PlaceSet, at: Instant, as_of: Instant | None) -> SetRow:
    now = places.at(at, as_of)
    members = tuple(sorted(now.members)) if now is not None and now.members is not None else ()
    return SetRow(places=places, now=now, members=members)


def _definition_row(
    definition: Definition, at: Instant, as_of: Instant | None, language: Language
) -> DefinitionRow:
    now = definition.at(at, as_of)
    when = now.when if now is not None else None
    lines = tuple(_lines(when, language)) if when is not None else ()
    return DefinitionRow(definition=definition, now=now, lines=lines)


def _exception_row(
    exception: LicenceException,
    when: tuple[Instant, Instant | None, Reading],
    language: Language,
) -> ExceptionRow:
    at, as_of, reading = when
    status = exception.status_at(at, as_of)
    return ExceptionRow(
        exception=exception,
        status=status,
        acts=is_acting(status, reading),
        eligibility=tuple(
            (
                one.says_ja if language == "ja" and one.says_ja else one.says,
                tuple(_lines(one.when, language)),
            )
            for one in exception.eligibility
        ),
    )


def _lines(condition: Condition, language: Language, depth: int = 0) -> Iterator[Line]:
    if isinstance(condition, All | Any):
        word = "all" if isinstance(condition, All) else "any"
        yield Line(depth=depth, text=say(f"law.when.{word}", language))
        yield from _parts(condition.parts, language, depth + 1)
    elif isinstance(condition, Not):
        yield Line(depth=depth, text=say("law.when.not", language))
        yield from _lines(condition.part, language, depth + 1)
    else:
        yield Line(depth=depth, text=_limb(condition, language))


def _parts(parts: Sequence[Condition], language: Language, depth: int) -> Iterator[Line]:
    for part in parts:
        yield from _lines(part, language, depth)


def _limb(
    limb: AmountLimb | FlagLimb | PlaceLimb | WordLimb | DefinitionLimb, language: Language
) -> str:
    if isinstance(limb, AmountLimb):
        other = limb.parameter or say_amount(limb.value, limb.unit, language)
        return f"{limb.quantity} {limb.op} {other}"
    if isinstance(limb, FlagLimb):
        return say(f"law.when.flag.{'yes' if limb.value else 'no'}", language, name=limb.quantity)
    if isinstance(limb, DefinitionLimb):
        key = f"law.when.flag.{'yes' if limb.value else 'no'}"
        return say(key, language, name=limb.definition)
    if isinstance(limb, WordLimb):
        return say("law.when.any-of", language, name=limb.quantity, values=", ".join(limb.words))
    values = limb.place_set or ", ".join(limb.places)
    return say(f"law.when.{limb.op}", language, name=limb.quantity, values=values)


def pack_document(pack: Pack, at: Instant, as_of: Instant | None) -> dict[str, Any_]:
    """What a pack says on a date, as JSON: every value with its source and mark, every rule with its status."""
    return {
        "policy": to_plain(pack.reference),
        "title": pack.title,
        "title_ja": pack.title_ja,
        "note": pack.note,
        "standing": pack.standing,
        "jurisdiction": pack.jurisdiction,
        "over": [to_plain(base) for base in pack.over],
        "at": str(at),
        "as_of": str(as_of) if as_of is not None else None,
        "sources": {name: to_plain(source) for name, source in pack.sources.items()},
        "parameters": [_parameter_document(one, at, as_of) for one in pack.parameters.values()],
        "sets": [_set_document(_set_row(one, at, as_of)) for one in pack.sets.values()],
        "rules": [_standing_document(one, at, as_of) for one in pack.rules],
        "exceptions": [_standing_document(one, at, as_of) for one in pack.exceptions],
    }


def _parameter_document(
    parameter: Parameter, at: Instant, as_of: Instant | None
) -> dict[str, Any_]:
    now = parameter.at(at, as_of)
    value = now.value if now is not None else None
    return {
        "name": parameter.name,
        "unit": parameter.unit,
        "means": parameter.means,
        "value": None if value is None else str(value),
        **_cited(now),
    }


def _set_document(row: SetRow) -> dict[str, Any_]:
    members = list(row.members) if row.now is not None else None
    return {
        "name": row.places.name,
        "means": row.places.means,
        "members": members,
        **_cited(row.now),
    }


def _standing_document(
    row: Rule | LicenceException, at: Instant, as_of: Instant | None
) -> dict[str, Any_]:
    status = row.status_at(at, as_of)
    told: dict[str, Any_] = {
        "id": row.id,
        "cite": row.cite,
        "status": status.word if status is not None else None,
        "acts": is_acting(status, "enforced"),
        **_cited(status),
    }
    if isinstance(row, Rule):
        return {
            **told,
            "outcome": row.outcome,
            "kinds": list(row.kinds),
            "binding": row.binding,
            "duty": row.duty,
            "duty_ja": row.duty_ja,
        }
    return {**told, "title": row.title, "title_ja": row.title_ja, "lifts": list(row.lifts)}


def _cited(entry: Dated | None) -> dict[str, Any_]:
    """Where an entry was read, how sure that is, and when somebody should look again."""
    if entry is None:
        return {"source": "", "mark": "", "review_by": None}
    review_by = str(entry.review_by) if entry.review_by is not None else None
    return {"source": f"{entry.source}, {entry.cite}", "mark": entry.mark, "review_by": review_by}
