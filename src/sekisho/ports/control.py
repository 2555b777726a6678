"""The control plane as a host and an observer see it: something that answers, or not, and is never believed.

Everything that comes through here is verified by whoever asked; a lie costs the control plane a finding. All methods
raise Unavailable where no answer came in time (nothing is known to have changed; asking again is safe), StateConflict
or NotAuthorised with the reasons where it refuses, InvalidInput where the answer cannot be read.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from sekisho.model.errors import StateConflict
from sekisho.model.membership import Membership
from sekisho.model.statements import LogPosition, OrderReference

__all__ = [
    "Control",
    "Feed",
    "FeedItem",
    "HaltBoard",
    "IssuerDesk",
    "LeaseAnswer",
    "OpenHalt",
    "OrderFeed",
    "StoredStatement",
    "Unacknowledged",
]


class Unacknowledged(StateConflict):
    """A quantum that the issuer keeps, so that the chain goes on, and does not acknowledge; it says why."""

    code = "quantum-not-acknowledged"


class FeedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One envelope's bytes, and its tlog-proof where the log has witnessed it.

    `membership`: of an order whose scope was resolved, whether the host that asked is in it; `disclosures` of a sealed
    one are both where it is, and the salt alone where it is not.
    """

    envelope: bytes
    proof: str | None = None
    membership: Membership | None = None
    disclosures: tuple[str, ...] = ()


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """What is new for a host after a place in its feed; `checkpoint` is a cosigned note, the newest there is."""

    next: int
    items: tuple[FeedItem, ...] = ()
    checkpoint: str | None = None


class LeaseAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A granted lease with its proof, and the disclosures of what it conceals."""

    envelope: bytes
    proof: str
    disclosures: tuple[str, ...] = ()


class OpenHalt(msgspec.Struct, frozen=True, kw_only=True):
    """A halted-receipt that waits for an observation, as the control plane tells of it."""

    host: str
    order: OrderReference
    receipt: str
    receipt_index: int
    after: LogPosition


class StoredStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement at its place in the log."""

    envelope: bytes
    index: int
    leaf: str
    proof: str | None = None


class OrderFeed(Protocol):
    """Where orders, charters and licences come from."""

    def fetch_feed(self, host: str, after: int, wait_s: int) -> Feed:
        """What is new after `after` (0: everything, in log order); waits up to `wait_s` for something."""
        ...

    def fetch_order(self, register: str, number: int, host: str = "") -> FeedItem:
        """One order by its number; `host` is whose membership is to be shown with it."""
        ...

    def fetch_shown(self, asked: bytes) -> FeedItem:
        """A sealed order with what the host that signed this request is shown of it (orders.asking)."""
        ...


class IssuerDesk(Protocol):
    """Where a host brings what it signed."""

    def send_request(self, envelope: bytes) -> LeaseAnswer:
        """Ask for a lease; the same request again gives the same lease. Raises StateConflict where refused."""
        ...

    def send_receipt(self, envelope: bytes) -> bytes | None:
        """Hand in a receipt; the envelope of its acknowledgement, None for receipts that take none."""
        ...

    def send_statement(self, envelope: bytes) -> None: ...


class Control(OrderFeed, IssuerDesk, Protocol):
    """All that an agent asks of a control plane."""


class HaltBoard(Protocol):
    """All that an observer asks of a control plane."""

    def fetch_halts(self) -> tuple[OpenHalt, ...]: ...

    def fetch_statement(self, digest: str) -> StoredStatement: ...

    def fetch_feed(self, host: str, after: int, wait_s: int) -> Feed: ...

    def send_statement(self, envelope: bytes) -> None: ...
