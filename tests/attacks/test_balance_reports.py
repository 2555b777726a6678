"""Attacks on balances and production by whoever writes the reports."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.statements.shapes import Span
from sekisho.model.wire import canonical
from sekisho.registry.balance import (
    Closed,
    Correction,
    ReportLine,
    balance_report,
    change_reports,
    check_reports,
    close_balance,
    effective_lines,
    parse_reports,
)
from sekisho.registry.production import (
    Production,
    Quota,
    Scrap,
    Tolerances,
    check_production,
    post_quota,
)
from tests.registry.balance.worlds import at, closing, counted, row

LEDGER = [row("CM", "a", 1), row("RD", "b", 2), row("RD", "c", 3)]
FIRST = close_balance(closing(0, 10), LEDGER, None, counted(["a", "b", "c"], 10))
CLOSED = Closed(balance=FIRST, inventory=counted(["a", "b", "c"], 10))
(REPORT,) = change_reports([FIRST], LEDGER)


def test_a_user_supplied_sign_is_refused() -> None:
    """A loss stated as coming in would fill the hole that it makes."""
    plain = json.loads(REPORT.to_bytes())
    plain["lines"][0].update(code="LA", direction="in", area_from="osaka", area_to="")
    with pytest.raises(InvalidInput, match="always counts out"):
        parse_reports(canonical(plain))


def test_a_correction_never_reaches_another_partys_report() -> None:
    """The same area, number and entry under another name corrects nothing and changes nothing."""
    theirs = replace(
        REPORT,
        header=replace(
            REPORT.header, party="rival", number=2, period=Span(start=at(10), end=at(20))
        ),
        lines=(
            ReportLine(
                entry=1,
                at=at(2),
                code="RD",
                items=0,
                area_to="osaka",
                corrects=Correction(report=1, entry=2),
            ),
        ),
    )
    faults = {(f.report, f.code) for f in check_reports([REPORT, theirs])}
    assert ("ICR 2", "corrects-nothing") in faults
    assert len(effective_lines([REPORT])) == 3


def test_a_skipped_period_does_not_close() -> None:
    """What was lost in the week between would belong to no balance."""
    with pytest.raises(StateConflict, match="none may be skipped"):
        close_balance(closing(17, 27), LEDGER, CLOSED, counted(["a", "b"], 27))
    second = close_balance(closing(10, 20), LEDGER, CLOSED, counted(["a", "b"], 20))
    moved = replace(second, period=Span(start=at(12), end=at(20)))
    sheets = [balance_report(FIRST), balance_report(moved)]
    assert [fault.code for fault in check_reports(sheets)] == ["period-skipped"]


def test_a_backdated_movement_does_not_hide_a_loss() -> None:
    """`c` is missing in the second period; a shipment dated into the first, where it was counted, contradicts that."""
    ledger = [*LEDGER, row("SD", "c", 9, number=80)]
    second = close_balance(closing(10, 20), ledger, CLOSED, counted(["a", "b"], 20))
    assert second.missing == ()
    assert (second.contradicted, second.late) == (("c",), 1)
    assert second.verdict == "fails"
    assert close_balance(closing(0, 10), ledger[: FIRST.seen], None, CLOSED.inventory) == FIRST


def test_a_backdated_receipt_does_not_fill_a_hole() -> None:
    """A dummy that nobody counted before cannot have been there all the time."""
    ledger = [*LEDGER, row("RD", "dummy", 9, number=80)]
    second = close_balance(closing(10, 20), ledger, CLOSED, counted(["a", "b", "dummy"], 20))
    assert (second.missing, second.contradicted) == (("c",), ("dummy",))
    assert (second.cumulative, second.verdict) == (1, "fails")


def test_a_loss_does_not_hide_behind_a_surplus() -> None:
    """One chip gone and one dummy in its place: the figure is nought, the balance fails."""
    balance = close_balance(closing(0, 10), LEDGER, None, counted(["a", "b", "dummy"], 10))
    assert (balance.unaccounted, balance.verdict) == (0, "fails")


def _made(dies: int, start: int, end: int, *certificates: str) -> Production:
    return Production(
        party="maker",
        fab="fab-18",
        product="H100",
        period=Span(start=at(start), end=at(end)),
        good_dies=dies,
        scrap=tuple(Scrap(certificate=name, issuer="r", dies=10) for name in certificates),
    )


def test_a_scrap_certificate_counts_once() -> None:
    """Within a report, in a later report, and again for a replacement quota."""
    for report, counted_before in (
        (_made(1, 0, 9, "c-1", "c-1"), {}),
        (_made(1, 0, 9, "c-1"), {"c-1": "the report of May"}),
    ):
        found = check_production(report, Tolerances(), counted_before)
        assert next(c for c in found if c.name == "certificates").verdict == "fails"
    quota = Quota(
        fab="fab-18",
        period=Span(start=at(0), end=at(9)),
        dies=5,
        replacement=10,
        destroyed=(Scrap(certificate="c-1", issuer="r", dies=10),),
    )
    (state,) = post_quota([quota], [_made(12, 0, 9, "c-1")])
    assert (state.refused, state.over, state.verdict) == (("c-1",), 7, "fails")


def test_a_quota_is_not_split_over_two_periods() -> None:
    """A report across the turn of the month is refused, and so is a second one for the same days."""
    quotas = [
        Quota(fab="fab-18", period=Span(start=at(0), end=at(100)), dies=10),
        Quota(fab="fab-18", period=Span(start=at(100), end=at(200)), dies=10),
    ]
    with pytest.raises(InvalidInput, match="lies in no one quota period"):
        post_quota(quotas, [_made(20, 50, 150)])
    with pytest.raises(InvalidInput, match="two reports of fab-18"):
        post_quota(quotas, [_made(10, 0, 100), _made(10, 90, 100)])
