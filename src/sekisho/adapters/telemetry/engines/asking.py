"""Files asked about one window: which of them, how many at a time, and what may be left out of the question."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec
import numpy as np

from sekisho.adapters.telemetry.engines.cells import (
    LONGEST_MINUTES_MS,
    MINUTE_MS,
    Grouped,
    Keys,
    Lookup,
    cell_ms,
    minute_lookup,
    reading_lookup,
)
from sekisho.adapters.telemetry.engines.engine import Engine, SourceKind
from sekisho.adapters.telemetry.engines.expressions import (
    WIDE_SUMS,
    Question,
    sum_minutes,
    sum_readings,
)
from sekisho.adapters.telemetry.engines.facts import Facts, devices_in, join_facts, look_at
from sekisho.adapters.telemetry.engines.fleet import Fleet, Ints, Window
from sekisho.adapters.telemetry.engines.pieces import Pieces
from sekisho.adapters.telemetry.engines.source_file import SourceFile
from sekisho.adapters.telemetry.readings import MINUTES
from sekisho.model.telemetry import FIELDS

__all__ = ["Answer", "Asked", "Cut", "ask_files", "look_at_files"]

T = TypeVar("T")
ROWS_AT_ONCE: Final = 16_000_000
"""Files are asked together up to so many rows: enough to forget what a question costs, few enough for their pieces."""
_SAFE: Final = 10**18
_SMALL: Final = 2**63
_WORKS: Final = {
    "readings": ("tensor_work", "util_work"),
    "minutes": tuple(sorted(WIDE_SUMS - {"power_work"})),
}


class Asked(msgspec.Struct, frozen=True):
    """A file and what its footer says; nothing where only the engine can open it."""

    file: SourceFile
    facts: Facts | None


class Answer(msgspec.Struct, frozen=True):
    """Rows of an engine (Arrow), by `g`, and what that stands for."""

    rows: Any
    lookup: Lookup


class Cut(msgspec.Struct, frozen=True):
    """A window of a site in pieces, and how a few of them are cut at buckets."""

    fleet: Fleet
    window: Window
    pieces: Pieces
    group: Callable[[Pieces], Grouped]


class _Ready(msgspec.Struct, frozen=True):
    """All that one question needs."""

    paths: Sequence[str]
    lookup: Lookup
    question: Question


def look_at_files(files: Sequence[SourceFile]) -> list[Asked]:
    """Footers are read once for all windows."""
    return [Asked(file, look_at(file.path)) for file in files]


def ask_files(
    engine: Engine, files: Sequence[Asked], cut: Cut, source: SourceKind
) -> Iterator[Answer]:
    """Answers whose rows are sums by number of group; a group may be in several."""
    reaching = [asked for asked in files if _reaches(asked.facts, cut.window, source)]
    batches = _batches(reaching, whole=engine.whole_site)
    for ready in _ahead(_prepared(batch, cut, engine, source) for batch in batches):
        if ready.lookup.table.num_rows:
            engine.read(source, ready.paths)
            engine.take("pieces", ready.lookup.table)
            yield Answer(engine.answer(_expression(source, ready.question)), ready.lookup)


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """Each is made while the engine works on the one before."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item


def _prepared(batch: Sequence[Asked], cut: Cut, engine: Engine, source: SourceKind) -> _Ready:
    facts = join_facts(asked.facts for asked in batch)
    paths = [asked.file.path for asked in batch]
    every = facts is None or engine.whole_site
    seats = np.arange(len(cut.fleet.names)) if every else _seats_in(paths, cut.fleet)
    grouped = cut.group(cut.pieces.of_seats(seats))
    keys = _keys_of(facts, grouped.bucket_ms, source)
    question = _question(facts, keys, cut.window, source)
    if engine.adds_wide:
        question = msgspec.structs.replace(question, small=WIDE_SUMS)
    return _Ready(paths, _lookup(cut.fleet, grouped, keys, source), question)


