"""The account: figures by key and window, where the sum of a sliding window was highest, crossings and forecasts.

A threshold is held against the bound's high end (what caps read: sound against the operator as far as it was
measured) and against the estimate's best (what reports read). A crossing's instant is the first microsecond at which
the window [t - length, t) holds the threshold, the work of an entry spread evenly over its time. The bound of an
entry by allocation x peak is even by itself; what else an entry holds may lie anywhere in its time, so a crossing is
known to the length of the entry in which it falls (an hour by default), and exact under that convention.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.metering.accounts.entries import Entry, Reading, Unit
from sekisho.metering.accounts.figures import Figures, add_up
from sekisho.metering.accounts.forecast import Ahead, Forecast, Rate, forecast
from sekisho.metering.accounts.keys import Identities, KeyKind, Piece, Pieces, pieces_by
from sekisho.metering.accounts.windows import Window
from sekisho.metering.accounts.work_line import Direction, Passing, Stretch, WorkLine
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, Period

__all__ = [
    "PER_UNIT",
    "Account",
    "Crossing",
    "Foreseen",
    "KeyAccount",
    "PeakWindow",
    "Question",
    "Style",
    "WindowFigures",
    "account",
]

Style: TypeAlias = Literal["sliding", "calendar", "both"]
PER_UNIT: Final[Mapping[Unit, int]] = {"FLOP": 1, "chip-second": 1_000_000}
"""Figures of entries to one of the unit: chip time is counted in chip-microseconds, so that it stays whole."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What an account is asked: keys, windows, thresholds (in units), from when to when, and how far ahead.

    `now` is from when on something is forecast; None: nothing is. Work before `start` counts in windows that end
    after it; crossings are those in (start, end].
    """

    by: KeyKind
    window: Window
    start: Instant
    end: Instant
    style: Style = "both"
    thresholds: tuple[int, ...] = ()
    readings: tuple[Reading, ...] = ("bound", "estimate")
    unit: Unit = "FLOP"
    now: Instant | None = None
    horizon: Instant | None = None

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise InvalidInput("ends before it begins", path="from, to")
        if any(threshold < 1 for threshold in self.thresholds):
            raise InvalidInput("a threshold is 1 or more", path="threshold")
        if self.style == "sliding" and self.window.length_us is None:
            raise InvalidInput(
                f"a {self.window.text} is a calendar's", path="window", remedy="write 30d to slide"
            )


class WindowFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one calendar window (or of what of it lies within the question's time)."""

    window: Period
    figures: Figures


class PeakWindow(msgspec.Struct, frozen=True, kw_only=True):
    """The sliding window that held most by one figure: it ends at `at`."""

    reading: Reading
    at: Instant
    work: int


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """`at` is the first microsecond at which a window holds a threshold (up) or no longer does (down).

    `window` is "sliding", or the calendar window in which it was met. `is_whole` is False where something of the key
    was not measured: then it may have been met earlier, or without a crossing that could be seen.
    """

    threshold: int
    reading: Reading
    direction: Direction
    at: Instant
    window: Period | Literal["sliding"]
    is_whole: bool


class Foreseen(msgspec.Struct, frozen=True, kw_only=True):
    """For one threshold: the earliest instant by the bound, the expected one by the estimate."""

    threshold: int
    window: Period | Literal["sliding"]
    earliest: Forecast
    expected: Forecast


class KeyAccount(msgspec.Struct, frozen=True, kw_only=True):
    """All about one key."""

    key: str
    total: Figures
    windows: tuple[WindowFigures, ...]
    last: Figures | None  # the sliding window that ends with the question's time
    peaks: tuple[PeakWindow, ...]
    crossings: tuple[Crossing, ...]
    foreseen: tuple[Foreseen, ...]
    notes: tuple[str, ...]


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, by key in order."""

    question: Question
    keys: tuple[KeyAccount, ...]
    notes: tuple[str, ...] = ()


_FORESEEN: Final[tuple[Reading, Reading]] = ("bound", "estimate")
_SPREAD: Final = (
    "the work of an entry is spread evenly over its time: an instant of crossing is exact under that convention, and "
    "known to the length of the entry in which it falls"
)


def account(
    entries: Iterable[Entry],
    question: Question,
    identities: Identities,
    rates: Iterable[tuple[Entry, Rate]] = (),
    heard: Callable[[int, int], None] = lambda *_: None,
) -> Account:
    """Answer a question over entries that stand (see `standing_at`).

    `rates` are what runs now, each with an entry that says whose it is. `heard` is told keys done and to do. Raises
    InvalidInput for windows without number.
    """
    pieces = pieces_by(question.by, entries, identities)
    running = _rates_by(rates, question, identities)
    keys = []
    for number, key in enumerate(sorted({*pieces.by_key, *running})):
        keys.append(_key(key, pieces, running.get(key, ()), question))
        heard(number + 1, len(pieces.by_key))
    return Account(question=question, keys=tuple(keys), notes=(_SPREAD,))


def _rates_by(
    rates: Iterable[tuple[Entry, Rate]], question: Question, identities: Identities
) -> dict[str, list[Rate]]:
    """What runs now by key: the carrying entry is cut like any other."""
    known = list(rates)
    by_entry = {entry.id: rate for entry, rate in known}
    found = pieces_by(question.by, (entry for entry, _ in known), identities)
    return {
        key: [by_entry[piece.entry.id] for piece in pieces] for key, pieces in found.by_key.items()
    }


def _key(key: str, pieces: Pieces, running: Sequence[Rate], question: Question) -> KeyAccount:
    mine = pieces.by_key.get(key, ())
    start, end = question.start.us, question.end.us
    total = add_up(mine, start, end)
    lines = {reading: _line(mine, reading) for reading in question.readings}
    windows = _windows(mine, question) if question.style != "sliding" else ()
    length = question.window.length_us
    slides = length is not None and question.style != "calendar"
    return KeyAccount(
        key=key,
        total=total,
        windows=windows,
        last=add_up(mine, end - length, end) if slides and length is not None else None,
        peaks=tuple(_peaks(lines, question)) if slides else (),
        crossings=tuple(_crossings(mine, lines, windows, question, slides=slides)),
        foreseen=tuple(_foreseen(mine, running, question, slides=slides)),
        notes=(*pieces.notes.get(key, ()), *_findings(mine, question)),
    )


def _findings(pieces: Iterable[Piece], question: Question) -> Iterator[str]:
    """What does not fit together in the figures of the question's time, each once, with how often."""
    start, end = question.start.us, question.end.us
    there = (entry for entry, begins, ends in pieces if begins < end and ends > start)
    counts = Counter(finding for entry in there for finding in entry.findings)
    for finding, count in sorted(counts.items()):
        yield f"{count} x {finding}"


