"""One licence and one lease as the log has them so far: what the ledger holds of each."""

from __future__ import annotations

import msgspec

from sekisho.licensing.books import Book, Books
from sekisho.model.amounts import parse_flop
from sekisho.model.instants import Instant
from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import (
    BudgetShare,
    LeaseGranted,
    LeaseTerms,
    LicenceClosed,
    LicenceDecision,
    LicenceIssued,
)

__all__ = ["LeaseState", "LicenceState", "LicenceVersion", "Suspension"]


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """One entry that closed a lease, or added a fork's branch to one that was closed: what was consumed by then."""

    how: str
    consumed_flop: int | None


class LeaseState(msgspec.Struct, frozen=True, kw_only=True):
    """One lease: what was granted, and how it ended if it did. Amounts are None where undisclosed.

    `is_returned`: a final receipt gave its rest back to available, whatever came to light afterwards. `closings` are
    all entries that say how it ended, in log order; the last one counts. `version` is that of its licence's terms when
    it was granted.
    """

    granted: LeaseGranted
    leaf: str
    digest: str
    allowance_flop: int | None
    consumed_flop: int | None = None
    ended: str | None = None
    ended_at: Instant | None = None
    is_returned: bool = False
    closings: tuple[Closing, ...] = ()
    version: int = 1


class LicenceVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a licence's terms: where it stands in the log, since when, the whole budget, on what it rests."""

    version: int
    leaf: str
    digest: str
    since: Instant
    budget_flop: int
    hosts: tuple[str, ...]
    decision: LicenceDecision
    shares: tuple[BudgetShare, ...] = ()
    reason: str = ""
    lease: LeaseTerms


class Suspension(msgspec.Struct, frozen=True, kw_only=True):
    """A suspension that no amendment has lifted: its entry, since when, and why."""

    leaf: str
    since: Instant
    reason: str


class LicenceState(msgspec.Struct, frozen=True, kw_only=True):
    """One licence with its books, every lease granted under it by leaf digest, and those that live.

    `licence` is the licence as amended; `amendments` tells how it came to be so. `leaf` and `digest` are those of its
    issue, `newest` is the payload digest of its issue or last amendment.
    """

    licence: LicenceIssued
    leaf: str
    digest: str
    books: Books
    granted: PersistentMap[str, LeaseState] = PersistentMap()
    live: PersistentMap[str, LeaseState] = PersistentMap()
    revoked: Instant | None = None
    newest: str = ""
    first: LicenceVersion | None = None
    amendments: tuple[LicenceVersion, ...] = ()
    suspension: Suspension | None = None
    closed: Instant | None = None
    closing: LicenceClosed | None = None

    @property
    def leases(self) -> tuple[LeaseState, ...]:
        """Every lease, in the order of granting; it takes as long as there are leases."""
        return tuple(self.granted.values())

    def live_leases(self) -> tuple[LeaseState, ...]:
        return tuple(self.live.values())

    @property
    def book(self) -> Book:
        """The whole budget's book; of a split one the sum of the shares' books."""
        return self.books.total

    @property
    def undisclosed(self) -> int:
        """How many amounts nobody opens: what is left of their shares is unknown."""
        return self.books.undisclosed

    @property
    def version(self) -> int:
        """1 as issued, one more with each amendment."""
        return 1 + len(self.amendments)

    @property
    def versions(self) -> tuple[LicenceVersion, ...]:
        """Every version of its terms, the first one first."""
        return (*((self.first,) if self.first is not None else ()), *self.amendments)

    def every_host(self) -> tuple[str, ...]:
        """Every host that it names or ever named."""
        return tuple(
            dict.fromkeys(h for v in self.versions for h in v.hosts)
            | dict.fromkeys(self.licence.hosts)
        )

    @property
    def suspended(self) -> Instant | None:
        """Since when it is suspended; None where it is not."""
        return self.suspension.since if self.suspension is not None else None

    def obstacle(self) -> str | None:
        """Why nothing is granted and no quantum begun under it any more, in words; None where nothing stands so."""
        if self.revoked is not None:
            return f"licence {self.licence.number} was revoked at {self.revoked}"
        if self.closed is not None:
            return f"licence {self.licence.number} was closed at {self.closed}"
        if self.suspended is not None:
            return f"licence {self.licence.number} is suspended since {self.suspended}"
        return None

    def handed_out_flop(self) -> int:
        """What of its budget counts as licensed: all of it; of one that has ended, what was leased and not returned.

        Of one with amounts that nobody can open all of it in any case: unknown is never taken for little. What was
        overdrawn counts as well.
        """
        budget = parse_flop(self.licence.budget_flop)
        ended = self.revoked is not None or self.closed is not None
        if ended and not self.undisclosed:
            return self.book.taken
        return max(budget, self.book.taken)
