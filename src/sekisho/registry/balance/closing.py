"""Closing the balance of an item area: opening + increases - decreases = book, and the book against what was counted.

Sign convention, everywhere: unaccounted for = opening + increases - decreases - counted; positive is a loss (the
IAEA's; some national publications print the opposite sign). In an area of items it must be exactly zero, item by item:
a swap of one chip for another leaves the figure at zero and fails all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import Span
from sekisho.ports.register_store import LineRow
from sekisho.registry.balance.codes import signed
from sekisho.registry.balance.inventory import Inventory

__all__ = [
    "Balance",
    "Changed",
    "Closed",
    "Closing",
    "Reason",
    "Verdict",
    "close_balance",
    "held_at",
]

Verdict: TypeAlias = Literal["holds", "fails", "unverifiable"]
Reason: TypeAlias = Literal[
    "missing-items",
    "surplus-items",
    "inventory-missing",
    "opening-not-counted",
    "contradicts-inventory",
    "impossible-book",
]
_FAILING: Final[frozenset[str]] = frozenset(
    {"missing-items", "surplus-items", "contradicts-inventory", "impossible-book"}
)


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """How many components came or went under a code: booked, taken back, and how many of both belong before the period.

    `net` counts with the code's sign.
    """

    code: str
    booked: int
    reversed: int = 0
    late: int = 0
    net: int


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """One closed period of an item area. Counts are components; `unaccounted` is positive for a loss.

    `opening` is the last count (PB), or the last book where nobody counted (`opening_counted` false). `book` is opening
    + changes; `register` is what the ledger itself holds at the end; `cumulative` is register - counted, the part of it
    that earlier balances left open included. `seen` is how many lines of the area's ledger had been written at closing.
    """

    number: int
    party: str
    area: str
    country: str
    period: Span
    made: Instant
    seen: int
    opening: int
    opening_counted: bool
    changes: tuple[Changed, ...]
    increases: int
    decreases: int
    book: int
    register: int
    counted: int | None
    unaccounted: int | None
    cumulative: int | None
    missing: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()
    contradicted: tuple[str, ...] = ()
    late: int = 0
    verdict: Verdict
    reasons: tuple[Reason, ...] = ()


class Closed(msgspec.Struct, frozen=True, kw_only=True):
    """The balance before, with the count that it rests on where there was one."""

    balance: Balance
    inventory: Inventory | None = None


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be closed: whose area, up to when, and when this is done."""

    party: str
    area: str
    country: str
    period: Span
    made: Instant


def held_at(lines: Sequence[LineRow], before: Instant) -> tuple[frozenset[str], tuple[str, ...]]:
    """Which components the ledger puts in its area just before an instant, and those it counts other than 0 or 1 times.

    Lines come in the order in which they were written; the order does not matter here.
    """
    held: Counter[str] = Counter()
    for line in lines:
        if line.at < before:
            held[line.epc] += signed(line.code, 1, reverses=line.reverses)
    impossible = tuple(sorted(epc for epc, count in held.items() if count not in (0, 1)))
    return frozenset(epc for epc, count in held.items() if count > 0), impossible


def close_balance(
    closing: Closing,
    lines: Sequence[LineRow],
    previous: Closed | None,
    inventory: Inventory | None,
) -> Balance:
    """The balance of an area from all lines of its ledger, in the order in which they were written.

    1. The period follows the last one without gap or overlap. 2. Lines that belong to periods already closed and came
    after their closing count now, as late. 3. Opening is what was counted last. 4. The count, where there is one, is
    compared item by item; where there is none the balance is unverifiable. 5. What now turns out to have lain elsewhere
    at the last count contradicts that count. Raises StateConflict for a period that does not follow, InvalidInput for a
    count of another area, party or time.
    """
    _check_follows(closing, previous)
    _check_inventory(closing, inventory)
    changes = _changes(closing, lines, previous)
    opening, counted_before = _opening(previous)
    increases = sum(max(change.net, 0) for change in changes)
    decreases = sum(max(-change.net, 0) for change in changes)
    held, impossible = held_at(lines, closing.period.end)
    seen = None if inventory is None else inventory.epcs
    book = opening + increases - decreases
    missing = () if seen is None else tuple(sorted(held - seen))
    surplus = () if seen is None else tuple(sorted(seen - held))
    contradicted = _contradicted(lines, previous)
    tests: tuple[tuple[Reason, bool], ...] = (
        ("missing-items", bool(missing)),
        ("surplus-items", bool(surplus)),
        ("contradicts-inventory", bool(contradicted)),
        ("impossible-book", bool(impossible)),
        ("inventory-missing", seen is None),
        ("opening-not-counted", not counted_before),
    )
    reasons = tuple(reason for reason, applies in tests if applies)
    return Balance(
        number=1 if previous is None else previous.balance.number + 1,
        party=closing.party,
        area=closing.area,
        country=closing.country,
        period=closing.period,
        made=closing.made,
        seen=len(lines),
        opening=opening,
        opening_counted=counted_before,
        changes=changes,
        increases=increases,
        decreases=decreases,
        book=book,
        register=len(held),
        counted=None if seen is None else len(seen),
        unaccounted=None if seen is None or not counted_before else book - len(seen),
        cumulative=None if seen is None else len(held) - len(seen),
        missing=missing,
        surplus=surplus,
        contradicted=contradicted,
        late=sum(change.late for change in changes),
        verdict=_verdict(reasons),
        reasons=reasons,
    )


