from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from sekisho.licensing import Book, OverSpent
from sekisho.model.errors import StateConflict

BUDGET = 10**24
amounts = st.integers(0, 2 * BUDGET) | st.integers(0, 1_000)


class BookKeeping(RuleBasedStateMachine):
    """Random leases and closings; the four accounts always make the budget."""

    leases: Bundle[int] = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.book = Book.open(BUDGET)
        self.open: list[int] = []

    @rule(target=leases, allowance=amounts)
    def lease(self, allowance: int) -> int:
        fits = 0 < allowance <= self.book.available
        try:
            self.book = self.book.lease(allowance)
        except StateConflict:
            assert not fits
            return 0
        assert fits
        self.open.append(allowance)
        return allowance

    @rule(allowance=consumes(leases), consumed=amounts, forfeited=st.booleans())
    def close(self, allowance: int, consumed: int, *, forfeited: bool) -> None:
        if allowance == 0:
            return
        before = self.book
        try:
            self.book = before.close(allowance, consumed, rest_forfeited=forfeited)
        except OverSpent:
            assert consumed > allowance + before.available
            self.book = before
            return
        self.open.remove(allowance)
        assert self.book.consumed == before.consumed + consumed
        if forfeited:
            assert self.book.available <= before.available

    @invariant()
    def every_flop_is_in_one_place(self) -> None:
        accounts = (
            self.book.available,
            self.book.leased,
            self.book.consumed,
            self.book.forfeited,
        )
        assert sum(accounts) == self.book.budget == BUDGET
        assert min(accounts) >= 0
        assert self.book.leased == sum(self.open)


TestBookKeeping = BookKeeping.TestCase


def test_the_unused_rest_returns_or_is_forfeited() -> None:
    """A final receipt gives back what was not consumed; running out loses it."""
    book = Book.open(100).lease(60)
    assert book.close(60, 10, rest_forfeited=False) == Book(available=90, consumed=10)
    assert book.close(60, 10, rest_forfeited=True) == Book(available=40, consumed=10, forfeited=50)


def test_consuming_more_than_the_allowance_shows() -> None:
    """The excess comes out of what is available and is never cut off."""
    book = Book.open(100).lease(60)
    assert book.close(60, 75, rest_forfeited=True) == Book(available=25, consumed=75)
    with pytest.raises(OverSpent, match="1 more than the whole budget"):
        book.close(60, 101, rest_forfeited=False)


@given(amounts)
def test_closing_what_was_never_leased_is_refused(allowance: int) -> None:
    """Nothing comes out of leased that did not go in."""
    book = Book.open(BUDGET)
    if allowance:
        with pytest.raises(OverSpent):
            book.close(allowance, 0, rest_forfeited=False)
    with pytest.raises(OverSpent):
        book.close(0, -1, rest_forfeited=False)


def test_a_lease_beyond_what_is_available_is_refused_with_the_figure() -> None:
    """The issuer reads what is left."""
    with pytest.raises(StateConflict, match="the 40 FLOP available"):
        Book.open(100).lease(60).lease(41)
    with pytest.raises(StateConflict):
        Book.open(100).lease(0)
