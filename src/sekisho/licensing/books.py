"""Double-entry books of a licence: every FLOP of the budget is in exactly one of four places, always.

budget + overdrawn = available + leased + consumed + forfeited, in integers, at every instant. `overdrawn` is what forks
and over-consumption took beyond the budget: an account of its own, so that the books stay readable and exact. A budget
that is split has one book a share. Source: protocol section 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from sekisho.model.amounts import parse_flop
from sekisho.model.errors import StateConflict, VerificationError
from sekisho.model.statements import BudgetShare

__all__ = ["WHOLE", "Book", "Books", "OverSpent", "UnknownShare"]

WHOLE = ""
"""The name under which the one book of a budget stands that is not split."""


class OverSpent(VerificationError):
    """More was taken out of an account than was in it."""

    code = "over-spent"


class UnknownShare(VerificationError):
    """A lease that draws on no share of a split budget, or on one that the licence does not have."""

    code = "unknown-share"

    @classmethod
    def named(cls, share: str | None, names: Iterable[str]) -> UnknownShare:
        """The error of a lease that draws on this share of those."""
        told = ", ".join(sorted(filter(None, names))) or "none, its budget is not split"
        return cls(
            f"the licence has no share {share!r}" if share else "the lease names no share",
            remedy=f"shares: {told}",
        )


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """The four accounts of one budget and what was taken beyond it, in FLOP."""

    available: int
    leased: int = 0
    consumed: int = 0
    forfeited: int = 0
    overdrawn: int = 0

    @classmethod
    def open(cls, budget_flop: int) -> Book:
        return cls(available=budget_flop)

    @property
    def budget(self) -> int:
        return self.available + self.taken - self.overdrawn

    @property
    def taken(self) -> int:
        """What is not available: leased, consumed or forfeited."""
        return self.leased + self.consumed + self.forfeited

    def amend(self, budget_flop: int) -> Book:
        """The book under another budget: what is added or taken away is available, never what is in use.

        What is added covers what is overdrawn first. Raises StateConflict where less is named than before, and less
        than leased + consumed + forfeited.
        """
        if budget_flop < min(self.taken, self.budget):
            raise StateConflict(
                f"a budget of {budget_flop} FLOP is below the {self.taken} FLOP leased, consumed and forfeited",
                remedy=f"name at least {self.taken} FLOP, or wait until leases are closed",
            )
        return _made(budget_flop, self.leased, self.consumed, self.forfeited)

    def lease(self, allowance_flop: int) -> Book:
        """Move an allowance from available to leased. Raises StateConflict where not that much is left."""
        if not 0 < allowance_flop <= self.available:
            raise StateConflict(
                f"an allowance of {allowance_flop} FLOP does not fit the {self.available} FLOP available",
                remedy="ask for an amended licence, or wait for leases to be closed",
            )
        return msgspec.structs.replace(
            self, available=self.available - allowance_flop, leased=self.leased + allowance_flop
        )

    def close(self, allowance_flop: int, consumed_flop: int, *, rest_forfeited: bool) -> Book:
        """Move an allowance out of leased: what was consumed stays consumed, the rest returns or is forfeited.

        What was consumed beyond the allowance comes out of available, and what not even that covers is overdrawn.
        Raises OverSpent where not that much is leased.
        """
        if allowance_flop > self.leased or consumed_flop < 0:
            raise OverSpent(
                f"{allowance_flop} FLOP cannot be closed: only {self.leased} FLOP are leased"
            )
        rest = max(0, allowance_flop - consumed_flop) if rest_forfeited else 0
        return _made(
            self.budget,
            self.leased - allowance_flop,
            self.consumed + consumed_flop,
            self.forfeited + rest,
        )

    def add(
        self, allowance_flop: int, before_flop: int, consumed_flop: int, *, forfeited: bool
    ) -> Book:
        """Take in what another branch consumed of a lease that is closed: now so much, and not `before_flop`.

        Of what was forfeited with the lease so much less is left, and none of it returns. Raises OverSpent where it
        is less than before.
        """
        if consumed_flop < before_flop:
            raise OverSpent(
                f"{consumed_flop} FLOP are fewer than the {before_flop} consumed before"
            )
        lost = max(0, allowance_flop - before_flop) if forfeited else 0
        left = min(lost, max(0, allowance_flop - consumed_flop))
        return _made(
            self.budget,
            self.leased,
            self.consumed - before_flop + consumed_flop,
            self.forfeited - lost + left,
        )


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """The books of one licence by share; `WHOLE` alone where the budget is not split.

    `unknown` counts by share the amounts that nobody opens: from the first one on that share's book stands still.
    A share that an amendment no longer names keeps its book, of no budget: what comes to light of its leases afterwards
    is booked there, and whoever lacks a disclosure folds the same log.
    """

    shares: Mapping[str, Book]
    unknown: Mapping[str, int] = {}

    @classmethod
    def open(cls, budget_flop: int, shares: Iterable[BudgetShare] = ()) -> Books:
        """Books with everything available. Raises StateConflict where the shares do not split the budget whole."""
        return cls(
            shares={name: Book.open(flop) for name, flop in _split(budget_flop, shares).items()}
        )

    @property
    def total(self) -> Book:
        """All shares together; what one overdrew is not made up for by what another has left."""
        if len(self.shares) == 1:
            return next(iter(self.shares.values()))
        books = self.shares.values()
        return Book(
            available=sum(book.available for book in books),
            leased=sum(book.leased for book in books),
            consumed=sum(book.consumed for book in books),
            forfeited=sum(book.forfeited for book in books),
            overdrawn=sum(book.overdrawn for book in books),
        )

    @property
    def undisclosed(self) -> int:
        return sum(self.unknown.values())

    def of(self, share: str | None) -> Book:
        """The book that a lease draws on. Raises UnknownShare."""
        book = self.shares.get(share or WHOLE)
        if book is None:
            raise UnknownShare.named(share, self.shares)
        return book

    def is_known(self, share: str | None) -> bool:
        """Whether every amount that this share's book needs is open."""
        return not self.unknown.get(share or WHOLE)

    def amend(self, budget_flop: int, shares: Iterable[BudgetShare] = ()) -> Books:
        """The books under another budget, split as said; what is no longer named keeps a book of no budget.

        Raises StateConflict where a share that is named gets less than is in use. Whether a share may be dropped is
        asked at admission (`in_use_of_dropped`): here it would depend on what is disclosed.
        """
        wanted = _split(budget_flop, shares)
        names = dict.fromkeys([*wanted, *self.shares])
        return msgspec.structs.replace(
            self, shares={name: self._rebudgeted(name, wanted.get(name)) for name in names}
        )

    def in_use_of_dropped(self, shares: Iterable[BudgetShare]) -> dict[str, int | None]:
        """What is leased, consumed or forfeited of each share that this split drops, in FLOP; None is unknown.

        What was dropped before is not asked again, nor what has nothing in use.
        """
        wanted = {share.share for share in shares} or {WHOLE}
        dropped = {n: b for n, b in self.shares.items() if n not in wanted and b.budget > 0}
        used = {n: b.taken if self.is_known(n) else None for n, b in dropped.items()}
        return {name: flop for name, flop in used.items() if flop != 0}

    def lease(self, share: str | None, allowance_flop: int | None) -> Books:
        """With one more lease; an allowance that nobody opens is counted as unknown. Raises what `Book.lease` does."""
        book = self.of(share)
        if allowance_flop is None:
            return self.unopened(share)
        return self.put(share, book.lease(allowance_flop)) if self.is_known(share) else self

    def unopened(self, share: str | None) -> Books:
        """With one more amount of this share that nobody opens."""
        name = share or WHOLE
        return msgspec.structs.replace(
            self, unknown={**self.unknown, name: self.unknown.get(name, 0) + 1}
        )

    def put(self, share: str | None, book: Book) -> Books:
        return msgspec.structs.replace(self, shares={**self.shares, share or WHOLE: book})

    def _rebudgeted(self, name: str, flop: int | None) -> Book:
        """One book under its new budget; None where it is no longer named."""
        book = self.shares.get(name)
        if book is None:
            return Book.open(flop or 0)
        if flop is not None and self.is_known(name):
            return book.amend(flop)
        # Dropped, or what is in use is unknown: the book stands still but for what is added or taken away.
        return _made(flop or 0, book.leased, book.consumed, book.forfeited)


def _made(budget: int, leased: int, consumed: int, forfeited: int) -> Book:
    """The one book with these accounts: something is available, or something is overdrawn, never both."""
    left = budget - leased - consumed - forfeited
    return Book(
        available=max(0, left),
        leased=leased,
        consumed=consumed,
        forfeited=forfeited,
        overdrawn=max(0, -left),
    )


def _split(budget_flop: int, shares: Iterable[BudgetShare]) -> dict[str, int]:
    parts = [(share.share, parse_flop(share.budget_flop)) for share in shares]
    if not parts:
        return {WHOLE: budget_flop}
    split = dict(parts)
    if len(split) != len(parts):
        raise StateConflict("two shares of the budget have one name", remedy="name each once")
    total = sum(split.values())
    if total != budget_flop:
        raise StateConflict(
            f"the shares make {total} FLOP, the budget is {budget_flop}",
            remedy="split the budget whole",
        )
    return split
