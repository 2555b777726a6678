"""Dates: gaps between entries, statuses that contradict their own word, what should be looked at again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from sekisho.model.instants import Instant
from sekisho.rules.pack import Dated, Pack, Review, Status
from sekisho.rules.review.problem import PackProblem, error, warning

__all__ = ["check_histories", "day", "histories", "turning_points"]

_NEVER_ACT: Final = ("suspended", "revoked", "ended")
_ACTING: Final = ("enforced", "in force")
_BETTER: Final = {"P": 0, "S": 1, "R": 2}


def check_histories(pack: Pack, now: Instant) -> Iterator[PackProblem]:
    """Every history of the pack by itself, then the days that the pack as a whole speaks of."""
    for where, entries in histories(pack):
        if not isinstance(entries[0], Review):
            yield from _gaps(where, entries)
        for entry in entries:
            yield from _contradictions(where, entry)
            yield from _sources(pack, where, entry)
            yield from _stale(where, entry, now)
    yield from _coverage(pack, now)


def histories(pack: Pack) -> Iterator[tuple[str, tuple[Dated, ...]]]:
    """Every list of dated entries with its place in the pack."""
    for parameter in pack.parameters.values():
        yield f"parameter {parameter.name}", parameter.values
    for places in pack.sets.values():
        yield f"set {places.name}", places.versions
    for definition in pack.definitions.values():
        yield f"definition {definition.name}", definition.versions
    for rule in pack.rules:
        yield f"rule {rule.id}, status", rule.statuses
        if rule.reviews:
            yield f"rule {rule.id}, reviews", rule.reviews
    for exception in pack.exceptions:
        yield f"exception {exception.id}, status", exception.statuses


def turning_points(pack: Pack) -> tuple[Instant, ...]:
    """The instants at which something in the pack changes: between two of them nothing does."""
    entries = [entry for _, listed in histories(pack) for entry in listed]
    ends = [entry.end for entry in entries if entry.end is not None]
    return tuple(sorted({*(entry.start for entry in entries), *ends}))


def day(at: Instant) -> str:
    """An instant as a day where it is the first moment of one."""
    return str(at).removesuffix("T00:00:00Z")


def _gaps(where: str, entries: tuple[Dated, ...]) -> Iterator[PackProblem]:
    """Nothing is said between two entries: whether that is meant, an entry should say."""
    ordered = sorted(entries, key=lambda entry: entry.start)
    for earlier, later in pairwise(ordered):
        still = [e.end is None or e.end >= later.start for e in ordered if e.start < later.start]
        if earlier.end is not None and earlier.end < later.start and not any(still):
            what = f"says nothing from {day(earlier.end)} to {day(later.start)}"
            remedy = "close the gap, or write an entry that says what counted then"
            yield warning(where, what, remedy)


def _contradictions(where: str, entry: Dated) -> Iterator[PackProblem]:
    if entry.review_by is not None and entry.review_by < entry.recorded:
        what = f"was to be looked at again on {day(entry.review_by)}, before it was recorded"
        yield error(where, what, "write a `review-by` after `recorded`")
    if not isinstance(entry, Status):
        return
    if entry.acts and entry.word in _NEVER_ACT:
        what = f"is {entry.word} from {day(entry.start)} and acts"
        yield error(where, what, "write `acts: false`, or another status")
    if not entry.acts and entry.word in _ACTING:
        what = f"is {entry.word} from {day(entry.start)} and does not act"
        yield warning(where, what, "write `codified` where nobody enforces it")


def _sources(pack: Pack, where: str, entry: Dated) -> Iterator[PackProblem]:
    source = pack.sources.get(entry.source)
    if source is None:
        yield error(where, f"names no source ({entry.source!r})", "declare it under `sources`")
    elif _BETTER.get(entry.mark, 9) < _BETTER.get(source.mark, 0):
        what = f"an entry from {day(entry.start)} is marked {entry.mark}, its source {source.mark}"
        yield warning(where, what, "mark it no better than its source")


def _stale(where: str, entry: Dated, now: Instant) -> Iterator[PackProblem]:
    if entry.review_by is not None and entry.review_by < now and entry.counts(now, None):
        what = f"should have been looked at again by {day(entry.review_by)}"
        yield warning(where, what, "look, and write a later `review-by` or a new entry")


def _coverage(pack: Pack, now: Instant) -> Iterator[PackProblem]:
    coverage = pack.coverage
    if coverage is None:
        what = "does not say which days it speaks of"
        yield warning("pack", what, "add `coverage: {from, until}`")
        return
    if coverage.until is not None and coverage.until < now:
        what = f"knows nothing after {day(coverage.until)}"
        yield warning("pack", what, "look what has changed since, and move `until`")
    for rule in pack.rules:
        for status in rule.statuses:
            if status.acts and status.start < coverage.start:
                what = f"acts from {day(status.start)}, before the pack's coverage begins"
                yield warning(f"rule {rule.id}, status", what, "let `coverage` begin earlier")
