"""The ledger of one licence, line by line: each amount leaves one account and enters another. Pure.

The lines are derived again from the log's entries, apart from the books; where the two disagree the page says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

import msgspec

from sekisho.licensing import Book, LeaseState, LicenceState
from sekisho.model.amounts import parse_flop
from sekisho.model.instants import Instant
from sekisho.model.statements import LeaseClosed, LeaseGranted, LicenceAmended
from sekisho.signing import Recorded

__all__ = ["Account", "Posting", "post_ledger"]

Account: TypeAlias = Literal["budget", "available", "leased", "consumed", "forfeited"]


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """An amount in FLOP that moved between two accounts; None where it was not disclosed. `after` is the book then."""

    at: Instant
    what: str
    host: str = ""
    number: int = 0
    source: Account
    target: Account
    flop: int | None
    after: Book


def post_ledger(state: LicenceState, entries: Iterable[Recorded]) -> tuple[Posting, ...]:
    """Every line of a licence's ledger, in log order.

    `entries` are the log's lease-granted, lease-closed and licence-amended.
    """
    budget = state.first.budget_flop if state.first is not None else state.book.budget
    book = Book.open(budget)
    opening = Posting(
        at=state.licence.effective,
        what="opened",
        source="budget",
        target="available",
        flop=budget,
        after=book,
    )
    lines = [opening]
    leases = {lease.leaf: lease for lease in state.leases}
    for entry in entries:
        fact = entry.verified.predicate
        if isinstance(fact, LeaseGranted) and entry.leaf in leases:
            lease = leases[entry.leaf]
            book = book if lease.allowance_flop is None else book.lease(lease.allowance_flop)
            lines.append(
                Posting(
                    at=fact.effective,
                    what="granted",
                    host=fact.host,
                    number=fact.number,
                    source="available",
                    target="leased",
                    flop=lease.allowance_flop,
                    after=book,
                )
            )
        elif isinstance(fact, LicenceAmended) and fact.licence.leaf == state.leaf:
            before, book = book, book.amend(parse_flop(fact.budget_flop))
            lines += _amended(fact, before, book)
        elif isinstance(fact, LeaseClosed) and fact.lease.leaf in leases:
            closed, book = _close(leases[fact.lease.leaf], fact, book)
            lines += closed
    return tuple(lines)


def _amended(fact: LicenceAmended, before: Book, after: Book) -> list[Posting]:
    """What an amendment adds to the budget or takes away; nothing where it leaves it."""
    delta = after.budget - before.budget
    if not delta:
        return []
    source, target = ("budget", "available") if delta > 0 else ("available", "budget")
    return [
        Posting(
            at=fact.effective,
            what="amended",
            number=fact.version,
            source=source,  # type: ignore[arg-type]  # one of the two, as just said
            target=target,  # type: ignore[arg-type]  # the same
            flop=abs(delta),
            after=after,
        )
    ]


def _close(lease: LeaseState, fact: LeaseClosed, book: Book) -> tuple[list[Posting], Book]:
    """The lines that end a lease: what was consumed, then what became of the rest."""
    allowance, consumed = lease.allowance_flop, lease.consumed_flop

    def line(what: str, source: Account, target: Account, flop: int | None) -> Posting:
        return Posting(
            at=fact.effective,
            what=what,
            host=fact.host,
            number=fact.number,
            source=source,
            target=target,
            flop=flop,
            after=after,
        )

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
