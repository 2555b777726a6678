"""Deciding one group of documents: which of their events are new, what each of them does, and what is to be saved.

Deterministic but for the salts, which are drawn here: the same documents in the same order over the same store give
the same numbers and the same effects.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.wire import canonical
from sekisho.operations.register.endorsing import Endorsed
from sekisho.operations.register.folding import Fold
from sekisho.operations.register.line import Reading
from sekisho.ports.register_store import (
    BatchRow,
    CaptureRow,
    Change,
    EventRow,
    Numbers,
    RegisterStore,
)
from sekisho.registry.balance import Areas
from sekisho.registry.commitments import batch_root, commitment
from sekisho.registry.custody.book import Captured
from sekisho.registry.epcis import Problem
from sekisho.registry.terms import RegisterTerms

__all__ = ["Grounds", "decide_group", "endorsed_key"]

MOST_PROBLEMS: Final = 1_000


class Grounds(msgspec.Struct, frozen=True, kw_only=True):
    """What every group is decided on."""

    store: RegisterStore
    terms: RegisterTerms
    areas: Areas
    draw_salt: Callable[[], bytes]


class _Fresh(msgspec.Struct, frozen=True):
    """An event that is new, in the document that brought it."""

    reading: Reading
    position: int
    captured: Captured


def decide_group(
    grounds: Grounds, readings: Sequence[Reading], numbers: Numbers, *, now: Instant
) -> tuple[Change, Numbers]:
    """All that capturing these documents changes, in their order, and the store's numbers once that is saved.

    Raises what the store raises.
    """
    fold = Fold(grounds.store, grounds.terms, grounds.areas, numbers.effect)
    coming = [
        _captured(reading, position, now)
        for reading in readings
        for position in range(len(reading.events))
    ]
    fold.book.load_ahead(coming, grounds.terms)
    ahead = iter(coming)
    known = _Known(grounds.store, readings, fold)
    fresh: list[_Fresh] = []
    for reading in readings:
        for position in range(len(reading.events)):
            key = known.claim(reading, position, numbers.event + len(fresh) + 1)
            captured = next(ahead)
            if key is not None:
                number = numbers.event + len(fresh) + 1
                captured = msgspec.structs.replace(captured, number=number, key=key)
                fresh.append(_Fresh(reading, position, captured))
                fold.take(captured)
    batch = numbers.batch + 1
    rows = [_event_row(grounds, new, fold, batch, place) for place, new in enumerate(fresh)]
    change = msgspec.structs.replace(
        fold.change([new.captured.number for new in fresh]),
        captures=_capture_rows(readings, fresh, fold, now),
        documents={r.capture: r.whole for r in readings if r.whole},
        events=rows,
        batch=_batch(rows, batch, now) if rows else None,
    )
    following = Numbers(
        event=numbers.event + len(rows),
        effect=fold.effect,
        batch=batch if rows else numbers.batch,
    )
    return change, following


def endorsed_key(key: bytes, endorsed: Endorsed) -> bytes:
    """The key of an event that came before and took no effect, now that others vouch for it.

    Else whoever is first to send somebody's event, unsigned or under a name of his own, would keep it from ever
    taking effect.
    """
    who = canonical([sorted(endorsed.parties), sorted(endorsed.powers)])
    return hashlib.sha256(key + who).digest()


class _Known:
    """The idempotency keys that are taken: in the store, and by the group so far."""

    def __init__(self, store: RegisterStore, readings: Sequence[Reading], fold: Fold) -> None:
        self._store = store
        self._fold = fold
        self._mine: dict[bytes, tuple[int, Endorsed]] = {}
        keys = [
            pair
            for reading in readings
            for pair in zip(reading.keys, reading.hash_ids, strict=True)
            if reading.events
        ]
        stored = store.find_keys(keys) if keys else {}
        hash_ids = [
            hash_id
            for reading in readings
            for key, hash_id in zip(reading.keys, reading.hash_ids, strict=True)
            if key in stored
        ]
        rows = store.find_hashes(list(dict.fromkeys(hash_ids))) if hash_ids else {}
        self._stored = {row.key: row for found in rows.values() for row in found}

    def claim(self, reading: Reading, position: int, number: int) -> bytes | None:
        """The key under which an event is captured, taken from now on; None where it is a repeated one."""
        key = reading.keys[position]
        before = self._find(key)
        if before is not None:
            if not self._adds(reading.endorsed, *before):
                return None
            key = endorsed_key(key, reading.endorsed)
            if key in self._mine or self._store.find_keys(((key, reading.hash_ids[position]),)):
                return None
        self._mine[key] = (number, reading.endorsed)
        return key

    def _find(self, key: bytes) -> tuple[Endorsed, str] | None:
        """Who vouched for the event with this key, and its outcome."""
        if key in self._mine:
            number, endorsed = self._mine[key]
            outcome = self._fold.outcomes[number].outcome
            return endorsed, outcome
        row = self._stored.get(key)
        if row is None:
            return None
        endorsed = Endorsed(parties=frozenset(row.parties), powers=frozenset(row.powers))
        settled = self._fold.outcomes.get(row.number)
        return endorsed, row.outcome if settled is None else settled.outcome

    @staticmethod
    def _adds(new: Endorsed, old: Endorsed, outcome: str) -> bool:
        """Whether an endorsement may give effect to an event that has none yet."""
        if outcome == "taken" and (old.parties or old.powers):
            return False
        return not (new.parties <= old.parties and new.powers <= old.powers)


def _captured(reading: Reading, position: int, now: Instant) -> Captured:
    """An event of a document, as long as it has no number yet."""
    return Captured(
        number=0,
        event=reading.events[position],
        hash_id=reading.hash_ids[position],
        key=reading.keys[position],
        parties=reading.endorsed.parties,
        powers=reading.endorsed.powers,
        received=now,
    )


def _event_row(grounds: Grounds, new: _Fresh, fold: Fold, batch: int, place: int) -> EventRow:
    captured, event = new.captured, new.captured.event
    settled = fold.outcomes[captured.number]
    return EventRow(
        number=captured.number,
        key=captured.key,
        hash_id=captured.hash_id,
        at=event.at,
        type=event.type,
        action=event.action or "",
        biz_step=event.biz_step,
        disposition=event.disposition,
        read_point=event.read_point,
        biz_location=event.biz_location,
        capture=new.reading.capture,
        batch=batch,
        place=place,
        received=captured.received,
        parties=tuple(sorted(captured.parties)),
        powers=tuple(sorted(captured.powers)),
        outcome=settled.outcome,
        effect=settled.effect,
        voided_by=fold.voided_by(captured.number),
        salt=grounds.draw_salt(),
        document=new.reading.documents[new.position],
    )


def _batch(rows: Sequence[EventRow], batch: int, now: Instant) -> BatchRow:
    root = batch_root([commitment(row.salt, row.hash_id, row.capture) for row in rows])
    return BatchRow(batch=batch, made=now, events=len(rows), root=root)


def _capture_rows(
    readings: Sequence[Reading], fresh: Sequence[_Fresh], fold: Fold, now: Instant
) -> list[CaptureRow]:
    outcomes: dict[str, Counter[str]] = {reading.capture: Counter() for reading in readings}
    for new in fresh:
        outcome = fold.outcomes[new.captured.number].outcome
        outcomes[new.reading.capture][outcome] += 1
    return [_capture_row(reading, outcomes[reading.capture], now) for reading in readings]


def _capture_row(reading: Reading, outcomes: Counter[str], now: Instant) -> CaptureRow:
    return CaptureRow(
        capture=reading.capture,
        received=now,
        sha256=reading.sha256,
        size=reading.size,
        endorsement=reading.endorsement,
        parties=tuple(sorted(reading.endorsed.parties)),
        powers=tuple(sorted(reading.endorsed.powers)),
        running=False,
        finished=now,
        events=reading.document.total,
        taken=outcomes["taken"],
        waiting=outcomes["waiting"],
        refused=outcomes["refused"],
        repeated=len(reading.events) - outcomes.total(),
        problems=_problems(reading.document.problems),
    )


def _problems(problems: Sequence[Problem]) -> bytes:
    """Problems as the store keeps them; beyond so many only how many there are."""
    if not problems:
        return b""
    told = [{"path": found.path, "problem": found.problem} for found in problems[:MOST_PROBLEMS]]
    left = len(problems) - len(told)
    if left:
        told.append({"path": "", "problem": f"{left} more problems are not listed"})
    return canonical(told)