def _line(pieces: Iterable[Piece], reading: Reading) -> WorkLine:
    return WorkLine(
        Stretch(start, end, amount, entry.end.us - entry.start.us)
        for entry, start, end in pieces
        if (amount := entry.figure(reading)) and end > start
    )


def _windows(pieces: Sequence[Piece], question: Question) -> tuple[WindowFigures, ...]:
    """The calendar windows that hold anything, within the question's time."""
    start, end = question.start.us, question.end.us
    cut: dict[int, tuple[Period, list[Piece]]] = {}
    for piece in pieces:
        left, right = max(piece.start, start), min(piece.end, end)
        if right <= left:
            continue
        for bucket in question.window.buckets(left, right):
            cut.setdefault(bucket.start.us, (bucket, []))[1].append(piece)
    return tuple(
        WindowFigures(
            window=bucket,
            figures=add_up(within, max(bucket.start.us, start), min(bucket.end.us, end)),
        )
        for _, (bucket, within) in sorted(cut.items())
    )


def _peaks(lines: Mapping[Reading, WorkLine], question: Question) -> Iterable[PeakWindow]:
    for reading, line in lines.items():
        peak = line.find_peak(question.window.length_us, question.start.us, question.end.us)
        if peak is not None:
            yield PeakWindow(reading=reading, at=Instant(peak.at), work=peak.work)


# --- crossings ------------------------------------------------------------------------------------


def _crossings(
    pieces: Sequence[Piece],
    lines: Mapping[Reading, WorkLine],
    windows: Sequence[WindowFigures],
    question: Question,
    *,
    slides: bool,
) -> list[Crossing]:
    """All of them, by time; sliding ones up and down, calendar ones up, since a new window begins with nothing."""
    found: list[Crossing] = []
    for reading, line in lines.items():
        is_whole = all(entry.figure(reading) is not None for entry, _, _ in pieces)
        passed: list[tuple[Period | Literal["sliding"], Passing]] = []
        passed += _calendar_passings(line, reading, windows, question)
        if slides:
            passed += _sliding_passings(line, question)
        found += [
            Crossing(
                threshold=passing.threshold // PER_UNIT[question.unit],
                reading=reading,
                direction=passing.direction,
                at=Instant(passing.at),
                window=window,
                is_whole=is_whole,
            )
            for window, passing in passed
            if question.start.us < passing.at <= question.end.us
        ]
    return sorted(found, key=lambda c: (c.at, c.threshold, c.reading, c.window == "sliding"))


def _levels(question: Question) -> list[int]:
    return [threshold * PER_UNIT[question.unit] for threshold in question.thresholds]


def _sliding_passings(
    line: WorkLine, question: Question
) -> Iterator[tuple[Literal["sliding"], Passing]]:
    for passing in line.find_passings(
        _levels(question), question.window.length_us, question.end.us
    ):
        yield "sliding", passing


def _calendar_passings(
    line: WorkLine, reading: Reading, windows: Sequence[WindowFigures], question: Question
) -> Iterator[tuple[Period, Passing]]:
    least = min(_levels(question), default=0)
    for row in windows:
        if not least or _most(row.figures, reading) < least:
            continue
        within = line.clip(row.window.start.us, min(row.window.end.us, question.end.us))
        for passing in within.find_passings(_levels(question), None):
            yield row.window, passing


def _most(figures: Figures, reading: Reading) -> float:
    """No less than a window's sum by one figure: whoever holds less than every threshold is not walked."""
    if reading == "bound":
        return figures.bound_high
    return figures.estimate_best + 1 if reading == "estimate" else math.inf


# --- forecasts ------------------------------------------------------------------------------------


def _foreseen(
    pieces: Sequence[Piece], running: Sequence[Rate], question: Question, *, slides: bool
) -> Iterator[Foreseen]:
    if question.now is None or question.horizon is None:
        return
    now, horizon = question.now.us, question.horizon.us
    window: Period | Literal["sliding"] = "sliding"
    since, length = -(2**62), question.window.length_us
    if not slides:
        window, length = question.window.bucket_at(now), None
        since, horizon = window.start.us, min(horizon, window.end.us)
    ahead = Ahead(now=now, horizon=horizon, window_us=length)
    for threshold in question.thresholds:
        asked = threshold * PER_UNIT[question.unit]
        earliest, expected = (
            forecast(
                _line(pieces, reading).clip(since, now),
                [(rate.figure(reading), rate.until) for rate in running],
                asked,
                ahead,
                lacking=sum(entry.figure(reading) is None for entry, _, _ in pieces),
            )
            for reading in _FORESEEN
        )
        yield Foreseen(threshold=threshold, window=window, earliest=earliest, expected=expected)
