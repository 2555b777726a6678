"""The ledger of one licence, line by line: each amount leaves one account and enters another. Pure.

The lines are derived again from the log's entries, apart from the books; where the two disagree the page says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

import msgspec

from sekisho.licensing import Book, LeaseState, LicenceState
from sekisho.model.instants import Instant
from sekisho.model.statements import LeaseClosed, LeaseGranted
from sekisho.signing import Recorded

__all__ = ["Account", "Posting", "post_ledger"]

Account: TypeAlias = Literal["budget", "available", "leased", "consumed", "forfeited"]


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """An amount in FLOP that moved between two accounts; None where it was not disclosed. `after` is the book then."""

    at: Instant
    index: int | None
    what: str
    host: str
    number: int
    source: Account
    target: Account
    flop: int | None
    after: Book


def post_ledger(state: LicenceState, entries: Iterable[Recorded]) -> tuple[Posting, ...]:
    """Every line of a licence's ledger, in log order; `entries` are the log's lease-granted and lease-closed."""
    budget = state.book.budget
    book = Book.open(budget)
    lines = [_line(state.licence.effective, None, "opened", ("budget", "available"), budget, book)]
    leases = {lease.leaf: lease for lease in state.leases}
    for entry in entries:
        fact = entry.verified.predicate
        if isinstance(fact, LeaseGranted) and entry.leaf in leases:
            lease = leases[entry.leaf]
            book = book if lease.allowance_flop is None else book.lease(lease.allowance_flop)
            move: tuple[Account, Account] = ("available", "leased")
            lines.append(
                _line(fact.effective, entry.index, "granted", move, lease.allowance_flop, book, fact)
            )
        elif isinstance(fact, LeaseClosed) and fact.lease.leaf in leases:
            closed, book = _close(leases[fact.lease.leaf], fact, entry, book)
            lines += closed
    return tuple(lines)


def _close(
    lease: LeaseState, fact: LeaseClosed, entry: Recorded, book: Book
) -> tuple[list[Posting], Book]:
    """The lines that end a lease: what was consumed, then what became of the rest."""
    allowance, consumed = lease.allowance_flop, lease.consumed_flop

    def line(what: str, source: Account, target: Account, flop: int | None) -> Posting:
        return _line(fact.effective, entry.index, what, (source, target), flop, after, fact)

    if allowance is None or consumed is None:
        after = book
        return [line("consumed", "leased", "consumed", None)], book
    after = book.close(allowance, consumed, rest_forfeited=fact.how == "forfeited")
    lines = [line("consumed", "leased", "consumed", min(allowance, consumed))]
    rest = allowance - consumed
    if rest < 0:
        lines.append(line("overrun", "available", "consumed", -rest))
    elif rest and fact.how == "forfeited":
        lines.append(line("forfeited", "leased", "forfeited", rest))
    elif rest:
        lines.append(line("returned", "leased", "available", rest))
    return lines, after


def _line(
    at: Instant,
    index: int | None,
    what: str,
    move: tuple[Account, Account],
    flop: int | None,
    after: Book,
    lease: LeaseGranted | LeaseClosed | None = None,
) -> Posting:
    return Posting(
        at=at,
        index=index,
        what=what,
        host=lease.host if lease else "",
        number=lease.number if lease else 0,
        source=move[0],
        target=move[1],
        flop=flop,
        after=after,
    )
