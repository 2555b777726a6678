"""Quality control of reports: everything in a row of them that cannot be so, named by code, report and entry. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.registry.balance.codes import CODES, PAIRS
from sekisho.registry.balance.reports import BALANCE_CODES, Report, ReportLine, signed_items

__all__ = ["Fault", "FaultCode", "booked_in", "check_reports", "effective_lines", "net_changes"]

FaultCode: TypeAlias = Literal[
    "number-missing",
    "number-twice",
    "period-skipped",
    "period-overlaps",
    "period-empty",
    "entry-numbers",
    "unknown-code",
    "direction-stated",
    "direction-missing",
    "other-area",
    "outside-period",
    "pair-incomplete",
    "corrects-nothing",
    "corrects-later",
    "corrects-twice",
    "arithmetic",
    "difference-differs",
    "opening-differs",
    "totals-differ",
    "inventory-missing",
    "inventory-differs",
    "ledger-differs",
]
OPEN: Final[frozenset[str]] = frozenset({"inventory-missing"})
"""Faults that leave a balance unverifiable instead of failing it."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong. `report` is its type and number, `entry` 0 where it is the report as a whole."""

    code: FaultCode
    area: str
    report: str
    entry: int = 0
    problem: str = ""

    @property
    def is_open(self) -> bool:
        return self.code in OPEN


def check_reports(reports: Iterable[Report]) -> tuple[Fault, ...]:
    """All faults of a set of reports, area by area; none where they hold together.

    1. Each report by itself. 2. Each type's numbers and periods run on without gap. 3. Corrections name an earlier
    entry that still stands. 4. Each balance adds up, opens with what was counted last, and agrees with the changes and
    the listing of its period. The party counts: one party's correction never reaches another party's report.
    """
    by_area: dict[tuple[str, str], list[Report]] = defaultdict(list)
    for report in reports:
        by_area[report.header.party, report.header.area].append(report)
    found: list[Fault] = []
    for _, group in sorted(by_area.items()):
        ordered = sorted(group, key=lambda report: report.header.number)
        rows = {
            kind: [report for report in ordered if report.header.type == kind]
            for kind in ("ICR", "PIL", "MBR")
        }
        for row in rows.values():
            for report in row:
                found.extend(_check_report(report))
            found.extend(_check_row(row))
            found.extend(_check_corrections(row))
        found.extend(_check_balances(rows["MBR"], rows["ICR"], rows["PIL"]))
    return tuple(found)


def booked_in(report: Report) -> Counter[tuple[str, ...]]:
    """What a change report books anew, without how its entries are parted and described. Corrections are left out."""
    found: Counter[tuple[str, ...]] = Counter()
    for line in report.lines:
        if line.corrects is None:
            found[str(line.at), line.code, line.area_from, line.area_to] += line.items
    return found


def effective_lines(reports: Sequence[Report]) -> dict[tuple[int, int], ReportLine]:
    """By (report, entry) the lines of one area and type that stand after all corrections; withdrawn ones are gone."""
    standing: dict[tuple[int, int], ReportLine] = {}
    for report in sorted(reports, key=lambda report: report.header.number):
        for line in report.lines:
            if line.corrects is not None:
                standing.pop((line.corrects.report, line.corrects.entry), None)
            if line.corrects is None or line.items:
                standing[report.header.number, line.entry] = line
    return standing


def _check_report(report: Report) -> Iterator[Fault]:
    head = report.header
    if head.period.end <= head.period.start:
        yield _fault(report, "period-empty", 0, "ends before it starts")
    if [line.entry for line in report.lines] != list(range(1, len(report.lines) + 1)):
        yield _fault(report, "entry-numbers", 0, "entries are not numbered 1, 2, 3 without gap")
    for line in report.lines:
        for code, problem in _line_faults(report, line):
            yield _fault(report, code, line.entry, problem)
    if head.type == "ICR":
        yield from _check_pairs(report)


def _line_faults(report: Report, line: ReportLine) -> Iterator[tuple[FaultCode, str]]:
    head = report.header
    if head.area not in (line.area_from, line.area_to):
        yield "other-area", f"neither leaves nor enters {head.area}"
    if line.at > head.period.end or (head.type == "PIL" and line.at != head.period.end):
        yield "outside-period", f"is dated {line.at}, the period ends at {head.period.end}"
    known = CODES.get(line.code)
    if head.type == "PIL":
        if line.code:
            yield "unknown-code", "a listing has no codes"
    elif head.type == "MBR" and line.code in BALANCE_CODES:
        return
    elif known is None:
        yield "unknown-code", f"no change code {line.code!r}"
    elif known.sign and line.direction is not None:
        yield "direction-stated", f"{line.code} counts by its own sign"
    elif not known.sign and line.direction is None:
        yield "direction-missing", f"{line.code} has no sign of its own"
    elif head.type == "ICR" and known.sign:
        yield from _end_faults(line, known.sign, head.area)


def _end_faults(line: ReportLine, sign: int, area: str) -> Iterator[tuple[FaultCode, str]]:
    inner = line.area_to if sign > 0 else line.area_from
    if inner != area:
        word = "enter" if sign > 0 else "leave"
        yield "other-area", f"{line.code} must {word} {area}"


