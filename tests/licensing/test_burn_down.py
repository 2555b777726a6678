"""How a budget burns down: the series, the marks, the forecast, and shares each by themselves."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.licensing import BurnDown, LicenceLedger, burn_down
from sekisho.model.instants import Instant
from sekisho.model.statements import BudgetShare, LicenceAmended
from tests.factory import NOW, disclosed, lease_closed, lease_granted
from tests.licensing.ledgers import LICENCE, LICENCE_LEAF, fold, issued

How: TypeAlias = Literal["final-receipt", "forfeited"]
ALLOWANCE = 62 * 10**9
BUDGET = 10**13
HOUR_LATER = NOW.plus(3_600)


def spent(
    ledger: LicenceLedger, consumed: int, at_s: float, number: int, how: How = "final-receipt"
) -> LicenceLedger:
    """One more lease, granted at an instant and closed 60 s later with so much consumed."""
    granted = lease_granted(number, licence=LICENCE)
    start = NOW.plus(at_s)
    granted = msgspec.structs.replace(granted, effective=start, not_after=start.plus(60))
    ledger, lease = fold(ledger, granted, disclosed("allowance_flop", str(ALLOWANCE)))
    closed = lease_closed(lease, number, licence=LICENCE, how=how, consumed_flop=str(consumed))
    closed = msgspec.structs.replace(closed, effective=start.plus(60))
    ledger, _ = fold(ledger, closed, disclosed("consumed_flop", str(consumed)))
    return ledger


def whole(ledger: LicenceLedger, now: Instant = HOUR_LATER) -> BurnDown:
    return burn_down(ledger.find(LICENCE_LEAF), now)[0]


def small(budget: int) -> LicenceLedger:
    """A ledger whose one licence has another budget."""
    return issued(budget_flop=str(budget))


def test_the_series_begins_with_the_whole_budget_and_ends_with_the_book() -> None:
    """Granted and closed: the accounts after each instant, the last of them the book's own."""
    ledger = spent(spent(issued(), 10**9, 0, 1), 2 * 10**9, 100, 2, "forfeited")
    told, book = whole(ledger), ledger.find(LICENCE_LEAF).book
    last = told.points[-1]
    assert (last.available_flop, last.leased_flop) == (book.available, book.leased)
    assert (last.consumed_flop, last.forfeited_flop) == (book.consumed, book.forfeited)
    assert [p.leased_flop for p in told.points] == [ALLOWANCE, 0, ALLOWANCE, 0]


def test_a_mark_is_crossed_at_the_closing_that_crosses_it() -> None:
    """80 and 95 per cent by what is spent, at its instant; 100 not yet."""
    ledger = small(10**11)
    ledger = spent(spent(ledger, 38 * 10**9, 0, 1), 58 * 10**9, 100, 2)
    crossed = {mark.percent: mark.crossed for mark in whole(ledger).marks}
    assert crossed == {80: NOW.plus(160), 95: NOW.plus(160), 100: None}
    assert whole(ledger).spent_percent == 96


def test_what_is_leased_and_may_return_crosses_no_mark() -> None:
    """A lease over the whole budget is no consumption."""
    ledger, _ = fold(
        small(ALLOWANCE),
        lease_granted(licence=LICENCE),
        disclosed("allowance_flop", str(ALLOWANCE)),
    )
    assert [mark.crossed for mark in whole(ledger).marks] == [None, None, None]


def test_a_larger_budget_takes_a_mark_back() -> None:
    """After an amendment the marks are those of the new budget."""
    ledger = spent(small(ALLOWANCE), 6 * 10**10, 0, 1)
    assert whole(ledger).marks[0].crossed == NOW.plus(60)
    held = ledger.find(LICENCE_LEAF)
    amended = LicenceAmended(
        effective=NOW.plus(90),
        licence=LICENCE,
        number="LIC-1",
        version=2,
        previous=held.newest,
        reason="more",
        **{
            name: getattr(held.licence, name)
            for name in (
                "hosts",
                "devices",
                "devices_root",
                "sites",
                "period",
                "lease",
                "mode",
                "decision",
            )
        },
        budget_flop=str(10**12),
    )
    ledger, _ = fold(ledger, amended)
    told = whole(ledger)
    assert [mark.crossed for mark in told.marks] == [None, None, None]
    assert told.points[-1].budget_flop == 10**12


