from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from sekisho.licensing import Book, Books, OverSpent, UnknownShare
from sekisho.model.errors import StateConflict
from sekisho.model.statements import BudgetShare

BUDGET = 10**24
amounts = st.integers(0, 2 * BUDGET) | st.integers(0, 1_000)


class BookKeeping(RuleBasedStateMachine):
    """Random leases, closings, forks and amendments: the accounts always make budget and what is overdrawn."""

    leases: Bundle[int] = Bundle("leases")
    closed: Bundle[tuple[int, int, bool]] = Bundle("closed")

    def __init__(self) -> None:
        super().__init__()
        self.book = Book.open(BUDGET)
        self.budget = BUDGET
        self.open: list[int] = []
        self.consumed = 0

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

    @rule(target=closed, allowance=consumes(leases), consumed=amounts, forfeited=st.booleans())
    def close(self, allowance: int, consumed: int, *, forfeited: bool) -> tuple[int, int, bool]:
        if allowance == 0:
            return 0, 0, True
        before = self.book
        self.book = before.close(allowance, consumed, rest_forfeited=forfeited)
        self.open.remove(allowance)
        self.consumed += consumed
        if forfeited:
            assert self.book.available <= before.available
        return allowance, consumed, forfeited

    @rule(target=closed, lease=consumes(closed), more=amounts)
    def fork(self, lease: tuple[int, int, bool], more: int) -> tuple[int, int, bool]:
        allowance, consumed, forfeited = lease
        before = self.book
        self.book = before.add(allowance, consumed, consumed + more, forfeited=forfeited)
        self.consumed += more
        assert self.book.available <= before.available
        return allowance, consumed + more, forfeited

    @rule(budget=amounts)
    def amend(self, budget: int) -> None:
        is_below = budget < min(self.book.taken, self.budget)
        try:
            self.book = self.book.amend(budget)
        except StateConflict:
            assert is_below
            return
        assert not is_below
        self.budget = budget

    @invariant()
    def every_flop_is_in_one_place(self) -> None:
        book = self.book
        accounts = (book.available, book.leased, book.consumed, book.forfeited, book.overdrawn)
        assert sum(accounts[:4]) == self.budget + book.overdrawn
        assert book.budget == self.budget
        assert min(accounts) >= 0
        assert not (book.available and book.overdrawn)
        assert book.leased == sum(self.open)
        assert book.consumed == self.consumed


TestBookKeeping = BookKeeping.TestCase


def test_the_unused_rest_returns_or_is_forfeited() -> None:
    """A final receipt gives back what was not consumed; running out loses it."""
    book = Book.open(100).lease(60)
    assert book.close(60, 10, rest_forfeited=False) == Book(available=90, consumed=10)
    assert book.close(60, 10, rest_forfeited=True) == Book(available=40, consumed=10, forfeited=50)


def test_consuming_more_than_the_allowance_shows() -> None:
    """The excess comes out of what is available; what not even that covers is overdrawn, and never cut off."""
    book = Book.open(100).lease(60)
    assert book.close(60, 75, rest_forfeited=True) == Book(available=25, consumed=75)
    assert book.close(60, 101, rest_forfeited=False) == Book(available=0, consumed=101, overdrawn=1)


def test_what_is_overdrawn_is_covered_before_anything_is_available_again() -> None:
    """By a lease that returns its rest, and by an amended budget."""
    book = Book.open(100).lease(60).lease(40).close(60, 75, rest_forfeited=True)
    assert (book.overdrawn, book.budget) == (15, 100)
    assert book.close(40, 5, rest_forfeited=False) == Book(available=20, consumed=80)
    assert book.amend(110) == Book(available=0, leased=40, consumed=75, overdrawn=5)
    assert book.amend(120) == Book(available=5, leased=40, consumed=75)
    with pytest.raises(StateConflict, match="is below the 115 FLOP"):
        book.amend(99)


def test_a_fork_takes_the_forfeited_rest_first() -> None:
    """What the lease lost by running out covers its branch; the excess comes out of what is available."""
    book = Book.open(100).lease(60).close(60, 20, rest_forfeited=True)
    assert book.forfeited == 40
    assert book.add(60, 20, 50, forfeited=True) == Book(available=40, consumed=50, forfeited=10)
    assert book.add(60, 20, 130, forfeited=True) == Book(available=0, consumed=130, overdrawn=30)
    with pytest.raises(OverSpent, match="fewer than"):
        book.add(60, 20, 19, forfeited=True)


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


