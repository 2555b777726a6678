"""What deciding one event reads and what it gives back: the book of standings, and a taking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, TypeAlias

import msgspec

from sekisho.model.custody import Movement, Standing
from sekisho.model.instants import Instant
from sekisho.registry.epcis.event import Event

__all__ = ["Alert", "AlertCode", "Book", "Captured", "Outcome", "Taking", "Touch", "TouchRole"]

Outcome: TypeAlias = Literal["taken", "waiting", "refused"]
TouchRole: TypeAlias = Literal["epc", "parent", "child", "input", "output", "inside"]
AlertCode: TypeAlias = Literal[
    "unknown-id",
    "model-mismatch",
    "active-elsewhere",
    "already-retired",
    "undo-too-late",
    "other-holder",
    "other-device-key",
    "duplicate-serial",
    "wrong-signer",
    "unsigned",
    "illegal-transition",
    "before-manufacture",
    "in-the-future",
    "contains-itself",
    "two-containers",
    "receipt-without-shipment",
    "receipt-overdue",
    "notice-too-short",
    "approval-missing",
    "inspector-missing",
    "rests-on-it",
    "correction-of-correction",
    "nothing-to-correct",
    "lost-in-transit",
    "shortage",
    "bad-reference",
]


class Captured(msgspec.Struct, frozen=True, kw_only=True):
    """An event with its place in the register and who vouches for it.

    `key` (32 bytes) is its idempotency key; `parties` are the enrolled parties and `powers` the charter powers whose
    quorums signed the document that it came in; both empty for an unsigned one. `received` is when the register got it.
    """

    number: int
    event: Event
    hash_id: str
    key: bytes
    parties: frozenset[str] = frozenset()
    powers: frozenset[str] = frozenset()
    received: Instant


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person must look at. `refused` says whether the event was kept from taking effect by it."""

    code: AlertCode
    epc: str
    detail: str
    number: int
    refused: bool = True


class Touch(msgspec.Struct, frozen=True, kw_only=True):
    """That an event speaks of a chip or component: itself, or as what is inside a container that it names."""

    epc: str
    role: TouchRole


class Taking(msgspec.Struct, frozen=True, kw_only=True):
    """What one event did. Standings and movements are whole new values; `waits_for` are the EPCs it is early for.

    `contained` says what lies in what from now on ("" in nothing), registered or not; for what is registered its
    standing says the same. `voids` is the number of the event that this one declares an error, once that is done;
    `gone` are EPCs whose registration was undone.
    """

    number: int
    outcome: Outcome
    alerts: tuple[Alert, ...] = ()
    touches: tuple[Touch, ...] = ()
    standings: Mapping[str, Standing] = {}
    movements: Mapping[str, Movement] = {}
    contained: Mapping[str, str] = {}
    waits_for: tuple[str, ...] = ()
    voids: int | None = None
    gone: tuple[str, ...] = ()


class Book(Protocol):
    """What is known before an event is taken. Asked by EPC; who implements it may have loaded all of it at once."""

    def standing(self, epc: str) -> Standing | None:
        """How a chip or component stands now; None where nobody registered it."""
        ...

    def inside(self, epc: str) -> Sequence[str]:
        """What lies directly in a container now, registered or not."""
        ...

    def container(self, epc: str) -> str:
        """What something lies in now, registered or not; "" for nothing."""
        ...

    def history(self, epc: str) -> Sequence[Captured]:
        """The events that took effect on it and were not voided, in the order in which they took effect.

        Without what cannot change anything (`facts.may_change`): observations, and all that nobody endorsed.
        """
        ...

    def waiting(self, epc: str) -> Sequence[Captured]:
        """The events that are early for it, oldest number first."""
        ...

    def movement(self, reference: str) -> Movement | None: ...

    def by_hash(self, hash_id: str) -> Captured | None:
        """The event with this hash id that is no error declaration, if it took effect and was not voided."""
        ...

    def by_identity(self, maker: str, serial: str) -> str | None:
        """The EPC that was registered with a maker's serial."""
        ...

    def by_device_key(self, device_key: str) -> str | None:
        """The EPC that was registered with a device key."""
        ...
