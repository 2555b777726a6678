"""Judging a passport that somebody handed over, by what a log says. Nothing in the document is believed.

1. Every line is tied to the log again (`registry.passport_line`). 2. No event stands twice, and no place of a batch
bears two lines. 3. The lines in effect are folded again, by the register's own fold: custodian, holder, place,
container and state after each line, and how the chip stands now, must be what the passport says. 4. Specifications
are recomputed, gaps found again. 5. Sightings that contradict the lines before them bear their alerts.

What a verdict of *holds* does not say stands in `LIMITS`: a line that was left out leaves no trace in the log, since
the log does not say which chip a commitment speaks of; who endorsed an event, and whether it took effect, is the
register's word (an auditor with the deposited events replays that too).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from sekisho.registry.epcis.event import Event
from sekisho.registry.passport import Passport, fold_lines, lay_in, path_through, worst
from sekisho.registry.passport_alerts import find_unnamed
from sekisho.registry.passport_gaps import Gap, find_gaps
from sekisho.registry.passport_line import Line, LogSeen, Verdict, judge_line, read_event
from sekisho.registry.specs import specs_of, table_digest

__all__ = ["CheckName", "PassportCheck", "PassportVerdict", "judge_passport"]

CheckName: TypeAlias = Literal["lines", "once", "standing", "specs", "alerts", "gaps"]


class PassportCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One check of a passport. `lines` are the numbers of the events that did not hold."""

    name: CheckName
    verdict: Verdict
    lines: tuple[int, ...] = ()


class PassportVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a passport comes to: the worst check; the lines as they were judged, the gaps as they were found again."""

    verdict: Verdict
    checks: tuple[PassportCheck, ...]
    lines: tuple[Line, ...]
    gaps: tuple[Gap, ...]


def judge_passport(passport: Passport, seen: LogSeen) -> PassportVerdict:
    """Judge a passport by what is known of its log. Pure."""
    events = {line.number: read_event(line) for line in passport.lines}
    twice = _twice(passport.lines)
    lines = tuple(
        judge_line(line, events[line.number], seen, passport.epc) for line in passport.lines
    )
    lines = tuple(
        msgspec.structs.replace(line, verdict="fails", why="twice")
        if line.number in twice
        else line
        for line in lines
    )
    gaps = find_gaps(
        lines,
        until=passport.at or passport.issued,
        receipt_s=passport.terms.custody.receipt_within_s,
        quiet_s=passport.quiet_s,
    )
    checks = (
        _check_lines(lines),
        PassportCheck(name="once", verdict="fails" if twice else "holds", lines=tuple(twice)),
        _check_standing(passport, events),
        _check_specs(passport),
        _check_alerts(passport, events),
        _check_gaps(passport, gaps),
    )
    return PassportVerdict(
        verdict=worst(check.verdict for check in checks), checks=checks, lines=lines, gaps=gaps
    )


def _check_lines(lines: Sequence[Line]) -> PassportCheck:
    bad = tuple(line.number for line in lines if line.verdict != "holds")
    verdict = worst(line.verdict for line in lines)
    return PassportCheck(name="lines", verdict=verdict, lines=bad)


def _twice(lines: Sequence[Line]) -> list[int]:
    """Events whose number, or whose place in a batch, another line claims too."""
    numbers = Counter(line.number for line in lines)
    places = Counter((line.proof.batch, line.proof.place) for line in lines if line.proof)
    return sorted(
        {
            line.number
            for line in lines
            if numbers[line.number] > 1
            or (line.proof and places[line.proof.batch, line.proof.place] > 1)
        }
    )


def _check_standing(passport: Passport, events: Mapping[int, Event | None]) -> PassportCheck:
    """Fold again; a line that is no event cannot be folded, so nothing that follows is known."""
    read = {number: event for number, event in events.items() if event is not None}
    if len(read) < len(passport.lines):
        return PassportCheck(name="standing", verdict="fails")
    after, standing = fold_lines(passport.epc, passport.lines, read, passport.terms)
    wrong = tuple(line.number for line in passport.lines if line.after != after.get(line.number))
    identity = None if standing is None else standing.identity
    agrees = (
        not wrong
        and (standing, identity) == (passport.standing, passport.identity)
        and lay_in(passport.lines) == passport.lay_in
    )
    return PassportCheck(name="standing", verdict="holds" if agrees else "fails", lines=wrong)


def _check_specs(passport: Passport) -> PassportCheck:
    """Recomputed from this reader's own chip table; by another table than the passport's nothing can be told."""
    known = None if passport.identity is None else specs_of(passport.identity.model)
    if known == passport.specs:
        return PassportCheck(name="specs", verdict="holds")
    is_same_table = passport.specs is not None and passport.specs.table == table_digest()
    return PassportCheck(name="specs", verdict="fails" if is_same_table else "unverifiable")


def _check_alerts(passport: Passport, events: Mapping[int, Event | None]) -> PassportCheck:
    """Every contradiction that the lines show is named, whoever handed the file over."""
    read = {number: event for number, event in events.items() if event is not None}
    if len(read) < len(passport.lines):
        return PassportCheck(name="alerts", verdict="unverifiable")
    path = path_through(passport.epc, passport.lines, read, passport.terms)
    found = find_unnamed(passport.epc, path, passport.lines, passport.terms)
    if found.surely:
        return PassportCheck(name="alerts", verdict="fails", lines=found.surely)
    verdict: Verdict = "unverifiable" if found.perhaps else "holds"
    return PassportCheck(name="alerts", verdict=verdict, lines=found.perhaps)


def _check_gaps(passport: Passport, gaps: Sequence[Gap]) -> PassportCheck:
    """Every gap that the lines show is named. One that the reader's own verdicts add is in `lines` already."""
    named = {(gap.kind, gap.lines) for gap in passport.gaps}
    missing = [
        gap
        for gap in gaps
        if gap.kind not in ("unverifiable", "fails") and (gap.kind, gap.lines) not in named
    ]
    numbers = tuple(sorted({number for gap in missing for number in gap.lines}))
    return PassportCheck(name="gaps", verdict="fails" if missing else "holds", lines=numbers)