def shares(**budgets: int) -> tuple[BudgetShare, ...]:
    return tuple(BudgetShare(share=name, budget_flop=str(flop)) for name, flop in budgets.items())


def test_shares_split_a_budget_whole() -> None:
    """One book each; anything but the whole budget, and one name twice, is refused."""
    books = Books.open(100, shares(east=60, west=40))
    assert books.of("east") == Book.open(60)
    assert books.total == Book.open(100)
    for wrong in (shares(east=60), shares(east=60, west=41)):
        with pytest.raises(StateConflict, match="split the budget whole"):
            Books.open(100, wrong)
    with pytest.raises(StateConflict, match="one name"):
        Books.open(100, (*shares(east=60), *shares(east=40)))


def test_a_lease_draws_on_its_share_alone() -> None:
    """What one share has left is nothing to the other, and no share named is none."""
    books = Books.open(100, shares(east=60, west=40)).lease("east", 60)
    with pytest.raises(StateConflict, match="the 0 FLOP available"):
        books.lease("east", 1)
    assert books.lease("west", 40).total.available == 0
    for wrong, told in ((None, "names no share"), ("north", "no share 'north'")):
        with pytest.raises(UnknownShare, match=told):
            books.lease(wrong, 1)
    with pytest.raises(UnknownShare, match="not split"):
        Books.open(100).lease("east", 1)


def test_one_share_overdrawn_is_not_made_up_for_by_another() -> None:
    """The sum shows both: what is left here, and what is missing there."""
    books = Books.open(100, shares(east=60, west=40)).lease("east", 60)
    closed = books.put("east", books.of("east").close(60, 70, rest_forfeited=True))
    assert (closed.total.available, closed.total.overdrawn, closed.total.budget) == (40, 10, 100)


def test_an_unknown_amount_stops_its_own_share_alone() -> None:
    """The other issuer's amounts need not be known to grant from one's own share."""
    books = Books.open(100, shares(east=60, west=40)).lease("east", None)
    assert (books.is_known("east"), books.is_known("west"), books.undisclosed) == (False, True, 1)
    assert books.lease("east", 5).of("east") == Book.open(60)
    assert books.lease("west", 5).of("west").leased == 5


def test_an_amendment_moves_budgets_between_shares_and_takes_none_that_is_in_use() -> None:
    """A share in use is named again, with at least as much; a new one begins whole."""
    books = Books.open(100, shares(east=60, west=40)).lease("east", 30)
    moved = books.amend(120, shares(east=30, west=50, north=40))
    assert [moved.of(name).available for name in ("east", "west", "north")] == [0, 50, 40]
    assert books.in_use_of_dropped(shares(west=100)) == {"east": 30}
    assert books.in_use_of_dropped(()) == {"east": 30}
    assert books.in_use_of_dropped(shares(east=30, west=70)) == {}
    with pytest.raises(StateConflict, match="is below the 30 FLOP"):
        books.amend(100, shares(east=29, west=71))
    assert books.amend(60, shares(east=60)).total.budget == 60


def test_a_dropped_share_keeps_a_book_of_no_budget() -> None:
    """What comes to light of its leases has a place, what is unknown of it stays so, and the sum is the budget."""
    books = Books.open(100, shares(east=60, west=40)).lease("east", None)
    assert books.in_use_of_dropped(shares(west=100)) == {"east": None}
    moved = books.amend(100, shares(west=100))
    assert (moved.of("east"), moved.is_known("east")) == (Book.open(0), False)
    assert (moved.of("west").available, moved.total.budget) == (100, 100)
    assert moved.in_use_of_dropped(shares(north=100)) == {}
    held = Books.open(100).lease(None, 30).amend(100, shares(west=100)).of(None)
    assert held == Book(available=0, leased=30, overdrawn=30)
    assert held.close(30, 0, rest_forfeited=False) == Book.open(0)


def test_a_book_that_stands_still_moves_with_its_budget_alone() -> None:
    """Where an amount is unknown an amendment adds and takes what is available, never below nothing."""
    books = Books.open(100).lease(None, None)
    assert books.amend(150).total.available == 150
    assert books.amend(150).undisclosed == 1
