"""Rules and exceptions while they act: what they ask for has a value then, and there is something to lift."""

from __future__ import annotations

from collections.abc import Iterator

from sekisho.model.instants import Instant
from sekisho.rules.pack import (
    AmountLimb,
    Condition,
    DefinitionLimb,
    LicenceException,
    Pack,
    PlaceLimb,
    Rule,
)
from sekisho.rules.pack_reader.reach import limbs_of
from sekisho.rules.review.histories import day, turning_points
from sekisho.rules.review.problem import PackProblem, error, warning

__all__ = ["acts_at", "check_acting"]


def check_acting(pack: Pack) -> Iterator[PackProblem]:
    """At every turning point: the parameters and sets of what acts then, and the rules that an exception lifts."""
    points = turning_points(pack)
    for rule in pack.rules:
        yield from _without_value(pack, f"rule {rule.id}", rule, (rule.when,), points)
    for exception in pack.exceptions:
        conditions = tuple(entry.when for entry in exception.eligibility)
        where = f"exception {exception.id}"
        yield from _without_value(pack, where, exception, conditions, points)
        yield from _lifts_nothing(pack, exception, points)


def acts_at(row: Rule | LicenceException, at: Instant) -> bool:
    """Whether the row's status lets it act at that instant, by all that the pack knows."""
    status = row.status_at(at)
    return status is not None and status.acts


def _without_value(
    pack: Pack,
    where: str,
    row: Rule | LicenceException,
    conditions: tuple[Condition, ...],
    points: tuple[Instant, ...],
) -> Iterator[PackProblem]:
    """The first instant of each parameter or set that has no value while the row acts."""
    told: set[str] = set()
    for at in points:
        if not acts_at(row, at):
            continue
        for name in _valueless(pack, conditions, at):
            if name not in told:
                told.add(name)
                what = f"acts on {day(at)}, when {name} has no value"
                yield error(where, what, "give it a value for that day, or end the status")


def _valueless(pack: Pack, conditions: tuple[Condition, ...], at: Instant) -> Iterator[str]:
    """Parameters and sets without a value that the conditions ask for, through definitions in force too."""
    open_conditions, seen = list(conditions), set[str]()
    while open_conditions:
        for limb in limbs_of(open_conditions.pop()):
            if isinstance(limb, DefinitionLimb) and limb.definition not in seen:
                seen.add(limb.definition)
                version = pack.definitions[limb.definition].at(at)
                if version is not None and version.when is not None:
                    open_conditions.append(version.when)
            elif isinstance(limb, AmountLimb) and limb.parameter:
                value = pack.parameters[limb.parameter].at(at)
                if value is None or value.value is None:
                    yield f"parameter {limb.parameter}"
            elif isinstance(limb, PlaceLimb) and limb.place_set:
                members = pack.sets[limb.place_set].at(at)
                if members is None or members.members is None:
                    yield f"set {limb.place_set}"


def _lifts_nothing(
    pack: Pack, exception: LicenceException, points: tuple[Instant, ...]
) -> Iterator[PackProblem]:
    acting = [at for at in points if acts_at(exception, at)]
    lifted = [rule for rule in pack.rules if rule.id in exception.lifts]
    if acting and not any(acts_at(rule, at) for rule in lifted for at in acting):
        what = "acts on no day on which a rule that it lifts acts"
        yield warning(f"exception {exception.id}", what, "compare the days of their statuses")
