"""Names: what is declared and never used, and what has no Japanese."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from sekisho.rules.pack import (
    AmountLimb,
    Condition,
    Definition,
    DefinitionLimb,
    Duty,
    Pack,
    Parameter,
    PlaceLimb,
    PlaceSet,
    StatedQuantity,
)
from sekisho.rules.pack_reader.reach import limbs_of
from sekisho.rules.review.histories import histories
from sekisho.rules.review.problem import PackProblem, warning

__all__ = ["all_conditions", "check_names"]

_SHOWN = 8
_Named: TypeAlias = Parameter | PlaceSet | StatedQuantity | Definition


def check_names(pack: Pack) -> Iterator[PackProblem]:
    """Unused names first, then what a Japanese reader would miss."""
    yield from _unused(pack)
    yield from _untranslated(pack)


def all_conditions(pack: Pack) -> Iterator[tuple[str, Condition]]:
    """Every condition of the pack with its place."""
    for definition in pack.definitions.values():
        for version in definition.versions:
            if version.when is not None:
                yield f"definition {definition.name}", version.when
    for rule in pack.rules:
        yield f"rule {rule.id}", rule.when
        for review in rule.reviews:
            if review.when is not None:
                yield f"rule {rule.id}, reviews", review.when
    for exception in pack.exceptions:
        for entry in exception.eligibility:
            yield f"exception {exception.id}", entry.when


def _unused(pack: Pack) -> Iterator[PackProblem]:
    used: dict[str, set[str]] = {
        "source": {entry.source for _, entries in histories(pack) for entry in entries},
        "parameter": set(),
        "set": set(),
        "quantity": set(),
        "definition": {name for name, entry in pack.definitions.items() if entry.label},
    }
    for _, condition in all_conditions(pack):
        for limb in limbs_of(condition):
            if isinstance(limb, DefinitionLimb):
                used["definition"].add(limb.definition)
                continue
            used["quantity"].add(limb.quantity)
            used["parameter"].add(limb.parameter if isinstance(limb, AmountLimb) else "")
            used["set"].add(limb.place_set if isinstance(limb, PlaceLimb) else "")
    declared: dict[str, Iterable[str]] = {
        "source": pack.sources,
        "parameter": pack.parameters,
        "set": pack.sets,
        "quantity": pack.quantities,
        "definition": pack.definitions,
    }
    for kind, names in declared.items():
        for name in names:
            if name not in used[kind]:
                yield warning(f"{kind} {name}", "is used by nothing", "use it or leave it out")


def _untranslated(pack: Pack) -> Iterator[PackProblem]:
    """One problem for each kind of text, with the first names."""
    missing = {
        "title": [] if pack.title_ja else [pack.name],
        "meaning": [*_plain(pack.parameters), *_plain(pack.sets), *_plain(pack.quantities)],
        "definition": _plain(pack.definitions),
        "duty of a rule": [rule.id for rule in pack.rules if not rule.duty_ja],
        "part of a duty": [duty.id for duty in _duties(pack) if not duty.what_ja],
        "title of an exception": [entry.id for entry in pack.exceptions if not entry.title_ja],
        "condition of an exception": [
            entry.id for entry in pack.exceptions if not all(e.says_ja for e in entry.eligibility)
        ],
    }
    for kind, names in missing.items():
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            what = f"no Japanese for the {kind}: {', '.join(names[:_SHOWN])}{more}"
            yield warning("pack", what, "add the field that ends in `-ja`")


def _plain(entries: Mapping[str, _Named]) -> list[str]:
    return [name for name, entry in entries.items() if not entry.means_ja]


def _duties(pack: Pack) -> Iterator[Duty]:
    for rule in pack.rules:
        yield from rule.duties
    for exception in pack.exceptions:
        yield from exception.notices
