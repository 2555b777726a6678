"""What a projection's documents look like: one shape for each table, made from what the folds hold. Pure.

Nothing here depends on the time of day, since a document must be the same whenever it is made: what is in force, and
what has lapsed, is told from these by whoever asks, at his instant. An amount that conceals itself from us is the word
`unverifiable`, never a zero; a field that is not there says "not (yet)".
"""

from __future__ import annotations

from typing import Final

import msgspec

from sekisho.licensing import LeaseState, LicenceState
from sekisho.model.amounts import format_flop
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    CharterAdopted,
    Degree,
    FindingRaised,
    LicenceIssued,
    OrderIssued,
    OrderReference,
    OrderSealed,
    PackPublished,
    RunDeclared,
    Stage,
)
from sekisho.orders import KnownOrder
from sekisho.orders.lifecycle import HostUnderOrder
from sekisho.orders.sealed import public_face
from sekisho.signing import PublicKey
from sekisho.signing.emergency import Emergency
from sekisho.signing.folding import Adopted

__all__ = [
    "UNVERIFIABLE",
    "Document",
    "key_document",
    "of_charter",
    "of_emergency",
    "of_lease",
    "of_licence",
    "of_life",
    "of_order",
    "of_run",
]

UNVERIFIABLE: Final = "unverifiable"


class Document(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A document; its canonical bytes are what is compared."""


class CharterDocument(Document, frozen=True, kw_only=True):
    digest: str
    entry: int
    terms: CharterAdopted


class KeyDocument(Document, frozen=True, kw_only=True):
    """A key and who speaks by it; `constituency` only for the charter's own."""

    id: str
    public: str
    organisation: str
    holder: str
    constituency: str | None = None


class EmergencyDocument(Document, frozen=True, kw_only=True):
    """An emergency pack; its time counts from when entry `counts_from` was witnessed."""

    pack: PackPublished
    counts_from: int
    lasts_s: int
    is_over: bool = False


class RunDocument(Document, frozen=True, kw_only=True):
    leaf: str
    run: RunDeclared


class BooksDocument(Document, frozen=True, kw_only=True):
    """The four accounts and their sum, in FLOP, or `unverifiable`."""

    budget_flop: str
    available_flop: str
    leased_flop: str
    consumed_flop: str
    forfeited_flop: str


class LicenceDocument(Document, frozen=True, kw_only=True):
    """A licence as amended, with its books; `undisclosed` counts the amounts that nobody here can open."""

    leaf: str
    digest: str
    licence: LicenceIssued
    books: BooksDocument
    leases: int = 0
    live_leases: int = 0
    undisclosed: int = 0
    version: int = 1
    suspended: Instant | None = None
    revoked: Instant | None = None
    closed: Instant | None = None


class LeaseDocument(Document, frozen=True, kw_only=True):
    """A lease. `consumed_flop` is there once it ended, `ended` says how."""

    digest: str
    licence: str
    host: str
    number: int
    granted: Instant
    not_after: Instant
    allowance_flop: str
    ended: str | None = None
    consumed_flop: str | None = None


class OrderDocument(Document, frozen=True, kw_only=True):
    """An order; `sealed` stands beside what everybody may know of it until it opens."""

    digest: str
    order: OrderIssued
    sealed: OrderSealed | None = None


class StageDocument(Document, frozen=True, kw_only=True):
    stage: Stage
    at: Instant
    entry: int
    receipt: str


class VerdictDocument(Document, frozen=True, kw_only=True):
    digest: str
    degree: Degree
    lapses: Instant
    evidence: tuple[str, ...]


class LifeDocument(Document, frozen=True, kw_only=True):
    """One host under one order: its receipts in log order, the newest observation, the newest verdict."""

    order: OrderReference
    host: str
    stages: tuple[StageDocument, ...] = ()
    observation: str | None = None
    verdict: VerdictDocument | None = None


class FindingDocument(Document, frozen=True, kw_only=True):
    digest: str
    finding: FindingRaised


def of_charter(adopted: Adopted) -> CharterDocument:
    """A charter version, with the entry that adopted it."""
    charter = adopted.charter
    return CharterDocument(digest=charter.digest, entry=adopted.index, terms=charter.terms)


def key_document(
    public: str, organisation: str, holder: str, *, constituency: str | None = None
) -> KeyDocument:
    """A key by its base64 SPKI, and who speaks by it."""
    return KeyDocument(
        id=PublicKey.from_text(public).key_id,
        public=public,
        organisation=organisation,
        holder=holder,
        constituency=constituency,
    )


def of_emergency(emergency: Emergency) -> EmergencyDocument:
    """The newest emergency pack of a name."""
    return EmergencyDocument(
        pack=emergency.pack,
        counts_from=emergency.index,
        lasts_s=emergency.lasts_s,
        is_over=emergency.is_over,
    )


def of_run(found: tuple[str, RunDeclared]) -> RunDocument:
    """A declared run, with the leaf digest of its declaration."""
    return RunDocument(leaf=found[0], run=found[1])


def of_licence(state: LicenceState) -> LicenceDocument:
    """A licence with its books."""
    return LicenceDocument(
        leaf=state.leaf,
        digest=state.digest,
        licence=state.licence,
        books=_books(state),
        leases=len(state.granted),
        live_leases=len(state.live),
        undisclosed=state.undisclosed,
        version=state.version,
        suspended=state.suspended,
        revoked=state.revoked,
        closed=state.closed,
    )


def of_lease(lease: LeaseState) -> LeaseDocument:
    """A lease with its amounts."""
    granted = lease.granted
    return LeaseDocument(
        digest=lease.digest,
        licence=granted.licence.leaf,
        host=granted.host,
        number=granted.number,
        granted=granted.effective,
        not_after=granted.not_after,
        allowance_flop=_amount(lease.allowance_flop),
        ended=lease.ended,
        consumed_flop=_amount(lease.consumed_flop) if lease.ended is not None else None,
    )


def of_order(known: KnownOrder) -> OrderDocument:
    """An order as issued."""
    face = public_face(known)
    return OrderDocument(digest=known.digest, order=face.order, sealed=known.sealed)


def of_life(life: HostUnderOrder) -> LifeDocument:
    """How far a host has come under an order."""
    verdict = life.verdict
    return LifeDocument(
        order=life.order,
        host=life.host,
        stages=tuple(
            StageDocument(stage=s.stage, at=s.at, entry=s.index, receipt=s.digest)
            for s in life.stages
        ),
        observation=life.observation_digest or None,
        verdict=None
        if verdict is None
        else VerdictDocument(
            digest=life.verdict_digest,
            degree=verdict.degree,
            lapses=verdict.lapses,
            evidence=verdict.evidence,
        ),
    )


def _books(state: LicenceState) -> BooksDocument:
    """The accounts; with an amount that nobody can open only the budget is known."""
    book = state.book
    accounts = (book.available, book.leased, book.consumed, book.forfeited)
    shown = [UNVERIFIABLE if state.undisclosed else format_flop(flop) for flop in accounts]
    return BooksDocument(
        budget_flop=state.licence.budget_flop,
        available_flop=shown[0],
        leased_flop=shown[1],
        consumed_flop=shown[2],
        forfeited_flop=shown[3],
    )


def _amount(flop: int | None) -> str:
    return UNVERIFIABLE if flop is None else format_flop(flop)
