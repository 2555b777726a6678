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
from sekisho.model.wire import from_json, parse_json

__all__ = [
    "MOST_AHEAD",
    "AllowanceSpent",
    "HeldLease",
    "HostState",
    "RolledBack",
    "StartUp",
    "check_start",
    "parse_state",
]

MOST_AHEAD = 16  # leases that may wait behind the one in hand, whatever their terms


class RolledBack(VerificationError):
    """State file and counter differ by more than a crash explains: one of them was set back."""

    code = "rolled-back"


class AllowanceSpent(StateConflict):
    """The lease has no room for another quantum."""

    code = "allowance-spent"


StartUp = Literal["equal", "crash"]


class HeldLease(msgspec.Struct, frozen=True, kw_only=True):
    """A lease in a host's hands. `spent` is the bound over finished quanta; `reserved` includes the one running.

    `challenge` is the issuer's nonce that came with it, for the next certified counter (tier C2). `ends_us` is the
    elapsed time at which it ends whatever any clock says, counted from the host's own request: a lease that the network
    held back grows no longer by it. None where it was taken before this was kept.
    """

    lease: Reference
    licence: Reference
    number: int
    run: str
    not_after: Instant
    allowance: FlopText
    spent: FlopText = "0"
    reserved: FlopText = "0"
    challenge: str | None = None
    ends_us: int | None = None


class HostState(msgspec.Struct, frozen=True, kw_only=True):
    """What a host must never forget: quantum number, last lease number, the lease, the head of its receipt chain.

    `waiting` are leases asked for ahead, in the order of their numbers; they take over one after the other.
    `challenge` is the newest nonce of the issuer, which the next quantum's certified counter answers (tier C2).
    `known` is the earliest that it could be when this was written, `known_at_us` the elapsed time at that moment: what
    an agent that starts again must not forget about the time. `asked_us` is the elapsed time of the newest lease
    request, before which no witness can have signed the lease that answers it. `boot` tells what must not have changed
    if nothing was lost: the kernel's id of its boot, and where there is a TPM a slash and that one's own counts.
    `closing` are leases on their way back (tier C2): nothing is reserved of them any more, and each still lacks its
    final receipt, which waits for the counter.
    """

    quantum: int = 0
    lease_number: int = 0
    lease: HeldLease | None = None
    waiting: tuple[HeldLease, ...] = ()
    sequence: int = 0
    receipt: str | None = None
    boot: str = ""
    challenge: str | None = None
    known: Instant | None = None
    known_at_us: int = 0
    asked_us: int | None = None
    closing: tuple[HeldLease, ...] = ()

    @property
    def in_hand(self) -> tuple[HeldLease, ...]:
        """The lease that quanta are reserved from, then those that wait."""
        return (self.lease, *self.waiting) if self.lease is not None else self.waiting

    def take(self, lease: HeldLease, *, ahead: int = 1) -> HostState:
        """Hold a lease that was accepted: at once where none is held, else for when those before it are closed.

        Raises StateConflict where `ahead` are waiting already: its allowance would be lost without a receipt.
        """
        known = msgspec.structs.replace(
            self, lease_number=lease.number, challenge=lease.challenge or self.challenge
        )
        if self.lease is None:
            return msgspec.structs.replace(known, lease=lease)
        if len(self.waiting) >= ahead:
            raise StateConflict(
                f"{len(self.waiting)} leases are waiting already, beside {self.lease.number}"
            )
        return msgspec.structs.replace(known, waiting=(*self.waiting, lease))

    def switch(self) -> HostState:
        """Go over to the first lease that waits, or to none; the old one's final receipt comes first."""
        following = self.waiting[0] if self.waiting else None
        return msgspec.structs.replace(self, lease=following, waiting=self.waiting[1:])

    def retire(self, leases: tuple[HeldLease, ...]) -> HostState:
        """Under the next quantum number, with these leases on their way back: no longer in hand, what they spent kept.

        A copy of the disk from before stands behind the counter once that has stepped, so nobody spends them again.
        """
        gone = {lease.lease.leaf for lease in leases}
        kept = [lease for lease in self.in_hand if lease.lease.leaf not in gone]
        return msgspec.structs.replace(
            self,
            quantum=self.quantum + 1,
            lease_number=max([self.lease_number, *(lease.number for lease in leases)]),
            lease=kept[0] if kept else None,
            waiting=tuple(kept[1:]),
            closing=(*self.closing, *leases),
        )

    def closed(self, leaf: str) -> HostState:
        """With the final receipt of a lease on its way back written."""
        return msgspec.structs.replace(
            self, closing=tuple(lease for lease in self.closing if lease.lease.leaf != leaf)
        )

    def challenged(self, challenge: str | None) -> HostState:
        """With the issuer's newest nonce; the one before stays where it sent none."""
        return msgspec.structs.replace(self, challenge=challenge or self.challenge)

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
        """After a rollback or a reboot: nothing held counts any more."""
        return msgspec.structs.replace(self, lease=None, waiting=(), closing=())

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


def parse_state(raw: bytes, *, path: str = "state.json") -> HostState:
    """A state as it was made durable, by this version or one before it. Raises InvalidInput.

    Until several leases could wait there was one, under the name `following`: it must not be lost on the way.
    """
    document = parse_json(raw, path=path)
    if isinstance(document, dict) and "following" in document:
        following = document.pop("following")
        if following is not None:
            document.setdefault("waiting", [following])
    return from_json(HostState, document, path=path)


def _refuse_negative(flop: int) -> None:
    """A figure below zero would make allowance out of nothing."""
    if flop < 0:
        raise StateConflict(f"{flop} FLOP cannot be reserved or spent: a figure below zero")