def _verdict(reasons: Sequence[Reason]) -> Verdict:
    """The item lists decide: an opening that nobody counted leaves the period's figure open, not the lists."""
    if _FAILING.intersection(reasons):
        return "fails"
    return "unverifiable" if "inventory-missing" in reasons else "holds"


def _check_follows(closing: Closing, previous: Closed | None) -> None:
    if closing.period.end <= closing.period.start:
        raise InvalidInput("ends before it starts", path="period")
    if closing.made < closing.period.end:
        raise StateConflict(f"the period ends at {closing.period.end}, which is still to come")
    if previous is None:
        return
    last = previous.balance
    if (last.area, last.party) != (closing.area, closing.party):
        raise StateConflict(f"the balance before is of {last.area}, closed by {last.party}")
    if last.period.end != closing.period.start:
        raise StateConflict(
            f"the last balance of {closing.area} ended at {last.period.end}, not {closing.period.start}",
            remedy="close the periods one after the other; none may be skipped or counted twice",
        )


def _check_inventory(closing: Closing, inventory: Inventory | None) -> None:
    if inventory is None:
        return
    if inventory.area != closing.area or inventory.party != closing.party:
        raise InvalidInput(
            f"is a count of {inventory.area} by {inventory.party}, not of {closing.area} by {closing.party}",
            path="inventory",
        )
    if inventory.taken != closing.period.end:
        raise InvalidInput(
            f"was taken at {inventory.taken}, the period ends at {closing.period.end}",
            path="inventory.taken",
            remedy="let the period end when the count was taken",
        )


def _opening(previous: Closed | None) -> tuple[int, bool]:
    """A ledger's first period opens with nothing, which needs no count."""
    if previous is None:
        return 0, True
    counted = previous.balance.counted
    return (previous.balance.book, False) if counted is None else (counted, True)


def _changes(
    closing: Closing, lines: Sequence[LineRow], previous: Closed | None
) -> tuple[Changed, ...]:
    """By code, what the period's own lines and the late ones of earlier periods come to."""
    start, end = closing.period.start, closing.period.end
    seen = 0 if previous is None else previous.balance.seen
    booked: Counter[str] = Counter()
    taken_back: Counter[str] = Counter()
    late: Counter[str] = Counter()
    for place, line in enumerate(lines):
        is_earlier = previous is not None and line.at < start
        if line.at >= end or (is_earlier and place < seen):
            continue
        (taken_back if line.reverses else booked)[line.code] += 1
        if is_earlier:
            late[line.code] += 1
    return tuple(
        Changed(
            code=code,
            booked=booked[code],
            reversed=taken_back[code],
            late=late[code],
            net=signed(code, booked[code] - taken_back[code]),
        )
        for code in sorted(booked.keys() | taken_back.keys())
    )


def _contradicted(lines: Sequence[LineRow], previous: Closed | None) -> tuple[str, ...]:
    """What the last count and the book of then agreed on, and what the book of now says otherwise of that instant."""
    if previous is None or previous.inventory is None:
        return ()
    before = previous.balance.period.end
    then, _ = held_at(lines[: previous.balance.seen], before)
    now, _ = held_at(lines, before)
    counted = previous.inventory.epcs
    left = (then - now) & counted
    came = (now - then) - counted
    return tuple(sorted(left | came))
