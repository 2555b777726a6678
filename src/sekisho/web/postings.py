"""The ledger of one licence, line by line: each amount leaves one account and enters another. Pure.

The lines are derived again from the log's entries, apart from the books; where the two disagree the page says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal, TypeAlias

import msgspec

from sekisho.licensing import Book, Books, LeaseState, LicenceState
from sekisho.model.amounts import parse_flop
from sekisho.model.instants import Instant
from sekisho.model.statements import LeaseClosed, LeaseGranted, LicenceAmended
from sekisho.signing import Recorded

__all__ = ["Account", "Posting", "post_ledger"]

Account: TypeAlias = Literal["budget", "available", "leased", "consumed", "forfeited"]
_Movement: TypeAlias = tuple[str, Account, Account, int | None]


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
    """Every line of a licence's ledger, in log order; `after` is all shares together.

    `entries` are the log's lease-granted, lease-closed and licence-amended.
    """
    budget = state.first.budget_flop if state.first is not None else state.book.budget
    shares = state.first.shares if state.first is not None else state.licence.shares
    books = Books.open(budget, shares)
    lines = [
        Posting(
            at=state.licence.effective,
            what="opened",
            source="budget",
            target="available",
            flop=budget,
            after=books.total,
        )
    ]
    leases = {lease.leaf: lease for lease in state.leases}
    closed: Counter[str] = Counter()
    for entry in entries:
        fact = entry.verified.predicate
        if isinstance(fact, LeaseGranted) and entry.leaf in leases:
            lease = leases[entry.leaf]
            books = books.lease(fact.share, lease.allowance_flop)
            lines.append(_granted(lease, books.total))
        elif isinstance(fact, LicenceAmended) and fact.licence.leaf == state.leaf:
            before, books = books, books.amend(parse_flop(fact.budget_flop), fact.shares)
            lines += _amended(fact, before.total, books.total)
        elif isinstance(fact, LeaseClosed) and fact.lease.leaf in leases:
            lease = leases[fact.lease.leaf]
            books, movements = _close(lease, closed[lease.leaf], books)
            closed[lease.leaf] += 1
            lines += [_line(fact, movement, books.total) for movement in movements]
    return tuple(lines)


def _granted(lease: LeaseState, after: Book) -> Posting:
    return Posting(
        at=lease.granted.effective,
        what="granted",
        host=lease.granted.host,
        number=lease.granted.number,
        source="available",
        target="leased",
        flop=lease.allowance_flop,
        after=after,
    )


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


def _line(fact: LeaseClosed, movement: _Movement, after: Book) -> Posting:
    what, source, target, flop = movement
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


def _close(lease: LeaseState, nth: int, books: Books) -> tuple[Books, list[_Movement]]:
    """The books after the lease's closing number `nth`, and what moved: consumed, then what became of the rest."""
    share, allowance = lease.granted.share, lease.allowance_flop
    consumed = lease.closings[nth].consumed_flop
    if consumed is None:
        return books.unopened(share), [("consumed", "leased", "consumed", None)]
    if allowance is None or not books.is_known(share):
        return books, [("consumed", "leased", "consumed", consumed)]
    returned = any(one.how == "final-receipt" for one in lease.closings[: nth + 1])
    book = books.of(share)
    if nth == 0:
        after = book.close(allowance, consumed, rest_forfeited=not returned)
        return books.put(share, after), _ended(allowance, consumed, returned=returned)
    before = lease.closings[nth - 1].consumed_flop or 0
    after = book.add(allowance, before, consumed, forfeited=not returned)
    what = "forked" if lease.closings[nth].how == "forked" else "late"
    return books.put(share, after), _added(what, (allowance, before, consumed), returned=returned)


def _ended(allowance: int, consumed: int, *, returned: bool) -> list[_Movement]:
    lines: list[_Movement] = [("consumed", "leased", "consumed", min(allowance, consumed))]
    rest = allowance - consumed
    if rest < 0:
        lines.append(("overrun", "available", "consumed", -rest))
    elif rest:
        kept: _Movement = ("returned", "leased", "available", rest)
        lines.append(kept if returned else ("forfeited", "leased", "forfeited", rest))
    return lines


def _added(what: str, flop: tuple[int, int, int], *, returned: bool) -> list[_Movement]:
    """More than a closed lease said: out of what was forfeited with it, then out of what is available."""
    allowance, before, consumed = flop
    more = consumed - before
    lost = 0 if returned else min(more, max(0, allowance - before))
    lines: list[_Movement] = []
    if lost:
        lines.append((what, "forfeited", "consumed", lost))
    if more > lost:
        lines.append((what, "available", "consumed", more - lost))
    return lines
