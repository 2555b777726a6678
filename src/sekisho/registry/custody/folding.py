"""A chip's whole path from its own events: its standing at every (at, as_of), whatever order they were captured in.

Events stand in the order of their event times; at equal times in the order in which they took effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from sekisho.model.custody import Movement, Standing
from sekisho.model.instants import Instant
from sekisho.registry.custody.book import Captured
from sekisho.registry.custody.facts import Reading
from sekisho.registry.custody.steps import advance
from sekisho.registry.custody.track import NOWHERE, Share, Step, Track, Trouble
from sekisho.registry.terms import RegisterTerms

__all__ = ["Folded", "Path", "fold", "in_order", "insert", "path_of", "position_at"]

Path = tuple[tuple[Captured, Standing | None], ...]


class Folded(msgspec.Struct):
    """What a chip's events amount to. `path` has the track after each; `trouble` names the first that does not fit."""

    track: Track = NOWHERE
    path: list[tuple[Captured, Track]] = []
    shares: dict[str, Share] = {}
    headers: dict[str, Movement] = {}
    last: Step | None = None
    trouble: tuple[Captured, Trouble] | None = None


def fold(
    epc: str, ordered: Iterable[Captured], reading: Reading, asked: Captured | None = None
) -> Folded:
    """Step through a chip's events, already in order. It stops at the first that does not fit.

    What befell a container before it was registered changes its contents only and is passed over, but for `asked`, the
    event that is being judged; `last` is what that one did.
    """
    folded = Folded()
    for captured in ordered:
        facts = reading.facts(captured)
        if captured.event.error is not None:
            continue
        track = folded.track
        step = advance(track, facts, epc, facts.role_of(epc, track.parent))
        if isinstance(step, Step):
            _follow(folded, captured, step)
        elif captured is asked or track.standing is not None or step.code != "unknown-id":
            folded.trouble = (captured, step)
            break
        else:
            folded.path.append((captured, track))
        if captured is asked and isinstance(step, Step):
            folded.last = step
    return folded


def _follow(folded: Folded, captured: Captured, step: Step) -> None:
    folded.track = step.track
    folded.path.append((captured, step.track))
    for mark in step.marks:
        folded.shares[mark.reference] = mark.share
        if mark.header is not None:
            folded.headers[mark.reference] = mark.header


def in_order(history: Sequence[Captured]) -> list[Captured]:
    """By event time; what took effect first comes first where times are equal."""
    return sorted(history, key=_time)


def insert(history: Sequence[Captured], captured: Captured) -> list[Captured]:
    """A chip's events in order with one more: behind those of its own time."""
    return in_order([*history, captured])


def path_of(epc: str, history: Sequence[Captured], terms: RegisterTerms) -> Path:
    """A chip's events in the order of the fold, each with the standing after it.

    `history` as Book.history gives it, in the order of effect. Error declarations and what they voided are left out.
    """
    folded = fold(epc, in_order(_in_force(history)), Reading(terms))
    return tuple((captured, track.standing) for captured, track in folded.path)


def position_at(
    epc: str,
    history: Sequence[tuple[Captured, Instant | None]],
    terms: RegisterTerms,
    *,
    at: Instant,
    as_of: Instant | None = None,
) -> Standing | None:
    """How a chip stood at an instant by what was known as of another; None where nobody had registered it.

    `history` has every event that ever took effect on it, in the order of effect, voided ones and the declarations that
    voided them included, each with when it is known from (None: in no `as_of` yet). Without `as_of` all of them count.
    """
    known = [
        captured
        for captured, since in history
        if as_of is None or (since is not None and since <= as_of)
    ]
    ordered = in_order([captured for captured in _in_force(known) if captured.event.at <= at])
    return fold(epc, ordered, Reading(terms)).track.standing


def _in_force(history: Sequence[Captured]) -> list[Captured]:
    """Without error declarations, and without what an endorsed one of them voided before the event came again."""
    kept: list[Captured] = []
    for captured in history:
        if captured.event.error is None:
            kept.append(captured)
        elif captured.parties or captured.powers:
            kept = [other for other in kept if other.hash_id != captured.hash_id]
    return kept


def _time(captured: Captured) -> int:
    return captured.event.at.us
