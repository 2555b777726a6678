"""Holds and their limits: a hold is quick because few sign it, so nobody may chain holds into a pause.

A constituency that held a scope may not hold what overlaps it again before the charter's `hold_again_s` has passed
since that hold's end, nor more chip-hours in a calendar quarter (UTC) than `hold_chip_hours`. The pause quorum exempts:
what it signed as well is no weaker than a pause. A drill is no hold here: it acts on declared canaries only. A pure
fold: the desk judges with all hosts, an agent with its own, an auditor with the log. Source: protocol section 8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

import msgspec

from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.instants import Instant, Period
from sekisho.model.statements import CharterAdopted, OrderIssued, OrderReference, Scope
from sekisho.orders.registers import names_scope_of
from sekisho.signing import Recorded, Regime
from sekisho.signing.charter import Charter

__all__ = [
    "BudgetRow",
    "Hold",
    "HoldBook",
    "HoldBudgetSpent",
    "HoldWindow",
    "StackedHold",
    "check_hold",
    "hold_of",
    "holders_of",
    "is_counted",
    "is_pause_signed",
    "may_overlap",
    "quarter_of",
    "record_hold",
    "verify_hold",
]

Overlaps: TypeAlias = Callable[["Hold"], bool]
"""Whether an earlier hold had any host in common with the one that is judged."""
_HOUR_US: Final = 3_600_000_000
REMEDY: Final = "have the pause quorum sign it as well, or order a pause"


class StackedHold(StateConflict):
    """A hold by a constituency that held overlapping scope too short a time ago."""

    code = "stacked-hold"


class HoldBudgetSpent(StateConflict):
    """A hold that takes more chip-hours than its constituency has left in a quarter."""

    code = "hold-budget-spent"


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A hold with the constituencies that signed it, and the devices of each host that it covered when it was issued.

    `lifted` is when a resume ended it, as early as that can have been; `by_pause`: the pause quorum signed as well.
    """

    order: OrderIssued
    reference: OrderReference
    by: frozenset[str]
    devices: Mapping[str, int] = {}
    by_pause: bool = False
    lifted: Instant | None = None

    @property
    def end(self) -> Instant:
        """When it ended or will: its expiry, or its lifting, but never before it began."""
        expires, lifted = self.order.expires, self.lifted
        return expires if lifted is None else min(expires, max(lifted, self.order.not_before))

    def chip_us(self, within: Period) -> int:
        """Held device-microseconds that fall into a period; none where the pause quorum answers for it."""
        start, end = max(self.order.not_before, within.start), min(self.end, within.end)
        return 0 if self.by_pause else max(end.us - start.us, 0) * sum(self.devices.values())


class HoldWindow(msgspec.Struct, frozen=True, kw_only=True):
    """What a constituency may not hold again, and until when."""

    constituency: str
    hold: Hold
    until: Instant


class BudgetRow(msgspec.Struct, frozen=True, kw_only=True):
    """The held chip-hours of one constituency in one quarter, rounded up to whole hours; `limit` None is unbounded."""

    constituency: str
    quarter: Period
    used: int
    limit: int | None

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(self.limit - self.used, 0)


