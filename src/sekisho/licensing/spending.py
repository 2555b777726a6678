"""Reserve, then spend: the host's own state machine of quanta, as pure transitions.

Before each quantum the state with q + 1 and its reservation is made durable, then the counter is stepped. Lost
power costs the holder, never the regulator. Source: protocol sections 5 and 6.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from sekisho.model.errors import StateConflict, VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import FlopText, Reference

__all__ = ["AllowanceSpent", "HeldLease", "HostState", "RolledBack", "StartUp", "check_start"]


class RolledBack(VerificationError):
    """State file and counter differ by more than a crash explains: one of them was set back."""

    code = "rolled-back"


class AllowanceSpent(StateConflict):
    """The lease has no room for another quantum."""

    code = "allowance-spent"


StartUp = Literal["equal", "crash"]


class HeldLease(msgspec.Struct, frozen=True, kw_only=True):
    """A lease in a host's hands. `spent` is the bound over finished quanta; `reserved` includes the one running."""

    lease: Reference
    licence: Reference
    number: int
    run: str
    not_after: Instant
    allowance: FlopText
    spent: FlopText = "0"
    reserved: FlopText = "0"


class HostState(msgspec.Struct, frozen=True, kw_only=True):
    """What a host must never forget: quantum number, last lease number, the lease, the head of its receipt chain."""

    quantum: int = 0
    lease_number: int = 0
    lease: HeldLease | None = None
    following: HeldLease | None = None
    sequence: int = 0
    receipt: str | None = None
    boot: str = ""

    def take(self, lease: HeldLease) -> HostState:
        """Hold a lease that was accepted: at once where none is held, else for when the present one is closed.

        Raises StateConflict where one is waiting already: its allowance would be lost without a receipt.
        """
        if self.lease is None:
            return msgspec.structs.replace(self, lease=lease, lease_number=lease.number)
        if self.following is not None:
            raise StateConflict(
                f"lease {self.following.number} is waiting already, beside {self.lease.number}"
            )
        return msgspec.structs.replace(self, following=lease, lease_number=lease.number)

    def switch(self) -> HostState:
        """Go over to the lease that was requested ahead, or to none; the old one's final receipt comes first."""
        return msgspec.structs.replace(self, lease=self.following, following=None)

    def reserve(self, quantum_flop: int) -> HostState:
        """The state to make durable before the next quantum. Raises AllowanceSpent where it does not fit."""
        lease = self._lease()
        _refuse_negative(quantum_flop)
        reserved = int(lease.spent) + quantum_flop
        if reserved > int(lease.allowance):
            raise AllowanceSpent(
                f"{reserved} FLOP would be reserved, the lease allows {lease.allowance}"
            )
        held = msgspec.structs.replace(lease, reserved=str(reserved))
        return msgspec.structs.replace(self, quantum=self.quantum + 1, lease=held)

    def credit(self, bound_flop: int) -> HostState:
        """Close a quantum whose sound upper bound is known: what was not spent is free for the next reservation.

        A bound above the reservation is kept as it is: the excess shows, it is not cut off.
        """
        lease = self._lease()
        _refuse_negative(bound_flop)
        held = msgspec.structs.replace(
            lease,
            spent=str(int(lease.spent) + bound_flop),
            reserved=str(int(lease.spent) + bound_flop),
        )
        return msgspec.structs.replace(self, lease=held)

    def forget_quantum(self) -> HostState:
        """After a crash: the quantum's whole reservation counts as spent, its credit is lost."""
        if self.lease is None:
            return self
        held = msgspec.structs.replace(self.lease, spent=self.lease.reserved)
        return msgspec.structs.replace(self, lease=held)

    def receipted(self, digest: str) -> HostState:
        """The state with one more receipt in the chain."""
        return msgspec.structs.replace(self, sequence=self.sequence + 1, receipt=digest)

    def without_leases(self) -> HostState:
        """After a rollback or a reboot on C0 and C1: nothing held counts any more."""
        return msgspec.structs.replace(self, lease=None, following=None)

    def _lease(self) -> HeldLease:
        if self.lease is None:
            raise StateConflict("this host holds no lease")
        return self.lease


def check_start(state_quantum: int, counter: int) -> StartUp:
    """Compare state and counter at start: equal is sound, state one ahead is a crash, the rest is a rollback."""
    if state_quantum == counter:
        return "equal"
    if state_quantum == counter + 1:
        return "crash"
    raise RolledBack(
        f"the state file is at quantum {state_quantum}, the counter at {counter}",
        remedy="nothing runs here until a fresh lease answers this host's nonce; a finding is raised",
    )


def _refuse_negative(flop: int) -> None:
    """A figure below zero would make allowance out of nothing."""
    if flop < 0:
        raise StateConflict(f"{flop} FLOP cannot be reserved or spent: a figure below zero")
