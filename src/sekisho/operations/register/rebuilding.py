"""Everything derived, made again from the captured events alone: to put it in place, or to compare it with what is.

The events are replayed in the order of their numbers through the very fold that live capture uses. Crash while a
register is rebuilt: what is derived is incomplete, `is_unfinished` sees it at the next start, and it is made again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import chain, zip_longest
from typing import Final, TypeAlias

import msgspec

from sekisho.operations.register.book import captured_of, epcs_of
from sekisho.operations.register.folding import Fold
from sekisho.ports.register_store import CaptureRow, EventRow, RegisterStore
from sekisho.registry.balance import Areas
from sekisho.registry.epcis import event_of
from sekisho.registry.terms import RegisterTerms

__all__ = [
    "Checked",
    "Difference",
    "Heard",
    "Rebuilt",
    "Scratch",
    "check_register",
    "is_unfinished",
    "rebuild_register",
]

PAGE: Final = 500
MOST_SHOWN: Final = 20
Heard: TypeAlias = Callable[[int, int], None]
"""Told how many events are done, of how many."""
Scratch: TypeAlias = Callable[[], AbstractContextManager[RegisterStore]]
"""An empty store that is gone afterwards."""


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """A register that was made again: of how many events, how many of which took effect."""

    events: int
    effects: int


class Difference(msgspec.Struct, frozen=True):
    """Something derived that is not as the events say: where, what is kept, and what they give; None for nothing."""

    place: str
    kept: bytes | None
    made: bytes | None


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found: the number of events and derived values, of differences, and the first of these."""

    events: int
    derived: int
    differences: int
    first: tuple[Difference, ...] = ()


def rebuild_register(store: RegisterStore, terms: RegisterTerms, heard: Heard) -> Rebuilt:
    """Make everything derived again in its place. Nobody may capture meanwhile."""
    total, areas = store.load_numbers().event, Areas.of(terms)
    store.forget_derived()
    done = 0
    while rows := store.load_events(after=done, limit=PAGE):
        fold = Fold(store, terms, areas, store.load_numbers().effect)
        _replay(fold, rows)
        # Crash here or between two of them: incomplete, and begun anew at the next start.
        store.save(fold.change())
        done = rows[-1].number
        heard(done, total)
    return Rebuilt(events=total, effects=store.load_numbers().effect)


def is_unfinished(store: RegisterStore) -> bool:
    """Whether a rebuild was broken off: the newest event has no outcome, for it is replayed last."""
    newest = store.load_numbers().event
    rows = store.load_events(after=newest - 1, limit=1) if newest else ()
    if not rows or rows[0].outcome != "waiting":
        return False
    epcs = list(epcs_of(event_of(rows[0].document)))
    waiting = store.load_waiting(epcs)
    return all(row.number != newest for found in waiting.values() for row in found)


def check_register(
    store: RegisterStore, terms: RegisterTerms, scratch: Scratch, heard: Heard
) -> Checked:
    """Compare what is derived with what the events give, made apart. Nobody may capture meanwhile."""
    total = store.load_numbers().event
    with scratch() as apart:
        _copy(store, apart, terms, lambda done: heard(done, total))
        found: list[Difference] = []
        derived = differences = 0
        for difference in _compare(store, apart):
            derived += 1
            if difference is not None:
                differences += 1
                found += [difference] if len(found) < MOST_SHOWN else []
    return Checked(events=total, derived=derived, differences=differences, first=tuple(found))


def _replay(fold: Fold, rows: Sequence[EventRow]) -> None:
    captured = [captured_of(row) for row in rows]
    fold.book.load_ahead(captured, fold.terms)
    for one in captured:
        fold.take(one)


def _copy(
    source: RegisterStore, target: RegisterStore, terms: RegisterTerms, heard: Callable[[int], None]
) -> None:
    """Capture in an empty store what another one captured, batch by batch."""
    areas, done = Areas.of(terms), 0
    while batches := source.load_batches(after=done, limit=PAGE):
        for batch in batches:
            rows = source.load_batch_events(batch.batch)
            fold = Fold(target, terms, areas, target.load_numbers().effect)
            _replay(fold, rows)
            change = fold.change([row.number for row in rows])
            target.save(
                msgspec.structs.replace(
                    change, captures=_empty_captures(rows), events=_retold(rows, fold), batch=batch
                )
            )
            done = batch.batch
            heard(rows[-1].number if rows else 0)


def _empty_captures(rows: Sequence[EventRow]) -> list[CaptureRow]:
    """Something for events to have come in: what a capture held is not derived."""
    received = {row.capture: row.received for row in rows}
    return [
        CaptureRow(capture=capture, received=at, sha256="0" * 64, size=0, running=False)
        for capture, at in received.items()
    ]


def _retold(rows: Sequence[EventRow], fold: Fold) -> list[EventRow]:
    """The same events with the outcomes that they have now."""
    return [
        msgspec.structs.replace(
            row,
            outcome=fold.outcomes[row.number].outcome,
            effect=fold.outcomes[row.number].effect,
            voided_by=None,
        )
        for row in rows
    ]


def _compare(kept: RegisterStore, made: RegisterStore) -> Iterator[Difference | None]:
    """Each value of either: None where the two agree. Both tell their places in one order; several may share one."""
    one, other = iter(kept.load_derived()), iter(made.load_derived())
    for left, right in zip_longest(one, other):
        if left == right:
            yield None
            continue
        # Out of step from here on, as only a damaged register is: the rest is compared place by place.
        yield from _compare_rest(
            chain([left] if left is not None else [], one),
            chain([right] if right is not None else [], other),
        )
        return


def _compare_rest(
    kept: Iterable[tuple[str, bytes]], made: Iterable[tuple[str, bytes]]
) -> Iterator[Difference | None]:
    left, right = _by_place(kept), _by_place(made)
    for place in dict.fromkeys([*left, *right]):
        for mine, theirs in zip_longest(left.get(place, ()), right.get(place, ())):
            yield None if mine == theirs else Difference(place, mine, theirs)


def _by_place(derived: Iterable[tuple[str, bytes]]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for place, value in derived:
        found.setdefault(place, []).append(value)
    return found