class HoldBook(msgspec.Struct, frozen=True, kw_only=True):
    """All holds that counted, in the sequence in which they were taken."""

    holds: tuple[Hold, ...] = ()

    def after(self, hold: Hold) -> HoldBook:
        """With one more; one that is known already changes nothing."""
        if not is_counted(hold.order) or self.find(hold.reference.digest) is not None:
            return self
        return HoldBook(holds=(*self.holds, hold))

    def lifting(self, release: OrderIssued, recorded: Instant | None = None) -> HoldBook:
        """After a resume: what it lifts ended when it began, but not before it can have been on record."""
        names = {lifted.digest for lifted in release.lifts}
        ended = [
            hold
            for hold in self.holds
            if hold.reference.digest in names and names_scope_of(release, hold.order)
        ]
        if not ended:
            return self
        at = max(release.not_before, release.effective, recorded or release.effective)
        return HoldBook(
            holds=tuple(
                msgspec.structs.replace(hold, lifted=min(hold.lifted or at, at))
                if hold in ended
                else hold
                for hold in self.holds
            )
        )

    def sparing(self, digest: str) -> HoldBook:
        """Once a host has been shown that a resolved hold is not for it: it was not held by that one."""
        spared = self.find(digest)
        if spared is None or spared.order.resolved is None:
            return self
        rest = msgspec.structs.replace(spared, devices={})
        return HoldBook(holds=tuple(rest if hold is spared else hold for hold in self.holds))

    def find(self, digest: str) -> Hold | None:
        """The hold with this payload digest."""
        return next((hold for hold in self.holds if hold.reference.digest == digest), None)

    def stacked_on(self, new: Hold, again_s: int, overlaps: Overlaps) -> Hold | None:
        """The hold that forbids a new one; None where nothing does, or where the pause quorum signed the new one.

        Time runs both ways: which of two holds was shown first does not matter.
        """
        if new.by_pause or not is_counted(new.order):
            return None
        return next(
            (
                old
                for old in self.holds
                if old.reference.digest != new.reference.digest
                and old.by & new.by
                and new.order.not_before < old.end.plus(again_s)
                and old.order.not_before < new.order.expires.plus(again_s)
                and overlaps(old)
            ),
            None,
        )

    def windows(self, at: Instant, again_s: int) -> tuple[HoldWindow, ...]:
        """What each constituency may not hold again now, by its name and then by time."""
        found = [
            HoldWindow(constituency=name, hold=hold, until=hold.end.plus(again_s))
            for hold in self.holds
            for name in hold.by
            if hold.end.plus(again_s) > at
        ]
        return tuple(sorted(found, key=lambda row: (row.constituency, row.until)))

    def budget(self, constituency: str, quarter: Period, limit: int | None) -> BudgetRow:
        """What a constituency has held in a quarter; a lifted hold's rest is given back."""
        used = self._chip_us(constituency, quarter)
        return BudgetRow(
            constituency=constituency, quarter=quarter, used=-(-used // _HOUR_US), limit=limit
        )

    def overdrawn(self, new: Hold, limit: int | None) -> BudgetRow | None:
        """The first quarter in which a new hold takes more than a constituency has left, as it would then stand."""
        if limit is None or new.by_pause or not is_counted(new.order):
            return None
        for name in sorted(new.by):
            for quarter in _quarters(new.order.not_before, new.order.expires):
                before = self._chip_us(name, quarter, but=new.reference.digest)
                taken = before + new.chip_us(quarter)
                if taken > limit * _HOUR_US:
                    used = -(-taken // _HOUR_US)
                    return BudgetRow(constituency=name, quarter=quarter, used=used, limit=limit)
        return None

    def _chip_us(self, constituency: str, quarter: Period, *, but: str = "") -> int:
        return sum(
            hold.chip_us(quarter)
            for hold in self.holds
            if constituency in hold.by and hold.reference.digest != but
        )


def holders_of(order: OrderIssued, charter: Charter, signers: frozenset[str]) -> frozenset[str]:
    """The constituencies that the power behind an order asks and whose keys signed it."""
    grant = charter.grant_of(order.kind)
    asked = {part.constituency for part in grant.quorums} if grant is not None else set()
    return frozenset(name for name in asked if charter.members_of(name) & signers)


def is_pause_signed(charter: Charter, signers: frozenset[str]) -> bool:
    """Whether these keys make the pause quorum as well."""
    return charter.standing("pause", signers).is_met


def hold_of(
    order: OrderIssued,
    digest: str,
    charter: Charter,
    signers: frozenset[str],
    devices: Mapping[str, int],
) -> Hold:
    """A hold as its limits see it; `devices` are counted for each host that it covers."""
    return Hold(
        order=order,
        reference=OrderReference(register=order.register, number=order.number, digest=digest),
        by=holders_of(order, charter, signers),
        devices=devices,
        by_pause=is_pause_signed(charter, signers),
    )


def record_hold(
    book: HoldBook, recorded: Recorded, before: Regime, devices: Callable[[], Mapping[str, int]]
) -> HoldBook:
    """The book once an entry is in the log; `devices` counts those of the hosts that it covers, asked for holds alone.

    A resume is dated by the newest mark before it where it dates itself earlier: that is the sooner end of the two.
    """
    fact = recorded.verified.predicate
    if not isinstance(fact, OrderIssued) or before.charter is None:
        return book
    if fact.kind == "resume":
        return book.lifting(fact, before.marks.before(recorded.index))
    if not is_counted(fact):
        return book
    verified = recorded.verified
    return book.after(hold_of(fact, verified.digest, before.charter, verified.signers, devices()))


def is_counted(order: OrderIssued) -> bool:
    """Whether an order counts as a hold: a drill of one does not."""
    return order.kind == "hold" and not order.drill


def may_overlap(one: Scope, other: Scope) -> bool:
    """Whether two scopes can have a host in common, as far as their words tell: unless proven disjoint they do.

    Only what a host has one of, by its enrolment, proves it: its name, its site, its jurisdiction. One host may work
    under several licences and runs, and two attributes of different names prove nothing.
    """
    pairs = (
        (one.hosts, other.hosts),
        (one.sites, other.sites),
        (one.jurisdictions, other.jurisdictions),
    )
    return not any(mine and theirs and set(mine).isdisjoint(theirs) for mine, theirs in pairs)


def check_hold(book: HoldBook, new: Hold, terms: CharterAdopted, overlaps: Overlaps) -> list[str]:
    """Why a hold may not be issued, in words; an empty list where its limits allow it."""
    problems = []
    old = book.stacked_on(new, terms.hold_again_s, overlaps)
    if old is not None:
        problems.append(_stacked_in_words(old, new, terms.hold_again_s))
    over = book.overdrawn(new, terms.hold_chip_hours)
    if over is not None:
        problems.append(
            f"{over.constituency} would have held {over.used} chip-hours between {over.quarter.start} and "
            f"{over.quarter.end}, the charter allows {over.limit}"
        )
    return problems


def verify_hold(book: HoldBook, new: Hold, terms: CharterAdopted, overlaps: Overlaps) -> None:
    """Raise StackedHold or HoldBudgetSpent where a hold may not be issued."""
    problems = check_hold(book, new, terms, overlaps)
    if not problems:
        return
    stacked = book.stacked_on(new, terms.hold_again_s, overlaps) is not None
    fault = StackedHold if stacked else HoldBudgetSpent
    where = f"hold {new.reference.register} {new.reference.number}"
    raise fault(f"{where}: {'; '.join(problems)}", remedy=REMEDY)


def quarter_of(at: Instant) -> Period:
    """The calendar quarter, in UTC, that an instant lies in."""
    day = at.to_datetime()
    first = day.replace(
        month=(day.month - 1) // 3 * 3 + 1, day=1, hour=0, minute=0, second=0, microsecond=0
    )
    last = first.month == 10
    if last and first.year == 9999:
        raise InvalidInput("the last quarter of the year 9999 has no end that can be written")
    after = first.replace(
        year=first.year + 1 if last else first.year, month=1 if last else first.month + 3
    )
    return Period(Instant.from_seconds(first.timestamp()), Instant.from_seconds(after.timestamp()))


def _quarters(start: Instant, end: Instant) -> Iterator[Period]:
    """The quarters that a stretch of time touches."""
    quarter = quarter_of(start)
    yield quarter
    while quarter.end < end:
        quarter = quarter_of(quarter.end)
        yield quarter


def _stacked_in_words(old: Hold, new: Hold, again_s: int) -> str:
    names = ", ".join(sorted(old.by & new.by))
    return (
        f"{names} held overlapping scope by {old.reference.register} {old.reference.number} until {old.end}, "
        f"and may not hold it again before {old.end.plus(again_s)}"
    )
