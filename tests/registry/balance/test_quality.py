from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from sekisho.model.errors import InvalidInput
from sekisho.model.wire import canonical
from sekisho.registry.balance import (
    Balance,
    Closed,
    Correction,
    Report,
    ReportLine,
    balance_report,
    change_reports,
    check_reports,
    close_balance,
    effective_lines,
    inventory_report,
    parse_reports,
)
from tests.registry.balance.worlds import at, closing, counted, row

LEDGER = [row("CM", "a", 1), row("RD", "b", 2), row("SD", "b", 14)]
FIRST = close_balance(closing(0, 10), LEDGER, None, counted(["a", "b"], 10))
SECOND = close_balance(
    closing(10, 20),
    LEDGER,
    Closed(balance=FIRST, inventory=counted(["a", "b"], 10)),
    counted(["a"], 20),
)
BALANCES: tuple[Balance, ...] = (FIRST, SECOND)
CHANGES = change_reports(BALANCES, LEDGER)
SHEETS = tuple(map(balance_report, BALANCES))
LISTING = inventory_report(SECOND, counted(["a"], 20), lambda _: "maker H100")


def codes(*reports: Report) -> list[str]:
    return [fault.code for fault in check_reports(reports)]


def changed(report: Report, place: int, /, **fields: Any) -> Report:
    lines = list(report.lines)
    lines[place - 1] = replace(lines[place - 1], **fields)
    return replace(report, lines=tuple(lines))


def headed(report: Report, **fields: Any) -> Report:
    return replace(report, header=replace(report.header, **fields))


def test_sound_reports_have_no_faults() -> None:
    """The written ones are."""
    assert codes(*CHANGES, *SHEETS, LISTING) == []


def test_reports_go_to_json_and_back() -> None:
    """A file of several is a list."""
    data = b"[" + b",".join(report.to_bytes() for report in (*CHANGES, *SHEETS, LISTING)) + b"]"
    assert parse_reports(data) == (*CHANGES, *SHEETS, LISTING)
    assert parse_reports(CHANGES[0].to_bytes()) == CHANGES[:1]


def test_a_report_has_a_stable_digest() -> None:
    """It is what a later closing chains to, so it may never come out otherwise."""
    assert SHEETS[0].digest == "c7e0adcd8d8e15b05df31d61929a1085ebff221f2c43fc60f1d93ef1db5e72fd"


def test_a_sheet_prints_the_difference_with_its_way() -> None:
    """A loss goes out of the book, a gain comes in."""
    short = close_balance(closing(0, 10), LEDGER, None, counted(["a"], 10))
    over = close_balance(closing(0, 10), LEDGER, None, counted(["a", "b", "x"], 10))
    figures = [
        (r.lines[-1].items, r.lines[-1].direction) for r in map(balance_report, (short, over))
    ]
    assert figures == [(1, "out"), (1, "in")]
    assert codes(balance_report(short)) == codes(balance_report(over)) == []


LINE = ReportLine(entry=1, at=at(1), code="RD", items=1, area_to="osaka")
FAULTS: dict[str, tuple[Report, ...]] = {
    "number-missing": (CHANGES[1],),
    "number-twice": (CHANGES[0], CHANGES[0]),
    "period-empty": (headed(CHANGES[0], period=replace(CHANGES[0].header.period, start=at(10))),),
    "period-skipped": (
        CHANGES[0],
        headed(CHANGES[1], period=replace(CHANGES[1].header.period, start=at(11))),
    ),
    "period-overlaps": (
        CHANGES[0],
        headed(CHANGES[1], period=replace(CHANGES[1].header.period, start=at(9))),
    ),
    "entry-numbers": (changed(CHANGES[0], 2, entry=3),),
    "unknown-code": (changed(CHANGES[0], 1, code="ZZ"),),
    "direction-stated": (changed(CHANGES[0], 1, direction="out"),),
    "direction-missing": (changed(CHANGES[0], 1, code="NM"),),
    "other-area": (changed(CHANGES[0], 1, area_to="tokyo", area_from="osaka"),),
    "outside-period": (changed(CHANGES[0], 1, at=at(11)),),
    "pair-incomplete": (changed(CHANGES[0], 1, code="RM+", area_from="osaka"),),
    "corrects-nothing": (
        CHANGES[0],
        changed(CHANGES[1], 1, corrects=Correction(report=1, entry=9)),
    ),
    "corrects-later": (
        CHANGES[0],
        changed(CHANGES[1], 1, corrects=Correction(report=2, entry=1)),
    ),
    "arithmetic": (changed(SHEETS[0], 1, items=1),),
    "difference-differs": (changed(SHEETS[0], 5, items=1),),
    "opening-differs": (
        SHEETS[0],
        changed(changed(SHEETS[1], 1, items=3), 3, items=2),
    ),
    "totals-differ": (CHANGES[0], changed(changed(SHEETS[0], 3, items=5), 4, items=6)),
    "inventory-missing": (replace(SHEETS[0], lines=SHEETS[0].lines[:4]),),
    "inventory-differs": (*SHEETS, changed(LISTING, 1, items=2)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_by_its_name(fault: str) -> None:
    """One report that has it is enough."""
    assert fault in codes(*FAULTS[fault])


def test_a_line_is_corrected_once() -> None:
    """The next correction names the line that stands for it."""
    first = replace(LINE, corrects=Correction(report=1, entry=1))
    twice = replace(CHANGES[1], lines=(first, replace(first, entry=2)))
    assert "corrects-twice" in codes(CHANGES[0], twice)
    again = headed(
        replace(CHANGES[1], lines=(replace(LINE, corrects=Correction(report=2, entry=1)),)),
        number=3,
        period=replace(CHANGES[1].header.period, start=at(20), end=at(30)),
    )
    chained = (CHANGES[0], replace(CHANGES[1], lines=(first,)), again)
    assert codes(*chained) == []
    assert sorted(effective_lines(chained)) == [(1, 2), (3, 1)]


def test_a_withdrawn_line_is_gone() -> None:
    """A correction without items stands for nothing."""
    gone = replace(LINE, items=0, corrects=Correction(report=1, entry=1))
    reports = (CHANGES[0], replace(CHANGES[1], lines=(gone,)))
    assert sorted(effective_lines(reports)) == [(1, 2)]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"direction": "in"}, "always counts out"),
        ({"items": -1}, "items"),
        ({"sign": 1}, "sign"),
    ],
)
def test_a_sign_of_ones_own_is_refused_with_its_path(change: dict[str, object], why: str) -> None:
    """By direction, by a negative count, by a field of that name."""
    plain = json.loads(CHANGES[1].to_bytes())
    plain["lines"][0].update(change)
    with pytest.raises(InvalidInput, match=why) as caught:
        parse_reports(canonical(plain), path="r.json")
    assert "lines" in str(caught.value)