def _check_pairs(report: Report) -> Iterator[Fault]:
    """A pair within the area itself has as much out as in at one time; between two areas the other one has its half."""
    sums: Counter[tuple[str, str]] = Counter()
    for line in report.lines:
        pair, way = line.code[:-1], line.code[-1:]
        if pair in PAIRS and line.area_from == line.area_to and line.corrects is None:
            sums[pair, str(line.at)] += line.items if way == "+" else -line.items
    for (pair, at), left in sorted(sums.items()):
        if left:
            yield _fault(report, "pair-incomplete", 0, f"{pair} at {at} is {left:+d}, not 0")


def _check_row(row: Sequence[Report]) -> Iterator[Fault]:
    """A listing bears its balance's number, so listings may leave gaps: the balance without one is unverifiable."""
    for earlier, later in pairwise(row):
        step = later.header.number - earlier.header.number
        if step == 0:
            yield _fault(later, "number-twice", 0, "another report has this number")
        elif later.header.type == "PIL":
            continue
        elif step > 1:
            yield _fault(later, "number-missing", 0, f"{step - 1} numbers before it are missing")
        end, start = earlier.header.period.end, later.header.period.start
        if start > end:
            yield _fault(later, "period-skipped", 0, f"nothing tells of {end} to {start}")
        elif start < end:
            yield _fault(later, "period-overlaps", 0, f"starts at {start}, before {end}")
    if row and row[0].header.number != 1 and row[0].header.type != "PIL":
        yield _fault(row[0], "number-missing", 0, "the first reports are missing")


def _check_corrections(row: Sequence[Report]) -> Iterator[Fault]:
    every = {(report.header.number, line.entry) for report in row for line in report.lines}
    corrected: set[tuple[int, int]] = set()
    for report in row:
        for line in report.lines:
            if line.corrects is None:
                continue
            target = (line.corrects.report, line.corrects.entry)
            name = f"entry {target[1]} of report {target[0]}"
            if target[0] >= report.header.number:
                yield _fault(report, "corrects-later", line.entry, f"{name} is not earlier")
            elif target not in every:
                yield _fault(report, "corrects-nothing", line.entry, f"there is no {name}")
            elif target in corrected:
                problem = f"{name} was corrected before: correct the line that stands for it"
                yield _fault(report, "corrects-twice", line.entry, problem)
            corrected.add(target)


def _check_balances(
    balances: Sequence[Report], changes: Sequence[Report], listings: Sequence[Report]
) -> Iterator[Fault]:
    counted: int | None = None
    nets = net_changes(changes)
    listed = {r.header.number: sum(line.items for line in r.lines) for r in listings}
    for place, report in enumerate(balances):
        sums = {code: _only(report, code) for code in BALANCE_CODES}
        change = _sum(line for line in report.lines if line.code not in BALANCE_CODES)
        opening, book, found = sums["PB"], sums["BA"], sums["PE"]
        if opening is None or book is None or change is None or opening + change != book:
            yield _fault(report, "arithmetic", 0, f"{opening} + {change} is not {book}")
        if place and counted is not None and opening != counted:
            yield _fault(report, "opening-differs", 0, f"opens with {opening}, not {counted}")
        if change is not None and nets.get(report.header.number, change) != change:
            problem = (
                f"changes come to {change}, the change report's to {nets[report.header.number]}"
            )
            yield _fault(report, "totals-differ", 0, problem)
        yield from _check_count(report, book, found, listed.get(report.header.number))
        counted = found if found is not None else book


def _check_count(
    report: Report, book: int | None, found: int | None, listed: int | None
) -> Iterator[Fault]:
    if found is None:
        yield _fault(report, "inventory-missing", 0, "nobody counted: the balance is unverifiable")
        return
    stated = _loss(report)
    if book is not None and stated != book - found:
        yield _fault(report, "difference-differs", 0, f"{book} - {found} is not {stated}")
    if listed is not None and listed != found:
        yield _fault(report, "inventory-differs", 0, f"counts {found}, its listing {listed}")


def net_changes(changes: Sequence[Report]) -> dict[int, int]:
    """What each change report adds to the book: its lines, less what the lines that it corrects had added."""
    standing: dict[tuple[int, int], int] = {}
    nets: dict[int, int] = {}
    for report in changes:
        net = 0
        for line in report.lines:
            if line.corrects is not None:
                net -= standing.pop((line.corrects.report, line.corrects.entry), 0)
            value = _sum([line]) or 0
            standing[report.header.number, line.entry] = value
            net += value
        nets[report.header.number] = net
    return nets


def _sum(lines: Iterable[ReportLine]) -> int | None:
    """None where a line has neither a known code nor a direction: then nothing can be added up."""
    total = 0
    for line in lines:
        known = CODES.get(line.code)
        if known is None or (known.sign == 0 and line.direction is None):
            return None
        total += signed_items(line)
    return total


def _only(report: Report, code: str) -> int | None:
    found = [line.items for line in report.lines if line.code == code]
    return found[0] if len(found) == 1 else None


def _loss(report: Report) -> int | None:
    """The stated figure, positive for a loss: out of the book."""
    found = [line for line in report.lines if line.code == "MF"]
    if len(found) != 1:
        return None
    return -found[0].items if found[0].direction == "in" else found[0].items


def _fault(report: Report, code: FaultCode, entry: int, problem: str) -> Fault:
    head = report.header
    return Fault(
        code=code, area=head.area, report=f"{head.type} {head.number}", entry=entry, problem=problem
    )
