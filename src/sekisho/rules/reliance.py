"""What an answer rests on that somebody should look at: recalled entries, entries past their review, unknown law."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sekisho.model.instants import Instant
from sekisho.rules.acting import day
from sekisho.rules.logic import LimbTrace, World
from sekisho.rules.pack import Dated, Pack

__all__ = ["beyond", "doubts", "doubts_of_limbs", "in_order", "recalled_facts"]

_TO_BE_VERIFIED = "to be verified"


def doubts(name: str, entry: Dated | None, at: Instant) -> tuple[str, ...]:
    """Why an entry of a pack may not hold: it was only recalled, or it should have been looked at again by now."""
    if entry is None:
        return ()
    recalled = (f"{name}: {_TO_BE_VERIFIED}",) if entry.mark == "R" else ()
    if entry.review_by is None or at < entry.review_by:
        return recalled
    return (*recalled, f"{name}: was to be looked at again by {day(entry.review_by)}")


def beyond(pack: Pack, at: Instant) -> tuple[str, ...]:
    """Whether the day lies after the law that the pack knows."""
    until = pack.coverage.until if pack.coverage is not None else None
    if until is None or at < until:
        return ()
    return (f"{pack.name} knows the law until {day(until)}; what came later is not in it",)


def in_order(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Every text once, in the order of its first mention."""
    return tuple(dict.fromkeys(text for group in groups for text in group))


def doubts_of_limbs(limbs: Iterable[LimbTrace], world: World) -> Iterator[tuple[str, ...]]:
    """Of the parameters, sets and definitions that these limbs read."""
    for limb in limbs:
        yield doubts(*_entry(limb, world), world.at)


def recalled_facts(limb: LimbTrace) -> tuple[str, ...]:
    """A chip's value that is only recalled, where it stands in a limb that decided."""
    return tuple(note for note in limb.notes if note.endswith(_TO_BE_VERIFIED))


def _entry(limb: LimbTrace, world: World) -> tuple[str, Dated | None]:
    if limb.parameter:
        return limb.parameter, world.parameters[limb.parameter].at(world.at, world.as_of)
    if limb.place_set:
        return limb.place_set, world.sets[limb.place_set].at(world.at, world.as_of)
    if limb.definition:
        return limb.definition, world.definitions[limb.definition].at(world.at, world.as_of)
    return "", None
