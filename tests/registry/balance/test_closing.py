from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.ports.register_store import LineRow
from sekisho.registry.balance import (
    Balance,
    Closed,
    Inventory,
    Report,
    balance_report,
    change_reports,
    check_reports,
    close_balance,
    effective_lines,
    held_at,
    inventory_report,
    signed_items,
)
from tests.registry.balance.worlds import Told, World, at, closing, counted, row, tellings

LEDGER = [row("CM", "a", 1), row("RD", "b", 2), row("RD", "c", 3), row("SD", "b", 4)]


def test_what_was_counted_as_booked_holds() -> None:
    """Opening 0 + 3 - 1 = 2, and two were counted."""
    balance = close_balance(closing(0, 10), LEDGER, None, counted(["a", "c"], 10))
    assert (balance.opening, balance.increases, balance.decreases, balance.book) == (0, 3, 1, 2)
    assert (balance.counted, balance.unaccounted, balance.cumulative) == (2, 0, 0)
    assert (balance.verdict, balance.reasons) == ("holds", ())


def test_a_missing_chip_is_a_positive_difference_and_fails() -> None:
    """MUF = PB + X - Y - PE: positive is a loss."""
    balance = close_balance(closing(0, 10), LEDGER, None, counted(["a"], 10))
    assert (balance.unaccounted, balance.missing, balance.verdict) == (1, ("c",), "fails")


def test_a_surplus_chip_is_a_negative_difference_and_fails() -> None:
    """A gain is as suspicious as a loss."""
    balance = close_balance(closing(0, 10), LEDGER, None, counted(["a", "c", "x"], 10))
    assert (balance.unaccounted, balance.surplus, balance.verdict) == (-1, ("x",), "fails")


def test_a_swap_that_leaves_the_figure_at_nought_fails() -> None:
    """Items are compared one by one, not counted only."""
    balance = close_balance(closing(0, 10), LEDGER, None, counted(["a", "dummy"], 10))
    assert (balance.unaccounted, balance.verdict) == (0, "fails")
    assert (balance.missing, balance.surplus) == (("c",), ("dummy",))


def test_without_a_count_the_balance_is_unverifiable_and_no_figure_is_nought() -> None:
    """Missing evidence never passes."""
    balance = close_balance(closing(0, 10), LEDGER, None, None)
    assert (balance.counted, balance.unaccounted, balance.cumulative) == (None, None, None)
    assert (balance.verdict, balance.reasons) == ("unverifiable", ("inventory-missing",))


def test_a_count_of_nothing_is_a_count() -> None:
    """An empty list says that all are missing."""
    balance = close_balance(closing(0, 10), LEDGER, None, counted([], 10))
    assert (balance.counted, balance.unaccounted, balance.verdict) == (0, 2, "fails")


def test_the_next_period_opens_with_what_was_counted() -> None:
    """PB = the last PE, so a loss declared later turns the figure of its own period round and the sum to nought."""
    first = close_balance(closing(0, 10), LEDGER, None, counted(["a"], 10))
    ledger = [*LEDGER, row("LA", "c", 12)]
    closed = Closed(balance=first, inventory=counted(["a"], 10))
    second = close_balance(closing(10, 20), ledger, closed, counted(["a"], 20))
    assert (second.opening, second.unaccounted, second.cumulative) == (1, -1, 0)
    assert (second.verdict, second.number) == ("holds", 2)


def test_after_a_period_without_a_count_the_opening_is_the_book() -> None:
    """It is said, and the period's own figure stays open; the items decide."""
    first = close_balance(closing(0, 10), LEDGER, None, None)
    second = close_balance(closing(10, 20), LEDGER, Closed(balance=first), counted(["a", "c"], 20))
    assert (second.opening, second.opening_counted, second.unaccounted) == (2, False, None)
    assert (second.cumulative, second.verdict) == (0, "holds")
    assert second.reasons == ("opening-not-counted",)


def test_a_skipped_period_is_refused() -> None:
    """Nothing may happen between two balances."""
    first = close_balance(closing(0, 10), LEDGER, None, None)
    with pytest.raises(StateConflict, match="one after the other"):
        close_balance(closing(11, 20), LEDGER, Closed(balance=first), None)


def test_a_period_still_running_is_not_closed() -> None:
    """A count of the future is none."""
    early = replace(closing(0, 10), made=at(9))
    with pytest.raises(StateConflict, match="still to come"):
        close_balance(early, LEDGER, None, None)


@pytest.mark.parametrize(
    ("inventory", "why"),
    [
        (Inventory(party="cloud", area="tokyo", taken=at(10), items=()), "count of tokyo"),
        (Inventory(party="lab", area="osaka", taken=at(10), items=()), "by lab"),
        (Inventory(party="cloud", area="osaka", taken=at(9), items=()), "was taken at"),
    ],
)
def test_a_count_of_something_else_is_refused(inventory: Inventory, why: str) -> None:
    """Another area, party or moment proves nothing here."""
    with pytest.raises(InvalidInput, match=why):
        close_balance(closing(0, 10), LEDGER, None, inventory)