def test_a_steady_use_is_forecast_narrowly_and_an_uneven_one_widely() -> None:
    """Earliest at the fastest part, latest at the slowest; never before now, never after the licence's end."""
    steady, uneven = small(10**12), small(10**12)
    for n in range(1, 9):
        steady = spent(steady, 10**10, 60.0 * (n - 1), n)
        uneven = spent(uneven, 10**9 if n % 2 else 2 * 10**10, 60.0 * (n - 1), n)
    now = NOW.plus(600)
    told, wide = whole(steady, now).forecast, whole(uneven, now).forecast
    exact = NOW.plus(480 + (10**12 - 8 * 10**10) / (10**10 / 60))
    assert told.basis == "observed"
    assert told.earliest is not None
    assert told.latest is not None
    assert abs(told.earliest.since(exact)) < 1
    assert abs(told.latest.since(exact)) < 1
    assert wide.earliest is not None
    assert wide.latest is not None
    assert wide.earliest < wide.latest


@pytest.mark.parametrize(
    ("leases", "basis"), [(0, "too-few-leases"), (1, "too-few-leases"), (2, "observed")]
)
def test_no_forecast_rests_on_a_single_lease(leases: int, basis: str) -> None:
    """Of fewer than two closed leases no rate is known."""
    ledger = issued()
    for n in range(1, leases + 1):
        ledger = spent(ledger, 10**9, 60.0 * (n - 1), n)
    assert whole(ledger).forecast.basis == basis


def test_what_nobody_discloses_is_unknown_and_never_zero() -> None:
    """From the first unknown amount on there is no series, no percentage and no forecast."""
    ledger, _ = fold(issued(), lease_granted(licence=LICENCE))
    told = whole(ledger)
    assert (told.undisclosed, told.spent_percent, told.forecast.basis) == (1, None, "undisclosed")
    assert len(told.points) == 1


def test_a_spent_and_an_ended_licence_are_not_forecast() -> None:
    """The budget is spent; or the licence's time is over."""
    ledger = small(2 * ALLOWANCE)
    ledger = spent(spent(ledger, ALLOWANCE, 0, 1), ALLOWANCE, 60, 2)
    assert whole(ledger).forecast.basis == "exhausted"
    later = NOW.plus(10**7)
    assert whole(issued(), later).forecast.basis == "ended"


def test_each_share_burns_down_by_itself() -> None:
    """A split budget has a burn-down for the whole and one for each part."""
    shares = (
        BudgetShare(share="east", budget_flop=str(ALLOWANCE)),
        BudgetShare(share="west", budget_flop=str(BUDGET - ALLOWANCE)),
    )
    ledger = issued(shares=shares)
    granted = msgspec.structs.replace(lease_granted(licence=LICENCE), share="east")
    ledger, _ = fold(ledger, granted, disclosed("allowance_flop", str(ALLOWANCE)))
    told = {each.share: each for each in burn_down(ledger.find(LICENCE_LEAF), NOW.plus(9))}
    assert {name: each.points[-1].available_flop for name, each in told.items()} == {
        None: BUDGET - ALLOWANCE,
        "east": 0,
        "west": BUDGET - ALLOWANCE,
    }


@settings(max_examples=30, deadline=None)
@given(
    uses=st.lists(
        st.tuples(st.integers(0, 2 * ALLOWANCE), st.sampled_from(("final-receipt", "forfeited"))),
        max_size=6,
    )
)
def test_the_last_point_is_the_book_whatever_happened(uses: list[tuple[int, How]]) -> None:
    """The series re-adds what the ledger booked, over-consumption included."""
    ledger = issued()
    for n, (consumed, how) in enumerate(uses, 1):
        ledger = spent(ledger, consumed, 60.0 * (n - 1), n, how)
    book, last = ledger.find(LICENCE_LEAF).book, whole(ledger).points[-1]
    told = (last.available_flop, last.leased_flop, last.consumed_flop, last.forfeited_flop)
    assert told == (book.available, book.leased, book.consumed, book.forfeited)