def _lookup(fleet: Fleet, pieces: Grouped, keys: Keys, source: SourceKind) -> Lookup:
    if source == "minutes":
        return minute_lookup(fleet.names, pieces, keys.cell_ms)
    return reading_lookup(fleet.names, pieces, keys)


@lru_cache(maxsize=256)
def _expression(source: SourceKind, question: Question) -> Any:
    return sum_readings(question) if source == "readings" else sum_minutes(question)


def _reaches(facts: Facts | None, window: Window, source: SourceKind) -> bool:
    if facts is None:
        return True
    at = facts.columns.get("at_us" if source == "readings" else "minute_us")
    if at is None:
        return True
    if at.low is None or at.high is None:
        return False
    longest = _longest_ms(facts) if source == "readings" else MINUTE_MS
    return at.low < window.end * 1000 and at.high + longest * 1000 > window.start * 1000


def _batches(files: Sequence[Asked], *, whole: bool) -> Iterator[list[Asked]]:
    """Together where the engine divides the work itself; else file by file, small ones a few at a time."""
    batch: list[Asked] = []
    rows = 0
    for asked in files:
        more = asked.facts.rows if asked.facts else ROWS_AT_ONCE
        if batch and not whole and rows + more > ROWS_AT_ONCE:
            yield batch
            batch, rows = [], 0
        batch.append(asked)
        rows += more
    if batch:
        yield batch


def _longest_ms(facts: Facts | None) -> int:
    longest = facts.highest("span_ms") if facts else None
    return 2**31 if longest is None else longest


def _keys_of(facts: Facts | None, bucket_ms: int, source: SourceKind) -> Keys:
    if source == "minutes":
        return Keys(cell_ms(bucket_ms, LONGEST_MINUTES_MS), long=False)
    cell = cell_ms(bucket_ms)
    return Keys(cell, long=_longest_ms(facts) > cell)


def _seats_in(paths: Sequence[str], fleet: Fleet) -> Ints:
    known = (fleet.seats[name] for name in devices_in(paths) if name in fleet.seats)
    return np.fromiter(known, dtype=np.int64)


def _question(facts: Facts | None, keys: Keys, window: Window, source: SourceKind) -> Question:
    if facts is None:
        return Question(keys)
    highest = _highest_sums(facts, keys, source)
    small = frozenset(name for name, most in highest.items() if most * facts.rows < _SMALL)
    digits = 18 if all(highest.get(name, _SAFE) < _SAFE for name in _WORKS[source]) else 19
    if source == "minutes":
        absent = frozenset(field.name for field in MINUTES if facts.is_zero(field.name))
        since_us = window.start // MINUTE_MS * MINUTE_MS * 1000
        first = facts.columns.get("minute_us")
    else:
        absent = frozenset(name for name in FIELDS if facts.is_null(name))
        absent |= {"flags"} if facts.is_zero("flags") else frozenset()
        since_us = (window.start - _longest_ms(facts)) * 1000
        first = facts.columns.get("at_us")
    begins = first is not None and first.low is not None and first.low >= since_us
    return Question(keys, absent, small, digits, None if begins else since_us)


def _highest_sums(facts: Facts, keys: Keys, source: SourceKind) -> dict[str, int]:
    """What one row adds at the most to each sum that may be wide; a sum of which nobody knows is left out."""
    if source == "minutes":
        found = {name: facts.highest(name) for name in WIDE_SUMS}
        return {name: most for name, most in found.items() if most is not None}
    clock, power = facts.highest("sm_clock_khz"), facts.highest("power_mw")
    longest = min(_longest_ms(facts), keys.cell_ms)
    most = {} if power is None else {"power_work": power * longest}
    if clock is not None:
        most["clock_work"] = clock * longest
        shares = {"tensor_work": "tensor_ppm", "util_work": "util_ppm"}
        for name, field in shares.items():
            share = facts.highest(field)
            if share is not None:
                most[name] = share * clock * longest
    return most