def test_a_late_line_counts_in_the_next_period_and_says_so() -> None:
    """The closed balance stays as it is."""
    first = close_balance(closing(0, 10), LEDGER, None, counted(["a"], 10))
    ledger = [*LEDGER, row("SD", "c", 9, number=50)]
    again = close_balance(closing(0, 10), ledger[: first.seen], None, counted(["a"], 10))
    closed = Closed(balance=first, inventory=counted(["a"], 10))
    second = close_balance(closing(10, 20), ledger, closed, counted(["a"], 20))
    assert again == first
    assert (second.late, second.decreases, second.cumulative) == (1, 1, 0)


def test_a_book_that_counts_a_chip_twice_is_impossible() -> None:
    """It fails instead of being averaged."""
    balance = close_balance(
        closing(0, 10), [*LEDGER, row("RD", "a", 5)], None, counted(["a", "c"], 10)
    )
    assert "impossible-book" in balance.reasons
    assert balance.verdict == "fails"


class Kept:
    """An area closed every ten hours while its world goes on, events of closed periods coming late included."""

    def __init__(self, stories: list[list[Told]], dropped: list[int]) -> None:
        self.world = World()
        self.balances: list[Balance] = []
        self.counts: list[Inventory | None] = []
        self.reports: list[list[Report]] = []
        for number, (story, drop) in enumerate(zip(stories, dropped, strict=False), 1):
            for told in story:
                self.world.tell(replace(told, hours=told.hours % (number * 10), voids=None))
            self._close(number * 10, drop)

    @property
    def ledger(self) -> list[LineRow]:
        return [line for line in self.world.lines if line.area == "osaka"]

    def _close(self, end: int, drop: int) -> None:
        """Count what the book says but the first `drop` chips; below 0 nobody counts."""
        previous = None
        if self.balances:
            previous = Closed(balance=self.balances[-1], inventory=self.counts[-1])
        book, _ = held_at(self.ledger, at(end))
        inventory = None if drop < 0 else counted(sorted(book)[drop:], end)
        asked = closing(end - 10, end)
        self.balances.append(close_balance(asked, self.ledger, previous, inventory))
        self.counts.append(inventory)
        self.reports.append(list(change_reports(self.balances, self.ledger)))


kept = st.builds(
    Kept,
    st.lists(st.lists(tellings, max_size=6), min_size=1, max_size=4),
    st.lists(st.integers(-1, 2), min_size=4, max_size=4),
)


@settings(max_examples=150, deadline=None)
@given(kept)
def test_opening_and_changes_make_the_closing_in_every_period(area: Kept) -> None:
    """BA = PB + X - Y, PB = the last PE, and all unaccounted figures add up to what book and count differ by."""
    total: int | None = 0
    for number, balance in enumerate(area.balances):
        assert balance.book == balance.opening + balance.increases - balance.decreases
        assert balance.book == balance.opening + sum(change.net for change in balance.changes)
        last = area.balances[number - 1].counted if number else 0
        if last is not None:
            assert balance.opening == last
        if balance.unaccounted is None or total is None:
            total = None
        else:
            total += balance.unaccounted
            assert total == balance.cumulative
        assert (
            balance.verdict == "holds"
            or balance.missing
            or balance.counted is None
            or (balance.contradicted)
        )


@settings(max_examples=150, deadline=None)
@given(kept)
def test_the_reports_written_pass_quality_control(area: Kept) -> None:
    """Whatever came late or was taken back: numbers, periods, corrections, sums and listings hold together."""
    made = [*change_reports(area.balances, area.ledger), *map(balance_report, area.balances)]
    for balance, inventory in zip(area.balances, area.counts, strict=True):
        if inventory is not None:
            made.append(inventory_report(balance, inventory, lambda _: ""))
    assert {fault.code for fault in check_reports(made)} <= {"inventory-missing"}


@settings(max_examples=150, deadline=None)
@given(kept)
def test_what_comes_later_never_changes_an_earlier_report(area: Kept) -> None:
    """Each report is, byte for byte, what it was when its period was closed."""
    final = area.reports[-1]
    for number, reports in enumerate(area.reports):
        assert [r.to_bytes() for r in reports] == [r.to_bytes() for r in final[: number + 1]]


@settings(max_examples=100, deadline=None)
@given(kept)
def test_the_entries_that_stand_are_what_the_ledger_says(area: Kept) -> None:
    """Corrections included, the change reports of all periods add up to what the register puts in the area."""
    standing = effective_lines(change_reports(area.balances, area.ledger))
    assert sum(signed_items(line) for line in standing.values()) == area.balances[-1].register
