"""What a passport does not know, by name: silence is shown, never passed over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.registry.passport_line import Line

__all__ = ["QUIET_S", "Gap", "GapKind", "find_gaps"]

GapKind: TypeAlias = Literal[
    "unregistered",
    "silent",
    "in-transit",
    "whereabouts",
    "waiting",
    "unsigned",
    "unverifiable",
    "fails",
]
QUIET_S: Final = 90 * 86_400
"""A register is renewed at least every 90 days (arXiv 2511.10783v2 Art. V.5): longer silence is a gap."""

_SILENT: Final = frozenset({"registered", "active", "suspended", "returned"})
_GONE: Final = frozenset({"lost", "stolen"})


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Something missing over a stretch of time; `until` is None where it lasts. `lines` are the events it is about."""

    kind: GapKind
    since: Instant
    until: Instant | None = None
    lines: tuple[int, ...] = ()

    def seconds(self, now: Instant) -> float:
        return (self.until or now).since(self.since)


def find_gaps(
    lines: Sequence[Line], *, until: Instant, receipt_s: int, quiet_s: int = QUIET_S
) -> tuple[Gap, ...]:
    """Every gap of a timeline that is looked at until an instant, by when it begins.

    silent: no signed event for longer than `quiet_s` while the chip stood somewhere; in-transit: shipped and not
    received yet, or received later than `receipt_s` allows; whereabouts: lost or stolen and not found; waiting: an
    event came before what it rests on; unsigned: a claim that nobody signed; unverifiable and fails: stretches whose
    lines the log does not bear out; unregistered: events, and no registration.
    """
    told = [line for line in lines if line.after is not None]
    found = [
        *_stretches(told, receipt_s),
        *_silences([line for line in told if line.is_signed], until, quiet_s),
        *_claims(lines),
        *_unproven(lines),
    ]
    if lines and not told:
        numbers = tuple(line.number for line in lines)
        found.append(Gap(kind="unregistered", since=lines[0].at, lines=numbers))
    return tuple(sorted(found, key=lambda gap: (gap.since, gap.kind, gap.lines)))


def _stretches(told: Sequence[Line], receipt_s: int) -> Iterator[Gap]:
    """Neighbouring lines that left the chip in transit, or nobody knows where, until the next line that did not."""
    runs: list[list[Line]] = []
    for line in told:
        kind = _kind_of(line)
        if runs and kind is not None and _kind_of(runs[-1][-1]) == kind:
            runs[-1].append(line)
        else:
            runs.append([line])
    for place, run in enumerate(runs, 1):
        kind, end = _kind_of(run[0]), runs[place][0].at if place < len(runs) else None
        in_time = end is not None and end.since(run[0].at) <= receipt_s
        if kind is not None and not (kind == "in-transit" and in_time):
            numbers = tuple(line.number for line in run)
            yield Gap(kind=kind, since=run[0].at, until=end, lines=numbers)


def _silences(told: Sequence[Line], until: Instant, quiet_s: int) -> Iterator[Gap]:
    for index, line in enumerate(told):
        following = told[index + 1].at if index + 1 < len(told) else None
        is_long = (following or until).since(line.at) > quiet_s
        if is_long and line.after is not None and line.after.state in _SILENT:
            yield Gap(kind="silent", since=line.at, until=following, lines=(line.number,))


def _kind_of(line: Line) -> GapKind | None:
    state = line.after.state if line.after is not None else ""
    if state == "in-transit":
        return "in-transit"
    return "whereabouts" if state in _GONE else None


def _claims(lines: Iterable[Line]) -> Iterator[Gap]:
    for line in lines:
        if line.outcome == "waiting":
            yield Gap(kind="waiting", since=line.at, lines=(line.number,))
        if not line.is_signed:
            yield Gap(kind="unsigned", since=line.at, until=line.at, lines=(line.number,))


def _unproven(lines: Sequence[Line]) -> Iterator[Gap]:
    """Neighbouring lines of one bad verdict make one stretch. Lines whose proof was not asked for make none."""
    run: list[Line] = []
    for line in (*lines, None):
        if run and (line is None or line.verdict != run[-1].verdict):
            numbers = tuple(item.number for item in run)
            kind: GapKind = "fails" if run[0].verdict == "fails" else "unverifiable"
            yield Gap(kind=kind, since=run[0].at, until=run[-1].at, lines=numbers)
            run = []
        if line is not None and line.verdict != "holds" and line.why != "no-proof":
            run.append(line)
