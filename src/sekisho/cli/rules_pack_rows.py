"""What a pack says on a date, as data: thresholds, sets, definitions, rules and exceptions with their histories."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sekisho.model.instants import Instant
    from sekisho.rules.pack import Dated, LicenceException, Pack, Parameter, PlaceSet, Rule, Status

__all__ = ["amount_text", "pack_rows"]


def pack_rows(pack: Pack, at: Instant) -> dict[str, object]:
    """The document of `rules show`."""
    from sekisho.model.wire import to_plain

    coverage = pack.coverage
    return {
        "policy": to_plain(pack.reference),
        "title": pack.title,
        "title_ja": pack.title_ja,
        "note": pack.note,
        "standing": pack.standing,
        "jurisdiction": pack.jurisdiction,
        "coverage": {"from": str(coverage.start), "until": _day(coverage.until)}
        if coverage is not None
        else None,
        "over": [to_plain(reference) for reference in pack.over],
        "at": str(at),
        "sources": {name: to_plain(source) for name, source in pack.sources.items()},
        "quantities": [to_plain(quantity) for quantity in pack.quantities.values()],
        "parameters": [_parameter(entry, at) for entry in pack.parameters.values()],
        "sets": [_set(entry, at) for entry in pack.sets.values()],
        "definitions": [
            {
                "name": entry.name,
                "label": entry.label,
                "means": entry.means,
                "means_ja": entry.means_ja,
                "in_force": (now := entry.at(at)) is not None and now.when is not None,
                "history": [_dated(version) for version in entry.versions],
            }
            for entry in pack.definitions.values()
        ],
        "rules": [_rule(rule, at) for rule in pack.rules],
        "exceptions": [_exception(entry, at) for entry in pack.exceptions],
    }


def _parameter(parameter: Parameter, at: Instant) -> dict[str, object]:
    dated = parameter.at(at)
    return {
        "name": parameter.name,
        "value": None if dated is None or dated.value is None else amount_text(dated.value),
        "unit": parameter.unit,
        "means": parameter.means,
        "means_ja": parameter.means_ja,
        "source": f"{dated.source}, {dated.cite}" if dated is not None else "",
        "mark": dated.mark if dated is not None else "",
        "history": [
            {**_dated(entry), "value": None if entry.value is None else amount_text(entry.value)}
            for entry in parameter.values
        ],
    }


def _set(places: PlaceSet, at: Instant) -> dict[str, object]:
    dated = places.at(at)
    members = dated.members if dated is not None else None
    return {
        "name": places.name,
        "means": places.means,
        "means_ja": places.means_ja,
        "members": sorted(members) if members is not None else None,
        "source": f"{dated.source}, {dated.cite}" if dated is not None else "",
        "mark": dated.mark if dated is not None else "",
        "history": [_dated(version) for version in places.versions],
    }


def _rule(rule: Rule, at: Instant) -> dict[str, object]:
    from sekisho.model.wire import to_plain

    return {
        "id": rule.id,
        "for": list(rule.kinds),
        "outcome": rule.outcome,
        **_standing(rule, at),
        "cite": rule.cite,
        "binding": rule.binding,
        "duty": rule.duty,
        "duty_ja": rule.duty_ja,
        "duties": [to_plain(duty) for duty in rule.duties],
        "reviews": [{**_dated(entry), "policy": entry.policy} for entry in rule.reviews],
    }


def _exception(exception: LicenceException, at: Instant) -> dict[str, object]:
    from sekisho.model.wire import to_plain

    return {
        "id": exception.id,
        "title": exception.title,
        "title_ja": exception.title_ja,
        **_standing(exception, at),
        "cite": exception.cite,
        "lifts": list(exception.lifts),
        "eligibility": [{"says": e.says, "says_ja": e.says_ja} for e in exception.eligibility],
        "notices": [to_plain(duty) for duty in exception.notices],
    }


def _standing(row: Rule | LicenceException, at: Instant) -> dict[str, object]:
    status = row.status_at(at)
    return {
        "acts": status is not None and status.acts,
        "status": status.word if status is not None else "unknown",
        "timeline": [_status(entry) for entry in row.statuses],
    }


def _status(status: Status) -> dict[str, object]:
    return {**_dated(status), "status": status.word, "acts": status.acts}


def _dated(entry: Dated) -> dict[str, Any]:
    return {
        "from": str(entry.start),
        "to": _day(entry.end),
        "recorded": str(entry.recorded),
        "review_by": _day(entry.review_by),
        "source": entry.source,
        "cite": entry.cite,
        "mark": entry.mark,
        "note": entry.note,
    }


def _day(at: Instant | None) -> str | None:
    return str(at) if at is not None else None


def amount_text(value: int | Fraction) -> str:
    """An amount exactly: a decimal number where it has one of reasonable length, else a fraction."""
    exact = Fraction(value)
    scaled = exact * 10**12
    if scaled.denominator > 1:
        return f"{exact.numerator}/{exact.denominator}"
    whole, part = divmod(scaled.numerator, 10**12)
    return f"{whole}.{part:012d}".rstrip("0").rstrip(".") if part else str(whole)
