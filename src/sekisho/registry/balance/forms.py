"""Writing an area's reports from its ledger, counts and balances. Later lines never change earlier reports."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.ports.register_store import LineRow
from sekisho.registry.balance.closing import Balance
from sekisho.registry.balance.codes import CODES
from sekisho.registry.balance.inventory import Inventory
from sekisho.registry.balance.reports import (
    Correction,
    Header,
    Report,
    ReportLine,
    ReportType,
)

__all__ = ["balance_report", "change_reports", "inventory_report"]

Describe: TypeAlias = Callable[[str], str]
_Target: TypeAlias = tuple[int, int]
_Sort: TypeAlias = tuple[str, Instant, str]
"""Code, time and other area: what a line and the line that takes it back have in common, besides the component."""
_LATE: Final = "belongs to a period that was closed before it was known"


class _Entry(msgspec.Struct, kw_only=True):
    """An entry as it stands after all corrections so far: in which report and line, and of what."""

    target: _Target
    sort: _Sort
    batch: str
    description: str
    items: int


def change_reports(
    balances: Sequence[Balance], lines: Sequence[LineRow], describe: Describe = lambda _: ""
) -> tuple[Report, ...]:
    """The inventory change reports of a row of closed balances, oldest first, one for each.

    One entry for each event, code and other area; `describe` says of an EPC what it is, and parts entries where it
    differs. A line taken back after it was reported is a correction that names report and entry.
    """
    writer = _Writer(describe)
    return tuple(writer.write(balance, lines) for balance in balances)


class _Writer:
    """Writes one area's reports in turn and remembers which entry speaks of which line."""

    def __init__(self, describe: Describe) -> None:
        self._describe = describe
        self._done: set[int] = set()
        self._where: dict[tuple[_Sort, str], list[_Entry]] = defaultdict(list)

    def write(self, balance: Balance, lines: Sequence[LineRow]) -> Report:
        booked, taken_back = self._sort(balance, lines)
        written: list[ReportLine] = []
        self._write_booked(balance, booked, written)
        self._write_corrections(balance, taken_back, written)
        return Report(header=_header(balance, "ICR"), lines=tuple(written))

    def _sort(
        self, balance: Balance, lines: Sequence[LineRow]
    ) -> tuple[list[LineRow], list[LineRow]]:
        """The lines new to this report; what was booked and taken back within it cancels out."""
        booked: dict[tuple[_Sort, str], list[LineRow]] = defaultdict(list)
        taken_back = []
        for place, line in enumerate(lines[: balance.seen]):
            if line.at >= balance.period.end or place in self._done:
                continue
            self._done.add(place)
            key = (_sort_of(line), line.epc)
            if not line.reverses:
                booked[key].append(line)
            elif booked[key]:
                booked[key].pop()
            else:
                taken_back.append(line)
        return [line for found in booked.values() for line in found], taken_back

    def _write_booked(
        self, balance: Balance, booked: Iterable[LineRow], written: list[ReportLine]
    ) -> None:
        groups: dict[tuple[_Sort, int, str], list[LineRow]] = defaultdict(list)
        for line in booked:
            groups[_sort_of(line), line.number, self._describe(line.epc)].append(line)
        for (sort, number, description), found in sorted(groups.items(), key=_by_time):
            entry = _Entry(
                target=(balance.number, len(written) + 1),
                sort=sort,
                batch=f"event {number}",
                description=description,
                items=len(found),
            )
            note = _LATE if sort[1] < balance.period.start and balance.number > 1 else ""
            for line in found:
                self._where[sort, line.epc].append(entry)
            written.append(_line(balance.area, entry, note))

    def _write_corrections(
        self, balance: Balance, taken_back: Iterable[LineRow], written: list[ReportLine]
    ) -> None:
        """Each corrected entry once: it stands again with the items that are left."""
        lost: Counter[_Target] = Counter()
        entries = {}
        for line in taken_back:
            entry = self._where[_sort_of(line), line.epc].pop()
            lost[entry.target] += 1
            entries[entry.target] = entry
        for old, count in sorted(lost.items()):
            entry = entries[old]
            entry.items -= count
            entry.target = (balance.number, len(written) + 1)
            corrects = Correction(report=old[0], entry=old[1])
            remaining = _line(balance.area, entry, "")
            written.append(msgspec.structs.replace(remaining, corrects=corrects))


def inventory_report(balance: Balance, inventory: Inventory, describe: Describe) -> Report:
    """The physical inventory listing: one entry for each point, batch and description."""
    groups = Counter((item.point, item.batch, describe(item.epc)) for item in inventory.items)
    lines = tuple(
        ReportLine(
            entry=entry,
            at=inventory.taken,
            items=count,
            area_to=balance.area,
            point=point,
            batch=batch,
            description=description,
        )
        for entry, ((point, batch, description), count) in enumerate(sorted(groups.items()), 1)
    )
    return Report(header=_header(balance, "PIL"), lines=lines)


def balance_report(balance: Balance) -> Report:
    """The material balance report: opening, each code's sum, book, counted, unaccounted for (in: gain, out: loss).

    Without a count the last two lines are left out; they are never nought.
    """
    end = balance.period.end
    lines = [_total(balance, "PB", balance.opening, balance.period.start)]
    for change in balance.changes:
        line = _total(balance, change.code, abs(change.net), end)
        if CODES[change.code].sign * change.net < 0:
            line = msgspec.structs.replace(
                line,
                code="BJ",
                direction="in" if change.net > 0 else "out",
                note=f"more {change.code} taken back than booked",
            )
        lines.append(line)
    lines.append(_total(balance, "BA", balance.book, end))
    if balance.counted is not None:
        lost = balance.book - balance.counted
        lines.append(_total(balance, "PE", balance.counted, end))
        direction = "out" if lost > 0 else "in"
        figure = _total(balance, "MF", abs(lost), end)
        lines.append(msgspec.structs.replace(figure, direction=direction) if lost else figure)
    numbered = (msgspec.structs.replace(line, entry=n) for n, line in enumerate(lines, 1))
    return Report(header=_header(balance, "MBR"), lines=tuple(numbered))


def _total(balance: Balance, code: str, items: int, at: Instant) -> ReportLine:
    return ReportLine(entry=1, at=at, code=code, items=items, area_to=balance.area)


def _line(area: str, entry: _Entry, note: str) -> ReportLine:
    code, at, other = entry.sort
    comes = CODES[code].sign > 0
    return ReportLine(
        entry=entry.target[1],
        at=at,
        code=code,
        items=entry.items,
        area_from=other if comes else area,
        area_to=area if comes else other,
        batch=entry.batch,
        description=entry.description,
        basis="declared" if code in ("SF", "RF", "SD", "RD", "CM") else "counted",
        note=note,
    )


def _header(balance: Balance, kind: ReportType) -> Header:
    return Header(
        type=kind,
        number=balance.number,
        country=balance.country,
        party=balance.party,
        area=balance.area,
        period=balance.period,
        made=balance.made,
    )


def _sort_of(line: LineRow) -> _Sort:
    return line.code, line.at, line.other


def _by_time(group: tuple[tuple[_Sort, int, str], list[LineRow]]) -> tuple[Instant, int, str, str]:
    (code, at, other), number, description = group[0]
    return at, number, code, f"{other}/{description}"
