"""Double-entry books of a licence: every FLOP of the budget is in exactly one of four places, always.

budget = available + leased + consumed + forfeited, in integers. Source: protocol section 6.
"""

from __future__ import annotations

import msgspec

from sekisho.model.errors import StateConflict, VerificationError

__all__ = ["Book", "OverSpent"]


class OverSpent(VerificationError):
    """More was taken out of an account than was in it."""

    code = "over-spent"


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """The four accounts of one licence, in FLOP."""

    available: int
    leased: int = 0
    consumed: int = 0
    forfeited: int = 0

    @classmethod
    def open(cls, budget_flop: int) -> Book:
        return cls(available=budget_flop)

    @property
    def budget(self) -> int:
        return self.available + self.leased + self.consumed + self.forfeited

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

        A host that consumed more than its allowance is shown as such: the excess comes out of available, and
        OverSpent is raised only where even that does not cover it.
        """
        if allowance_flop > self.leased or consumed_flop < 0:
            raise OverSpent(
                f"{allowance_flop} FLOP cannot be closed: only {self.leased} FLOP are leased"
            )
        rest = allowance_flop - consumed_flop
        forfeited = rest if rest_forfeited and rest > 0 else 0
        available = self.available + (rest - forfeited)
        if available < 0:
            raise OverSpent(
                f"{consumed_flop} FLOP were consumed, {-available} more than the whole budget"
            )
        return Book(
            available=available,
            leased=self.leased - allowance_flop,
            consumed=self.consumed + consumed_flop,
            forfeited=self.forfeited + forfeited,
        )
