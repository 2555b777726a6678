"""The JSON of /api/v1 as other programs read it. Names here are a contract; amounts are decimal strings."""

from __future__ import annotations

import msgspec

from sekisho.model.membership import Membership
from sekisho.model.statements import LogPosition, OrderReference

__all__ = [
    "AcknowledgedReceipt",
    "Admission",
    "BooksView",
    "FeedAnswer",
    "FeedEntry",
    "HostView",
    "IssuedLease",
    "LicenceView",
    "LogView",
    "OpenHaltView",
    "OrderHostView",
    "OrderView",
    "ProofAnswer",
    "ProvenEnvelope",
    "StateView",
    "StatementAnswer",
    "WitnessView",
]


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """Where a statement stands in the log; `fresh` is false where it stood there before."""

    index: int
    leaf: str
    digest: str
    fresh: bool


class ProofAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A tlog-proof in the newest witnessed checkpoint, as text."""

    proof: str


class FeedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One statement for a host: base64 of its envelope's bytes; no proof where it goes out on sight.

    With an order whose scope was resolved comes the proof that this host is in it, or that it is not.
    """

    envelope: str
    proof: str | None
    membership: Membership | None = None


class FeedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is new for a host, and the cursor to ask with next; `checkpoint` is the newest cosigned note."""

    next: int
    items: tuple[FeedEntry, ...]
    checkpoint: str | None


class IssuedLease(msgspec.Struct, frozen=True, kw_only=True):
    """A lease with its proof and the disclosures of what it conceals."""

    envelope: str
    proof: str
    disclosures: tuple[str, ...]


class AcknowledgedReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of a receipt's acknowledgement, in base64."""

    acknowledgement: str | None


class ProvenEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """An envelope, and its proof where a witnessed checkpoint covers it; whether the host asked for is in its scope.

    `disclosures` only of a sealed order, and only to a host that asked by its key.
    """

    envelope: str
    proof: str | None
    membership: Membership | None = None
    disclosures: tuple[str, ...] = ()


class StatementAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A statement at its place in the log."""

    envelope: str
    index: int
    leaf: str
    proof: str | None


class OpenHaltView(msgspec.Struct, frozen=True, kw_only=True):
    """A halted receipt under a witnessed checkpoint (`after`), waiting for an observation."""

    host: str
    order: OrderReference
    receipt: str
    receipt_index: int
    after: LogPosition


class WitnessView(msgspec.Struct, frozen=True, kw_only=True):
    """A witness of the charter: its owner, when it last cosigned (POSIX seconds), and what it last failed with."""

    name: str
    owner: str
    cosigned: int | None
    problem: str


class LogView(msgspec.Struct, frozen=True, kw_only=True):
    """The log's head and what of it is witnessed; `single_owner` names who alone holds log and witnesses."""

    origin: str
    size: int
    witnessed_size: int | None
    witnessed_root: str | None
    single_owner: str | None
    witnesses: tuple[WitnessView, ...]


class HostView(msgspec.Struct, frozen=True, kw_only=True):
    """A host in one word; `emulated` where that word rests on an emulated device."""

    host: str
    site: str
    standing: str
    emulated: bool
    since: str | None
    until: str | None


class BooksView(msgspec.Struct, frozen=True, kw_only=True):
    """The four accounts in FLOP; with `undisclosed` above 0 they are not the whole."""

    budget_flop: str
    available_flop: str
    leased_flop: str
    consumed_flop: str
    forfeited_flop: str
    undisclosed: int


class LicenceView(msgspec.Struct, frozen=True, kw_only=True):
    """A licence with its books; `revoked` is the instant, if it was."""

    number: str
    licensee: str
    run: str
    decision: str
    ends: str
    revoked: str | None
    books: BooksView


class OrderHostView(msgspec.Struct, frozen=True, kw_only=True):
    """A host that an order covers, and where it stands under it."""

    host: str
    standing: str
    emulated: bool


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was issued; `in_force` as of the answer, `phrase` is its digest in eight words.

    Of a sealed one nothing is known of effect and hosts: that is `sealed`, and no host, until it `opens`.
    """

    register: str
    number: int
    digest: str
    phrase: str
    kind: str
    effect: str
    drill: bool
    in_force: bool
    expires: str
    on_expiry: str
    hosts: tuple[OrderHostView, ...]
    opens: str | None = None


class StateView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the overview shows, at one instant."""

    at: str
    charter: str | None
    profile: str | None
    log: LogView
    hosts: tuple[HostView, ...]
    licences: tuple[LicenceView, ...]
    orders: tuple[OrderView, ...]
    findings: int
